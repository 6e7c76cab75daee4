/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The part of the leak report that says by what code memory was allocated. */
#ifndef TTTRACE_TEXT_STACKS_H
#define TTTRACE_TEXT_STACKS_H

#include <stdio.h>

#include "core/snapshot.h"

/* The stacks of @list, with most bytes first; nothing if none is known. @verbose: whole ones. */
void text_stacks__write(FILE *out, const struct snapshot_list *list, bool verbose);

#endif
