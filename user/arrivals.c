// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "arrivals.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/table.h"

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

bool arrivals__has(const struct arrivals *arrivals, pid_t pid)
{
	return find(arrivals, pid);
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

bool arrivals__next(struct arrivals *arrivals, pid_t *ret_pid)
{
	struct arrival *first = arrivals->waiting; /* uthash keeps the order of adding */

	if (!first)
		return false;
	*ret_pid = first->pid;
	HASH_DEL(arrivals->waiting, first);
	free(first);
	return true;
}

void arrivals__done(struct arrivals *arrivals)
{
	pid_t pid;

	while (arrivals__next(arrivals, &pid))
		;
}
