/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The part of `tttrace --check` that is about the machine: kernel, privileges, and what works of
 * each mode of tracing. It only prints.
 */
#ifndef TTTRACE_MACHINE_REPORT_H
#define TTTRACE_MACHINE_REPORT_H

#include <stdbool.h>
#include <stdio.h>
#include <linux/types.h>

struct host;

struct machine_facts {
	const struct host *host;
	int bpf_err;	   /* 0, -EPERM, -EOPNOTSUPP */
	bool uprobe_multi; /* known only when bpf_err is 0 */
	const char *
		config; /* lines of the kernel's configuration, for a report of a defect; or NULL */
};

struct mode_facts {
	const char *options; /* that choose it; "": the default mode */
	bool works;
	__u32 missing;	    /* 1 << enum tt_part */
	const char *why;    /* it does not work, or not all of it; "": all is well */
	const char *advice; /* what the user can do, or NULL */
	const char *log;    /* of the verifier, for a report of a defect; or NULL */
};

/* Where to, and how. */
struct check_stream {
	FILE *out;
	bool json;
	__u64 ts_ns; /* of the lines of JSON, CLOCK_BOOTTIME */
};

/* Return 0, -ENOMEM, or -EIO of the stream. */
int machine_report__print(const struct check_stream *stream, const struct machine_facts *facts);
int machine_report__print_mode(const struct check_stream *stream, const struct mode_facts *facts);

#endif
