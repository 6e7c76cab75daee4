/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The ledger: from records to events, and who holds what. Fed by the ring buffer or by a tape
 * through the same function; time comes in the records. Plain C: no libbpf, no clock, no I/O, no
 * log. Everything it hands out is valid until the next call that changes it.
 *
 * A buffer is known by (process, start time, Buffer *), with the allocator as a part of what is
 * known of it; never by an address alone. See classify.h for how a free gets its class.
 */
#ifndef TTTRACE_LEDGER_H
#define TTTRACE_LEDGER_H

#include <stdbool.h>
#include <stddef.h>

#include "core/event.h"
#include "core/stats.h"

struct ledger;

/* Receives each event, in order. It must not call back into the ledger. */
typedef void (*ledger_event_fn)(void *ctx, const struct event *ev);

struct ledger_opts {
	ledger_event_fn on_event;
	void *ctx;
	bool follow_holes; /* from the start, so that snapshot__take_totals() has them for nothing
			    */
};

/* Returns 0 or -ENOMEM. */
int ledger__new(const struct ledger_opts *opts, struct ledger **ret_ledger);
void ledger__free(struct ledger *ledger);

/*
 * A TT_RECORD_COUNTERS should come often, and once more before the end: what has no explanation
 * waits for it (see undecided.c), and it tells which kinds were lost.
 *
 * Takes one record of @size bytes. Returns 0; -EBADMSG for a record that is too short, of an
 * unknown kind or of a layout that was not explained (it is counted, see ledger__stats);
 * -ENOMEM.
 */
int ledger__apply(struct ledger *ledger, const void *record, size_t size);

/*
 * The tracing ends at @ts_ns (CLOCK_BOOTTIME): what still waited for its second half is decided,
 * buffers that are still live stay so (they are not leaks: their process goes on).
 */
int ledger__finish(struct ledger *ledger, __u64 ts_ns);

/*
 * Running processes of which a census is due; what it finds is told by records of kind
 * TT_RECORD_CENSUS…, with a phase of SETTLED or FAILED at its end. Each returns how many PIDs of
 * them it has put into @pids.
 *   late    what they held before they were traced is not known; soon given up if it fails
 *   incomplete  records of them were lost, which has not been repaired
 *   unsized  what a live buffer occupies was not to be had
 *   users   they have devices, so that they can be compared with their allocators
 */
size_t ledger__late(struct ledger *ledger, __u32 *pids, size_t max);
size_t ledger__incomplete(const struct ledger *ledger, __u32 *pids, size_t max);
size_t ledger__unsized(const struct ledger *ledger, __u32 *pids, size_t max);
size_t ledger__users(const struct ledger *ledger, __u32 *pids, size_t max);

/* Allocator objects of @pid that are known to live; how many there are, of which @max are
 * told. */
size_t ledger__allocators(struct ledger *ledger, __u32 pid, __u64 *objects, size_t max);

/*
 * If it was noticed since the last call that a library is probed twice, by two names of its file,
 * calls @fn with the layout of each that is a second one: its link may go. Returns whether so.
 */
bool ledger__each_second(struct ledger *ledger, void (*fn)(void *ctx, __u16 layout), void *ctx);

const struct stats *ledger__stats(const struct ledger *ledger);

#endif
