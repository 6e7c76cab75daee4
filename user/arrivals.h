/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Processes that have mapped a runtime and that have not been attended to: each once, however often
 * it maps one, in the order in which they came.
 */
#ifndef TTTRACE_ARRIVALS_H
#define TTTRACE_ARRIVALS_H

#include <stdbool.h>
#include <sys/types.h>

struct arrival;

/* Zeroed: none. */
struct arrivals {
	struct arrival *waiting;
};

/* Returns 0 or -ENOMEM. */
int arrivals__add(struct arrivals *arrivals, pid_t pid);
bool arrivals__has(const struct arrivals *arrivals, pid_t pid);
/* Takes out the one that came first. false: there is none. */
bool arrivals__next(struct arrivals *arrivals, pid_t *ret_pid);
void arrivals__done(struct arrivals *arrivals);

#endif
