/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The signals that end a trace, or are passed on to a command: they come out of a signalfd(2). */
#ifndef TTTRACE_SIGNALS_H
#define TTTRACE_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

enum {
	SIGNALS_CHANGED = 3 /* SIGPIPE, SIGXFSZ, SIGURG */
};

/* What a command is to have as it was before signals__open(). */
struct signals_before {
	sigset_t mask;
	struct sigaction of[SIGNALS_CHANGED];
};

/*
 * Blocks SIGINT, SIGTERM and SIGHUP, unless that one is ignored, and ignores SIGPIPE and SIGXFSZ:
 * a write says so. SIGURG only interrupts what waits: see lib/patient.h. Returns the descriptor by
 * which they come, or -errno.
 */
int signals__open(struct signals_before *ret_before);

/* For the child that becomes the command. */
void signals__restore(const struct signals_before *before);

/*
 * Takes the next one that has come. Returns its number, 0 if there is none. @ret_to_all: the
 * terminal has sent it to the whole foreground, a command among them.
 */
int signals__next(int fd, bool *ret_to_all);

#endif
