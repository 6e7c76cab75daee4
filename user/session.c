// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#include "census_taker.h"
#include "command.h"
#include "core/ledger.h"
#include "core/snapshot.h"
#include "files_limit.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/timer.h"
#include "options.h"
#include "output.h"
#include "privileges.h"
#include "signals.h"
#include "tracer.h"

enum {
	SIGNALS_MAX = 2,
	GRACE_S = 1, /* for the command to end, after so many signals */
	NAP_MS = 2,  /* between two drains while records come in */
};

struct session {
	const struct options *opts;
	struct tracer *tracer;
	struct ledger *ledger;
	struct output *output;
	struct command command;
	int command_status; /* -1: it has not ended, or there is none */
	int epoll_fd;
	int signal_fd;
	int interval_fd;
	int audit_fd;
	int duration_fd;
	size_t num_running; /* of the processes of -p, those that have not ended */
	int num_signals;    /* that have reached the command */
	int last_signal;    /* 0: none has come */
	struct census_taker censuses;
	struct command_start start;
	bool keeps_admin; /* probes may yet be attached by perf events */
	bool done;
};

static bool command_runs(const struct session *s)
{
	return s->command.pid > 0 && s->command_status < 0;
}

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

	if (ledger__apply(s->ledger, record, size) == -ENOMEM && !s->done) {
		pr_err("out of memory: the trace ends here");
		s->done = true;
	}
}

/* --- what the loop waits for ----------------------------------------------------------------- */

static int watch(struct session *s, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	return epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

/* A timer of @seconds, or none when that is 0. */
static int open_timer(struct session *s, double seconds, bool repeat, int *ret_fd)
{
	if (seconds <= 0)
		return 0;
	*ret_fd = timer__open(seconds, repeat);
	return *ret_fd < 0 ? *ret_fd : watch(s, *ret_fd, EPOLLIN);
}

/* The trace is over by then. */
static void end_in(struct session *s, double seconds)
{
	if (s->duration_fd >= 0)
		close(s->duration_fd);
	s->duration_fd = -1;
	if (open_timer(s, seconds, false, &s->duration_fd))
		s->done = true;
}

static int open_signals(struct session *s)
{
	s->signal_fd = signals__open(&s->start.signals);
	return s->signal_fd < 0 ? s->signal_fd : watch(s, s->signal_fd, EPOLLIN);
}

static int open_loop(struct session *s)
{
	int err;

	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll_fd < 0)
		return -errno;
	err = open_signals(s);
	if (!err)
		err = open_timer(s, s->opts->interval_s, true, &s->interval_fd);
	if (!err)
		err = open_timer(s, s->opts->audit_s, true, &s->audit_fd);
	if (!err)
		err = open_timer(s, s->opts->duration_s, false, &s->duration_fd);
	if (err)
		pr_err("cannot wait for signals and timers: %s", strerror(-err));
	return err;
}

/* --- what has happened ----------------------------------------------------------------------- */

/*
 * The trace of a command goes on until the command ends: Ctrl-C has reached it from the terminal
 * as well, other signals are passed on to it. If it has not ended soon after a second one, or at a
 * third, the trace ends without it.
 */
static void take_signal(struct session *s)
{
	bool to_all;
	int signal = signals__next(s->signal_fd, &to_all);

	if (!signal)
		return;
	s->last_signal = signal;
	if (!command_runs(s) || s->num_signals == SIGNALS_MAX) {
		s->done = true;
		return;
	}
	if (!to_all)
		kill(s->command.pid, signal);
	if (++s->num_signals == SIGNALS_MAX)
		end_in(s, GRACE_S);
}

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

/* The descriptor of a process is ready when the process has ended. */
static void take_process_end(struct session *s, int fd)
{
	epoll_ctl(s->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	if (fd == s->command.pidfd) {
		s->command_status = command__status(&s->command);
		s->done = true;
		return;
	}
	close(fd);
	if (--s->num_running == 0)
		s->done = true;
}

static void take_ready(struct session *s, int fd)
{
	if (fd == s->signal_fd)
		take_signal(s);
	else if (fd == s->interval_fd)
		take_interval(s);
	else if (fd == s->audit_fd)
		take_audit_time(s);
	else if (fd == s->duration_fd)
		s->done = true;
	else if (fd == output__fd(s->output))
		output__hang_up(s->output);
	else if (fd != tracer__fd(s->tracer))
		take_process_end(s, fd);
}

/* Which way of attaching works is known only after a library has been attached to. */
static void drop_admin(struct session *s)
{
	if (!s->keeps_admin || tracer__may_use_perf_events(s->tracer))
		return;
	s->keeps_admin = false;
	privileges__drop(s->opts, false);
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

	while (!s->done && !output__error(s->output)) {
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
	int err = tracer__add_process(s->tracer, pid), fd;

	if (err)
		return err;
	fd = syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0) {
		pr_err("process '%d' has ended before it could be traced", pid);
		return -ESRCH;
	}
	s->num_running++;
	return watch(s, fd, EPOLLIN);
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
	err = command__fork(s->opts->command, &s->start, &s->command);
	if (!err)
		err = tracer__add_child(s->tracer, s->command.pid);
	return err ? err : watch(s, s->command.pidfd, EPOLLIN);
}

/* Returns an exit status. */
static int open_session(struct session *s)
{
	struct ledger_opts ledger_opts = { .on_event = on_event,
					   .ctx = s,
					   .follow_holes = s->opts->interval_s };
	int err;

	err = files_limit__raise(&s->start.files);
	if (!err)
		err = open_loop(s);
	if (!err)
		err = output__open(s->opts, &s->output);
	if (!err)
		err = ledger__new(&ledger_opts, &s->ledger);
	if (!err)
		err = open_tracer(s);
	if (err)
		return EXIT_ERROR;
	s->censuses = (struct census_taker){ s->ledger, s->tracer, &s->done, 0 };
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

static int final_status(const struct session *s, const struct snapshot *snap)
{
	const struct options *opts = s->opts;

	if (output__error(s->output) && output__error(s->output) != -EPIPE)
		return EXIT_ERROR;
	if (opts->error_exitcode && snapshot__leaks(snap, NULL))
		return opts->error_exitcode;
	if (s->command_status > 0)
		return s->command_status;
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

	s->censuses.repair_ns = 0;
	take_censuses(s);
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
	/* -d ends the trace, not the command: its status is still ours */
	if (command_runs(s) && s->num_signals < SIGNALS_MAX)
		s->command_status = command__status(&s->command);
	else if (command_runs(s))
		s->command_status = 128 + s->last_signal;
	status = final_status(s, snap);
	snapshot__free(snap);
	return status;
}

static void close_session(struct session *s)
{
	const int fds[] = {
		s->interval_fd, s->audit_fd, s->duration_fd, s->signal_fd, s->epoll_fd,
	};

	tracer__free(s->tracer);
	command__done(&s->command);
	output__close(s->output);
	ledger__free(s->ledger);
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

int session__run(const struct options *opts)
{
	struct session s = {
		.opts = opts,
		.command = { .pid = -1, .pidfd = -1, .go_fd = -1, .error_fd = -1 },
		.command_status = -1,
		.epoll_fd = -1,
		.signal_fd = -1,
		.interval_fd = -1,
		.audit_fd = -1,
		.duration_fd = -1,
	};
	int status, err;

	status = open_session(&s);
	if (status != EXIT_OK) {
		close_session(&s);
		return status;
	}
	take_signal(&s);
	if (opts->command && s.last_signal) { /* Ctrl-C before it has begun */
		close_session(&s);
		return 128 + s.last_signal;
	}
	tracer__activate(s.tracer);
	err = opts->command ? command__release(&s.command, opts->command[0]) : 0;
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
