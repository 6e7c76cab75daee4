/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The runtimes that have probes. A find of the discovery that is new is read, attached to, and told
 * of; one that cannot be is told of as well.
 */
#ifndef TTTRACE_RUNTIMES_H
#define TTTRACE_RUNTIMES_H

#include <stdbool.h>
#include <linux/types.h>

#include "tttrace_config.h"

struct announcer;
struct discovery_find;
struct gap;
struct loader;
struct survey;

struct runtimes {
	enum tt_mode mode;
	bool views;
	bool stacks;
	struct loader *loader;
	struct survey *survey;
	struct announcer *announcer;
	struct gap *gap;
	bool active; /* processes are traced by now, and may have come before the probes */
	unsigned int num;
	struct runtime {
		__u64 attached_ns; /* CLOCK_BOOTTIME: since when it has all of its probes */
		__u64 counter;	   /* as struct library has it */
	} by_tag[TT_MAX_LAYOUTS + 1];
};

/* Tells of the parts that the loader has had to leave out so far. */
void runtimes__tell_missing(struct runtimes *runtimes);

/* A process maps one that has its probes: perhaps since before they were in place, see gap.h. */
void runtimes__meet(struct runtimes *runtimes, const struct discovery_find *find);

/*
 * Attaches to the runtime that was found, and meets the process. Returns 0: *find->tag is set;
 * -errno: it is not probed, which has been told.
 */
int runtimes__attach(struct runtimes *runtimes, const struct discovery_find *find);

#endif
