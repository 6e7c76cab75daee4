/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The PID namespace that tttrace is in: PIDs are those of it, in all that is said. */
#ifndef TTTRACE_OWN_NAMESPACE_H
#define TTTRACE_OWN_NAMESPACE_H

#include <linux/types.h>

/* See proc__pid_namespace(): /proc, which tells of processes, must be of it as well. Logged. */
int own_namespace__find(__u32 *ret_inode);

#endif
