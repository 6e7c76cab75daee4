/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What is said on stderr of a library when it is attached to. */
#ifndef TTTRACE_LIBRARY_LOG_H
#define TTTRACE_LIBRARY_LOG_H

#include <linux/types.h>

struct library;

/* Warns of what of @set is missing in @lib. Returns how many probes are wanted. */
unsigned int library_log__wanted(const struct library *lib, __u64 set);

/* Warns of fields that could not be established. */
void library_log__fields(const struct library *lib);

/* With -v: where each probe is. */
void library_log__probes(const struct library *lib, __u64 set);

#endif
