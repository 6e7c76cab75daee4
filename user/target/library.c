// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/library.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "target/classes.h"
#include "target/disasm.h"
#include "target/empty.h"
#include "target/fields.h"
#include "target/prologue.h"
#include "target/slots.h"

/* Bytes of a function that are looked at for its probe point. */
enum {
	MAX_FUNCTION_SIZE = 64 * 1024
};

/* The one function that has kept its name in all generations of the runtime. */
static const char hallmark[] = "_ZN2tt8tt_metal12GraphTracker14track_allocateEPKNS0_6BufferE";

/* A class with virtual functions that all generations have, and nobody but the runtime. */
static const char hallmark_type[] = "N2tt8tt_metal9allocator11FreeListOptE";

const char library_stripped[] = "it holds the runtime without its symbols";
const char library_stripped_advice[] =
	"it holds the runtime without its symbols: what it does cannot be seen, what is held by it "
	"can be looked at (--snapshot PID)";

static void elf_file_close_p(struct elf_file **file)
{
	elf_file__close(*file);
}

static void symbols_free_p(struct symbols **symbols)
{
	symbols__free(*symbols);
}

static void library_free_p(struct library **lib)
{
	library__free(*lib);
}

/*
 * Of a library nobody could call what it does not export; a program calls its own functions, and so
 * does a library that the runtime is a part of.
 */
static int find_kind(struct elf_file *file)
{
	__u64 vtable;
	int err;

	if (elf_file__defines(file, hallmark))
		return LIBRARY_RUNTIME;
	if (elf_file__is_program(file) && elf_file__defines_inside(file, hallmark))
		return LIBRARY_RUNTIME;
	err = classes__find_vtable(file, hallmark_type, &vtable);
	if (err == -ENOENT || err == -ENOEXEC || err == -EFBIG)
		return LIBRARY_OTHER;
	if (err && err != -ENOTUNIQ)
		return err;
	return elf_file__defines_inside(file, hallmark) ? LIBRARY_RUNTIME : LIBRARY_STRIPPED;
}

int library__kind(const char *path)
{
	_cleanup_(elf_file_close_p) struct elf_file *file = NULL;
	int err = elf_file__open(path, &file);

	if (err)
		return err == -ENOEXEC ? LIBRARY_OTHER : err;
	return find_kind(file);
}

int library__read_build_id(const char *path, char *buf, size_t size)
{
	_cleanup_(elf_file_close_p) struct elf_file *file = NULL;
	int err = elf_file__open(path, &file);

	if (!err)
		elf_file__build_id(file, buf, size);
	return err;
}

static __u16 last_offset(const struct tt_path *path)
{
	return path->len ? path->off[path->len - 1] : 0;
}

/* At the entry, or where only an empty buffer comes. */
static int choose_offset(const struct tt_layout *layout, const __u8 *code, size_t size,
			 struct library_probe *p)
{
	const struct tt_path *of_size = &layout->field[TT_FIELD_SIZE],
			     *of_status = &layout->field[TT_FIELD_STATUS];
	struct empty_point empty;
	struct prologue point;
	int err;

	if (p->probe != TT_PROBE_CREATE_EMPTY) {
		err = prologue__choose(code, size, &point);
		p->insn_offset = point.offset;
		p->emulated = point.emulated;
		return err;
	}
	if (!of_size->len || !of_status->len)
		return -ENOENT;
	err = empty__find(code, size, last_offset(of_size), last_offset(of_status), &empty);
	p->insn_offset = empty.offset;
	p->arg = TT_ARG_REGISTER + empty.reg;
	return err;
}

/* Fills in where in the function @p is to be attached. */
static int choose_point(const struct elf_file *file, const struct tt_layout *layout,
			struct library_probe *p)
{
	size_t size = p->size < MAX_FUNCTION_SIZE ? p->size : MAX_FUNCTION_SIZE;
	_cleanup_free_ __u8 *code = NULL;
	int err;

	code = malloc(size + 1);
	if (!code)
		return -ENOMEM;
	err = elf_file__read(file, p->vaddr, code, size);
	if (!err)
		err = choose_offset(layout, code, size, p);
	if (!err)
		err = elf_file__offset(file, p->vaddr + p->insn_offset, &p->file_offset);
	if (err)
		return err;
	insn__format(code + p->insn_offset, size - p->insn_offset, p->vaddr + p->insn_offset,
		     p->insn, sizeof(p->insn));
	return 0;
}

/* -ENOMEM is all that goes up: a site that cannot be probed is one that the library lacks. */
static int add_probe(struct library *lib, const struct elf_file *file,
		     const struct probe_site *site)
{
	struct library_probe *p = &lib->probes[lib->num_probes];

	*p = (struct library_probe){
		.probe = site->probe,
		.vaddr = site->symbol->vaddr,
		.size = site->symbol->size,
		.arg = site->arg,
	};
	/* The attach cookie has 32 bits for the address. */
	if (p->vaddr > UINT32_MAX || choose_point(file, &lib->layout, p)) {
		lib->probe_state[site->probe] = PROBE_MISSING;
		return 0;
	}
	p->symbol = strdup(site->symbol->name);
	p->name = symbol__demangle(site->symbol->name);
	lib->num_probes++; /* now library__free() takes care of the two names */
	return p->symbol && p->name ? 0 : -ENOMEM;
}

static int find_probes(struct library *lib, const struct elf_file *file,
		       const struct symbols *symbols)
{
	struct probe_site sites[PROBE_MAX_SITES];

	lib->probes = calloc((size_t)TT_PROBE_COUNT * PROBE_MAX_SITES, sizeof(*lib->probes));
	if (!lib->probes)
		return -ENOMEM;
	for (int probe = 0; probe < TT_PROBE_COUNT; probe++) {
		size_t n = probes__find_sites(symbols, probe, sites, &lib->probe_state[probe]);

		for (size_t i = 0; i < n; i++)
			if (add_probe(lib, file, &sites[i]))
				return -ENOMEM;
	}
	return 0;
}

/* The number of the next Buffer that a process makes, from 0 on: a u64. */
static __u64 find_counter(const struct symbols *symbols)
{
	static const char *const names[] = { "_ZN" NS_METAL "10BufferImpl14next_unique_idE",
					     "_ZN" NS_METAL "6Buffer14next_unique_idE" };
	const struct elf_symbol *symbol;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!symbols__find(symbols, names[i], &symbol) && !symbol->is_func)
			return symbol->vaddr;
	return 0;
}

static int read_runtime(struct library *lib, struct elf_file *file)
{
	_cleanup_(symbols_free_p) struct symbols *symbols = NULL;
	int err;

	err = symbols__open(file, &symbols);
	if (err)
		return err;
	lib->generation = probes__generation(symbols);
	lib->counter = find_counter(symbols);
	err = layout__decode(file, symbols, &lib->layout, lib->fields);
	return err ? err : find_probes(lib, file, symbols);
}

/* Where there are no symbols. */
static int read_classes(struct library *lib, struct elf_file *file)
{
	int err = classes__find_all(file, &lib->classes);

	if (err)
		return err;
	for (int probe = 0; probe < TT_PROBE_COUNT; probe++)
		lib->probe_state[probe] = PROBE_MISSING;
	lib->layout.vtable_device = lib->classes.device;
	lib->layout.vtable_mesh = lib->classes.mesh;
	memcpy(lib->layout.vtable_allocator, lib->classes.allocator,
	       sizeof(lib->layout.vtable_allocator));
	return slots__decode(file, &lib->classes, &lib->layout, lib->fields);
}

static int make_library(struct elf_file *file, const char *name, bool is_stripped,
			struct library **ret_lib)
{
	_cleanup_(library_free_p) struct library *lib = calloc(1, sizeof(*lib));
	int err;

	if (!lib)
		return -ENOMEM;
	lib->name = strdup(name);
	if (!lib->name)
		return -ENOMEM;
	lib->is_stripped = is_stripped;
	elf_file__build_id(file, lib->build_id, sizeof(lib->build_id));
	err = is_stripped ? read_classes(lib, file) : read_runtime(lib, file);
	if (err)
		return err;
	*ret_lib = no_cleanup_ptr(lib);
	return 0;
}

int library__open(const char *path, const char *name, struct library **ret_lib)
{
	_cleanup_(elf_file_close_p) struct elf_file *file = NULL;
	int err = elf_file__open(path, &file), kind;

	if (err)
		return err;
	kind = find_kind(file);
	if (kind < 0)
		return kind;
	if (kind == LIBRARY_OTHER)
		return -ENODATA;
	return make_library(file, name, kind == LIBRARY_STRIPPED, ret_lib);
}

void library__free(struct library *lib)
{
	if (!lib)
		return;
	for (size_t i = 0; i < lib->num_probes; i++) {
		free(lib->probes[i].symbol);
		free(lib->probes[i].name);
	}
	free(lib->probes);
	free(lib->name);
	free(lib);
}

const char *library__field_class(enum tt_field field)
{
	return field_info[field].class;
}

const char *library__field_name(enum tt_field field)
{
	return field_info[field].name;
}

const char *library__field_loss(enum tt_field field)
{
	return field_info[field].loss;
}

const char *library__register(const struct library_probe *probe)
{
	return insn__register_name(probe->arg - TT_ARG_REGISTER);
}

__u64 library__probes(const struct library *lib)
{
	__u64 found = 0;

	for (int probe = 0; probe < TT_PROBE_COUNT; probe++)
		if (lib->probe_state[probe] == PROBE_FOUND)
			found |= 1ull << probe;
	return found;
}

/* FNV-1a. */
static __u64 hash(__u64 value, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		value = (value ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3;
	return value;
}

__u64 library__print(const struct library *lib)
{
	__u64 print = hash(0xcbf29ce484222325, lib->build_id, strlen(lib->build_id));

	print = hash(print, &lib->layout, sizeof(lib->layout));
	for (size_t i = 0; i < lib->num_probes; i++) {
		const struct library_probe *p = &lib->probes[i];
		const __u64 what[] = { p->probe, p->file_offset, p->arg };

		print = hash(print, what, sizeof(what));
	}
	return print;
}

const char *library__probe_name(enum tt_probe probe)
{
	return probe_info[probe].name;
}

const char *library__probe_loss(enum tt_probe probe)
{
	return probe_info[probe].loss;
}
