// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/vtables.h"

#include <stdbool.h>
#include <string.h>

/*
 * Itanium C++ ABI 2.5.2 and 2.9.5, in words of 8 bytes. A vtable: offset to top, type information,
 * then what objects point to. A type information: its own vtable, the name; of a class with one
 * base that base, of one with several two numbers, then base and flags of each.
 */
enum {
	WORD = 8,
	VTABLE_TYPE = WORD,
	VTABLE_HEADER_SIZE = 2 * WORD,
	TYPE_BASES = 2 * WORD,
	MAX_TYPE_SIZE = 256, /* bytes; a class with a dozen bases */
	MAX_TYPES = 512,     /* 0.81.1 has 63 */
};

static const char *const allocator_types[] = { "_ZTIN" NS_METAL "13AllocatorImplE",
					       "_ZTIN" NS_METAL "9AllocatorE" };
static const char *const allocator_vtables[] = { "_ZTVN" NS_METAL "13AllocatorImplE",
						 "_ZTVN" NS_METAL "9AllocatorE" };

struct types {
	struct elf_file *file;
	const struct elf_symbol *all;
	size_t count;
	bool is_allocator[MAX_TYPES];
};

__u64 vtables__find(const struct symbols *symbols, const char *name)
{
	const struct elf_symbol *sym;

	return symbols__find(symbols, name, &sym) ? 0 : sym->vaddr + VTABLE_HEADER_SIZE;
}

static bool is_name_of(const char *name, const char *const names[2])
{
	return !strcmp(name, names[0]) || !strcmp(name, names[1]);
}

/* Does the word at @vaddr lead to the type information of an allocator? */
static bool leads_to_allocator(const struct types *t, __u64 vaddr)
{
	__u64 target;

	if (elf_file__pointer(t->file, vaddr, &target))
		return false;
	for (size_t i = 0; i < t->count; i++)
		if (t->is_allocator[i] && t->all[i].vaddr == target)
			return true;
	return false;
}

static bool derives_from_allocator(const struct types *t, const struct elf_symbol *type)
{
	__u64 size = type->size < MAX_TYPE_SIZE ? type->size : MAX_TYPE_SIZE;

	for (__u64 at = TYPE_BASES; at + WORD <= size; at += WORD)
		if (leads_to_allocator(t, type->vaddr + at))
			return true;
	return false;
}

/* Marks the base class, then what derives from what is marked, until nothing is new. */
static void mark_allocators(struct types *t)
{
	bool again = true;

	for (size_t i = 0; i < t->count; i++)
		t->is_allocator[i] = is_name_of(t->all[i].name, allocator_types);
	while (again) {
		again = false;
		for (size_t i = 0; i < t->count; i++) {
			if (t->is_allocator[i] || !derives_from_allocator(t, &t->all[i]))
				continue;
			t->is_allocator[i] = true;
			again = true;
		}
	}
}

void vtables__find_allocators(struct elf_file *file, const struct symbols *symbols,
			      __u64 ret_vtables[TT_MAX_ALLOCATOR_VTABLES])
{
	struct types types = { .file = file };
	const struct elf_symbol *vtables;
	size_t count, n = 0;

	types.count = symbols__prefixed(symbols, "_ZTIN" NS_METAL, &types.all);
	if (types.count > MAX_TYPES)
		types.count = MAX_TYPES;
	mark_allocators(&types);
	count = symbols__prefixed(symbols, "_ZTVN" NS_METAL, &vtables);
	for (size_t i = 0; i < count && n < TT_MAX_ALLOCATOR_VTABLES; i++)
		/* The base itself has a vtable also where type informations are left out. */
		if (is_name_of(vtables[i].name, allocator_vtables) ||
		    leads_to_allocator(&types, vtables[i].vaddr + VTABLE_TYPE))
			ret_vtables[n++] = vtables[i].vaddr + VTABLE_HEADER_SIZE;
}
