/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#ifndef TTTRACE_HIT_BPF_H
#define TTTRACE_HIT_BPF_H

/* What a program knows about the hit that it handles. */
struct hit {
	__u64 ip;
	const struct pt_regs *regs; /* NULL: no probe of a function */
	__u64 sp;
	__u64 object; /* that the probe is about: Buffer, allocator, device */
	__u32 tgid;
	__u32 tid;
	__u64 start_ns;
	__u32 pid; /* of the thread, in the initial PID namespace */
	__u32 generation;
	struct tt_process *process; /* its place in the map of processes */
	struct tt_cookie cookie;
};

#endif
