/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * One library can be known by two names, which stat(2) tells apart: in two containers of one image
 * (overlayfs), or before and after a `touch`. The kernel probes the inode below, so that each hit
 * is seen by both links, one after the other, and comes as two records.
 */
#ifndef TTTRACE_TWICE_H
#define TTTRACE_TWICE_H

#include <stdbool.h>
#include <linux/types.h>

#include "tttrace_config.h"
#include "tttrace_record.h"

/* The last record of a thread that an object was passed in. Zeroed: there was none. */
struct twice {
	__u64 object;
	__u16 kind;
	__u16 layout;
	__u8 probe;
};

/*
 * Is @h, the next record of the thread, of the same hit as the one before? It tells of the same
 * object at the same probe, by another library: a second passing would come by the first one again.
 */
bool twice__is_second(struct twice *last, const struct tt_record *h);

#endif
