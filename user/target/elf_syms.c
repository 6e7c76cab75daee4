// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/elf_file.h"

#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

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

/*
 * libelf allocates e_shnum descriptors unseen, or for e_shnum 0 as many as the first section
 * says, which is how a file asks for gigabytes.
 */
bool elf_file__sections_fit(const struct elf_file *f)
{
	const Elf64_Ehdr *h = &f->header;

	if (h->e_shoff == 0 || h->e_shnum == 0 || h->e_shentsize != sizeof(Elf64_Shdr))
		return false;
	return h->e_shoff <= f->size && h->e_shnum <= (f->size - h->e_shoff) / sizeof(Elf64_Shdr);
}

int elf_file__open_sections(struct elf_file *f)
{
	if (f->elf)
		return 0;
	if (!elf_file__sections_fit(f) || elf_version(EV_CURRENT) == EV_NONE)
		return -ENOEXEC;
	f->elf = elf_begin(f->fd, ELF_C_READ, NULL);
	return f->elf && elf_kind(f->elf) == ELF_K_ELF ? 0 : -ENOEXEC;
}

static Elf_Scn *find_section(struct elf_file *f, __u32 type, GElf_Shdr *ret_header)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(f->elf, scn)))
		if (gelf_getshdr(scn, ret_header) && ret_header->sh_type == type)
			return scn;
	return NULL;
}

int elf_syms__init(struct elf_syms *syms, struct elf_file *f, enum elf_table table)
{
	GElf_Shdr header, strings_header;
	Elf_Data *symbols, *strings;
	Elf_Scn *scn, *strings_scn;
	int err;

	err = elf_file__open_sections(f);
	if (err)
		return err;
	scn = find_section(f, table == ELF_TABLE_DYNSYM ? SHT_DYNSYM : SHT_SYMTAB, &header);
	if (!scn)
		return -ENOENT;
	strings_scn = elf_getscn(f->elf, header.sh_link);
	if (!strings_scn || !gelf_getshdr(strings_scn, &strings_header) ||
	    strings_header.sh_type != SHT_STRTAB || header.sh_entsize != sizeof(Elf64_Sym))
		return -ENOEXEC;
	/* no linker compresses them; their sizes would not be what they seem */
	if ((header.sh_flags | strings_header.sh_flags) & SHF_COMPRESSED)
		return -ENOEXEC;
	if (header.sh_size > ELF_MAX_TABLE_SIZE || strings_header.sh_size > ELF_MAX_TABLE_SIZE)
		return -ENOEXEC;
	symbols = elf_getdata(scn, NULL);
	strings = elf_getdata(strings_scn, NULL);
	if (!symbols || !strings || !symbols->d_buf || !strings->d_buf || !strings->d_size)
		return -ENOEXEC;
	/* The last byte ends every name, so that a name needs no check of its own. */
	if (((const char *)strings->d_buf)[strings->d_size - 1] != '\0')
		return -ENOEXEC;
	*syms = (struct elf_syms){
		.file = f,
		.symbols = symbols,
		.strings = strings->d_buf,
		.strings_size = strings->d_size,
		.strings_offset = strings_header.sh_offset,
		.next = 1,
		.count = symbols->d_size / sizeof(Elf64_Sym),
	};
	return 0;
}

int elf_syms__init_debug(struct elf_syms *syms, struct elf_file *debug, const struct elf_file *file)
{
	int err = elf_syms__init(syms, debug, ELF_TABLE_SYMTAB);

	if (!err)
		syms->file = file;
	return err;
}

static bool is_executable(const struct elf_file *f, __u64 vaddr)
{
	const Elf64_Phdr *p = elf_file__segment(f, vaddr);

	return p && p->p_flags & PF_X;
}

static int get_symbol(const struct elf_syms *syms, size_t index, struct elf_symbol *ret_symbol)
{
	const Elf64_Sym *sym = (const Elf64_Sym *)((Elf_Data *)syms->symbols)->d_buf + index;

	if (sym->st_name >= syms->strings_size)
		return -ENOENT;
	*ret_symbol = (struct elf_symbol){
		.name = syms->strings + sym->st_name,
		.vaddr = sym->st_shndx == SHN_UNDEF ? 0 : sym->st_value,
		.size = sym->st_size,
		.is_func = ELF64_ST_TYPE(sym->st_info) == STT_FUNC,
		.is_weak = ELF64_ST_BIND(sym->st_info) == STB_WEAK,
		.is_local = ELF64_ST_BIND(sym->st_info) == STB_LOCAL,
	};
	return 0;
}

/* A function outside of the executable segments, or an object outside of all, is no symbol. */
static bool makes_sense(const struct elf_file *f, const struct elf_symbol *sym)
{
	return sym->is_func ? is_executable(f, sym->vaddr)
			    : elf_file__segment(f, sym->vaddr) != NULL;
}

bool elf_syms__next(struct elf_syms *syms, struct elf_symbol *ret_symbol)
{
	const Elf64_Sym *all = ((Elf_Data *)syms->symbols)->d_buf;

	while (syms->next < syms->count) {
		size_t index = syms->next++;

		if (elf_sym_is_defined(&all[index]) && !get_symbol(syms, index, ret_symbol) &&
		    makes_sense(syms->file, ret_symbol))
			return true;
	}
	return false;
}

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
	if (!err)
		err = elf_syms__init(&f->slot_symbols, f, ELF_TABLE_DYNSYM);
	if (err)
		f->num_relocs = 0;
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
	if (ELF64_R_SYM(reloc->r_info) >= f->slot_symbols.count)
		return -ENOENT;
	return get_symbol(&f->slot_symbols, ELF64_R_SYM(reloc->r_info), ret_symbol);
}

int elf_file__slot(struct elf_file *f, __u64 vaddr, struct elf_symbol *ret_symbol)
{
	const Elf64_Rela *found = find_reloc(f, vaddr);

	return found && is_slot(found) ? get_reloc_symbol(f, found, ret_symbol) : -ENOENT;
}

int elf_file__pointer(struct elf_file *f, __u64 vaddr, __u64 *ret_vaddr)
{
	const Elf64_Rela *found = find_reloc(f, vaddr);
	struct elf_symbol sym;

	/* A program that is not moved, or packed relocations: the word itself has it. */
	if (!found)
		return elf_file__read(f, vaddr, ret_vaddr, sizeof(*ret_vaddr));
	if (ELF64_R_TYPE(found->r_info) == RELOC_RELATIVE) {
		*ret_vaddr = (__u64)found->r_addend;
		return 0;
	}
	if (get_reloc_symbol(f, found, &sym) || !sym.vaddr)
		return -ENOENT;
	*ret_vaddr = sym.vaddr + (__u64)found->r_addend;
	return 0;
}
