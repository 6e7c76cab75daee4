/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The privileges of a trace: what is not needed is given up, what lacks is named. */
#ifndef TTTRACE_PRIVILEGES_H
#define TTTRACE_PRIVILEGES_H

#include <stdbool.h>

struct options;

/*
 * Gives up what no later step of a trace needs; docs/privileges.md says what does. @perf_events:
 * probes may yet be attached by perf events. A command that is to run with the privileges of
 * tttrace must have been forked before.
 */
void privileges__drop(const struct options *opts, bool perf_events);

/*
 * Names each capability that lacks, and what does not work without it: as warnings where processes
 * of other users are to be traced, with -v otherwise.
 */
void privileges__tell_missing(const struct options *opts);

#endif
