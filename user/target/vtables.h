/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The vtables of the runtime's classes: what the first word of an object holds tells its class. It
 * may use elf and symbols; it knows nothing of processes.
 */
#ifndef TTTRACE_VTABLES_H
#define TTTRACE_VTABLES_H

#include <linux/types.h>

#include "tttrace_config.h"
#include "target/elf.h"
#include "target/symbols.h"

/* What the first word of an object holds, less the load bias, by its class's vtable; 0: unknown. */
__u64 vtables__find(const struct symbols *symbols, const char *name);

/*
 * The same of Allocator[Impl] and of all classes that derive from it, in the order of their names;
 * 0 behind the last. More than fit are left out.
 */
void vtables__find_allocators(struct elf_file *file, const struct symbols *symbols,
			      __u64 ret_vtables[TT_MAX_ALLOCATOR_VTABLES]);

#endif
