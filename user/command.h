/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A command that is run under the trace. It is forked first and held at a pipe until the probes
 * are in place, so that nothing of it is missed.
 */
#ifndef TTTRACE_COMMAND_H
#define TTTRACE_COMMAND_H

#include <sys/resource.h>
#include <sys/types.h>

#include "signals.h"

struct command {
	pid_t pid;
	int pidfd;    /* readable when it has ended; -1: none */
	int go_fd;    /* written to: it may exec */
	int error_fd; /* read from: the errno of an exec that failed */
};

/* What tttrace has changed of itself, and the command is to have as it was. */
struct command_start {
	struct signals_before signals;
	struct rlimit files; /* RLIMIT_NOFILE */
};

/* Returns 0 or -errno, logged. */
int command__fork(char *const argv[], const struct command_start *start,
		  struct command *ret_command);

/* Lets it exec. Returns 0; -errno of the exec that failed, logged. */
int command__release(struct command *command, const char *name);

/* Its status as a shell has it: the exit status, or 128 + signal. To be called once it has ended.
 */
int command__status(struct command *command);

/* Ends a command that was never released. */
void command__done(struct command *command);

#endif
