// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/elf_file.h"

#include <errno.h>
#include <string.h>

/*
 * Each file that any process executes is asked for one name, so libelf, which reads tables as a
 * whole, will not do here. A symbol table is two sections: entries, and the strings that they point
 * into. Nearly always the strings do not have the name, and the entries need no look.
 */
enum {
	CHUNK_SIZE = 32 * 1024, /* bytes of strings that are read at once */
	CHUNK_SYMBOLS = 1024,
	MAX_PLACES = 8, /* of the name in the strings: linkers write it once */
};

/* Where in the strings a name stands: what st_name of its symbol may be. */
struct places {
	__u64 at[MAX_PLACES];
	int count;
};

static int read_section(const struct elf_file *f, __u32 index, Elf64_Shdr *ret_section)
{
	if (index >= f->header.e_shnum)
		return -ENOENT;
	return elf_file__read_at(f, f->header.e_shoff + index * sizeof(*ret_section), ret_section,
				 sizeof(*ret_section));
}

static bool is_readable(const struct elf_file *f, const Elf64_Shdr *section)
{
	return section->sh_size <= ELF_MAX_TABLE_SIZE && section->sh_offset <= f->size;
}

static int find_symtab(const struct elf_file *f, Elf64_Shdr *ret_symbols, Elf64_Shdr *ret_strings)
{
	int err = elf_file__sections_fit(f) ? 0 : -ENOENT;

	for (__u32 i = 0; !err; i++) {
		err = read_section(f, i, ret_symbols);
		if (!err && ret_symbols->sh_type == SHT_SYMTAB)
			break;
	}
	if (!err)
		err = read_section(f, ret_symbols->sh_link, ret_strings);
	if (err)
		return err;
	if (ret_strings->sh_type != SHT_STRTAB || !is_readable(f, ret_strings))
		return -ENOEXEC;
	return is_readable(f, ret_symbols) ? 0 : -ENOEXEC;
}

bool elf_file__has_symtab(const struct elf_file *f)
{
	Elf64_Shdr symbols, strings;

	return !find_symtab(f, &symbols, &strings);
}

/* Adds the places of @name in @chunk, which is what the strings have from @base on. */
static void search_chunk(const char *chunk, size_t chunk_size, __u64 base, const char *name,
			 struct places *places)
{
	size_t size = strlen(name) + 1; /* with its end */
	const char *end = chunk + chunk_size, *p = chunk;

	while (places->count < MAX_PLACES && (p = memmem(p, (size_t)(end - p), name, size))) {
		places->at[places->count++] = base + (__u64)(p - chunk);
		p++;
	}
}

/* A name may be the end of another one: linkers merge those. */
static int find_places(const struct elf_file *f, const Elf64_Shdr *strings, const char *name,
		       struct places *ret_places)
{
	size_t size = strlen(name) + 1;
	char chunk[CHUNK_SIZE];
	__u64 at = 0;

	*ret_places = (struct places){};
	while (size <= strings->sh_size - at && ret_places->count < MAX_PLACES) {
		__u64 left = strings->sh_size - at;
		size_t n = left < sizeof(chunk) ? left : sizeof(chunk);
		int err = elf_file__read_at(f, strings->sh_offset + at, chunk, n);

		if (err)
			return err;
		search_chunk(chunk, n, at, name, ret_places);
		/* A name that the chunk's end cuts is whole in the next one. */
		at += n - (size - 1);
	}
	return ret_places->count ? 0 : -ENOENT;
}

static bool is_at(const Elf64_Sym *sym, const struct places *places)
{
	for (int i = 0; i < places->count; i++)
		if (sym->st_name == places->at[i])
			return elf_sym_is_defined(sym);
	return false;
}

static bool defines_one(const struct elf_file *f, const Elf64_Shdr *symbols,
			const struct places *places)
{
	__u64 count = symbols->sh_size / sizeof(Elf64_Sym);
	Elf64_Sym chunk[CHUNK_SYMBOLS];

	for (__u64 at = 0; at < count; at += CHUNK_SYMBOLS) {
		size_t n = count - at < CHUNK_SYMBOLS ? count - at : CHUNK_SYMBOLS;

		if (elf_file__read_at(f, symbols->sh_offset + at * sizeof(*chunk), chunk,
				      n * sizeof(*chunk)))
			return false;
		for (size_t i = 0; i < n; i++)
			if (is_at(&chunk[i], places))
				return true;
	}
	return false;
}

bool elf_file__defines_inside(const struct elf_file *f, const char *name)
{
	Elf64_Shdr symbols, strings;
	struct places places;

	if (strlen(name) >= CHUNK_SIZE || find_symtab(f, &symbols, &strings))
		return false;
	return !find_places(f, &strings, name, &places) && defines_one(f, &symbols, &places);
}
