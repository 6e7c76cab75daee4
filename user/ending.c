// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "ending.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#include "lib/log.h"
#include "lib/timer.h"
#include "options.h"
#include "tracer.h"

enum {
	SIGNALS_MAX = 2,
	GRACE_S = 1,	/* for the command to end, after so many signals */
	PIDS_SHOWN = 5, /* of those that we wait for */
	WORDS_SIZE = 128,
};

static const double notice_s = 0.5; /* most that are left behind are about to end */

static int watch(struct ending *ending, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(ending->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Anew, instead of the one at *@fd. */
static int set_timer(struct ending *ending, double seconds, int *fd)
{
	close_fd(fd);
	*fd = timer__open(seconds, false);
	return *fd < 0 ? *fd : watch(ending, *fd);
}

int ending__open(struct ending *ending, const struct options *opts, int epoll_fd)
{
	int err;

	ending->opts = opts;
	ending->epoll_fd = epoll_fd;
	ending->signal_fd = signals__open(&ending->start.signals);
	err = ending->signal_fd < 0 ? ending->signal_fd : watch(ending, ending->signal_fd);
	if (!err && opts->duration_s > 0)
		err = set_timer(ending, opts->duration_s, &ending->duration_fd);
	return err;
}

void ending__close(struct ending *ending)
{
	command__done(&ending->command);
	for (size_t i = 0; i < ending->num_awaited; i++)
		close(ending->awaited[i].pidfd);
	free(ending->awaited);
	close_fd(&ending->duration_fd);
	close_fd(&ending->notice_fd);
	close_fd(&ending->signal_fd);
}

/* --- who is waited for ----------------------------------------------------------------------- */

static bool is_awaited(const struct ending *ending, pid_t pid)
{
	for (size_t i = 0; i < ending->num_awaited; i++)
		if (ending->awaited[i].pid == pid)
			return true;
	return false;
}

/* One that its parent has not waited for has a PID still. */
static bool has_ended(int pidfd)
{
	struct pollfd end = { .fd = pidfd, .events = POLLIN };

	return poll(&end, 1, 0) == 1;
}

static int await(struct ending *ending, pid_t pid, bool is_running)
{
	struct awaited *awaited;
	int pidfd, err;

	if (is_awaited(ending, pid))
		return 0;
	awaited = realloc(ending->awaited, (ending->num_awaited + 1) * sizeof(*awaited));
	if (!awaited)
		return -ENOMEM;
	ending->awaited = awaited;
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	err = pidfd < 0 ? -errno : is_running && has_ended(pidfd) ? -ESRCH : watch(ending, pidfd);
	if (err) {
		close_fd(&pidfd);
		return err;
	}
	awaited[ending->num_awaited++] = (struct awaited){ pid, pidfd };
	return 0;
}

int ending__await(struct ending *ending, pid_t pid)
{
	return await(ending, pid, false);
}

/* Returns whether @pidfd is that of a process that was waited for. */
static bool drop_awaited(struct ending *ending, int pidfd)
{
	for (size_t i = 0; i < ending->num_awaited; i++) {
		if (ending->awaited[i].pidfd != pidfd)
			continue;
		close(pidfd);
		ending->awaited[i] = ending->awaited[--ending->num_awaited];
		return true;
	}
	return false;
}

static void await_descendant(void *ctx, __u32 pid)
{
	int err = await(ctx, (pid_t)pid, true);

	if (err && err != -ESRCH)
		pr_warn("cannot wait for process '%u', which goes on: %s", pid, strerror(-err));
}

/*
 * A process may fork and end while the set is read, so that neither it nor its child is met: nobody
 * is left when that was so twice.
 */
static void look_for_descendants(struct ending *ending)
{
	for (int i = 0; i < 2 && !ending->num_awaited && ending->tracer; i++)
		tracer__each_process(ending->tracer, await_descendant, ending);
	if (!ending->num_awaited)
		ending->done = true;
	else if (!ending->noticed && set_timer(ending, notice_s, &ending->notice_fd))
		ending->noticed = true; /* nothing will be said */
}

static void say_who_is_awaited(struct ending *ending)
{
	size_t num = ending->num_awaited, used = 0;
	char pids[WORDS_SIZE] = "";

	close_fd(&ending->notice_fd);
	if (!num || ending->noticed)
		return;
	ending->noticed = true;
	for (size_t i = 0; i < num && i < PIDS_SHOWN; i++)
		used += (size_t)snprintf(pids + used, sizeof(pids) - used, "%s%d", i ? ", " : "",
					 ending->awaited[i].pid);
	pr_note("%s; waiting for %zu %s that %s (PID %s%s), Ctrl-C ends the trace",
		ending->opts->command ? "the command has ended" : "the processes of -p have ended",
		num, num == 1 ? "process" : "processes",
		ending->opts->command ? "it started" : "they started", pids,
		num > PIDS_SHOWN ? ", …" : "");
}

/* --- the command ----------------------------------------------------------------------------- */

int ending__fork(struct ending *ending)
{
	int err = command__fork(ending->opts->command, &ending->start, &ending->command);

	return err ? err : watch(ending, ending->command.pidfd);
}

static bool command_runs(const struct ending *ending)
{
	return ending->command.pid > 0 && ending->command_status < 0;
}

static void take_process_end(struct ending *ending)
{
	if (!command_runs(ending) && !ending->num_awaited)
		look_for_descendants(ending);
}

static void take_command_end(struct ending *ending)
{
	epoll_ctl(ending->epoll_fd, EPOLL_CTL_DEL, ending->command.pidfd, NULL);
	ending->command_status = command__status(&ending->command);
	take_process_end(ending);
}

/* Has it ended, which the loop may not know yet? */
static bool command_has_ended(const struct ending *ending)
{
	return !command_runs(ending) || has_ended(ending->command.pidfd);
}

/* -d ends the trace, not the command. */
static void wait_for_command(struct ending *ending)
{
	struct pollfd ready[] = {
		{ .fd = ending->command.pidfd, .events = POLLIN },
		{ .fd = ending->signal_fd, .events = POLLIN },
		{ .events = POLLIN },
	};

	close_fd(&ending->duration_fd);
	ending->done = false;
	while (!ending->done) {
		ready[2].fd = ending->duration_fd; /* the grace */
		if (poll(ready, 3, -1) < 0)
			continue;
		if (ready[0].revents) {
			ending->command_status = command__status(&ending->command);
			return;
		}
		ending__take_signal(ending);
		if (ready[2].revents)
			ending->done = true;
	}
}

int ending__command_status(struct ending *ending)
{
	if (command_runs(ending) && ending->num_signals < SIGNALS_MAX)
		wait_for_command(ending);
	return command_runs(ending) ? 128 + ending->last_signal : ending->command_status;
}

/* --- what has happened ----------------------------------------------------------------------- */

/*
 * Ctrl-C has reached the command from the terminal as well, other signals are passed on to it, and
 * the trace goes on until it ends. If it has not ended soon after a second one, or at a third, the
 * trace ends without it.
 */
void ending__take_signal(struct ending *ending)
{
	bool to_all;
	int signal = signals__next(ending->signal_fd, &to_all);

	if (!signal)
		return;
	ending->last_signal = signal;
	ending->in_a_hurry |= ending->done;
	if (!command_runs(ending) || ending->num_signals == SIGNALS_MAX) {
		ending->done = true;
		return;
	}
	if (!to_all)
		kill(ending->command.pid, signal);
	if (++ending->num_signals == SIGNALS_MAX &&
	    set_timer(ending, GRACE_S, &ending->duration_fd))
		ending->done = true;
}

bool ending__take(struct ending *ending, int fd)
{
	if (fd == ending->signal_fd)
		ending__take_signal(ending);
	else if (fd == ending->duration_fd)
		ending->done = true;
	else if (fd == ending->notice_fd)
		say_who_is_awaited(ending);
	else if (fd == ending->command.pidfd)
		take_command_end(ending);
	else if (drop_awaited(ending, fd))
		take_process_end(ending);
	else
		return false;
	return true;
}

enum patience ending__patience(void *ctx)
{
	struct ending *ending = ctx;

	ending__take_signal(ending);
	if (!ending->last_signal)
		return PATIENCE_ENDLESS;
	if (ending->in_a_hurry)
		return PATIENCE_NONE;
	return ending->done || ending->num_signals == SIGNALS_MAX || command_has_ended(ending)
		       ? PATIENCE_SHORT
		       : PATIENCE_ENDLESS;
}
