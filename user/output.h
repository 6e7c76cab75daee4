/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Where the results of a session go: one sink on one stream, stdout or --output. It remembers the
 * first error of the stream and writes nothing after it; the report then goes to stderr, so that
 * nothing seen so far is lost.
 */
#ifndef TTTRACE_OUTPUT_H
#define TTTRACE_OUTPUT_H

#include "core/event.h"
#include "core/snapshot.h"

struct options;
struct output;
struct patient_clock;

/*
 * @clock: what says how long to wait for a reader; NULL: always, signals are not blocked. Returns 0
 * or -errno, logged. @opts and @clock must outlive the output.
 */
int output__open(const struct options *opts, struct patient_clock *clock,
		 struct output **ret_output);

void output__event(struct output *output, const struct event *ev);
void output__interval(struct output *output, const struct snapshot *snap);
void output__report(struct output *output, const struct snapshot *snap);
void output__flush(struct output *output);

/* The reader of the stream has gone. */
void output__hang_up(struct output *output);

/* 0, or the first error of the stream: -EPIPE when its reader has gone, -ETIMEDOUT: nobody reads.
 */
int output__error(const struct output *output);

int output__fd(const struct output *output);

void output__close(struct output *output);

#endif
