// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "core/process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	THREADS_MIN = 1024
};

void processes__init(struct processes *processes)
{
	*processes = (struct processes){};
	TAILQ_INIT(&processes->ended);
}

struct process *processes__find(struct processes *processes, __u32 pid)
{
	struct process *process = processes->last;

	if (process && process->pub.pid == pid)
		return process;
	HASH_FIND(hh, processes->running, &pid, sizeof(pid), process);
	if (process)
		processes->last = process;
	return process;
}

int processes__add(struct processes *processes, __u32 pid, __u64 start_ns, __u64 ts_ns,
		   struct process **ret_process)
{
	struct process *process = calloc(1, sizeof(*process));

	if (!process)
		return -ENOMEM;
	process->pub = (struct event_process){ pid, start_ns, process->comm };
	process->first_ts_ns = ts_ns;
	process->threads_max = THREADS_MIN;
	process->devices_max = DEVICES_MIN;
	TAILQ_INIT(&process->all_allocators);
	buffer_list__init(&process->ended);
	HASH_ADD(hh, processes->running, pub.pid, sizeof(process->pub.pid), process);
	if (!table__has(process)) {
		free(process);
		return -ENOMEM;
	}
	*ret_process = process;
	return 0;
}

void process__free(struct process *process)
{
	struct device *device;

	while ((device = process->devices)) {
		process->devices = device->next;
		device__free(device);
	}
	process__free_threads(process);
	buffer_index__done(&process->by_pointer);
	chips__done(&process->chips);
	free(process);
}

void processes__retire(struct processes *processes, struct process *process)
{
	HASH_DELETE(hh, processes->running, process);
	if (processes->last == process)
		processes->last = NULL;
	process__free_threads(process);
	chips__end(&process->chips);
	buffer_index__done(&process->by_pointer);
	if (!process__is_active(process)) {
		process__free(process);
		return;
	}
	TAILQ_INSERT_HEAD(&processes->ended, process, entry);
	processes->num_ended++;
}

struct process *processes__take_oldest(struct processes *processes, __u32 kept)
{
	struct process *oldest = TAILQ_LAST(&processes->ended, process_list);

	if (processes->num_ended <= kept)
		return NULL;
	TAILQ_REMOVE(&processes->ended, oldest, entry);
	processes->num_ended--;
	return oldest;
}

static void free_with_allocators(struct process *process, struct allocator_table *table)
{
	struct allocator *allocator;

	while ((allocator = TAILQ_FIRST(&process->all_allocators)))
		allocator__free(table, allocator);
	process__free(process);
}

void processes__done(struct processes *processes, struct allocator_table *table)
{
	struct process *process, *next;

	HASH_ITER (hh, processes->running, process, next) {
		HASH_DELETE(hh, processes->running, process);
		free_with_allocators(process, table);
	}
	while ((process = TAILQ_FIRST(&processes->ended))) {
		TAILQ_REMOVE(&processes->ended, process, entry);
		free_with_allocators(process, table);
	}
	processes->last = NULL;
}

void process__introduce(struct process *process, const struct tt_record_process *rec)
{
	/* the user side does not know when a parent began, and it may be another one by then */
	if (!process->introduced || rec->h.start_ns) {
		process->parent_tgid = rec->parent_tgid;
		process->parent_start_ns = rec->parent_start_ns;
	}
	process->introduced = true;
	process->flags |= rec->flags;
	process__rename(process, rec);
}

void process__rename(struct process *process, const struct tt_record_process *rec)
{
	memcpy(process->comm, rec->comm, sizeof(rec->comm));
	process->comm[sizeof(rec->comm)] = '\0';
}

bool process__is_active(const struct process *process)
{
	for (int i = 0; i < KIND_COUNT; i++) {
		if (process->allocs[i])
			return true;
	}
	for (int i = 0; i < CLASS_COUNT; i++) {
		if (process->frees[i])
			return true;
	}
	return process->devices || process->chips.num || process->bulk_freed ||
	       process->census.unplaced;
}

struct thread *process__find_thread(struct process *process, __u32 tid)
{
	struct thread *thread = process->last_thread;

	if (thread && thread->tid == tid)
		return thread;
	HASH_FIND(hh, process->threads, &tid, sizeof(tid), thread);
	if (thread)
		process->last_thread = thread;
	return thread;
}

static bool is_idle(const struct thread *thread)
{
	return !thread->free.active && !thread->space.count;
}

static void prune_threads(struct process *process)
{
	struct thread *thread, *next;

	HASH_ITER (hh, process->threads, thread, next) {
		if (!is_idle(thread))
			continue;
		HASH_DELETE(hh, process->threads, thread);
		free(thread);
	}
	process->last_thread = NULL;
	process->threads_max = THREADS_MIN + 2 * HASH_COUNT(process->threads);
}

int process__thread(struct process *process, __u32 tid, struct thread **ret_thread)
{
	struct thread *thread = process__find_thread(process, tid);

	if (!thread) {
		if (HASH_COUNT(process->threads) >= process->threads_max)
			prune_threads(process);
		thread = calloc(1, sizeof(*thread));
		if (!thread)
			return -ENOMEM;
		thread->tid = tid;
		thread->process = process;
		HASH_ADD(hh, process->threads, tid, sizeof(thread->tid), thread);
		if (!table__has(thread)) {
			free(thread);
			return -ENOMEM;
		}
	}
	*ret_thread = thread;
	return 0;
}

void process__free_threads(struct process *process)
{
	struct thread *thread, *next;

	HASH_ITER (hh, process->threads, thread, next) {
		HASH_DELETE(hh, process->threads, thread);
		free(thread);
	}
	process->last_thread = NULL;
}
