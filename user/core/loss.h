/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What was lost, by whom, as far as it can be proved.
 *
 * The BPF side counts a loss where it knows the process, and each record of a process tells how
 * much of that was lost before it. So at a verdict on a process, its own losses are known up to
 * that moment, and those of others do not matter (struct loss_process).
 *
 * What is lost in all has three witnesses: each record tells how much was lost before it, on
 * whatever CPU; the counters of the BPF side tell the kinds, known when they are read; and each CPU
 * numbers its records, lost ones included, so a gap is a loss as well. What a gap shows and BPF did
 * not count is of an unknown process, and counts against all; as do "orphaned" losses, of a process
 * of which the BPF side knows no more which one it was (struct loss).
 *
 * Numbers may arrive a little out of order, for a program at a uprobe can be preempted between
 * taking its number and reserving its record. So a small gap is only suspected until it has stayed
 * open for a while; only what is proved makes a leak doubtful.
 */
#ifndef TTTRACE_LOSS_H
#define TTTRACE_LOSS_H

#include <stdbool.h>
#include <linux/types.h>

#include "tttrace_config.h"
#include "tttrace_record.h"

struct loss_cpu {
	__u64 next;    /* the number expected next */
	__u64 open;    /* numbers missing, but perhaps only late */
	__u64 missing; /* numbers that are given up */
	__u64 open_seq;
	__u64 open_ts_ns;
};

/* The losses of all processes together. */
struct loss {
	struct loss_cpu *cpus;
	__u32 num_cpus;
	__u64 open;	  /* over all CPUs */
	__u64 missing;	  /* over all CPUs */
	__u64 told;	  /* the greatest `lost` of a record */
	__u64 missing_ns; /* when a number was last given up … */
	__u64 gap_ns;	  /* … and when it was first missed */
	__u64 epoch;	  /* grows with each loss of which the process is not known */
	struct tt_counters counters;
	__u64 counted;	   /* sum of counters.lost */
	__u64 counters_ns; /* when they were last read */
	__u64 orphan_ns;   /* the newest moment at which an orphaned one may have hit a free */
};

/* The losses of one process. Zeroed, none are known. */
struct loss_process {
	__u32 begin; /* as the newest record of the process tells them, modulo 2^32 */
	__u32 end;
	__u32 other;
	__u64 clean_ns; /* the newest moment up to which there were no more than these */
	__u64 begin_ns; /* the newest moment at which an allocation may have been lost … */
	__u64 end_ns;	/* … and a free; 0: none, or none that was not repaired */
	__u64 epoch;	/* grows with each loss of either */
	__u64 records;	/* lost in all */
	__u64 shown;	/* of them, those that the user was told of */
	__u64 repaired; /* of them, those from before the last repair */
};

/* --- all together ---------------------------------------------------------------------------- */

/*
 * Takes the number of one record. When loss->epoch grows by it, verdicts since loss->gap_ns may be
 * wrong. Returns 0 or -ENOMEM.
 */
int loss__note(struct loss *loss, const struct tt_record *h);

/* Nothing comes any more: what is open is missing. loss->epoch and gap_ns as with loss__note(). */
void loss__give_up(struct loss *loss, __u64 ts_ns);

/*
 * Takes newer totals. Returns true if the losses grew; *ret_delta is then by how much, all but the
 * hits. If .orphaned_end is among them, verdicts since the counters before may be wrong.
 */
bool loss__count(struct loss *loss, const struct tt_record_counters *rec,
		 struct tt_counters *ret_delta);

/* Records lost: the greatest of what the witnesses prove. */
__u64 loss__total(const struct loss *loss);

/* Missing numbers that the counters do not cover: their kind is unknown, it may have been any. */
__u64 loss__unexplained(const struct loss *loss);

/* --- of one process -------------------------------------------------------------------------- */

/* Takes what @h, a record of the process, tells of its losses. Returns true if a free may be among
 * those that were not known: verdicts since loss__clean_ns() of before may then be wrong. */
bool loss_process__note(struct loss_process *own, const struct tt_record *h);

/*
 * own->epoch as of the moment at which @h, a record of the process that was noted, was written. A
 * thread that is preempted between its place in the ring and its header tells of later losses in an
 * earlier record: one that tells of fewer than are known is of an epoch that has passed.
 */
__u64 loss_process__epoch_at(const struct loss_process *own, const struct tt_record *h);

/* The same for a record about the process, which knows of the losses of other kinds as well. */
void loss_process__note_other(struct loss_process *own, const struct tt_record_process *rec);

/* @own is of what comes after the exec that @rec tells of: the counts go on. */
void loss_process__exec(struct loss_process *own, const struct tt_record_process *rec);

/* Is there a loss that has not been repaired? */
static inline bool loss_process__is_open(const struct loss_process *own)
{
	return own->records != own->repaired;
}

/* It is not known what was lost of it until @ts_ns. */
void loss_process__suspect(struct loss_process *own, __u64 ts_ns);

/* What was lost until @ts_ns has been read back from the process itself, if all is known of it. */
void loss_process__repair(struct loss_process *own, __u64 ts_ns);

/* --- both: what a verdict on a process has to ask -------------------------------------------- */

/* The newest moment up to which all losses of the process are known. */
__u64 loss__clean_ns(const struct loss *loss, const struct loss_process *own);

/* Changes with each loss that may have hit an allocation or a free of the process. */
__u64 loss__epoch(const struct loss *loss, const struct loss_process *own);

/* May any record of the process have been lost? */
bool loss__may_hide_any(const struct loss *loss, const struct loss_process *own);

/* May the allocation of a buffer of the process have been lost? */
bool loss__may_hide_alloc(const struct loss *loss, const struct loss_process *own);

/* May a free of a buffer of the process that was allocated at @alloc_ts_ns have been lost? */
bool loss__may_hide_free(const struct loss *loss, const struct loss_process *own,
			 __u64 alloc_ts_ns);

void loss__done(struct loss *loss);

#endif
