/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the ledger has to remember of one thread between two of its records: the bytes per bank of
 * an allocation that is going on, and a free that has begun.
 */
#ifndef TTTRACE_THREAD_H
#define TTTRACE_THREAD_H

#include <sys/queue.h>

#include "core/record.h"
#include "core/twice.h"
#include "lib/table.h"

struct process;

/* The last request to a free list since the last allocation. */
struct space_note {
	__u32 count; /* how many requests; 0: nothing known */
	__u64 asked;
	__u64 per_bank;	 /* bytes; 0: not known */
	__u64 bank_size; /* bytes; 0: not known */
	__u64 epoch;	 /* of the losses of the process at the last request */
};

/* A free that was seen at deallocate_impl, and not at its end. */
struct free_note {
	bool active;
	bool tracked; /* its device is open: the free goes on to the allocator, or to a capture */
	bool has_id;
	__u64 buffer;
	__u64 id;
	__u64 ts_ns;
	__u64 expiry_ns; /* when it is decided without its end */
	__u64 epoch;	 /* of the losses when it began */
	__u32 stack;	 /* number of the one by which it is freed; 0: not known */
	struct body body;
};

struct thread {
	__u32 tid;
	struct process *process;
	struct space_note space;
	struct free_note free;
	__u32 stack_ticket; /* the copy that was last taken of its stack, … */
	__u32 stack;	    /* … and the number of that; 0: none since the last allocation */
	__u64 freed;	    /* the Buffer whose memory it gave back last … */
	__u64 freed_id; /* … which the allocator may not have forgotten yet; 0: not known … */
	__u64 freed_ns; /* … and when that was */
	struct twice last;
	__u64 placing; /* IDevice * for which a program's dataflow buffers are being placed */
	TAILQ_ENTRY(thread) pending; /* in the ledger's list while free.active, oldest first */
	UT_hash_handle hh;
};

TAILQ_HEAD(pending_list, thread);

#endif
