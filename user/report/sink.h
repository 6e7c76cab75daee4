/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A sink writes what the ledger tells in one format to one stream. What is a leak, a class or a
 * total is decided in core; a sink only writes. Sinks see neither BPF nor ELF nor each other.
 */
#ifndef TTTRACE_SINK_H
#define TTTRACE_SINK_H

#include <stdio.h>

#include "core/event.h"
#include "core/snapshot.h"

struct sink;

/* What the widths of a flame graph are. */
enum folded_what {
	FOLDED_NONE,
	FOLDED_LIVE,
	FOLDED_PEAK, /* when a device held the most of a type of memory */
	FOLDED_LEAKED,
	FOLDED_ALLOCATED, /* all that ever was, freed or not */
};

struct sink_opts {
	FILE *out;	/* not closed by the sink */
	bool verbose;	/* views and single steps too */
	__u32 top;	/* stacks that are shown of a list … */
	__u32 top_peak; /* … of those at the peak, and of what is temporary; 0: a few */
	enum folded_what folded;
};

struct sink_ops {
	const char *name;
	int (*open)(const struct sink_opts *opts, struct sink **ret_sink);
	/* Each returns 0 or -errno of the stream (-EPIPE: the reader has gone). */
	int (*event)(struct sink *sink, const struct event *ev);
	int (*interval)(struct sink *sink, const struct snapshot *snap); /* -i: running summary */
	int (*report)(struct sink *sink,
		      const struct snapshot *snap); /* the end: leaks, totals, coverage */
	/* What was written so far reaches the reader; events alone do not see to that. */
	int (*flush)(struct sink *sink);
	void (*close)(struct sink *sink);
};

extern const struct sink_ops sink_text;
extern const struct sink_ops sink_json;
extern const struct sink_ops sink_folded;

#endif
