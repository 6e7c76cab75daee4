/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Between the mapping of a library and its probes there is a gap: some 50 ms for a library that is
 * new, in which a program goes on. Here is decided what became of each process that has mapped one
 * in its gap.
 *
 * The runtime numbers its Buffers, from 0 on, with a counter of each process. Where that is still 0
 * when the probes are in place, nothing was missed. Else the process is searched for allocators;
 * those that are found are told of, and if no record tells of the opening of their devices the
 * ledger knows that it is late, as it is for a process that was there before, and has a census
 * taken. If the process has ended by then, or has nothing left of what it had made, nobody knows
 * what it did: it is told of as not traced, so that the result is not complete.
 *
 * A command of our own has the same gap. It is not known what it will map before it does, and to
 * hold it there would take ptrace or a signal, which a target must never notice.
 */
#ifndef TTTRACE_GAP_H
#define TTTRACE_GAP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <linux/types.h>

#include "tttrace_config.h"
#include "tttrace_record.h"

struct announcer;
struct discovery_find;
struct gap_process;
struct survey;

struct gap {
	struct survey *survey;
	struct announcer *announcer;
	/* Has the records that are there by now handed up. */
	void (*catch_up)(void *ctx);
	void *ctx;
	struct gap_process *waiting; /* by PID; zeroed: none */
};

/* A library is about to be attached to: what its process did before is to be known already. */
void gap__prepare(struct gap *gap);

/*
 * The process of @find has mapped the runtime before its probes were in place, which they are now.
 * @counter: where that keeps the number of the next Buffer, as struct library has it. @is_new: the
 * library has not been told of yet, so that no record of it may be handed up.
 */
void gap__enter(struct gap *gap, const struct discovery_find *find, __u64 counter, bool is_new);

/* Takes note of a record of the ring, before it is handed up. */
void gap__note(struct gap *gap, const struct tt_record *h);

/* Looks into @pid, if it waits for that. */
void gap__look(struct gap *gap, pid_t pid);

void gap__done(struct gap *gap);

#endif
