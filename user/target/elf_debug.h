/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The separate debug file of a file that was stripped, as distributions and build systems leave it:
 *
 *	/usr/lib/debug/.build-id/xx/yyyy….debug		by the build id
 *	in the directory of the file, in .debug/ there,
 *	and in /usr/lib/debug/<that directory>/		by the name in .gnu_debuglink
 *
 * It may lie where whoever is traced can put what he likes, so it has to prove that it belongs to
 * the file: the build ids are equal, and where it was found by its name, its CRC is the one that
 * stands beside the name. Of a wrong file names would be wrong, which is worse than none.
 *
 * .gnu_debugdata (a small debug file in the file itself) is not looked for.
 */
#ifndef TTTRACE_ELF_DEBUG_H
#define TTTRACE_ELF_DEBUG_H

#include <sys/types.h>

#include "target/elf.h"

/*
 * Looks in the root directory of @pid, which maps @file and calls it @name (absolute), and in our
 * own. What is found has a .symtab, of whose symbols the addresses are those of @file; where its
 * other bytes lie is not what its segments say.
 * Returns 0; -ENOENT: there is none, or none is needed, for @file has a .symtab itself.
 */
int elf_debug__open(struct elf_file *file, pid_t pid, const char *name,
		    struct elf_file **ret_debug);

/* The same in one root directory: see proc__open_root(). */
int elf_debug__open_below(struct elf_file *file, int root_fd, const char *name,
			  struct elf_file **ret_debug);

#endif
