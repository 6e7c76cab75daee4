// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "privileges.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "lib/capability.h"
#include "lib/log.h"
#include "options.h"
#include "target/host.h"

void privileges__drop(const struct options *opts, bool perf_events)
{
	struct host host;
	__u64 keep;
	int err;

	host__read(&host);
	keep = capability__used(host.capabilities);
	if (opts->command) /* signals are passed on to it, whatever user it has become */
		keep |= host.capabilities & CAPABILITY_MASK(CAP_KILL);
	/* "perf: Revert to requiring CAP_SYS_ADMIN for uprobes" (Linux 6.16 and stable kernels) */
	if (perf_events)
		keep |= host.capabilities & CAPABILITY_MASK(CAP_SYS_ADMIN);
	err = capability__keep(keep);
	if (err)
		pr_warn("cannot give up privileges that are not needed: %s", strerror(-err));
}

/* Of one that has gone it does not matter. */
static bool is_of_other_user(pid_t pid)
{
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d", pid);
	return !stat(path, &st) && st.st_uid != geteuid();
}

static bool traces_others(const struct options *opts)
{
	if (opts->command)
		return false;
	for (size_t i = 0; i < opts->num_pids; i++) {
		if (is_of_other_user(opts->pids[i]))
			return true;
	}
	return !opts->num_pids;
}

void privileges__tell_missing(const struct options *opts)
{
	enum log_level level = traces_others(opts) ? LOG_LEVEL_WARN : LOG_LEVEL_INFO;
	const struct capability *table;
	struct host host;
	__u64 missing;
	size_t count;

	host__read(&host);
	missing = capability__missing(host.capabilities);
	table = capability__table(&count);
	for (size_t i = 0; i < count; i++) {
		if (missing & CAPABILITY_MASK(table[i].number))
			log__print(level, "without %s %s", table[i].name, table[i].without);
	}
}
