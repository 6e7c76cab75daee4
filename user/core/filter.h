/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What of the truth a user wants to see: event lines and rows of reports. The ledger never knows
 * of it. A zeroed filter lets everything pass. Pure; does not own what it points to.
 */
#ifndef TTTRACE_FILTER_H
#define TTTRACE_FILTER_H

#include <stdbool.h>

#include "core/event.h"
#include "core/suppressions.h"

struct filter {
	const __u32 *chips; /* chip ids; a mesh passes if one of its chips does */
	__u32 num_chips;    /* 0: all */
	__u32 types;	    /* 1 << enum tt_buffer_type; 0: all */
	__u64 min_size;	    /* bytes asked for */
	__u64 max_size;	    /* 0: no limit */
	const char *comm;   /* command name, compared as far as the kernel keeps it; NULL: all */
	__u64 min_age_ns;   /* of leaks and of rows in reports; other events have no age */
	struct suppressions *suppressions; /* of leaks; NULL: none */
};

bool filter__event(const struct filter *filter, const struct event *ev);
bool filter__comm(const struct filter *filter, const char *comm);
/* An unknown device passes only where no device was asked for. */
bool filter__device(const struct filter *filter, const struct event_device *device);
/* By type and size. */
bool filter__buffer(const struct filter *filter, __u32 type, __u64 size);
bool filter__age(const struct filter *filter, __u64 age_ns);
/* The rule by which a leak that @stack allocated is known; NULL: it is not. */
const struct suppression *filter__suppression(const struct filter *filter,
					      const struct event_stack *stack);

#endif
