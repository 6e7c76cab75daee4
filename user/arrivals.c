// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "arrivals.h"

#include <errno.h>
#include <stdlib.h>

#include "gap.h"
#include "lib/clock.h"
#include "lib/table.h"
#include "stack_taker.h"

struct arrival {
	pid_t pid;
	UT_hash_handle hh;
};

static struct arrival *find(const struct arrivals *arrivals, pid_t pid)
{
	struct arrival *arrival;

	HASH_FIND(hh, arrivals->waiting, &pid, sizeof(pid), arrival);
	return arrival;
}

int arrivals__add(struct arrivals *arrivals, pid_t pid)
{
	struct arrival *arrival;

	if (find(arrivals, pid))
		return 0;
	arrival = calloc(1, sizeof(*arrival));
	if (!arrival)
		return -ENOMEM;
	arrival->pid = pid;
	HASH_ADD(hh, arrivals->waiting, pid, sizeof(arrival->pid), arrival);
	if (table__has(arrival))
		return 0;
	free(arrival);
	return -ENOMEM;
}

/* Takes out the one that came first. false: there is none. */
static bool take_first(struct arrivals *arrivals, pid_t *ret_pid)
{
	struct arrival *first = arrivals->waiting; /* uthash keeps the order of adding */

	if (!first)
		return false;
	*ret_pid = first->pid;
	HASH_DEL(arrivals->waiting, first);
	free(first);
	return true;
}

bool arrivals__attend(struct arrivals *arrivals, __u64 duration_ns)
{
	__u64 end_ns = clock__now_ns() + duration_ns;
	pid_t pid;

	while (take_first(arrivals, &pid)) {
		if (arrivals->stacks)
			stack_taker__meet(arrivals->stacks, pid);
		gap__look(arrivals->gap, pid);
		if (arrivals->stacks)
			stack_taker__prepare(arrivals->stacks, pid);
		if (arrivals->waiting && clock__now_ns() > end_ns)
			return false;
	}
	return true;
}

void arrivals__done(struct arrivals *arrivals)
{
	pid_t pid;

	while (take_first(arrivals, &pid))
		;
}
