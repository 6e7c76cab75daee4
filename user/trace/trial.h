/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Tries a mode of tracing on ourselves: loads its programs, attaches them to functions of our own
 * binary, passes these once, and looks whether the records came. What it says of a mode is what a
 * trace in that mode would meet. It prints nothing.
 */
#ifndef TTTRACE_TRIAL_H
#define TTTRACE_TRIAL_H

#include <stdbool.h>
#include <linux/types.h>

#include "trace/load_error.h"
#include "trace/loader.h"

struct trial_result {
	bool works;		  /* records of probes come */
	__u32 missing;		  /* 1 << enum tt_part: parts that it had to do without */
	char why[LOAD_TEXT_SIZE]; /* it does not work, or of the first that is missing; "": all is
				     well */
	const char *advice;	  /* what the user can do; NULL where it works */
	char *log; /* all that the verifier said of a program that it refused, or NULL */
};

/* Results are to be given to trial_result__done(). */
void trial__run(const struct loader_opts *opts, struct trial_result *ret_result);
void trial_result__done(struct trial_result *result);

#endif
