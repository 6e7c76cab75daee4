/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the numbers of the leak report are worth: probes, records, losses. For text_report.c only.
 */
#ifndef TTTRACE_TEXT_COVERAGE_H
#define TTTRACE_TEXT_COVERAGE_H

#include <stdio.h>

#include "core/snapshot.h"

void text_coverage__write(FILE *out, const struct snapshot *snap);

#endif
