/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * From an instruction of a code object of CPython to its line: the tables co_linetable. Two forms:
 * that of 3.10 (Objects/lnotab_notes.txt of CPython 3.10) and that of 3.11 and later, which knows
 * columns as well (Objects/locations.md, PEP 657). Pure.
 */
#ifndef TTTRACE_PYTHON_LINES_H
#define TTTRACE_PYTHON_LINES_H

#include <stddef.h>
#include <linux/types.h>

/*
 * The line of the instruction @offset bytes behind the begin of the code, whose first line is
 * @first. Where the table says that an instruction has none, or ends before it: the nearest before.
 */
__u32 python_lines__of_310(const __u8 *table, size_t size, __u32 first, __u64 offset);
__u32 python_lines__of_311(const __u8 *table, size_t size, __u32 first, __u64 offset);

#endif
