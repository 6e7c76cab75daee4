// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/classes.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "target/symbols.h"

/*
 * Itanium C++ ABI 2.5.2 and 2.9.5, in words of 8 bytes. A type information: its own vtable, the
 * name. A vtable: offset to top, type information, then what objects point to: functions. In a base
 * that is not the first the offset is not 0; objects of it are parts of others.
 */
enum {
	WORD = 8,
	TYPE_NAME = WORD,
	TYPE_BASE = 2 * WORD,
	MAX_DEPTH = 4,	/* MockAllocator, L1BankingAllocator, AllocatorImpl */
	MAX_NAMES = 16, /* places of the name: linkers write it once */
};

struct search {
	struct elf_file *file;
	elf_place_fn type; /* what is to be done with a type information */
	__u64 *vtables;	   /* found so far, one after the other */
	size_t num, room;
	int depth; /* of classes that derive from each other */
};

static bool is_vtable(struct elf_file *file, __u64 place)
{
	__u64 offset_to_top, function;

	return !elf_file__pointer(file, place - WORD, &offset_to_top) && !offset_to_top &&
	       !elf_file__pointer(file, place + WORD, &function) &&
	       elf_file__is_code(file, function);
}

/* @place leads to a type information: as the second word of a vtable, or as that of a base. */
static int note_vtable(void *ctx, __u64 place)
{
	struct search *s = ctx;

	if (!is_vtable(s->file, place))
		return 0;
	if (s->num < s->room)
		s->vtables[s->num] = place + WORD;
	s->num++;
	return 0;
}

static int look_at_type(void *ctx, __u64 type)
{
	const struct search *s = ctx;

	return elf_file__each_pointer(s->file, type, note_vtable, ctx);
}

/* Is there the name of a class at what the word at @place leads to? */
static bool leads_to_name(struct elf_file *file, __u64 place)
{
	static const char begin[] = "N" NS_METAL;
	char found[sizeof(begin) - 1];
	__u64 name;

	return !elf_file__pointer(file, place, &name) &&
	       !elf_file__read(file, name, found, sizeof(found)) &&
	       !memcmp(found, begin, sizeof(found));
}

static int look_at_family(void *ctx, __u64 type);

/* The type information of a class with one base: its own vtable, the name, the base. */
static int note_family(void *ctx, __u64 place)
{
	struct search *s = ctx;
	int err = note_vtable(ctx, place);

	if (err || s->depth == MAX_DEPTH || !leads_to_name(s->file, place - WORD))
		return err;
	s->depth++;
	err = look_at_family(ctx, place - TYPE_BASE);
	s->depth--;
	return err;
}

static int look_at_family(void *ctx, __u64 type)
{
	const struct search *s = ctx;

	return elf_file__each_pointer(s->file, type, note_family, ctx);
}

/* @place leads to the name: a type information begins a word before. */
static int look_at_name(void *ctx, __u64 place)
{
	const struct search *s = ctx;

	return s->type(ctx, place - TYPE_NAME);
}

/* -ENOENT: there is no such name. */
static int search_name(struct search *s, const char *name)
{
	__u64 from = 0, place = 0;
	int err = 0;

	for (int i = 0; i < MAX_NAMES && !err; i++) {
		err = elf_file__find_text(s->file, name, from, &place);
		if (!err)
			err = elf_file__each_pointer(s->file, place, look_at_name, s);
		from = place + 1;
	}
	return s->num && err == -ENOENT ? 0 : err;
}

int classes__find_vtable(struct elf_file *file, const char *type, __u64 *ret_vtable)
{
	__u64 vtable;
	struct search s = { .file = file, .type = look_at_type, .vtables = &vtable, .room = 1 };
	int err = search_name(&s, type);

	if (!s.num)
		return err ? err : -ENOENT;
	if (s.num > 1)
		return -ENOTUNIQ;
	*ret_vtable = vtable;
	return 0;
}

int classes__find_all(struct elf_file *file, struct class_vtables *ret_vtables)
{
	static const char *const names[] = { "N" NS_METAL "9allocator11FreeListOptE",
					     "N" NS_METAL "6DeviceE", "N" NS_MESH "10MeshDeviceE",
					     "N" NS_MESH "14MeshDeviceImplE" };
	struct class_vtables v = {};
	__u64 *found[] = { &v.free_list, &v.device, &v.mesh, &v.mesh_impl };
	struct search family = { .file = file,
				 .type = look_at_family,
				 .vtables = v.allocator,
				 .room = TT_MAX_ALLOCATOR_VTABLES };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (classes__find_vtable(file, names[i], found[i]) == -ENOMEM)
			return -ENOMEM;
	if (search_name(&family, "N" NS_METAL "13AllocatorImplE") == -ENOMEM)
		return -ENOMEM;
	*ret_vtables = v;
	return 0;
}
