// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Evidence that the probes came too late for a process: it uses what it must have opened before,
 * and the opening was not seen. It then counts as one that was running before the attach, and what
 * it held already is not taken for a mistake of its own, or of ours. A child has what its parent
 * opened; and where records were lost the opening may be among them.
 */
#include "core/ledger_impl.h"

static void note_late(struct ledger *ledger, struct process *process)
{
	if (process->flags & (TT_PROCESS_BEFORE_ATTACH | TT_PROCESS_FORKED) ||
	    loss__may_hide_any(&ledger->loss, &process->loss))
		return;
	process->flags |= TT_PROCESS_BEFORE_ATTACH;
	ledger->has_late = true;
	ledger->stats.processes_pre_attach++;
}

static bool is_opened_chip(const struct device *device)
{
	return device->opened && !device->pub.is_mesh && device->pub.num_chips;
}

static bool was_opened(const struct process *process, __u32 chip)
{
	for (const struct device *d = process->devices; d; d = d->next) {
		if (is_opened_chip(d) && d->pub.chips[0] == chip)
			return true;
	}
	return false;
}

void ledger__expect_opened(struct ledger *ledger, struct process *process,
			   const struct device *device)
{
	for (__u32 i = 0; i < device->pub.num_chips; i++) {
		if (!was_opened(process, device->pub.chips[i]))
			return note_late(ledger, process);
	}
}

void ledger__expect_known(struct ledger *ledger, struct process *process, __u64 object)
{
	if (object && !device__find(process, object))
		note_late(ledger, process);
}

void ledger__expect_any(struct ledger *ledger, struct process *process)
{
	for (const struct device *d = process->devices; d; d = d->next) {
		if (is_opened_chip(d))
			return;
	}
	note_late(ledger, process);
}
