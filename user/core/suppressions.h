/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Known leaks, written down as for LeakSanitizer: a rule `leak:PATTERN` a line, comments behind a
 * `#` at the begin of a line, blank lines.
 *
 * A pattern is looked for anywhere in the name of a function or of its file (the image; of Python
 * the source); `*` stands for anything, `^` at its begin and `$` at its end for those of the name.
 * A stack is suppressed when one of its frames matches. The names of functions are the demangled
 * ones without parameters, in three forms: as they are, as reports show them ("ttnn::launch<…>"),
 * and without what templates were made with ("ttnn::launch").
 *
 * Pure; what was suppressed is counted by those who ask.
 */
#ifndef TTTRACE_SUPPRESSIONS_H
#define TTTRACE_SUPPRESSIONS_H

#include <stddef.h>

#include "core/event.h"

struct suppressions;

struct suppression {
	const char *pattern; /* as it was written */
	__u32 number;	     /* in the order in which they were written, from 0 on */
	unsigned int line;   /* in the file, from 1 on */
};

/*
 * @text need not end with a 0 and is not kept. Returns 0; -EINVAL: line *@ret_line is neither a
 * rule nor a comment; -ENOMEM.
 */
int suppressions__parse(const char *text, size_t size, struct suppressions **ret_suppressions,
			unsigned int *ret_line);
void suppressions__free(struct suppressions *suppressions);

__u32 suppressions__count(const struct suppressions *suppressions);
/* @number < suppressions__count(). */
const struct suppression *suppressions__rule(const struct suppressions *suppressions, __u32 number);

/*
 * The first rule that a frame of @stack matches; NULL: there is none, or @stack is NULL. What was
 * found for a stack is remembered by its number, so all of those asked for are of one ledger.
 */
const struct suppression *suppressions__match(struct suppressions *suppressions,
					      const struct event_stack *stack);

#endif
