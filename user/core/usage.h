/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Bytes held now and at most, by type and in sum. The peak of the sum is a peak of its own, not
 * the sum of the peaks. Pure arithmetic.
 */
#ifndef TTTRACE_USAGE_H
#define TTTRACE_USAGE_H

#include <linux/types.h>

#include "tttrace_config.h"

struct usage_cell {
	__u64 live;	 /* bytes occupied (footprint) */
	__u64 peak;	 /* the most that live has been */
	__u64 size;	 /* bytes asked for, of what is live */
	__u64 peak_size; /* the most that size has been */
	__u64 buffers;	 /* how many are live */
	__u64 peak_buffers;
};

struct usage {
	struct usage_cell type[TT_TYPE_COUNT];
	struct usage_cell sum; /* of unknown types too */
};

/* @type may be TT_TYPE_COUNT: unknown. @footprint and @size in bytes. */
void usage__add(struct usage *usage, __u32 type, __u64 footprint, __u64 size);
void usage__sub(struct usage *usage, __u32 type, __u64 footprint, __u64 size);
/* Adds what is live now; peaks become the greater of both. */
void usage__fold(struct usage *usage, const struct usage *other);

#endif
