// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/elf_file.h"

#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

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

int elf_syms__at(const struct elf_syms *syms, size_t index, struct elf_symbol *ret_symbol)
{
	const Elf64_Sym *sym;

	if (index >= syms->count)
		return -ENOENT;
	sym = (const Elf64_Sym *)((Elf_Data *)syms->symbols)->d_buf + index;
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
	return sym->is_func ? elf_file__is_code(f, sym->vaddr)
			    : elf_file__segment(f, sym->vaddr) != NULL;
}

bool elf_syms__next(struct elf_syms *syms, struct elf_symbol *ret_symbol)
{
	const Elf64_Sym *all = ((Elf_Data *)syms->symbols)->d_buf;

	while (syms->next < syms->count) {
		size_t index = syms->next++;

		if (elf_sym_is_defined(&all[index]) && !elf_syms__at(syms, index, ret_symbol) &&
		    makes_sense(syms->file, ret_symbol))
			return true;
	}
	return false;
}
