/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * When a trace ends: at a signal; after a time; when all processes that are traced have ended, if
 * it is some that were asked for. It owns the command, the signals, and a descriptor of each
 * process that is waited for, in the one loop of the session.
 *
 * What descends from a command, or from the processes of -p, is waited for as `strace -f` does. Who
 * that is, the set of processes in BPF knows, which grows at each fork: asked when nobody else is
 * left to wait for.
 */
#ifndef TTTRACE_ENDING_H
#define TTTRACE_ENDING_H

#include <stdbool.h>
#include <stddef.h>

#include "command.h"
#include "lib/patient.h"

struct options;
struct tracer;

/* A process that is waited for. */
struct awaited {
	pid_t pid;
	int pidfd;
};

struct ending {
	const struct options *opts;
	const struct tracer *tracer; /* knows who is traced; NULL: nobody yet */
	int epoll_fd;
	int signal_fd;
	int duration_fd; /* -1: no time is set */
	int notice_fd;	 /* when to say whom we wait for; -1: nothing is to be said */
	struct command command;
	struct command_start start; /* what the command is to have as it was */
	int command_status;	    /* -1: it has not ended, or there is none */
	struct awaited *awaited;
	size_t num_awaited;
	int num_signals; /* that have reached the command */
	int last_signal; /* 0: none has come */
	bool noticed;	 /* it was said for whom we wait */
	bool in_a_hurry; /* a signal came when all was over already */
	bool done;	 /* the trace is over */
};

/* Not opened. */
#define ENDING_CLOSED                                                                              \
	(struct ending)                                                                            \
	{                                                                                          \
		.epoll_fd = -1, .signal_fd = -1, .duration_fd = -1, .notice_fd = -1,               \
		.command = { .pid = -1, .pidfd = -1, .go_fd = -1, .error_fd = -1 },                \
		.command_status = -1                                                               \
	}

/* @ending is ENDING_CLOSED. Blocks the signals, and lets the time begin. Returns 0 or -errno. */
int ending__open(struct ending *ending, const struct options *opts, int epoll_fd);

/* Starts the command of the options, held until command__release(). Returns 0 or -errno, logged. */
int ending__fork(struct ending *ending);

/* Waits for @pid, too. Returns 0; -ESRCH: it has ended; -errno. */
int ending__await(struct ending *ending, pid_t pid);

/* @fd of the loop is ready. Returns whether it is one of ours. */
bool ending__take(struct ending *ending, int fd);

/* Takes a signal, if one has come. */
void ending__take_signal(struct ending *ending);

/* What a write has that waits for a reader (patience_fn): @ctx is the ending. */
enum patience ending__patience(void *ctx);

/*
 * The exit status of the command; -1: there is none. One that has not ended yet is waited for, as
 * signals allow: they are passed on to it.
 */
int ending__command_status(struct ending *ending);

void ending__close(struct ending *ending);

#endif
