/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What of the memory of a device was for what, and by what code it was allocated: in sum, at the
 * peak, and what was freed at once. Nothing where stacks are not known.
 */
#ifndef TTTRACE_TEXT_SITES_H
#define TTTRACE_TEXT_SITES_H

#include <stdio.h>

#include "core/snapshot.h"
#include "report/sink.h"

void text_sites__write(FILE *out, const struct snapshot_device *device,
		       const struct sink_opts *opts);

#endif
