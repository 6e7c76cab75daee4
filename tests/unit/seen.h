/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Keeps an event beyond the call that hands it over. */
#ifndef TTTRACE_TEST_SEEN_H
#define TTTRACE_TEST_SEEN_H

#include <stdio.h>
#include <string.h>

#include "core/event.h"

/* An event, and copies of what it points to. */
struct seen {
	struct event ev;
	struct event_process process;
	struct event_device device;
	struct event_buffer buffer;
	struct event_shortage shortage;
	__u32 chips[TT_MAX_CHIPS];
	char comm[32];
	char why[320];
};

static inline void seen_take(struct seen *seen, const struct event *ev)
{
	memset(seen, 0, sizeof(*seen));
	seen->ev = *ev;
	if (ev->process) {
		seen->process = *ev->process;
		snprintf(seen->comm, sizeof(seen->comm), "%s", ev->process->comm);
		seen->process.comm = seen->comm;
		seen->ev.process = &seen->process;
	}
	if (ev->device) {
		seen->device = *ev->device;
		memcpy(seen->chips, ev->device->chips, ev->device->num_chips * sizeof(__u32));
		seen->device.chips = seen->chips;
		seen->ev.device = &seen->device;
	}
	if (ev->buffer) {
		seen->buffer = *ev->buffer;
		seen->ev.buffer = &seen->buffer;
	}
	if (ev->shortage) {
		seen->shortage = *ev->shortage;
		seen->ev.shortage = &seen->shortage;
	}
	if (ev->why) {
		snprintf(seen->why, sizeof(seen->why), "%s", ev->why);
		seen->ev.why = seen->why;
	}
}

#endif
