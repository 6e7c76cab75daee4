/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the ledger counted about its input and itself, over all processes. Plain data. */
#ifndef TTTRACE_STATS_H
#define TTTRACE_STATS_H

#include <linux/types.h>

#include "core/event.h"

struct stats {
	__u64 records[TT_RECORD_KIND_COUNT]; /* taken, by kind */
	__u64 bad_records;     /* too short, of unknown kind or of an unexplained layout */
	__u64 dropped_records; /* for lack of memory of our own */
	__u64 events[EVENT_KIND_COUNT];
	__u64 reused_live;	    /* a Buffer appeared where another one was still live */
	__u64 reused_lost;	    /* the same, with a loss that explains it */
	__u64 twice;		    /* records of a hit that another link had seen */
	__u64 processes_pre_attach; /* those that used the runtime before they were traced */
	__u64 footprint_unknown;    /* allocations whose footprint is not known */
	__u64 circular_unknown;	    /* circular buffers on cores or chips that are not known */
	__u64 stacks[TT_STACK_END_COUNT]; /* of allocations, by how they ended */
	__u64 stacks_missing;		  /* allocations whose stack is not known; or not wanted */
	__u64 forgotten;		  /* ended buffers that had to be forgotten: too many */
	__u64 first_ts_ns;
	__u64 last_ts_ns;
};

#endif
