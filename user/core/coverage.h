/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * How many bytes of an address range are covered, where ranges come and go that may overlap: each
 * byte counts once. Kept up to date with each range, in a time that grows with how many others
 * begin or end within it, which is none where nothing overlaps. Pure arithmetic, on JudyL.
 */
#ifndef TTTRACE_COVERAGE_H
#define TTTRACE_COVERAGE_H

#include <linux/types.h>

/* Zeroed: nothing is covered. */
struct coverage {
	void *depths; /* JudyL: where a stretch begins → how many ranges cover it */
};

/*
 * [@from, @to) comes, or one that came goes. *ret_bytes: how many bytes are covered that were not,
 * or are no more. Returns 0, or -ENOMEM: then it is only fit for coverage__done().
 */
int coverage__add(struct coverage *coverage, __u64 from, __u64 to, __u64 *ret_bytes);
int coverage__remove(struct coverage *coverage, __u64 from, __u64 to, __u64 *ret_bytes);

void coverage__done(struct coverage *coverage);

#endif
