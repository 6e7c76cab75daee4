// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "wanted.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/table.h"
#include "target/proc.h"

enum {
	ANCESTORS_MAX = 64, /* /proc may change while it is read: no cycle goes on for ever */
	PROCESSES_MIN = 1024,
};

/* What is told of a process may come so long after its end. */
static const __u64 kept_ns = 10 * 1000000000ull;

struct wanted_process {
	pid_t pid;
	bool is_added; /* itself */
	__u64 end_ns;  /* 0: it runs */
	UT_hash_handle hh;
};

static struct wanted_process *find(const struct wanted *wanted, pid_t pid)
{
	struct wanted_process *process;

	HASH_FIND(hh, wanted->processes, &pid, sizeof(pid), process);
	return process;
}

static void forget_ended(struct wanted *wanted, __u64 now_ns)
{
	struct wanted_process *process, *next;

	HASH_ITER (hh, wanted->processes, process, next) {
		if (!process->end_ns || process->is_added || process->end_ns + kept_ns > now_ns)
			continue;
		HASH_DEL(wanted->processes, process);
		free(process);
	}
	wanted->processes_max = PROCESSES_MIN + 2 * HASH_COUNT(wanted->processes);
}

/* NULL: no memory. */
static struct wanted_process *meet(struct wanted *wanted, pid_t pid)
{
	struct wanted_process *process = find(wanted, pid);

	if (process)
		return process;
	process = calloc(1, sizeof(*process));
	if (!process)
		return NULL;
	process->pid = pid;
	HASH_ADD(hh, wanted->processes, pid, sizeof(process->pid), process);
	if (table__has(process))
		return process;
	free(process);
	return NULL;
}

int wanted__add(struct wanted *wanted, pid_t pid)
{
	struct wanted_process *process = meet(wanted, pid);

	if (!process)
		return -ENOMEM;
	wanted->num_added += !process->is_added;
	process->is_added = true;
	process->end_ns = 0;
	return 0;
}

bool wanted__lists(const struct wanted *wanted, pid_t pid)
{
	const struct wanted_process *process = find(wanted, pid);

	return process && process->is_added;
}

static bool is_end(const struct tt_record *h)
{
	const struct tt_record_process *rec = (const void *)h;

	return h->kind == TT_RECORD_PROCESS_EXIT ||
	       (h->kind == TT_RECORD_PROCESS_LOST && rec->flags & TT_PROCESS_ENDED);
}

void wanted__note(struct wanted *wanted, const struct tt_record *h)
{
	struct wanted_process *process;

	if (wanted->all)
		return;
	if (h->kind == TT_RECORD_PROCESS_START) {
		if (HASH_COUNT(wanted->processes) >= wanted->processes_max)
			forget_ended(wanted, h->ts_ns);
		/* without memory /proc has to do */
		process = meet(wanted, (pid_t)h->tgid);
		if (process)
			process->end_ns = 0;
	} else if (is_end(h)) {
		process = find(wanted, (pid_t)h->tgid);
		if (process)
			process->end_ns = h->ts_ns;
	}
}

bool wanted__knows(const struct wanted *wanted, pid_t pid, __u64 ts_ns)
{
	const struct wanted_process *process = find(wanted, pid);

	if (wanted->all)
		return true;
	return process && (!process->end_ns || (ts_ns && ts_ns <= process->end_ns));
}

bool wanted__has(const struct wanted *wanted, pid_t pid)
{
	if (wanted->all)
		return true;
	for (int depth = 0; pid > 1 && depth < ANCESTORS_MAX; depth++) {
		if (wanted__knows(wanted, pid, 0))
			return true;
		if (proc__parent(pid, &pid))
			return false;
	}
	return false;
}

void wanted__done(struct wanted *wanted)
{
	struct wanted_process *process, *next;

	HASH_ITER (hh, wanted->processes, process, next) {
		HASH_DEL(wanted->processes, process);
		free(process);
	}
	memset(wanted, 0, sizeof(*wanted));
}
