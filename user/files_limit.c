// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "files_limit.h"

void files_limit__raise(struct rlimit *ret_old)
{
	struct rlimit most;

	if (getrlimit(RLIMIT_NOFILE, ret_old)) {
		*ret_old = (struct rlimit){ RLIM_INFINITY, RLIM_INFINITY };
		return;
	}
	most = *ret_old;
	most.rlim_cur = most.rlim_max;
	setrlimit(RLIMIT_NOFILE, &most);
}
