/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * uthash, for the small tables (processes, threads, allocators). Out of memory is not fatal here:
 * an element that could not be added has no table, see table__has().
 */
#ifndef TTTRACE_TABLE_H
#define TTTRACE_TABLE_H

#define HASH_NONFATAL_OOM	     1
#define uthash_nonfatal_oom(element) ((void)(element))
#include <uthash.h>

#define table__has(element) ((element)->hh.tbl != NULL)

#endif
