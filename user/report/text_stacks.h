/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Stacks in the text report: by what code memory was allocated. */
#ifndef TTTRACE_TEXT_STACKS_H
#define TTTRACE_TEXT_STACKS_H

#include <stdio.h>

#include "core/snapshot.h"
#include "report/sink.h"

enum {
	STACK_PLACE_SIZE = 512, /* enough for text_stacks__place */
};

/*
 * The frames of @stack, innermost first, a line each behind @indent blanks. Not @verbose, only
 * those that tell a user of ttnn something: from the operation outwards, the lines of Python alone
 * where there are any. What is left out, and why a stack is not complete, is said. NULL: it is not
 * known.
 */
void text_stacks__frames(FILE *out, const struct event_stack *stack, int indent, bool verbose);

/*
 * "ttnn::add at forward [model.py:8] from main [model.py:20]": the operation, and who called it.
 * Returns @buf, or words of its own.
 */
const char *text_stacks__place(char buf[STACK_PLACE_SIZE], const struct event_stack *stack);

/* The stacks of a list, the most bytes first. Nothing if none is known. */
void text_stacks__write(FILE *out, const struct snapshot_list *list, const struct sink_opts *opts);

#endif
