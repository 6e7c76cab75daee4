/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The kernel's side-band records of executable mappings, in all processes: a library is seen when
 * it is mapped, long before its device is open, and nothing has to be polled. One perf event a CPU
 * that counts nothing (PERF_COUNT_SW_DUMMY) carries them; see perf_event_open(2), attr.mmap2.
 */
#ifndef TTTRACE_SIDEBAND_H
#define TTTRACE_SIDEBAND_H

#include "target/proc.h"

struct sideband;

typedef void (*sideband_mapping_fn)(void *ctx, const struct proc_mapping *mapping);

/* Returns 0 or -errno (-EACCES: perf_event_paranoid and no CAP_PERFMON). */
int sideband__open(sideband_mapping_fn fn, void *ctx, struct sideband **ret_sideband);

/* For epoll: readable when there are records. */
int sideband__fd(const struct sideband *sideband);

/*
 * Hands over all mappings that were recorded.
 * Returns the number of records that the kernel had to drop, or may have: if not 0, scan all
 * processes.
 */
__u64 sideband__drain(struct sideband *sideband);

void sideband__close(struct sideband *sideband);

#endif
