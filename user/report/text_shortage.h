/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Why an allocation failed, and what is free, for people. */
#ifndef TTTRACE_TEXT_SHORTAGE_H
#define TTTRACE_TEXT_SHORTAGE_H

#include <stdio.h>

#include "core/event.h"
#include "core/snapshot.h"

/* What follows "… failed" in its line, and the lines below. @ev is of EVENT_ALLOC_FAILED. */
void text_shortage__print(FILE *out, const struct event *ev);

/* A line for each type of memory of @device that had buffers. */
void text_shortage__print_spaces(FILE *out, const struct snapshot_device *device, const char *when);

/* What is known of @type of @device, or NULL. */
const struct event_space *text_shortage__find_space(const struct snapshot_device *device,
						    __u32 type);

#endif
