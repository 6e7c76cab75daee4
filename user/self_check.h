/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * `tttrace --check [LIB|PID]`: what would work here. Without a target it looks at the machine; with
 * one also at that library, or at all runtimes that the process maps. It attaches nothing and goes
 * as far as it can without root.
 */
#ifndef TTTRACE_SELF_CHECK_H
#define TTTRACE_SELF_CHECK_H

struct options;

/* Returns the exit status: 0; 3: there is no runtime in what was named; 1: it cannot be read. */
int self_check__run(const struct options *opts);

#endif
