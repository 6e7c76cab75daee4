/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Ended processes that are not kept one by one any more: a trace of all processes may go on for
 * months. Of each remains what it adds to the totals; its devices and its buffers are gone. Plain
 * data: nothing is to be freed.
 */
#ifndef TTTRACE_EARLIER_H
#define TTTRACE_EARLIER_H

#include "core/device.h"
#include "core/event.h"

struct process;

enum {
	PROCESSES_KEPT = 1024
}; /* ended ones that the report tells one by one */

struct earlier {
	__u64 processes;
	__u64 leaking; /* that many of them */
	bool leaks_on_many;
	bool census_torn;
	__u64 allocs[KIND_COUNT];
	__u64 frees[CLASS_COUNT];
	__u64 bulk_freed;
	__u64 pre_attach;
	__u64 repaired;
	__u64 mended;
	__u64 may_be_inherited;
	__u64 may_be_own;
	struct verdict_sum leaked; /* bytes on all chips together, as the others */
	struct verdict_sum cut_off;
	struct verdict_sum doubtful;
};

void earlier__add(struct earlier *earlier, const struct process *process);

#endif
