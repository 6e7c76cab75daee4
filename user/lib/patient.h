/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Streams of one who has blocked the signals that end him. A write to a pipe that nobody reads, or
 * to a terminal that was stopped, may wait for ever: it is interrupted again and again, and each
 * time somebody is asked whether to wait on. A stream that was given up takes nothing more.
 *
 * What interrupts is a timer's signal that runs while a write lasts. O_NONBLOCK would be simpler,
 * but belongs to the open file, which a shell and a traced command have in common with us; and a
 * pipe that poll(2) calls writable may have been filled by them before we write. The signal is
 * SIGURG, which nobody minds who gets it too late. A timer of timer_create(2) does not go on in
 * what is forked or executed.
 */
#ifndef TTTRACE_PATIENT_H
#define TTTRACE_PATIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

enum patience {
	PATIENCE_ENDLESS,
	PATIENCE_SHORT, /* as long as it gets on: a quarter of a second without that is the end */
	PATIENCE_NONE,
};

/* Asked again and again while something waits. */
typedef enum patience (*patience_fn)(void *ctx);

/* What the streams of a process have in common. */
struct patient_clock {
	patience_fn ask;
	void *ctx;
	timer_t timer;
	bool runs;
};

struct patient {
	struct patient_clock *clock;
	int fd;
	FILE *file;
	bool given_up; /* nobody reads it */
	uint64_t lost; /* bytes that were not written because of that, or of an error */
};

/* Returns 0 or -errno. The signal of the timer is to be unblocked, with a handler: signals.h. */
int patient_clock__init(struct patient_clock *clock, patience_fn ask, void *ctx);
void patient_clock__done(struct patient_clock *clock);

/* Makes ->file, a stream on @fd, which stays the caller's. Returns 0 or -errno. */
int patient__init(struct patient *patient, struct patient_clock *clock, int fd);

/* Writes what is left, if it may; closes the stream, not the descriptor. */
void patient__done(struct patient *patient);

/*
 * Opens @path to write to it, as fopen(3) with "w" does: a FIFO waits for its reader. Returns the
 * descriptor or -errno; -ETIMEDOUT: there is none, and it was not to be waited for any longer.
 */
int patient__open(struct patient_clock *clock, const char *path);

#endif
