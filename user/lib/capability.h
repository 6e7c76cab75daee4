/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The capabilities that tttrace uses, capabilities(7), and what does not work without each. One
 * table for the messages, for --check and for what is dropped. Sets are masks, 1 << number, as
 * CapEff of /proc/PID/status has them. A leaf.
 */
#ifndef TTTRACE_CAPABILITY_H
#define TTTRACE_CAPABILITY_H

#include <stddef.h>
#include <linux/capability.h>
#include <linux/types.h>

struct capability {
	int number;
	__u64 instead; /* capabilities of which any will do as well */
	const char *name;
	const char *without; /* what does not work */
};

#define CAPABILITY_MASK(number) (1ULL << (number))

/* Without these nothing can be traced. */
#define CAPABILITIES_TO_LOAD (CAPABILITY_MASK(CAP_BPF) | CAPABILITY_MASK(CAP_PERFMON))

const struct capability *capability__table(size_t *ret_count);

/* Of the table: those that @have lacks and nothing else in it stands in for. */
__u64 capability__missing(__u64 have);

/* Those in @have that are used: of the table, or what stands in for one that @have lacks. */
__u64 capability__used(__u64 have);

/*
 * Gives up all capabilities of this thread but those in @keep: permitted, effective, inheritable
 * (and so ambient). What it starts afterwards has no more either, unless root starts it. Returns 0
 * or -errno.
 */
int capability__keep(__u64 keep);

/* "CAP_BPF and CAP_PERFMON": the names of those in @set that the table has. */
const char *capability__names(char *buf, size_t size, __u64 set);

#endif
