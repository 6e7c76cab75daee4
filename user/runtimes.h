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
struct loader;
struct survey;

struct runtimes {
	enum tt_mode mode;
	bool views;
	bool stacks;
	struct loader *loader;
	struct survey *survey;
	struct announcer *announcer;
	unsigned int num;
	__u64 attached_ns[TT_MAX_LAYOUTS + 1]; /* CLOCK_BOOTTIME: by tag */
};

/* Tells of the parts that the loader has had to leave out so far. */
void runtimes__tell_missing(struct runtimes *runtimes);

/*
 * Attaches to the runtime that was found. Returns 0: *find->tag is set; -errno: it is not probed,
 * which has been told.
 */
int runtimes__attach(struct runtimes *runtimes, const struct discovery_find *find);

/* Since when the runtime of @tag has all of its probes. */
static inline __u64 runtimes__attached_ns(const struct runtimes *runtimes, int tag)
{
	return runtimes->attached_ns[tag];
}

#endif
