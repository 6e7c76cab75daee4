// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "own_namespace.h"

#include <errno.h>
#include <string.h>

#include "lib/log.h"
#include "target/proc.h"

int own_namespace__find(__u32 *ret_inode)
{
	int err = proc__pid_namespace(ret_inode);

	if (err == -EXDEV)
		pr_err("/proc shows the processes of another PID namespace than the one that tttrace "
		       "runs in: mount it anew (`mount -t proc proc /proc`), or start the container "
		       "with --pid=host");
	else if (err)
		pr_err("cannot read '/proc/self': %s; is /proc mounted?", strerror(-err));
	else if (*ret_inode)
		pr_info("in a PID namespace of a container: only its processes are traced, by the "
			"PIDs that they have here; start it with --pid=host to see all");
	return err;
}
