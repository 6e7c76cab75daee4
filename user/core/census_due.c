// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Of which processes a census is due, and what it need not look for. */
#include "core/ledger_impl.h"

enum {
	ATTEMPTS_MAX = 8
}; /* to read what was held before the attach, or to learn what a loss or a footprint hides */

bool process__is_unsized(const struct process *process)
{
	const struct allocator *allocator;

	TAILQ_FOREACH (allocator, &process->all_allocators, entry) {
		if (!allocator->dead && !allocator->device->closed &&
		    allocator__is_unsized(allocator))
			return true;
	}
	return false;
}

/* One that succeeds only if the program rests does so at once, or not at all. */
static bool is_late(const struct process *process)
{
	return census__is_first(process) && process->census.settled < ATTEMPTS_MAX;
}

static bool has_loss(const struct process *process)
{
	const struct census *census = &process->census;

	return loss_process__is_open(&process->loss) &&
	       (census->failed < ATTEMPTS_MAX || census->failed_at != process->loss.records);
}

static bool is_unsized(const struct process *process)
{
	return process->census.vain < ATTEMPTS_MAX && process__is_unsized(process);
}

static bool is_user(const struct process *process)
{
	return process->devices;
}

static size_t list_processes(const struct ledger *ledger, bool (*is_wanted)(const struct process *),
			     __u32 *pids, size_t max)
{
	struct process *process, *next;
	size_t num = 0;

	HASH_ITER (hh, ledger->processes.running, process, next) {
		if (num < max && is_wanted(process))
			pids[num++] = process->pub.pid;
	}
	return num;
}

size_t ledger__late(struct ledger *ledger, __u32 *pids, size_t max)
{
	size_t num = ledger->has_late ? list_processes(ledger, is_late, pids, max) : 0;

	ledger->has_late = num;
	return num;
}

size_t ledger__incomplete(const struct ledger *ledger, __u32 *pids, size_t max)
{
	return loss__total(&ledger->loss) ? list_processes(ledger, has_loss, pids, max) : 0;
}

size_t ledger__unsized(const struct ledger *ledger, __u32 *pids, size_t max)
{
	return ledger->stats.footprint_unknown ? list_processes(ledger, is_unsized, pids, max) : 0;
}

size_t ledger__users(const struct ledger *ledger, __u32 *pids, size_t max)
{
	return list_processes(ledger, is_user, pids, max);
}

size_t ledger__allocators(struct ledger *ledger, __u32 pid, __u64 *objects, size_t max)
{
	struct process *process = processes__find(&ledger->processes, pid);
	const struct allocator *allocator;
	size_t num = 0;

	if (!process)
		return 0;
	TAILQ_FOREACH (allocator, &process->all_allocators, entry) {
		if (allocator->dead || allocator->device->closed)
			continue;
		if (num < max)
			objects[num] = allocator->key.object;
		num++;
	}
	return num;
}
