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

#include "target/elf.h"

/*
 * What the first word of an object of class @type holds, less the load bias. @type: as
 * typeid().name() has it, e.g. "N2tt8tt_metal6DeviceE". -ENOENT: no such class, or its objects have
 * no vtable; -ENOTUNIQ: there are several; or as of elf_file__find_text().
 */
int classes__find_vtable(struct elf_file *file, const char *type, __u64 *ret_vtable);

#endif
