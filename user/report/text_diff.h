/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What `tttrace diff` says to people; without the names of files it fits into 100 columns. */
#ifndef TTTRACE_TEXT_DIFF_H
#define TTTRACE_TEXT_DIFF_H

#include <stdio.h>

#include "core/diff.h"

struct text_diff_opts {
	const char *old_path;
	const char *new_path;
	__u32 top;    /* so many rows and stacks are shown */
	bool verbose; /* whole stacks, and whole names */
};

/* Errors of @out are for the caller to find. */
void text_diff__write(FILE *out, const struct diff_view *view, const struct text_diff_opts *opts);

#endif
