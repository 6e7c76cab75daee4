/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the numbers of a snapshot are worth: libraries, hits, losses. For snapshot.c only. */
#ifndef TTTRACE_SNAPSHOT_COVERAGE_H
#define TTTRACE_SNAPSHOT_COVERAGE_H

#include "core/snapshot.h"

/* After the processes have been taken. Returns 0 or -ENOMEM. */
int snapshot__take_coverage(const struct ledger *ledger, struct snapshot *snapshot);

#endif
