/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Circular buffers, or dataflow buffers, on one chip as one process uses it: L1 that programs take
 * on the cores they run on, without a Buffer. Programs that wait in the cache lie on top of each
 * other, so that nothing is summed over programs: it is kept how far up any program has reached,
 * on which cores there are any, and what the largest takes.
 *
 * A record does not say which program it is of. The buffers of one program come one after the other
 * on one thread, and between two programs there is a circular__divide(). Should that be lost, an
 * address that was passed already tells that another program has begun: within one program
 * addresses on a core only grow.
 */
#ifndef TTTRACE_CIRCULAR_H
#define TTTRACE_CIRCULAR_H

#include <stdbool.h>
#include <linux/types.h>

#include "tttrace_config.h"
#include "tttrace_record.h"

struct circular;

enum circular_kind {
	CIRCULAR_BUFFERS,
	DATAFLOW_BUFFERS,
	CIRCULAR_KINDS
};

/* The program that takes the most on one core; of several the one on the most cores. */
struct circular_largest {
	__u64 bytes; /* on one core, at most */
	__u64 cores; /* on which it has some */
	__u64 to;    /* the end of its highest buffer */
};

/* Over all programs that were placed. Zero: there were none. */
struct circular_sum {
	struct circular_largest largest;
	__u64 from, to; /* the least address, and the end of the highest buffer, on any core */
	__u64 cores;	/* on which any program has some */
	__u64 buffers;	/* records of them: of dataflow buffers one for each range of cores */
	__u64 programs; /* that have placed some */
	__u64 ended;	/* programs that had some and are gone */
	__u64 cut;	/* buffers with more ranges of cores than a record carries */
};

/* Returns 0 or -ENOMEM. */
int circular__new(struct circular **ret_circular);
void circular__free(struct circular *circular);

/* Are the ranges of @rec ranges of cores? */
bool circular__is_sane(const struct tt_record_circular *rec);

/* One buffer is placed by thread @tid. @rec is sane. Returns 0 or -ENOMEM. */
int circular__place(struct circular *circular, __u32 tid, const struct tt_record_circular *rec);

/* What thread @tid has placed so far is all of its program. */
void circular__divide(struct circular *circular, __u32 tid);

/* A program that had placed some is gone. */
void circular__end_program(struct circular *circular);

/* @circular may be NULL: nothing was placed. */
void circular__sum(const struct circular *circular, struct circular_sum *ret_sum);

#endif
