/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * One build of the runtime on disk: which of the probed functions it has, where each is probed,
 * and where the fields of its objects lie. All of it comes out of the ELF file itself; nothing is
 * guessed from a version. It may use elf, symbols, prologue and layout; it neither attaches nor
 * prints. A struct library is immutable once opened.
 */
#ifndef TTTRACE_LIBRARY_H
#define TTTRACE_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "tttrace_config.h"
#include "target/classes.h"
#include "target/layout.h"
#include "target/probes.h"

/* A place to attach to. A function with several addresses (constructors, destructors) has several.
 */
struct library_probe {
	enum tt_probe probe;
	char *symbol;	   /* mangled */
	char *name;	   /* demangled */
	__u64 vaddr;	   /* of the function, in the file's address space */
	__u64 size;	   /* st_size, bytes */
	__u32 insn_offset; /* of the probed instruction in the function, bytes */
	__u64 file_offset; /* of the probed instruction: what the kernel wants */
	char insn[64];	   /* disassembled */
	bool emulated;	   /* the kernel emulates it: about 1 us a hit instead of 15 */
	__u8 arg;	   /* where the object of interest is: as in struct tt_cookie */
};

struct library {
	char *name;	       /* what it is called in messages */
	char build_id[64 + 1]; /* hex; empty: none */
	int generation;	       /* 1, 2, 3: see design; 0: unknown */
	/* LIBRARY_STRIPPED: it has no probes, and only those fields that its vtables tell of */
	bool is_stripped;
	struct class_vtables classes; /* of one that is stripped */
	struct library_probe *probes;
	size_t num_probes;
	enum probe_state probe_state[TT_PROBE_COUNT]; /* why a probe is not among them */
	struct tt_layout layout;		      /* absent fields have len 0 */
	__u64 counter; /* Buffer::next_unique_id, in the file's address space; 0: there is none */
	struct library_field fields[TT_FIELD_COUNT];
};

/*
 * Opens the ELF file at @path, which people know as @name, and decodes it.
 * Returns 0; -ENOENT, -EACCES, … of open(2); -ENOEXEC: not an ELF file of this machine, truncated
 * or hostile; -ENODATA: an ELF file, but not the runtime.
 * It logs nothing: most files that it is asked about are not the runtime.
 */
int library__open(const char *path, const char *name, struct library **ret_lib);
void library__free(struct library *lib);

enum library_kind {
	LIBRARY_OTHER,	  /* no runtime, or no ELF */
	LIBRARY_RUNTIME,  /* with the symbol GraphTracker::track_allocate */
	LIBRARY_STRIPPED, /* without its symbols: only the classes of the runtime are there */
};

/*
 * Cheap test of any file: does it define GraphTracker::track_allocate? A runtime that is a library
 * of its own must export it; where it is linked into another file it need not be, as long as that
 * is not stripped. If it is, the runtime is known by the type name of a class. Returns enum
 * library_kind, or -errno: it cannot be read.
 */
int library__kind(const char *path);

/* What is to be said of one without symbols, behind "NAME "; and where it would be traced. */
extern const char library_stripped[], library_stripped_advice[];

/* The class and field names of @field as the source has them: "Buffer", "size_". */
const char *library__field_class(enum tt_field field);
const char *library__field_name(enum tt_field field);

/* The register that has the object of @probe, whose arg is TT_ARG_REGISTER or more: "rdi". */
const char *library__register(const struct library_probe *probe);

/* The probes that it has, 1 << enum tt_probe each. */
__u64 library__probes(const struct library *lib);

/*
 * Cheap: the build id of the file at @path, into @buf of @size bytes; empty where it has none.
 * Returns 0 or as library__open().
 */
int library__read_build_id(const char *path, char *buf, size_t size);

/* Of what is probed and read of it, and of its build: two with the same print are alike. */
__u64 library__print(const struct library *lib);

/* The C++ name of a probe without arguments, e.g. "GraphTracker::track_allocate". */
const char *library__probe_name(enum tt_probe probe);

/* What no longer works when @probe (or @field) is missing, in words for the user. */
const char *library__probe_loss(enum tt_probe probe);
const char *library__field_loss(enum tt_field field);

#endif
