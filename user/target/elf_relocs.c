// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/elf_file.h"

#include <errno.h>
#include <stdlib.h>

#if defined(__x86_64__)
enum {
	RELOC_SLOT = R_X86_64_JUMP_SLOT,
	RELOC_GOT = R_X86_64_GLOB_DAT,
	RELOC_ABSOLUTE = R_X86_64_64,
	RELOC_RELATIVE = R_X86_64_RELATIVE
};
#elif defined(__aarch64__)
enum {
	RELOC_SLOT = R_AARCH64_JUMP_SLOT,
	RELOC_GOT = R_AARCH64_GLOB_DAT,
	RELOC_ABSOLUTE = R_AARCH64_ABS64,
	RELOC_RELATIVE = R_AARCH64_RELATIVE
};
#endif

enum {
	CHUNK_WORDS = 1024,
	WORDS_MAX_SIZE = 1 << 29, /* bytes of a segment that is searched for an address */
};

static int compare_relocs(const void *a, const void *b)
{
	const Elf64_Rela *x = a, *y = b;

	return x->r_offset < y->r_offset ? -1 : x->r_offset > y->r_offset;
}

static bool is_slot(const Elf64_Rela *reloc)
{
	__u32 type = ELF64_R_TYPE(reloc->r_info);

	return type == RELOC_SLOT || type == RELOC_GOT;
}

static bool is_pointer(const Elf64_Rela *reloc)
{
	__u32 type = ELF64_R_TYPE(reloc->r_info);

	return type == RELOC_ABSOLUTE || type == RELOC_RELATIVE;
}

/* Appends those relocations of one table that fill a word with an address. */
static int load_relocs(struct elf_file *f, __u64 vaddr, __u64 size)
{
	size_t n = size / sizeof(Elf64_Rela), kept = f->num_relocs;
	Elf64_Rela *all;
	int err;

	if (!n)
		return 0;
	if (size > f->size)
		return -ENOEXEC;
	all = realloc(f->relocs, (kept + n) * sizeof(*all));
	if (!all)
		return -ENOMEM;
	f->relocs = all;
	err = elf_file__read(f, vaddr, all + kept, n * sizeof(*all));
	if (err)
		return err;
	for (size_t i = kept; i < f->num_relocs + n; i++)
		if (is_slot(&all[i]) || is_pointer(&all[i]))
			all[kept++] = all[i];
	f->num_relocs = kept;
	return 0;
}

/* Tried once only: a file whose tables are broken has no slots. */
static void load_slots(struct elf_file *f)
{
	struct elf_dynamic d;
	int err;

	if (f->relocs_loaded)
		return;
	f->relocs_loaded = true;
	err = elf_file__dynamic(f, &d);
	if (!err)
		err = load_relocs(f, d.jmprel, d.pltrelsz);
	if (!err)
		err = load_relocs(f, d.rela, d.relasz);
	if (err)
		f->num_relocs = 0;
	/* without it those that name a symbol lead nowhere */
	if (f->num_relocs && elf_syms__init(&f->slot_symbols, f, ELF_TABLE_DYNSYM))
		f->slot_symbols = (struct elf_syms){};
	if (f->num_relocs)
		qsort(f->relocs, f->num_relocs, sizeof(*f->relocs), compare_relocs);
}

/* The relocation of the word at @vaddr; NULL: none. */
static const Elf64_Rela *find_reloc(struct elf_file *f, __u64 vaddr)
{
	Elf64_Rela key = { .r_offset = vaddr };

	load_slots(f);
	if (!f->num_relocs)
		return NULL;
	return bsearch(&key, f->relocs, f->num_relocs, sizeof(key), compare_relocs);
}

static int get_reloc_symbol(const struct elf_file *f, const Elf64_Rela *reloc,
			    struct elf_symbol *ret_symbol)
{
	return elf_syms__at(&f->slot_symbols, ELF64_R_SYM(reloc->r_info), ret_symbol);
}

int elf_file__slot(struct elf_file *f, __u64 vaddr, struct elf_symbol *ret_symbol)
{
	const Elf64_Rela *found = find_reloc(f, vaddr);

	return found && is_slot(found) ? get_reloc_symbol(f, found, ret_symbol) : -ENOENT;
}

/* Where it leads to. -ENOENT: to another file. */
static int get_target(const struct elf_file *f, const Elf64_Rela *reloc, __u64 *ret_vaddr)
{
	struct elf_symbol sym;

	if (ELF64_R_TYPE(reloc->r_info) == RELOC_RELATIVE) {
		*ret_vaddr = (__u64)reloc->r_addend;
		return 0;
	}
	if (get_reloc_symbol(f, reloc, &sym) || !sym.vaddr)
		return -ENOENT;
	*ret_vaddr = sym.vaddr + (__u64)reloc->r_addend;
	return 0;
}

int elf_file__pointer(struct elf_file *f, __u64 vaddr, __u64 *ret_vaddr)
{
	const Elf64_Rela *found = find_reloc(f, vaddr);

	/* A program that is not moved, or packed relocations: the word itself has it. */
	if (!found)
		return elf_file__read(f, vaddr, ret_vaddr, sizeof(*ret_vaddr));
	return get_target(f, found, ret_vaddr);
}

/* Those of relocations. @ret_any: there were some. */
static int each_relocated(struct elf_file *f, __u64 target, elf_place_fn fn, void *ctx,
			  bool *ret_any)
{
	__u64 vaddr;
	int err = 0;

	*ret_any = false;
	load_slots(f);
	for (size_t i = 0; i < f->num_relocs && !err; i++) {
		if (!is_pointer(&f->relocs[i]) || get_target(f, &f->relocs[i], &vaddr) ||
		    vaddr != target)
			continue;
		*ret_any = true;
		err = fn(ctx, f->relocs[i].r_offset);
	}
	return err;
}

static int each_word(const struct elf_file *f, const Elf64_Phdr *segment, __u64 target,
		     elf_place_fn fn, void *ctx)
{
	__u64 words[CHUNK_WORDS], at = (segment->p_vaddr + sizeof(*words) - 1) & -sizeof(*words);
	__u64 end = segment->p_vaddr + segment->p_filesz;
	int err = 0;

	while (!err && end - at >= sizeof(*words) && end > at) {
		size_t n = end - at < sizeof(words) ? (end - at) / sizeof(*words) : CHUNK_WORDS;

		if (elf_file__read(f, at, words, n * sizeof(*words)))
			break;
		for (size_t i = 0; i < n && !err; i++)
			if (words[i] == target)
				err = fn(ctx, at + i * sizeof(*words));
		at += n * sizeof(*words);
	}
	return err;
}

int elf_file__each_pointer(struct elf_file *f, __u64 target, elf_place_fn fn, void *ctx)
{
	bool any;
	int err = each_relocated(f, target, fn, ctx, &any);

	for (int i = 0; i < f->header.e_phnum && !any && !err; i++)
		if (f->segments[i].p_type == PT_LOAD && f->segments[i].p_filesz <= WORDS_MAX_SIZE)
			err = each_word(f, &f->segments[i], target, fn, ctx);
	return err;
}
