/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Of the leak report: what is occupied without a buffer, in lines of their own. Programs of a
 * process, by chip; and the regions into which the memory of a device is divided.
 */
#ifndef TTTRACE_TEXT_REGIONS_H
#define TTTRACE_TEXT_REGIONS_H

#include <stdio.h>

#include "core/snapshot.h"

void text_regions__write(FILE *out, const struct snapshot *snap,
			 const struct snapshot_process *process);
void text_regions__device(FILE *out, const struct snapshot_device *device);
/* Blocks that no buffer owns, which are among those of the lists. */
void text_regions__orphans(FILE *out, const struct snapshot_device *device);

#endif
