/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What an open ELF file consists of. Private to the elf*.c: elf.c knows its segments, elf_hash.c
 * the hash table of its dynamic symbols, elf_syms.c its symbols as a whole, by libelf,
 * elf_search.c how to find one of them without reading all, elf_functions.c which function an
 * address is in, elf_debug.c where else symbols may be, elf_relocs.c what the dynamic linker puts
 * where, and elf_constants.c how to find a text.
 */
#ifndef TTTRACE_ELF_FILE_H
#define TTTRACE_ELF_FILE_H

#include <elf.h>
#include <libelf.h>

#include "target/elf.h"

enum {
	/*
	 * Bytes of a symbol table, or of its strings, that are read: a sparse file may promise
	 * more than there is memory. The runtime's largest file has 18 MB of strings.
	 */
	ELF_MAX_TABLE_SIZE = 128 << 20,
};

struct elf_file {
	int fd;
	__u64 size; /* of the file, bytes */
	Elf64_Ehdr header;
	Elf64_Phdr *segments;
	Elf *elf; /* opened when sections are first asked for */
	Elf64_Rela *relocs;
	size_t num_relocs;
	struct elf_syms slot_symbols; /* that they name */
	bool relocs_loaded;
};

/* Copies exactly @size bytes at @offset of the file; -ENOEXEC: it ends before. */
int elf_file__read_at(const struct elf_file *file, __u64 offset, void *buf, size_t size);

/* PT_LOAD with @vaddr in it; NULL: none. */
const Elf64_Phdr *elf_file__segment(const struct elf_file *file, __u64 vaddr);

/* Do the section headers lie in the file, so that libelf can be let at them? */
bool elf_file__sections_fit(const struct elf_file *file);

/* Opens it with libelf as well. -ENOEXEC: that cannot be risked. */
int elf_file__open_sections(struct elf_file *file);

/* Entry @index of the table. -ENOENT: there is none, or it has no name. */
int elf_syms__at(const struct elf_syms *syms, size_t index, struct elf_symbol *ret_symbol);

static inline bool elf_sym_is_defined(const Elf64_Sym *sym)
{
	__u8 type = ELF64_ST_TYPE(sym->st_info);

	return sym->st_shndx != SHN_UNDEF && (type == STT_FUNC || type == STT_OBJECT);
}

#endif
