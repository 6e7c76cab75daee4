/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* `tttrace --snapshot PID`: one look at what a process holds, with no probe and without BPF. */
#ifndef TTTRACE_LOOK_H
#define TTTRACE_LOOK_H

struct options;

/* Returns an enum exit_status. */
int look__run(const struct options *opts);

#endif
