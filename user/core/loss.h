/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What was lost, as far as it can be proved. Three witnesses: each record tells how many were lost
 * before it, on whatever CPU; each CPU numbers its records, lost ones included, so a gap is a loss
 * as well; and the counters of the BPF side tell the kinds, known when they are read. What the
 * counters cover is explained by them.
 *
 * Numbers may arrive a little out of order, for a program at a uprobe can be preempted between
 * taking its number and reserving its record. So a small gap is only suspected until it has stayed
 * open for a while; only what is proved makes a leak doubtful.
 *
 * A loss says nothing about which process it hit; so it counts against all of them.
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

struct loss {
	struct loss_cpu *cpus;
	__u32 num_cpus;
	__u64 open;	  /* over all CPUs */
	__u64 missing;	  /* over all CPUs */
	__u64 told;	  /* the greatest `lost` of a record */
	__u64 missing_ns; /* when a number was last given up */
	__u64 epoch;	  /* grows with each loss that is proved */
	struct tt_counters counters;
	__u64 counted;	      /* sum of counters.lost */
	__u64 counters_ns;    /* when they were last read */
	__u64 counted_end_ns; /* the newest moment at which a counted loss may have hit a free */
	bool counted_begin;   /* an allocation, or what leads to one, was among the counted */
};

/* Takes the number of one record. Returns 0 or -ENOMEM. */
int loss__note(struct loss *loss, const struct tt_record *h);

/* Nothing comes any more: what is open is missing. */
void loss__give_up(struct loss *loss, __u64 ts_ns);

/*
 * Takes newer totals. Returns true if the losses grew; *ret_delta is then by how much, in
 * .lost[] and the two map counters.
 */
bool loss__count(struct loss *loss, const struct tt_record_counters *rec,
		 struct tt_counters *ret_delta);

/* Records lost: the greater of what both witnesses prove. */
__u64 loss__total(const struct loss *loss);

/* Missing numbers that the counters do not cover: their kind is unknown, it may have been any. */
__u64 loss__unexplained(const struct loss *loss);

/* May the allocation of a buffer have been lost? */
bool loss__may_hide_alloc(const struct loss *loss);

/* May a free of a buffer that was allocated at @alloc_ts_ns have been lost? */
bool loss__may_hide_free(const struct loss *loss, __u64 alloc_ts_ns);

/* Would the loss of a record of @kind (enum tt_record_kind) make a buffer look live? */
bool loss__kind_ends(__u32 kind);

void loss__done(struct loss *loss);

#endif
