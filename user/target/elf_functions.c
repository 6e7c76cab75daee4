// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/elf_functions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "target/elf_file.h"

enum {
	SIZE_MAX_KEPT = (1 << 28) - 1,
	NAME_STEP = 256,	 /* bytes of a name that are read at once */
	NAME_MAX_SIZE = 1 << 16, /* of a name that is shown; a longer one is cut */
};

struct function {
	__u64 vaddr;
	__u32 size : 28; /* bytes */
	__u32 rank : 4;	 /* of its name: see rank_name() */
	__u32 name;	 /* offset in the strings */
};

struct elf_functions {
	const struct elf_file *file; /* that has the strings */
	__u64 strings_offset;
	__u64 strings_size;
	size_t count;
	struct function at[];
};

/*
 * Of several names for one place that of the least rank is shown, as perf does it: what others know
 * rather than what the library calls it for itself, and raise rather than __GI_raise.
 */
static __u32 rank_name(const struct elf_symbol *symbol)
{
	__u32 binding = symbol->is_local ? 2 : symbol->is_weak, underscores = 0;

	while (underscores < 3 && symbol->name[underscores] == '_')
		underscores++;
	return binding << 2 | underscores;
}

static int compare_functions(const void *a, const void *b)
{
	const struct function *x = a, *y = b;

	if (x->vaddr != y->vaddr)
		return x->vaddr < y->vaddr ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	/* the same one every time */
	return x->name < y->name ? -1 : x->name > y->name;
}

static struct elf_functions *collect(struct elf_syms *syms)
{
	struct elf_functions *functions;
	struct elf_symbol symbol;

	functions = malloc(sizeof(*functions) + syms->count * sizeof(functions->at[0]));
	if (!functions)
		return NULL;
	functions->strings_offset = syms->strings_offset;
	functions->strings_size = syms->strings_size;
	functions->count = 0;
	while (elf_syms__next(syms, &symbol)) {
		if (!symbol.is_func || !symbol.size)
			continue;
		functions->at[functions->count++] = (struct function){
			.vaddr = symbol.vaddr,
			.size = symbol.size < SIZE_MAX_KEPT ? (__u32)symbol.size : SIZE_MAX_KEPT,
			.rank = rank_name(&symbol),
			.name = (__u32)(symbol.name - syms->strings),
		};
	}
	return functions;
}

static void close_again(struct elf_file **file)
{
	elf_file__close(*file);
}

/* Of @source: @file or its debug file. What libelf reads is let go: the runtime has 25 MB of it. */
static int read_table(struct elf_file *file, struct elf_file *source, enum elf_table table,
		      struct elf_functions **ret_functions)
{
	_cleanup_(close_again) struct elf_file *again = NULL;
	struct elf_functions *functions, *fitted;
	struct elf_syms syms;
	int err;

	err = elf_file__reopen(source, &again);
	if (err)
		return err;
	err = source == file ? elf_syms__init(&syms, again, table)
			     : elf_syms__init_debug(&syms, again, file);
	if (err)
		return err;
	functions = collect(&syms);
	if (!functions)
		return -ENOMEM;
	functions->file = source;
	qsort(functions->at, functions->count, sizeof(functions->at[0]), compare_functions);
	fitted = realloc(functions,
			 sizeof(*functions) + functions->count * sizeof(functions->at[0]));
	*ret_functions = fitted ? fitted : functions;
	return 0;
}

int elf_functions__new(struct elf_file *file, struct elf_file *debug,
		       struct elf_functions **ret_functions)
{
	int err = -ENOENT;

	if (debug)
		err = read_table(file, debug, ELF_TABLE_SYMTAB, ret_functions);
	if (err)
		err = read_table(file, file, ELF_TABLE_SYMTAB, ret_functions);
	if (err)
		err = read_table(file, file, ELF_TABLE_DYNSYM, ret_functions);
	return err;
}

void elf_functions__free(struct elf_functions *functions)
{
	free(functions);
}

/* Up to its end, or NAME_MAX_SIZE. */
static int read_name(const struct elf_functions *functions, __u64 at, char **ret_name)
{
	__u64 left = functions->strings_size - at, begin = functions->strings_offset + at;
	_cleanup_free_ char *name = NULL;
	size_t size = 0, step;
	char *grown;
	int err;

	while (size < NAME_MAX_SIZE && left) {
		step = left < NAME_STEP ? left : NAME_STEP;
		grown = realloc(name, size + step + 1);
		if (!grown)
			return -ENOMEM;
		name = grown;
		err = elf_file__read_at(functions->file, begin + size, name + size, step);
		if (err)
			return err;
		if (memchr(name + size, '\0', step))
			break;
		size += step;
		left -= step;
		name[size] = '\0';
	}
	if (!name)
		return -ENOENT;
	*ret_name = no_cleanup_ptr(name);
	return 0;
}

/* The last that begins at @vaddr or before it; count: none. */
static size_t find_last(const struct elf_functions *functions, __u64 vaddr)
{
	size_t low = 0, high = functions->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (functions->at[middle].vaddr <= vaddr)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? low - 1 : functions->count;
}

/* Of those that begin where @last does, the first that covers @vaddr; NULL: none. */
static const struct function *find_covering(const struct elf_functions *functions, size_t last,
					    __u64 vaddr)
{
	const struct function *end = &functions->at[last], *function = end;

	while (function > functions->at && function[-1].vaddr == end->vaddr)
		function--;
	for (; function <= end; function++)
		if (vaddr - function->vaddr < function->size)
			return function;
	return NULL;
}

int elf_functions__find(const struct elf_functions *functions, __u64 vaddr, char **ret_name,
			__u64 *ret_offset)
{
	size_t last = find_last(functions, vaddr);
	const struct function *function = NULL;
	int err;

	if (last < functions->count)
		function = find_covering(functions, last, vaddr);
	if (!function)
		return -ENOENT;
	err = read_name(functions, function->name, ret_name);
	if (err)
		return err;
	/* "memcpy@@GLIBC_2.14": so .symtab tells versions */
	(*ret_name)[strcspn(*ret_name, "@")] = '\0';
	*ret_offset = vaddr - function->vaddr;
	return 0;
}
