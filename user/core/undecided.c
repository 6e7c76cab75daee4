// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Frees for which no reason is known yet. A loss gets known later than the records that it makes
 * unintelligible: with the next record of the same process, if its process is not known with one of
 * the same CPU, or when the counters are read. So such a free waits until the counters have been
 * read, or its process ends.
 */
#include <stdbool.h>
#include <stdlib.h>

#include "core/release.h"

enum {
	UNDECIDED_MAX = 1024
};

struct undecided {
	struct process *process;
	struct event_buffer buffer;
	__u64 device;
	__u64 ts_ns;
	__u32 tid;
};

bool ledger__defer(struct ledger *ledger, const struct release *rel)
{
	struct undecided *entry;

	if (!ledger->undecided)
		ledger->undecided = calloc(UNDECIDED_MAX, sizeof(*ledger->undecided));
	if (!ledger->undecided || ledger->num_undecided == UNDECIDED_MAX)
		return false;
	entry = &ledger->undecided[ledger->num_undecided++];
	entry->process = rel->process;
	entry->ts_ns = rel->ts_ns;
	entry->tid = rel->tid;
	entry->device = rel->note ? rel->note->body.device : 0;
	release__describe(ledger, rel, &entry->buffer);
	return true;
}

static void decide(struct ledger *ledger, const struct undecided *entry, enum free_class class)
{
	const struct device *device = device__find(entry->process, entry->device);
	struct event ev = {
		.kind = EVENT_FREE,
		.ts_ns = entry->ts_ns,
		.tid = entry->tid,
		.process = &entry->process->pub,
		.device = device ? &device->pub : NULL,
		.buffer = &entry->buffer,
		.class = class,
		.why = free_class__why(class),
	};

	entry->process->frees[class]++;
	ledger__emit(ledger, &ev);
}

/* While numbers are missing that may be only late, nothing is certain but at the very end. */
void ledger__decide(struct ledger *ledger, const struct process *process, bool last)
{
	__u32 kept = 0;
	bool lost;

	for (__u32 i = 0; i < ledger->num_undecided; i++) {
		struct undecided *entry = &ledger->undecided[i];

		lost = loss__may_hide_alloc(&ledger->loss, &entry->process->loss) ||
		       (last && ledger->loss.open);
		if ((process && entry->process != process) || (!lost && !last && ledger->loss.open))
			ledger->undecided[kept++] = *entry;
		else
			decide(ledger, entry, lost ? CLASS_LOST : CLASS_UNKNOWN);
	}
	ledger->num_undecided = kept;
}
