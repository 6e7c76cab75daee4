// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/elf.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

enum {
	MAX_NAME = 256,	  /* bytes of a name that is asked for, with its end */
	MAX_CHAIN = 4096, /* symbols of one hash bucket that are looked at */
};

/* Is entry @index of the dynamic symbol table a definition of @name? Then it is at @ret_vaddr. */
static bool symbol_is(const struct elf_file *f, const struct elf_dynamic *d, __u64 index,
		      const char *name, __u64 *ret_vaddr)
{
	size_t size = strlen(name) + 1;
	char found[MAX_NAME];
	Elf64_Sym sym;

	if (size > sizeof(found))
		return false;
	if (elf_file__read(f, d->symtab + index * sizeof(sym), &sym, sizeof(sym)))
		return false;
	if (sym.st_shndx == SHN_UNDEF || elf_file__read(f, d->strtab + sym.st_name, found, size))
		return false;
	*ret_vaddr = sym.st_value;
	return memcmp(found, name, size) == 0;
}

/* The hash function of DT_GNU_HASH (Bernstein's, with 5381 and 33). */
static __u32 gnu_hash(const char *name)
{
	__u32 h = 5381;

	for (; *name; name++)
		h = h * 33 + (unsigned char)*name;
	return h;
}

/*
 * DT_GNU_HASH: a header, a Bloom filter, the buckets, and from the first hashed symbol on one
 * word for each: its hash with bit 0 set at the end of a bucket's chain.
 */
static bool hash_finds(const struct elf_file *f, const struct elf_dynamic *d, const char *name,
		       __u64 *ret_vaddr)
{
	struct {
		__u32 num_buckets, first_symbol, bloom_words, bloom_shift;
	} head;
	__u64 bloom, buckets, chains, word_at;
	__u32 hash = gnu_hash(name), index, chain;

	if (elf_file__read(f, d->gnu_hash, &head, sizeof(head)) || !head.num_buckets ||
	    !head.bloom_words || head.bloom_shift > 31)
		return false;
	word_at = d->gnu_hash + sizeof(head) + (__u64)(hash / 64 % head.bloom_words) * 8;
	if (elf_file__read(f, word_at, &bloom, sizeof(bloom)))
		return false;
	if (!(bloom >> (hash % 64) & bloom >> ((hash >> head.bloom_shift) % 64) & 1))
		return false;
	buckets = d->gnu_hash + sizeof(head) + (__u64)head.bloom_words * 8;
	chains = buckets + (__u64)head.num_buckets * 4;
	if (elf_file__read(f, buckets + (__u64)(hash % head.num_buckets) * 4, &index, 4))
		return false;
	for (int i = 0; i < MAX_CHAIN && index >= head.first_symbol && index; i++, index++) {
		if (elf_file__read(f, chains + (__u64)(index - head.first_symbol) * 4, &chain, 4))
			return false;
		if ((chain | 1) == (hash | 1) && symbol_is(f, d, index, name, ret_vaddr))
			return true;
		if (chain & 1)
			return false;
	}
	return false;
}

int elf_file__find(struct elf_file *f, const char *name, __u64 *ret_vaddr)
{
	struct elf_symbol sym;
	struct elf_syms syms;
	struct elf_dynamic d;
	int err = elf_file__dynamic(f, &d);

	if (err)
		return err;
	if (d.gnu_hash)
		return hash_finds(f, &d, name, ret_vaddr) ? 0 : -ENOENT;
	err = elf_syms__init(&syms, f, ELF_TABLE_DYNSYM);
	if (err)
		return err;
	while (elf_syms__next(&syms, &sym)) {
		if (strcmp(sym.name, name))
			continue;
		*ret_vaddr = sym.vaddr;
		return 0;
	}
	return -ENOENT;
}

bool elf_file__defines(struct elf_file *f, const char *name)
{
	__u64 vaddr;

	return !elf_file__find(f, name, &vaddr);
}
