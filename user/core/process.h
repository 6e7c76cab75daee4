/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A process: one life of one address space, told apart by PID, start time and exec. Owns its
 * devices, allocators, threads and the index of its buffers. When it has ended, what could change
 * is freed, and the rest is kept for the report if there is anything to report.
 */
#ifndef TTTRACE_PROCESS_H
#define TTTRACE_PROCESS_H

#include "core/allocator.h"
#include "core/buffers.h"
#include "core/chips.h"
#include "core/device.h"
#include "core/earlier.h"
#include "core/event.h"
#include "core/loss.h"
#include "lib/table.h"
#include "core/thread.h"
#include "core/usage.h"

enum process_state {
	PROCESS_RUNNING,
	PROCESS_EXITED,
	PROCESS_EXECED,	  /* replaced by another program */
	PROCESS_VANISHED, /* its end was not seen: the PID belongs to another now */
};

enum {
	COMM_SIZE = 17
};

/* What was read out of the process itself, and what that changed. */
struct census {
	__u64 begin_ns;	    /* of the one that goes on; 0: none does */
	bool torn;	    /* something of it could not be read as a whole */
	__u64 buffers;	    /* told so far */
	__u64 bytes;	    /* that they occupy */
	__u64 orphans;	    /* blocks that no buffer owns … */
	__u64 orphan_bytes; /* … and what they occupy */
	__u32 types;	    /* 1 << enum tt_buffer_type: whose free lists were read … */
	__u32 types_unread; /* … and could not be */
	__u64 added;	    /* buffers that the ledger did not have */
	__u64 removed;	    /* buffers that the allocator does not have */
	__u64 resized;	    /* buffers that occupy something else than the ledger had */
	__u64 passed_over;  /* buffers at whose place the ledger has another one */
	__u64 failed;	    /* censuses in a row that were not whole … */
	__u64 failed_at;    /* … and the records that the process had lost at the last one */
	bool unplaced;	    /* there is memory of which nobody knows the device */
	__u64 settled;	    /* censuses so far that came to their end */
	__u64 vain;	    /* whole ones in a row after which a footprint was still unknown */
	__u64 settled_ns;   /* to when the last one that was whole goes back: what was missed before
			       is mended */
	__u64 pre_attach;   /* buffers from before the attach, over all censuses */
	__u64 mended;	    /* buffers added or removed since, over all */
	__u64 may_be_inherited; /* of pre_attach: perhaps allocated by the parent */
	__u64 may_be_own;	/* blocks without a buffer that are taken for inherited */
};

struct process {
	struct event_process pub;
	char comm[COMM_SIZE];
	__u32 flags; /* enum tt_process_flag */
	__u32 parent_tgid;
	__u64 parent_start_ns;
	struct loss_process loss;
	bool introduced; /* a record about the process itself was seen */
	bool announced;	 /* its start was told of */
	enum process_state state;
	__u32 exit_code; /* as of wait(2) */
	__u64 first_ts_ns;
	__u64 end_ts_ns;

	struct device *devices; /* the latest first */
	__u32 num_devices;
	__u32 devices_seen;	      /* since the beginning */
	__u32 devices_max;	      /* beyond it, closed ones are folded together */
	struct allocator *allocators; /* those that are not dead */
	struct allocator *last_allocator;
	struct allocator_list all_allocators;
	struct thread *threads;
	struct thread *last_thread;
	__u32 threads_max; /* beyond it, idle ones are forgotten: the end of a thread is not seen */
	struct buffer_index by_pointer;
	struct buffer_list ended; /* remembered, the oldest first */

	struct chips chips;  /* those of all its devices */
	struct device *sole; /* the first that has had memory, or NULL */
	struct usage usage;  /* of all its chips together */
	__u64 allocs[KIND_COUNT];
	__u64 frees[CLASS_COUNT];
	__u64 bulk_freed;
	__u64 footprint_unknown;
	struct census census;
	bool has_overridden; /* the state of an allocator that we do not know */
	__u64 forgotten;     /* ended buffers that could not be remembered any longer */
	bool has_first_id;
	__u64 first_id; /* the least that an allocation showed */

	TAILQ_ENTRY(process) entry; /* of those that have ended */
	UT_hash_handle hh;	    /* of those that run, by PID */
};

TAILQ_HEAD(process_list, process);

struct processes {
	struct process *running;
	struct process *last;
	struct process_list ended; /* kept for the report, the latest first */
	__u32 num_ended;
	struct earlier earlier; /* ended before those */
};

void processes__init(struct processes *processes);
/* The running process with this PID, or NULL. */
struct process *processes__find(struct processes *processes, __u32 pid);
/* Returns 0 or -ENOMEM. */
int processes__add(struct processes *processes, __u32 pid, __u64 start_ns, __u64 ts_ns,
		   struct process **ret_process);
/*
 * @process has ended and has neither live buffers nor allocators nor pending frees any more:
 * it is kept for the report, or freed if there is nothing to report of it.
 */
void processes__retire(struct processes *processes, struct process *process);
/* Takes out the one that ended first, if more than @kept have; else NULL. See process__free(). */
struct process *processes__take_oldest(struct processes *processes, __u32 kept);
void processes__done(struct processes *processes, struct allocator_table *table);

/* Is it the one with its PID that started at @start_ns? 0 on either side: not known, so it is. */
static inline bool process__is(const struct process *process, __u64 start_ns)
{
	return process->pub.start_ns == start_ns || !process->pub.start_ns || !start_ns;
}

/*
 * Did a signal end it? Then it had no chance to free what it held. With exec and exit it has, and
 * of an end that was not seen nobody knows.
 */
static inline bool process__was_killed(const struct process *process)
{
	return process->state == PROCESS_EXITED && process->exit_code & 0x7f;
}

/* Were lives of devices that are over folded into others? Their objects may still be there. */
static inline bool process__has_folded_devices(const struct process *process)
{
	return process->devices_seen > process->num_devices;
}

/* Did it do anything with device memory? */
bool process__is_active(const struct process *process);

/* Was it there before the probes, and what it held then not yet read as a whole? */
static inline bool census__is_first(const struct process *process)
{
	return process->flags & TT_PROCESS_BEFORE_ATTACH && !process->census.settled_ns;
}

/*
 * Could not all that it held before the attach be read? Of one that has done nothing with device
 * memory since, it is only missing if nobody has looked: others map the file, and use none of it.
 */
static inline bool census__is_missing(const struct process *process)
{
	return process->census.unplaced ||
	       (census__is_first(process) &&
		(process__is_active(process) ||
		 (process->state == PROCESS_RUNNING && !process->census.settled)));
}

/* It is in no table, and has no allocators any more. */
void process__free(struct process *process);
/* Takes what a record says about the process itself. */
void process__introduce(struct process *process, const struct tt_record_process *rec);
/* Takes its name only. */
void process__rename(struct process *process, const struct tt_record_process *rec);

/* NULL: no such thread yet. */
struct thread *process__find_thread(struct process *process, __u32 tid);
/* Returns 0 or -ENOMEM. */
int process__thread(struct process *process, __u32 tid, struct thread **ret_thread);
void process__free_threads(struct process *process);

#endif
