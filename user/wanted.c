// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "wanted.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "target/proc.h"

enum {
	ANCESTORS_MAX = 64 /* /proc may change while it is read: no cycle goes on for ever */
};

int wanted__add(struct wanted *wanted, pid_t pid)
{
	pid_t *pids = realloc(wanted->pids, (wanted->num + 1) * sizeof(*pids));

	if (!pids)
		return -ENOMEM;
	wanted->pids = pids;
	pids[wanted->num++] = pid;
	return 0;
}

bool wanted__lists(const struct wanted *wanted, pid_t pid)
{
	for (size_t i = 0; i < wanted->num; i++)
		if (wanted->pids[i] == pid)
			return true;
	return false;
}

bool wanted__has(const struct wanted *wanted, pid_t pid)
{
	if (wanted->all)
		return true;
	for (int depth = 0; pid > 1 && depth < ANCESTORS_MAX; depth++) {
		if (wanted__lists(wanted, pid))
			return true;
		if (proc__parent(pid, &pid))
			return false;
	}
	return false;
}

void wanted__done(struct wanted *wanted)
{
	free(wanted->pids);
	memset(wanted, 0, sizeof(*wanted));
}
