// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/classes.h"

#include <errno.h>

/*
 * Itanium C++ ABI 2.5.2 and 2.9.5, in words of 8 bytes. A type information: its own vtable, the
 * name. A vtable: offset to top, type information, then what objects point to: functions. In a base
 * that is not the first the offset is not 0; objects of it are parts of others.
 */
enum {
	WORD = 8,
	TYPE_NAME = WORD,
	MAX_NAMES = 16, /* places of the name: linkers write it once */
};

struct search {
	struct elf_file *file;
	__u64 vtable; /* 0: not found */
	int err;
};

/* @place may be the second word of a vtable, or one of a class that derives from this one. */
static int look_at_vtable(void *ctx, __u64 place)
{
	struct search *s = ctx;
	__u64 offset_to_top, function;

	if (elf_file__pointer(s->file, place - WORD, &offset_to_top) || offset_to_top ||
	    elf_file__pointer(s->file, place + WORD, &function) ||
	    !elf_file__is_code(s->file, function))
		return 0;
	s->err = s->vtable ? -ENOTUNIQ : 0;
	s->vtable = place + WORD;
	return s->err;
}

/* @place leads to the name: a type information begins a word before. */
static int look_at_type(void *ctx, __u64 place)
{
	const struct search *s = ctx;

	return elf_file__each_pointer(s->file, place - TYPE_NAME, look_at_vtable, ctx);
}

int classes__find_vtable(struct elf_file *file, const char *type, __u64 *ret_vtable)
{
	struct search search = { .file = file };
	__u64 from = 0, name;
	int err = 0;

	for (int i = 0; i < MAX_NAMES && !err; i++) {
		err = elf_file__find_text(file, type, from, &name);
		if (!err)
			err = elf_file__each_pointer(file, name, look_at_type, &search);
		from = name + 1;
	}
	if (search.err)
		return search.err;
	if (!search.vtable)
		return err ? err : -ENOENT;
	*ret_vtable = search.vtable;
	return 0;
}
