/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Processes that have mapped a runtime, and what is still to be done for each of them: once,
 * however often it maps one, and after what has come together has been probed.
 */
#ifndef TTTRACE_ARRIVALS_H
#define TTTRACE_ARRIVALS_H

#include <stdbool.h>
#include <sys/types.h>
#include <linux/types.h>

struct arrival;
struct gap;
struct stack_taker;

struct arrivals {
	struct stack_taker *stacks; /* NULL: they are not wanted */
	struct gap *gap;
	struct arrival *waiting; /* NULL: none */
};

/* Returns 0 or -ENOMEM. */
int arrivals__add(struct arrivals *arrivals, pid_t pid);

/*
 * Attends to those that wait, the first that came first: finds out what they did before the probes
 * were in place, and reads what their stacks will be unwound by. One takes some milliseconds to
 * some tenths of a second, and after @duration_ns no other is begun. Returns whether all were
 * attended to.
 */
bool arrivals__attend(struct arrivals *arrivals, __u64 duration_ns);

void arrivals__done(struct arrivals *arrivals);

#endif
