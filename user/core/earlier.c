// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "core/earlier.h"

#include "core/ledger_impl.h"

static void add_verdicts(struct earlier *earlier, const struct process *process)
{
	__u64 before = earlier->leaked.buffers;

	for (const struct device *d = process->devices; d; d = d->next) {
		verdict_sum__add_on_all_chips(&earlier->leaked, &d->leaked, &d->pub);
		verdict_sum__add_on_all_chips(&earlier->cut_off, &d->cut_off, &d->pub);
		verdict_sum__add_on_all_chips(&earlier->doubtful, &d->doubtful, &d->pub);
		earlier->leaks_on_many |= d->leaked.buffers && d->pub.num_chips > 1;
	}
	earlier->leaking += earlier->leaked.buffers != before;
}

void earlier__add(struct earlier *earlier, const struct process *process)
{
	earlier->processes++;
	for (int i = 0; i < KIND_COUNT; i++)
		earlier->allocs[i] += process->allocs[i];
	for (int i = 0; i < CLASS_COUNT; i++)
		earlier->frees[i] += process->frees[i];
	earlier->bulk_freed += process->bulk_freed;
	earlier->pre_attach += process->census.pre_attach;
	earlier->repaired += process->loss.repaired;
	earlier->mended += process->census.mended;
	earlier->may_be_inherited += process->census.may_be_inherited;
	earlier->may_be_own += process->census.may_be_own;
	earlier->census_torn |= census__is_missing(process);
	add_verdicts(earlier, process);
}

static void release_rows(struct ledger *ledger, const struct process *process)
{
	__u32 nr, next;

	for (const struct device *d = process->devices; d; d = d->next) {
		for (nr = d->leaks.head; nr != BUFFER_NONE; nr = next) {
			next = buffers__at(&ledger->buffers, nr)->next;
			buffers__release(&ledger->buffers, nr);
		}
	}
}

void ledger__fold_ended(struct ledger *ledger)
{
	struct process *process = processes__take_oldest(&ledger->processes, PROCESSES_KEPT);

	if (!process)
		return;
	earlier__add(&ledger->processes.earlier, process);
	release_rows(ledger, process);
	process__free(process);
}
