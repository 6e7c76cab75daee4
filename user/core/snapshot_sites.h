/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Copies the sites of a device into a snapshot. For snapshot.c only. */
#ifndef TTTRACE_SNAPSHOT_SITES_H
#define TTTRACE_SNAPSHOT_SITES_H

#include "core/snapshot.h"

/* Returns 0 or -ENOMEM. */
int snapshot__take_sites(const struct ledger *ledger, const struct device *device,
			 struct snapshot_device *copy);

#endif
