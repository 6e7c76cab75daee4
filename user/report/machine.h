/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The part of `tttrace --check` that is about the machine: kernel and privileges. It only prints.
 */
#ifndef TTTRACE_MACHINE_REPORT_H
#define TTTRACE_MACHINE_REPORT_H

#include <stdbool.h>
#include <stdio.h>
#include <linux/types.h>

struct machine_facts {
	const char *release; /* of the kernel, uname(2) */
	bool uprobes;
	bool btf;
	int bpf_err;	   /* 0, -EPERM, -EOPNOTSUPP */
	bool uprobe_multi; /* known only when bpf_err is 0 */
};

/* @ts_ns: of the lines of JSON, CLOCK_BOOTTIME. Returns 0, -ENOMEM, or -EIO of the stream. */
int machine_report__print(FILE *out, bool json, __u64 ts_ns, const struct machine_facts *facts);

#endif
