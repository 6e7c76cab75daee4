/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The `summary` line: totals, leaks, classes and coverage of a snapshot. */
#ifndef TTTRACE_JSON_SUMMARY_H
#define TTTRACE_JSON_SUMMARY_H

#include <stdbool.h>
#include <stdio.h>

#include "core/snapshot.h"

/* @interval: a running summary, not the last line. Returns 0, -ENOMEM or -errno of the stream. */
int json_summary__write(FILE *out, const struct snapshot *snap, bool interval);

#endif
