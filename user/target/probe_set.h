/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Which of the probes a mode attaches. A hit costs the program that is traced about as much as a
 * call of the kernel, whatever is done in it, so the number of hits for an allocation and its free
 * is the price of a mode:
 *
 *	lean	2: track_allocate and deallocate_buffer. What the buffer occupies is read out of the
 *		free list's table at the former; where that table could not be established,
 *		FreeListOpt::allocate is a third.
 *	default	4: FreeListOpt::allocate, track_allocate, deallocate_impl, deallocate_buffer. What
 *		the others see is seen by these, but for buffers of size 0: they are met at an
 *		instruction of create that no other buffer passes. Where a build of the runtime
 *		has none, create is a fifth; where the state of a device cannot be read at
 *		deallocate_impl, track_deallocate tells it, one more.
 *	all	10, and one for each chip: a view of the buffer is created there.
 *
 * It may use nothing but the headers of include/.
 */
#ifndef TTTRACE_PROBE_SET_H
#define TTTRACE_PROBE_SET_H

#include <stdbool.h>
#include <linux/types.h>

#include "tttrace_config.h"

/*
 * The probes of @mode in a library that has those of @found and @layout; 1 << enum tt_probe each.
 * @views: them as well.
 */
__u64 probe_set__of(enum tt_mode mode, bool views, const struct tt_layout *layout, __u64 found);

static inline bool probe_set__has(__u64 set, enum tt_probe probe)
{
	return set >> probe & 1;
}

#endif
