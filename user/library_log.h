/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What is said on stderr of a library when it is attached to. */
#ifndef TTTRACE_LIBRARY_LOG_H
#define TTTRACE_LIBRARY_LOG_H

#include <linux/types.h>

#include "lib/once.h"

struct library;

/*
 * Warns of fields that could not be established, and of what of @set is missing in @lib, but once
 * for each build, as @builds knows; with -v says where each probe is. Returns how many probes are
 * wanted.
 */
unsigned int library_log__tell(struct once *builds, const struct library *lib, __u64 set);

#endif
