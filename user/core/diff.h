/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What two traces say of the same program, side by side: who reads them puts in their stacks and
 * sites, those who print take out what has changed. A site is what one process has taken on one
 * device from one place of its code. Sites are the same if their types and the places of all their
 * frames are, see core/frame_set.h: not by address, process, time or line. Those without a stack
 * are the same if operation and owner are. All is added up over processes and devices.
 *
 * Owns copies of all that it is given; what it hands out lives as long as it does. Pure.
 */
#ifndef TTTRACE_DIFF_H
#define TTTRACE_DIFF_H

#include "core/event.h"

enum diff_side {
	DIFF_OLD,
	DIFF_NEW,
	DIFF_SIDE_COUNT
};

/* What can be compared. */
enum diff_measure {
	DIFF_LEAKED,
	DIFF_LIVE,	/* at the end of the trace */
	DIFF_PEAK,	/* when most was live */
	DIFF_ALLOCATED, /* all the time together */
	DIFF_MEASURE_COUNT
};

/* Neither is more than INT64_MAX. */
struct diff_sum {
	__u64 bytes; /* on all chips together */
	__u64 buffers;
};

struct diff_sums {
	struct diff_sum of[DIFF_MEASURE_COUNT];
};

struct diff_site {
	__u32 type;	   /* enum tt_buffer_type; TT_TYPE_COUNT: not known */
	const char *op;	   /* NULL: not known */
	const char *owner; /* NULL: not known */
	bool has_stack;
	__u64 stack;	       /* its number in that trace */
	__u64 chips;	       /* on so many it takes these bytes */
	struct diff_sums sums; /* bytes on each chip */
};

/* All that an operation took of one type of memory. */
struct diff_op {
	__u32 number; /* in the order of appearance */
	__u32 type;
	const char *op; /* NULL: not known */
	const char *owner;
	struct diff_sums sums[DIFF_SIDE_COUNT];
};

/* All that was taken of one type of memory from one place. */
struct diff_group {
	__u32 number; /* in the order of appearance */
	__u32 type;
	const struct diff_op *op;	 /* of a site of it: of the new trace if there is one */
	const struct event_stack *stack; /* the same; NULL: not known */
	struct diff_sums sums[DIFF_SIDE_COUNT];
};

/* What has changed by one measure, the largest change of bytes first. */
struct diff_view {
	enum diff_measure measure;
	const struct diff_op **ops;
	__u32 num_ops;
	const struct diff_group **groups;
	__u32 num_groups;
	struct diff_sum total[DIFF_SIDE_COUNT]; /* with what has not changed */
};

/* A change, new less old. */
struct diff_change {
	__s64 bytes;
	__s64 buffers;
};

struct diff;

int diff__new(struct diff **ret_diff);
void diff__free(struct diff *diff);

/* A stack of that side, by its number there, which is not @stack->number. 0; -EEXIST: there is one
 * of that number; -ENOMEM. */
int diff__add_stack(struct diff *diff, enum diff_side side, __u64 number,
		    const struct event_stack *stack);

/* 0; -ENOENT: no such stack was added; -ERANGE: the sums are beyond INT64_MAX; -ENOMEM. After any
 * error the sums of @diff mean nothing. */
int diff__add_site(struct diff *diff, enum diff_side side, const struct diff_site *site);

/* Leaks if one of the two has any, else what is live, else the peak. */
enum diff_measure diff__default_measure(const struct diff *diff);

/* 0 or -ENOMEM. */
int diff__view(const struct diff *diff, enum diff_measure measure, struct diff_view **ret_view);
void diff_view__free(struct diff_view *view);
/* Has the new one more: bytes, or of as many bytes more buffers? */
bool diff_view__has_more(const struct diff_view *view);

struct diff_change diff__change(const struct diff_sum *before, const struct diff_sum *after);
const char *diff_measure__name(enum diff_measure measure); /* "leaked", … of --by */

#endif
