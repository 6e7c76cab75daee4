/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The tracing side in one piece: it finds the runtimes, attaches to each once, and hands up
 * records. It owns discovery, side band, loader and reader. It knows neither the ledger nor an
 * output format.
 *
 * Life: open -> add_process or scan_all -> activate -> (wait for fd, dispatch)… -> stop -> free.
 */
#ifndef TTTRACE_TRACER_H
#define TTTRACE_TRACER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <linux/types.h>

#include "trace/loader.h"

struct tracer;

/* Takes one record: of the ring, or one that the user side writes (TT_RECORD_LIBRARY …). */
typedef void (*tracer_record_fn)(void *ctx, const void *record, size_t size);

struct tracer_opts {
	struct loader_opts load;
	bool is_command; /* what is traced is a command that has not begun */
};

/* Returns 0 or -errno, logged; see loader__load(). */
int tracer__open(const struct tracer_opts *opts, tracer_record_fn on_record, void *ctx,
		 struct tracer **ret_tracer);

/*
 * Traces the running process @pid: attaches to the runtimes that it maps. Its children are traced
 * as well. Returns 0 (also when it maps no runtime yet); -ESRCH: no such process; -errno. Logged.
 */
int tracer__add_process(struct tracer *tracer, pid_t pid);

/* Traces @pid, a child of ours that has not yet called exec. */
int tracer__add_child(struct tracer *tracer, pid_t pid);

/* Calls @fn for each process that is traced now, those that descend from others included. */
void tracer__each_process(const struct tracer *tracer, counters_process_fn fn, void *ctx);

/* Attaches to all runtimes that any process maps. Returns 0 or -errno, logged. */
int tracer__scan_all(struct tracer *tracer);

/* From now on hits are recorded. */
void tracer__activate(struct tracer *tracer);

/* For epoll: readable when there is something to do, provided that dispatch said so (below). */
int tracer__fd(const struct tracer *tracer);

/*
 * Does what there is to do. Returns true when the tracer sleeps and its fd tells of the next work;
 * false: call again after a nap of some milliseconds.
 */
bool tracer__dispatch(struct tracer *tracer);

/* At the end, so that nothing that was mapped until now goes without notice. */
void tracer__look_once_more(struct tracer *tracer);

/*
 * Has the allocators of @pid read out of its memory: those @num at @known, and with @search all
 * that there are. Hands up what is in the ring first, then what was read, then what came into the
 * ring meanwhile, and the end of the census.
 */
void tracer__take_census(struct tracer *tracer, pid_t pid, enum tt_census_reason reason,
			 const __u64 *known, size_t num, bool search);

/* Hands up a TT_RECORD_COUNTERS; if the losses grew, before it the share of each process. */
void tracer__report_counters(struct tracer *tracer);

/* Removes all probes, then hands up what is left in the ring, and the counters. */
void tracer__stop(struct tracer *tracer);

/* See loader__may_use_perf_events(). */
bool tracer__may_use_perf_events(const struct tracer *tracer);

/* Takes the probes of a library away again: another one has the same file. */
void tracer__detach_library(struct tracer *tracer, __u16 layout);

/* Was a runtime seen that is not traced? */
bool tracer__missed_libraries(const struct tracer *tracer);

/* How many runtimes are attached to, or were. */
unsigned int tracer__num_libraries(const struct tracer *tracer);

void tracer__free(struct tracer *tracer);

#endif
