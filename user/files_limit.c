// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "files_limit.h"

#include <errno.h>
#include <unistd.h>

#include "lib/log.h"

enum {
	FILES_LEAST = 52 /* maps, programs, links and what is read at the start; and one per CPU */
};

int files_limit__raise(struct rlimit *ret_old)
{
	rlim_t least = FILES_LEAST + (rlim_t)sysconf(_SC_NPROCESSORS_CONF);
	struct rlimit most;

	if (getrlimit(RLIMIT_NOFILE, ret_old)) {
		*ret_old = (struct rlimit){ RLIM_INFINITY, RLIM_INFINITY };
		return 0;
	}
	most = *ret_old;
	most.rlim_cur = most.rlim_max;
	setrlimit(RLIMIT_NOFILE, &most);
	if (most.rlim_max >= least)
		return 0;
	pr_err("too many open files: %lu are allowed, at least %lu are needed", most.rlim_max,
	       least);
	pr_err("raise the hard limit (`ulimit -Hn`, LimitNOFILE= of a service)");
	return -EMFILE;
}
