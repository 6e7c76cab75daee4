/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What `tttrace diff -j` says: a line for each stack that has changed, and one for the whole. */
#ifndef TTTRACE_JSON_DIFF_H
#define TTTRACE_JSON_DIFF_H

#include <stdio.h>

#include "core/diff.h"

/* @ts_ns: now (CLOCK_BOOTTIME). Returns 0, -ENOMEM or -errno of @out. */
int json_diff__write(FILE *out, const struct diff_view *view, const char *old_path,
		     const char *new_path, __u64 ts_ns);

#endif
