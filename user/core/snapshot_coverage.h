/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What is beside the processes of a snapshot, and what its numbers are worth. For snapshot.c only.
 */
#ifndef TTTRACE_SNAPSHOT_COVERAGE_H
#define TTTRACE_SNAPSHOT_COVERAGE_H

#include "core/snapshot.h"

/*
 * Adds what has ended before the processes that are kept. It is beyond a filter: what each of them
 * had is not known any more.
 */
void snapshot__add_earlier(const struct earlier *earlier, struct snapshot *snapshot);
/* After the processes have been taken. Returns 0 or -ENOMEM. */
int snapshot__take_coverage(const struct ledger *ledger, struct snapshot *snapshot);

#endif
