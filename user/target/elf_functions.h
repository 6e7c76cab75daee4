/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Which function of an ELF file an address is in. Where functions begin and end is kept, 16 bytes
 * for each; their names stay in the file and are read when they are asked for, for the runtime has
 * 18 MB of them.
 */
#ifndef TTTRACE_ELF_FUNCTIONS_H
#define TTTRACE_ELF_FUNCTIONS_H

#include "target/elf.h"

struct elf_functions;

/*
 * Reads .symtab of @debug, the debug file of @file (NULL: there is none), else .symtab, or where
 * that is gone .dynsym, of @file. Both have to outlive it.
 * Returns 0; -ENOENT: there are no symbols at all; -ENOEXEC; -ENOMEM.
 */
int elf_functions__new(struct elf_file *file, struct elf_file *debug,
		       struct elf_functions **ret_functions);
void elf_functions__free(struct elf_functions *functions);

/*
 * The mangled name, without a version, of the function that @vaddr lies in, to be freed, and how
 * far behind its begin. What a symbol's size does not cover is in no function. -ENOENT: none;
 * -ENOMEM; -errno of reading.
 */
int elf_functions__find(const struct elf_functions *functions, __u64 vaddr, char **ret_name,
			__u64 *ret_offset);

#endif
