/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The clock of all records and events. */
#ifndef TTTRACE_CLOCK_H
#define TTTRACE_CLOCK_H

#include <time.h>
#include <linux/types.h>

/* Nanoseconds of CLOCK_BOOTTIME, as bpf_ktime_get_boot_ns() has them. */
static inline __u64 clock__now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (__u64)ts.tv_sec * 1000000000ull + (__u64)ts.tv_nsec;
}

#endif
