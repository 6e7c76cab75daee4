/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Reads an ELF shared object of this machine: segments, symbols, bytes at an address. It knows
 * nothing of the runtime, logs nothing and prints nothing; it may use lib/ and libelf.
 *
 * The files are other people's, and we read them as root, so:
 * - everything is read with pread(2), nothing is mapped: a file that is cut short while we look
 *   at it gives -ENOEXEC, where a mapping would give SIGBUS;
 * - every address, offset and size of the file is checked before it is used.
 *
 * Addresses ("vaddr") are those of the file itself, i.e. without the load bias of a process.
 * Names that are handed out belong to the struct elf_file and live as long as it does.
 */
#ifndef TTTRACE_ELF_H
#define TTTRACE_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

struct elf_file;

enum elf_table {
	ELF_TABLE_DYNSYM, /* what other objects see; always there */
	ELF_TABLE_SYMTAB, /* local functions too; gone when stripped */
};

struct elf_symbol {
	const char *name;
	__u64 vaddr;
	__u64 size;   /* bytes */
	bool is_func; /* STT_FUNC in an executable segment; else STT_OBJECT in any segment */
	bool is_weak;
	bool is_local; /* neither of them: global */
};

/* Walks one symbol table; to be filled by elf_syms__init() only. */
struct elf_syms {
	const struct elf_file *file; /* in whose segments they lie */
	void *symbols;		     /* Elf_Data */
	const char *strings;
	__u64 strings_offset; /* of them in the file */
	size_t strings_size, next, count;
};

/*
 * Opens @path and checks its headers. Cheap: two reads.
 * Returns 0; -ENOENT, -EACCES, … of open(2); -ENOEXEC: no regular file, no ELF shared object or
 * executable of this machine, truncated, or with headers that contradict each other.
 */
int elf_file__open(const char *path, struct elf_file **ret_file);
/* The same of the file that @fd, which stays the caller's, is open on. */
int elf_file__open_fd(int fd, struct elf_file **ret_file);
void elf_file__close(struct elf_file *file);

/* The same file once more, with nothing read of it yet. */
int elf_file__reopen(const struct elf_file *file, struct elf_file **ret_file);

/* The entries of the dynamic section that are used: addresses, sizes in bytes; 0: not there. */
struct elf_dynamic {
	__u64 gnu_hash, symtab, strtab, jmprel, pltrelsz, rela, relasz;
	__u64 flags_1; /* DF_1_… */
};

/* -ENOENT: the file has none; -ENOEXEC. */
int elf_file__dynamic(const struct elf_file *file, struct elf_dynamic *ret_dynamic);

/* Is it a program, and no library? libc.so.6 is both. */
bool elf_file__is_program(const struct elf_file *file);

/*
 * Where the dynamic symbol table defines @name. By DT_GNU_HASH: a handful of small reads. -ENOENT:
 * nowhere.
 */
int elf_file__find(struct elf_file *file, const char *name, __u64 *ret_vaddr);
bool elf_file__defines(struct elf_file *file, const char *name);

/*
 * Does .symtab define @name, exported or not? Nothing is kept in memory: the strings are searched
 * for the name, which is all that a file without it costs, then the symbols for one that has it.
 */
bool elf_file__defines_inside(const struct elf_file *file, const char *name);

/* Has it a .symtab, as far as its headers tell? Nothing is kept in memory. */
bool elf_file__has_symtab(const struct elf_file *file);

/* Copies the build id as hex to @buf; an empty string where there is none. */
void elf_file__build_id(const struct elf_file *file, char *buf, size_t size);

/* Where the byte at @vaddr lies in the file. -ENOENT: in no segment, or in one without bytes. */
int elf_file__offset(const struct elf_file *file, __u64 vaddr, __u64 *ret_offset);

/*
 * The load bias of a process that maps this file for execution at @start, from @offset of the file
 * on. -ENOENT: no executable segment lies there.
 */
int elf_file__bias(const struct elf_file *file, __u64 start, __u64 offset, __u64 *ret_bias);

/* Copies exactly @size bytes at @vaddr. -ENOENT: not all of them are in one segment; -ENOEXEC. */
int elf_file__read(const struct elf_file *file, __u64 vaddr, void *buf, size_t size);

/* The same, of memory that no process writes to: code and tables of constants. */
int elf_file__read_const(const struct elf_file *file, __u64 vaddr, void *buf, size_t size);

/*
 * Where the constants of a file in C++ have @text, with the 0 at its end, from @from on. Cheap
 * where it is not: 0.3 ms for a megabyte of .rodata, and nothing is read of a file in C. -ENOENT:
 * nowhere; -EFBIG: not where was looked, which is not all; -ENOEXEC; -ENOMEM.
 */
int elf_file__find_text(const struct elf_file *file, const char *text, __u64 from,
			__u64 *ret_vaddr);

/*
 * The symbol whose address the dynamic linker puts into the slot at @vaddr (the JUMP_SLOT or
 * GLOB_DAT relocation there); its vaddr is 0 if this file does not define it.
 * -ENOENT: no such relocation.
 */
int elf_file__slot(struct elf_file *file, __u64 vaddr, struct elf_symbol *ret_symbol);

/*
 * The address that the word at @vaddr holds once the dynamic linker has been there, less the load
 * bias. -ENOENT: one of another file; -ENOEXEC.
 */
int elf_file__pointer(struct elf_file *file, __u64 vaddr, __u64 *ret_vaddr);

/*
 * Calls @fn with the place of each word that elf_file__pointer() gives @target for, until it
 * returns other than 0; that is then what this returns. Of the relocations first; where they have
 * none, of the words in the file.
 */
typedef int (*elf_place_fn)(void *ctx, __u64 vaddr);
int elf_file__each_pointer(struct elf_file *file, __u64 target, elf_place_fn fn, void *ctx);

/* Is that an address of code? */
bool elf_file__is_code(const struct elf_file *file, __u64 vaddr);

/*
 * Its call frame information (.eh_frame), for libdw; dwarf_cfi_end() before the file is closed.
 * -ENOENT: it has none; -ENOEXEC.
 */
struct Dwarf_CFI_s;
int elf_file__frames(struct elf_file *file, struct Dwarf_CFI_s **ret_cfi);

/*
 * The code around @vaddr that one entry of the call frame information is of: a function, or a part
 * of one that lies apart from the rest. By the table of .eh_frame_hdr, in the form that all linkers
 * give it. -ENOENT: it has no such table, or there is nothing of @vaddr in it; -ENOEXEC.
 */
int elf_file__frame_range(const struct elf_file *file, __u64 vaddr, __u64 *ret_start,
			  __u64 *ret_end);

/* -ENOENT: no such table; -ENOEXEC: it is broken, or too large. */
int elf_syms__init(struct elf_syms *syms, struct elf_file *file, enum elf_table table);

/* The same of the .symtab of @debug, the debug file of @file: see elf_debug__open(). */
int elf_syms__init_debug(struct elf_syms *syms, struct elf_file *debug,
			 const struct elf_file *file);

/* Next defined function or object; false at the end. Entries that make no sense are passed over. */
bool elf_syms__next(struct elf_syms *syms, struct elf_symbol *ret_symbol);

#endif
