/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The classes of a file that has no symbols for them, by their type names: for dynamic_cast and
 * exceptions a file keeps the mangled name of each class that has virtual functions, also when all
 * symbols are stripped. It may use elf; it knows nothing of processes.
 */
#ifndef TTTRACE_CLASSES_H
#define TTTRACE_CLASSES_H

#include <stdbool.h>
#include <linux/types.h>

#include "tttrace_config.h"
#include "target/elf.h"

/* What the first word of an object holds, less the load bias, by its class; 0: there is none. */
struct class_vtables {
	__u64 free_list; /* FreeListOpt */
	__u64 device, mesh, mesh_impl;
	__u64 allocator[TT_MAX_ALLOCATOR_VTABLES]; /* and what derives from it; 0 behind the last */
};

/*
 * The classes of the runtime that have virtual functions. A class that is there twice is none.
 * Returns 0 or -ENOMEM.
 */
int classes__find_all(struct elf_file *file, struct class_vtables *ret_vtables);

/*
 * What the first word of an object of class @type holds, less the load bias. @type: as
 * typeid().name() has it, e.g. "N2tt8tt_metal6DeviceE". -ENOENT: no such class, or its objects have
 * no vtable; -ENOTUNIQ: there are several; or as of elf_file__find_text().
 */
int classes__find_vtable(struct elf_file *file, const char *type, __u64 *ret_vtable);

#endif
