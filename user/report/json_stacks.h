/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Stacks in JSON. A line names a stack by its number; what that is stands in a line of its own,
 * once, before the first that names it: a trace of a million allocations has a thousand stacks.
 */
#ifndef TTTRACE_JSON_STACKS_H
#define TTTRACE_JSON_STACKS_H

#include <stdio.h>

#include "core/event.h"
#include "core/snapshot.h"

/* Which stacks have been told. Zeroed: none. */
struct json_stacks {
	unsigned char *told; /* by number: 1 */
	__u32 num;
};

/*
 * Each writes to @out. Returns 0; -ENOMEM; -errno of the stream.
 *
 * The line of @stack (NULL: of none), if it was not told yet.
 */
int json_stacks__tell(struct json_stacks *stacks, FILE *out, __u64 ts_ns,
		      const struct event_stack *stack);
/* A line of each site of each device, and of the stacks that these name. */
int json_stacks__sites(struct json_stacks *stacks, FILE *out, const struct snapshot *snap);

void json_stacks__done(struct json_stacks *stacks);

#endif
