/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The report of the text sink: at the end, and in between. Writes only; errors stay in the stream.
 */
#ifndef TTTRACE_TEXT_REPORT_H
#define TTTRACE_TEXT_REPORT_H

#include <stdio.h>

#include "core/snapshot.h"
#include "report/sink.h"

void text_report__write(const struct snapshot *snap, const struct sink_opts *opts);
void text_report__interval(FILE *out, const struct snapshot *snap);

#endif
