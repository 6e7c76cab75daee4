/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The processes that were asked for: those of -p, or the command, and what descends from them. Who
 * descends from whom is told by the BPF side's records of births and ends: a parent may have ended
 * since, and the process itself as well. Where a record was lost, /proc has to do.
 */
#ifndef TTTRACE_WANTED_H
#define TTTRACE_WANTED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <linux/types.h>

#include "tttrace_config.h"
#include "tttrace_record.h"

struct wanted_process;

/* Zeroed: none. */
struct wanted {
	bool all;
	struct wanted_process *processes; /* by PID */
	size_t num_added;
	unsigned int processes_max; /* beyond it, those that ended long ago are forgotten */
};

/* Returns 0 or -ENOMEM. */
int wanted__add(struct wanted *wanted, pid_t pid);
/* Was @pid added itself? */
bool wanted__lists(const struct wanted *wanted, pid_t pid);
/* Takes note of a record of the BPF side: of whom is born, and who ends. */
void wanted__note(struct wanted *wanted, const struct tt_record *h);
/* Did records tell that @pid was wanted and ran at @ts_ns? 0: that it runs. */
bool wanted__knows(const struct wanted *wanted, pid_t pid, __u64 ts_ns);
/* Whether @pid, which runs, or a process that it descends from, was asked for. */
bool wanted__has(const struct wanted *wanted, pid_t pid);
void wanted__done(struct wanted *wanted);

#endif
