/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Leaks, and what ended with its process, in JSON: one line for all buffers of one verdict that the
 * same stack allocated, and one for each buffer of which no stack is known. The buffers of a line
 * stand in it, up to MEMBERS_MAX of them.
 */
#ifndef TTTRACE_JSON_LEAKS_H
#define TTTRACE_JSON_LEAKS_H

#include <stdio.h>

#include "core/event.h"

struct leak_group;

/* Zeroed: none. */
struct json_leaks {
	struct leak_group *groups; /* in the order in which their first buffers came */
};

/* Takes an event of kind EVENT_LEAK or EVENT_ENDED. Returns 0 or -ENOMEM: it is not taken. */
int json_leaks__add(struct json_leaks *leaks, const struct event *ev);

/* Writes the lines, and is empty then. Returns 0; -ENOMEM; -errno of the stream. */
int json_leaks__write(struct json_leaks *leaks, FILE *out);

void json_leaks__done(struct json_leaks *leaks);

#endif
