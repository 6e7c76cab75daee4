// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/epoll.h>

#include "census_taker.h"
#include "core/ledger.h"
#include "core/snapshot.h"
#include "ending.h"
#include "files_limit.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/patient.h"
#include "lib/timer.h"
#include "options.h"
#include "output.h"
#include "privileges.h"
#include "tracer.h"

enum {
	NAP_MS = 2, /* between two drains while records come in */
};

struct session {
	const struct options *opts;
	struct tracer *tracer;
	struct ledger *ledger;
	struct output *output;
	struct ending ending;
	struct patient_clock clock;
	struct patient diagnostics;
	FILE *plain_stderr;
	int epoll_fd;
	int interval_fd;
	int audit_fd;
	struct census_taker censuses;
	bool ends;	  /* it takes its last censuses */
	bool keeps_admin; /* probes may yet be attached by perf events */
};

/* --- from records to output ------------------------------------------------------------------ */

static void on_event(void *ctx, const struct event *ev)
{
	struct session *s = ctx;
	bool verdict = ev->kind == EVENT_LEAK || ev->kind == EVENT_ENDED;
	/* verdicts belong to the report; the text report has them in a form of its own */
	bool shown = !s->opts->quiet || (s->opts->json && verdict);

	if (shown && filter__event(&s->opts->filter, ev))
		output__event(s->output, ev);
}

static void on_record(void *ctx, const void *record, size_t size)
{
	struct session *s = ctx;

	if (ledger__apply(s->ledger, record, size) == -ENOMEM && !s->ending.done) {
		pr_err("out of memory: the trace ends here");
		s->ending.done = true;
	}
}

/* --- what the loop waits for ----------------------------------------------------------------- */

static int watch(struct session *s, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	return epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

/* A timer of each @seconds, or none when that is 0. */
static int open_timer(struct session *s, double seconds, int *ret_fd)
{
	if (seconds <= 0)
		return 0;
	*ret_fd = timer__open(seconds, true);
	return *ret_fd < 0 ? *ret_fd : watch(s, *ret_fd, EPOLLIN);
}

/* From now on, a diagnostic that nobody reads keeps no signal from being answered. */
static int open_diagnostics(struct session *s)
{
	int err = patient_clock__init(&s->clock, ending__patience, &s->ending);

	if (!err)
		err = patient__init(&s->diagnostics, &s->clock, STDERR_FILENO);
	if (err)
		return err;
	setvbuf(s->diagnostics.file, NULL, _IOLBF, 0);
	s->plain_stderr = stderr;
	stderr = s->diagnostics.file;
	return 0;
}

static void close_diagnostics(struct session *s)
{
	if (s->plain_stderr)
		stderr = s->plain_stderr;
	patient__done(&s->diagnostics);
	patient_clock__done(&s->clock);
}

static int open_loop(struct session *s)
{
	int err;

	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll_fd < 0)
		return -errno;
	err = ending__open(&s->ending, s->opts, s->epoll_fd);
	if (!err)
		err = open_diagnostics(s);
	if (!err)
		err = open_timer(s, s->opts->interval_s, &s->interval_fd);
	if (!err)
		err = open_timer(s, s->opts->audit_s, &s->audit_fd);
	if (err)
		pr_err("cannot wait for signals and timers: %s", strerror(-err));
	return err;
}

/* --- what has happened ----------------------------------------------------------------------- */

static void take_audit_time(struct session *s)
{
	uint64_t ticks;

	if (read(s->audit_fd, &ticks, sizeof(ticks)) == sizeof(ticks))
		census_taker__audit(&s->censuses);
}

static void take_interval(struct session *s)
{
	struct snapshot *snap;
	uint64_t ticks;

	if (read(s->interval_fd, &ticks, sizeof(ticks)) != sizeof(ticks))
		return;
	tracer__report_counters(s->tracer);
	if (snapshot__take_totals(s->ledger, &s->opts->filter, clock__now_ns(), &snap))
		return;
	output__interval(s->output, snap);
	snapshot__free(snap);
}

static void take_ready(struct session *s, int fd)
{
	if (fd == s->interval_fd)
		take_interval(s);
	else if (fd == s->audit_fd)
		take_audit_time(s);
	else if (fd == output__fd(s->output))
		output__hang_up(s->output);
	else if (fd != tracer__fd(s->tracer))
		ending__take(&s->ending, fd);
}

/* Which way of attaching works is known only after a library has been attached to. */
static void drop_admin(struct session *s)
{
	if (!s->keeps_admin || tracer__may_use_perf_events(s->tracer))
		return;
	s->keeps_admin = false;
	privileges__drop(s->opts, false);
}

/* The last censuses are taken when the trace is over already: another signal cuts them short. */
static bool is_over(void *ctx)
{
	struct session *s = ctx;

	ending__take_signal(&s->ending);
	return s->ends ? s->ending.in_a_hurry : s->ending.done;
}

static void take_censuses(struct session *s)
{
	census_taker__late(&s->censuses);
	census_taker__repair(&s->censuses);
}

static void detach_library(void *ctx, __u16 layout)
{
	struct session *s = ctx;

	tracer__detach_library(s->tracer, layout);
}

static void run_loop(struct session *s)
{
	struct epoll_event ready[16];
	bool asleep = false;
	int n;

	while (!s->ending.done && !output__error(s->output)) {
		if (asleep)
			output__flush(s->output);
		n = epoll_wait(s->epoll_fd, ready, 16,
			       asleep ? census_taker__wait_ms(&s->censuses) : 0);
		for (int i = 0; i < n; i++)
			take_ready(s, ready[i].data.fd);
		asleep = tracer__dispatch(s->tracer);
		drop_admin(s);
		ledger__each_second(s->ledger, detach_library, s);
		take_censuses(s);
		if (!asleep)
			usleep(NAP_MS * 1000);
	}
}

/* --- start ----------------------------------------------------------------------------------- */

static int open_tracer(struct session *s)
{
	struct loader_opts load = {
		.scope = s->opts->num_pids || s->opts->command ? TT_SCOPE_LISTED : TT_SCOPE_ALL,
		.ring_size = s->opts->ring_size,
		.max_processes = s->opts->max_processes,
		.mode = s->opts->mode,
		.emit_views = s->opts->verbose && s->opts->mode != TT_MODE_LEAN,
		.stack_depth = s->opts->stack_depth,
		.force_perf_events = s->opts->perf_events,
	};
	struct tracer_opts opts = { .load = load, .is_command = s->opts->command };
	int err = tracer__open(&opts, on_record, s, &s->tracer);

	return err ? err : watch(s, tracer__fd(s->tracer), EPOLLIN);
}

static int add_process(struct session *s, pid_t pid)
{
	int err = tracer__add_process(s->tracer, pid);

	if (err)
		return err;
	err = ending__await(&s->ending, pid);
	if (err == -ESRCH)
		pr_err("process '%d' has ended before it could be traced", pid);
	else if (err)
		pr_err("cannot wait for process '%d': %s", pid, strerror(-err));
	return err;
}

static int add_targets(struct session *s)
{
	int err = 0;

	for (size_t i = 0; !err && i < s->opts->num_pids; i++)
		err = add_process(s, s->opts->pids[i]);
	if (err || s->opts->num_pids)
		return err;
	if (!s->opts->command)
		return tracer__scan_all(s->tracer);
	err = ending__fork(&s->ending);
	return err ? err : tracer__add_child(s->tracer, s->ending.command.pid);
}

/* Returns an exit status. */
static int open_session(struct session *s)
{
	struct ledger_opts ledger_opts = { .on_event = on_event,
					   .ctx = s,
					   .follow_holes = s->opts->interval_s };
	int err;

	err = files_limit__raise(&s->ending.start.files);
	if (!err)
		err = open_loop(s);
	if (!err)
		err = output__open(s->opts, &s->clock, &s->output);
	if (!err)
		err = ledger__new(&ledger_opts, &s->ledger);
	if (!err)
		err = open_tracer(s);
	if (err)
		return EXIT_ERROR;
	s->ending.tracer = s->tracer;
	s->censuses = (struct census_taker){ s->ledger, s->tracer, is_over, s, 0 };
	err = add_targets(s);
	if (err)
		return err == -ESRCH ? EXIT_NOTHING : EXIT_ERROR;
	/* a pipe whose reader has gone is told of without a write; files cannot be watched */
	watch(s, output__fd(s->output), 0);
	privileges__tell_missing(s->opts);
	s->keeps_admin = tracer__may_use_perf_events(s->tracer);
	privileges__drop(s->opts, s->keeps_admin);
	return EXIT_OK;
}

static void say_what_is_traced(const struct session *s)
{
	unsigned int num = tracer__num_libraries(s->tracer);

	if (s->opts->command || s->opts->quiet)
		return;
	if (num)
		pr_note("tracing %u %s; Ctrl-C ends it and prints the report", num,
			num == 1 ? "runtime" : "runtimes");
	else
		pr_note("waiting for a process that uses a Tenstorrent runtime; Ctrl-C ends it");
}

/* --- end ------------------------------------------------------------------------------------- */

static int final_status(const struct session *s, const struct snapshot *snap, int command_status)
{
	const struct options *opts = s->opts;

	if (output__error(s->output) && output__error(s->output) != -EPIPE)
		return EXIT_ERROR;
	if (opts->error_exitcode && snapshot__leaks(snap, NULL))
		return opts->error_exitcode;
	if (command_status > 0)
		return command_status;
	if (!snapshot__complete(snap))
		return EXIT_INCOMPLETE;
	if (!tracer__num_libraries(s->tracer) && !opts->command)
		return EXIT_NOTHING;
	return EXIT_OK;
}

static void say_if_nothing(const struct session *s)
{
	if (tracer__num_libraries(s->tracer) || tracer__missed_libraries(s->tracer))
		return;
	if (s->opts->command)
		pr_warn("'%s' did not use a Tenstorrent runtime: nothing was traced",
			s->opts->command[0]);
	else
		pr_warn("no process used a Tenstorrent runtime: nothing was traced");
}

static int finish(struct session *s)
{
	struct snapshot *snap;
	int status;

	tracer__look_once_more(s->tracer);
	s->ends = true;
	census_taker__finish(&s->censuses);
	if (s->opts->audit_s > 0)
		census_taker__audit(&s->censuses);
	tracer__stop(s->tracer);
	say_if_nothing(s);
	if (ledger__finish(s->ledger, clock__now_ns()) ||
	    snapshot__take(s->ledger, &s->opts->filter, clock__now_ns(), &snap)) {
		pr_err("out of memory: there is no report");
		return EXIT_ERROR;
	}
	output__report(s->output, snap);
	status = final_status(s, snap, ending__command_status(&s->ending));
	snapshot__free(snap);
	return status;
}

static void close_session(struct session *s)
{
	const int fds[] = { s->interval_fd, s->audit_fd, s->epoll_fd };

	tracer__free(s->tracer);
	output__close(s->output);
	close_diagnostics(s);
	ending__close(&s->ending);
	ledger__free(s->ledger);
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

int session__run(const struct options *opts)
{
	struct session s = {
		.opts = opts,
		.ending = ENDING_CLOSED,
		.epoll_fd = -1,
		.interval_fd = -1,
		.audit_fd = -1,
	};
	int status, err;

	status = open_session(&s);
	if (status != EXIT_OK) {
		close_session(&s);
		return status;
	}
	ending__take_signal(&s.ending);
	if (opts->command && s.ending.last_signal) { /* Ctrl-C before it has begun */
		status = 128 + s.ending.last_signal;
		close_session(&s);
		return status;
	}
	tracer__activate(s.tracer);
	err = opts->command ? command__release(&s.ending.command, opts->command[0]) : 0;
	if (err) {
		status = err == -ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
	} else {
		census_taker__late(&s.censuses);
		say_what_is_traced(&s);
		run_loop(&s);
		status = finish(&s);
	}
	close_session(&s);
	return status;
}
