/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The processes that were asked for: those of -p, or the command, and what descends from them. */
#ifndef TTTRACE_WANTED_H
#define TTTRACE_WANTED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Zeroed: none. */
struct wanted {
	bool all;
	pid_t *pids;
	size_t num;
};

/* Returns 0 or -ENOMEM. */
int wanted__add(struct wanted *wanted, pid_t pid);
/* Was @pid added itself? */
bool wanted__lists(const struct wanted *wanted, pid_t pid);
/* Whether @pid, or a process that it descends from, was asked for. */
bool wanted__has(const struct wanted *wanted, pid_t pid);
void wanted__done(struct wanted *wanted);

#endif
