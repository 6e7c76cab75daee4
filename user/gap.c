// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "gap.h"

#include <errno.h>
#include <stdlib.h>

#include "announcer.h"
#include "lib/log.h"
#include "lib/table.h"
#include "survey.h"
#include "target/census.h"
#include "target/discovery.h"
#include "target/memory.h"
#include "target/proc.h"
#include "written.h"

static const char ended_words[] = "its process ended before it could be learnt what that had "
				  "done until the probes were in place";
static const char lost_words[] = "its process had allocated before the probes were in place, and "
				 "nothing of it is left to tell what became of it";

struct gap_process {
	pid_t pid;
	__u64 mapped_ns; /* 0: not known */
	__u64 counter;	 /* the address in its memory; 0: not known */
	bool ended;
	/* as the records tell it: from now on … */
	bool has_id;
	__u64 first_id;	 /* … the least number of a Buffer, … */
	bool has_opened; /* … and whether it opened a device */
	char name[TT_PATH_SIZE];
	UT_hash_handle hh;
};

static struct gap_process *find_process(const struct gap *gap, pid_t pid)
{
	struct gap_process *process;

	HASH_FIND(hh, gap->waiting, &pid, sizeof(pid), process);
	return process;
}

static void drop(struct gap *gap, struct gap_process *process)
{
	HASH_DEL(gap->waiting, process);
	free(process);
}

static __u64 find_counter(const struct discovery_find *find, __u64 counter)
{
	__u64 bias;

	return counter && !census__find_bias(find->path, find->mapping, &bias) ? counter + bias : 0;
}

/* How many Buffers there have been. Returns 0 or -errno. */
static int count_buffers(const struct gap_process *process, __u64 *ret_count)
{
	struct memory *memory;
	int err;

	if (!process->counter)
		return -ENOENT;
	err = memory__open(process->pid, &memory);
	if (err)
		return err;
	err = memory__read(memory, process->counter, ret_count, sizeof(*ret_count));
	if (err == -EFAULT && !memory__check(memory)) {
		*ret_count = 0; /* nobody has ever written to it */
		err = 0;
	}
	memory__free(memory);
	return err;
}

static bool is_untouched(const struct gap_process *process)
{
	__u64 count;

	return !count_buffers(process, &count) && !count;
}

static void tell(struct gap *gap, const struct gap_process *process, const char *why)
{
	announcer__untraced(gap->announcer, process->pid, process->name, why, NULL);
}

void gap__prepare(struct gap *gap)
{
	gap->catch_up(gap->ctx);
}

void gap__enter(struct gap *gap, const struct discovery_find *find, __u64 counter, bool is_new)
{
	struct gap_process *process = find_process(gap, find->pid);

	if (process)
		return;
	process = calloc(1, sizeof(*process));
	if (!process)
		return;
	process->pid = find->pid;
	process->mapped_ns = find->mapping->ts_ns;
	process->counter = find_counter(find, counter);
	written__path(process->name, find->name);
	/* the record of its exec comes before what is said of what it is since */
	if (!is_new)
		gap->catch_up(gap->ctx);
	if (is_untouched(process)) {
		survey__introduce_new(gap->survey, process->pid);
		free(process);
		return;
	}
	HASH_ADD(hh, gap->waiting, pid, sizeof(process->pid), process);
	if (!table__has(process))
		free(process);
}

static void note_id(struct gap_process *process, const struct tt_record_buffer *rec)
{
	if (rec->h.faults & TT_FAULT_UNIQUE_ID)
		return;
	if (!process->has_id || rec->unique_id < process->first_id)
		process->first_id = rec->unique_id;
	process->has_id = true;
}

void gap__note(struct gap *gap, const struct tt_record *h)
{
	struct gap_process *process;

	if (!gap->waiting || !(process = find_process(gap, (pid_t)h->tgid)))
		return;
	switch (h->kind) {
	case TT_RECORD_ALLOC:
		note_id(process, (const void *)h);
		break;
	case TT_RECORD_DEVICE:
		process->has_opened |= h->probe == TT_PROBE_DEVICE_OPEN;
		break;
	case TT_RECORD_PROCESS_EXIT:
	case TT_RECORD_PROCESS_EXEC:
		process->ended |= h->ts_ns > process->mapped_ns;
		break;
	}
}

/* Do the records begin with the first that it ever did? */
static bool is_whole(const struct gap_process *process)
{
	if (process->counter)
		return process->has_id && !process->first_id;
	return process->has_opened;
}

/* Where nothing numbers the Buffers, there is nothing by which to doubt what was found. */
static const char *judge(const struct gap_process *process, int found)
{
	if (process->ended || !proc__exists(process->pid))
		return is_whole(process) ? NULL : ended_words;
	if (found > 0 || !process->counter || is_whole(process) || is_untouched(process))
		return NULL;
	return lost_words;
}

void gap__look(struct gap *gap, pid_t pid)
{
	struct gap_process *process = find_process(gap, pid);
	const char *why;
	int found = 0;

	if (!process)
		return;
	if (!process->ended && proc__exists(pid))
		found = survey__find_allocators(gap->survey, pid, gap->catch_up, gap->ctx);
	gap->catch_up(gap->ctx);
	why = judge(process, found);
	if (why)
		tell(gap, process, why);
	pr_info("process '%d' mapped '%s' before its probes were in place: %s", pid, process->name,
		why	    ? why
		: found > 0 ? "what it held then is read"
			    : "it had done nothing");
	if (!why && !found && !process->ended && process->counter)
		survey__introduce_new(gap->survey, pid);
	drop(gap, process);
}

void gap__done(struct gap *gap)
{
	struct gap_process *process, *next;

	HASH_ITER (hh, gap->waiting, process, next)
		drop(gap, process);
}
