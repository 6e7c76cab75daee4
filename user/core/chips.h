/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The chips of a process, and what it occupies on each: a mesh buffer counts once on each of its
 * chips. While only one device has had memory, its chips all are as the device itself, and are not
 * counted one by one.
 *
 * A parent mesh and its submeshes have allocators of their own on the same chips, and may hand out
 * the same memory: on a chip each byte counts once, at any time, so also at the peak. The chips on
 * which the same devices lie have that in common, a cover, which is made when a device first has
 * memory where another one has some already.
 */
#ifndef TTTRACE_CHIPS_H
#define TTTRACE_CHIPS_H

#include <stdbool.h>
#include <linux/types.h>

#include "core/circular.h"
#include "core/coverage.h"
#include "core/usage.h"

struct allocator;
struct buffer;
struct buffers;
struct process;

/* What the allocators of several devices occupy on each of some chips. */
struct cover {
	struct cover *next;
	__u32 num_banks[TT_TYPE_COUNT]; /* only buffers in so many are compared; others add up */
	struct coverage ranges[TT_TYPE_COUNT]; /* in each bank */
	__u64 turn;			       /* of the buffer at hand, whose … */
	__u64 footprint;		       /* … bytes are new, or go, on each of the chips */
};

/* One chip as one process uses it. */
struct chip {
	__u32 id;
	struct usage usage;  /* see chips__usage() */
	struct cover *cover; /* NULL: one device at most has memory there */
	/* by enum circular_kind; NULL: no program has placed any here */
	struct circular *circular[CIRCULAR_KINDS];
};

struct chips {
	struct chip *at; /* as they came */
	__u32 num;
	struct cover *covers;
	__u64 turn;
	bool has_totals; /* a second device has had memory: each chip has its own usage */
};

/* The place of chip @id, where it gets one. Returns 0 or -ENOMEM. */
int chips__slot(struct chips *chips, __u32 id, __u32 *ret_slot);

/* What is and was at most occupied on the chip at @slot. */
const struct usage *chips__usage(const struct process *process, __u32 slot);

/*
 * @buffer of @allocator comes to, or leaves, the totals of the chips of its device and of its
 * process. It is not counted on its device yet; or still is.
 */
void chips__add(struct allocator *allocator, const struct buffers *buffers,
		const struct buffer *buffer);
void chips__sub(struct allocator *allocator, const struct buffer *buffer);

/* What is only for buffers that come or go. */
void chips__end(struct chips *chips);
void chips__done(struct chips *chips);

#endif
