/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The command line of `tttrace diff`, parsed once into one struct that is passed on as const. */
#ifndef TTTRACE_DIFF_OPTIONS_H
#define TTTRACE_DIFF_OPTIONS_H

#include "core/diff.h"

struct diff_options {
	const char *paths[DIFF_SIDE_COUNT];
	enum diff_measure measure; /* DIFF_MEASURE_COUNT: the one that suits them */
	__u32 top;		   /* rows and stacks that are shown */
	int error_exitcode;	   /* 0: what is more does not change the exit status */
	bool json;
	bool verbose;
};

/*
 * @argv[0] is the word "diff". Parses; prints and exits by itself for --help, --version and wrong
 * usage. Returns 0 or -ENOMEM.
 */
int diff_options__parse(int argc, char **argv, struct diff_options *ret_opts);

#endif
