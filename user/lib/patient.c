// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "lib/patient.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum {
	TICK_MS = 50,
	SHORT_MS = 250,
};

/* One call that may wait. */
struct waiting {
	struct patient_clock *clock;
	uint64_t since_ms; /* no progress since then, and not to be waited for; 0: endlessly */
};

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int patient_clock__init(struct patient_clock *clock, patience_fn ask, void *ctx)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGURG };

	*clock = (struct patient_clock){ .ask = ask, .ctx = ctx };
	if (timer_create(CLOCK_MONOTONIC, &event, &clock->timer))
		return -errno;
	clock->runs = true;
	return 0;
}

void patient_clock__done(struct patient_clock *clock)
{
	if (clock->runs)
		timer_delete(clock->timer);
	clock->runs = false;
}

static void set_ticks(struct patient_clock *clock, long ms)
{
	const struct timespec tick = { .tv_nsec = ms * 1000000 };
	const struct itimerspec spec = { .it_interval = tick, .it_value = tick };

	timer_settime(clock->timer, 0, &spec, NULL);
}

/* Is it to be tried again? It got nowhere so far. */
static bool waits_on(struct waiting *waiting)
{
	switch (waiting->clock->ask(waiting->clock->ctx)) {
	case PATIENCE_ENDLESS:
		waiting->since_ms = 0;
		return true;
	case PATIENCE_SHORT:
		if (!waiting->since_ms)
			waiting->since_ms = now_ms();
		return now_ms() - waiting->since_ms < SHORT_MS;
	case PATIENCE_NONE:
		break;
	}
	return false;
}

/* Somebody else may have made it non-blocking. */
static void await_room(int fd)
{
	struct pollfd room = { .fd = fd, .events = POLLOUT };

	poll(&room, 1, TICK_MS);
}

static ssize_t put(void *cookie, const char *data, size_t size)
{
	struct patient *patient = cookie;
	struct waiting waiting = { .clock = patient->clock };
	size_t done = 0;
	int err = 0;

	set_ticks(patient->clock, TICK_MS);
	while (done < size && !err && !patient->given_up) {
		ssize_t n = write(patient->fd, data + done, size - done);

		if (n >= 0) {
			done += (size_t)n;
			waiting.since_ms = 0;
			continue;
		}
		if (errno == EAGAIN)
			await_room(patient->fd);
		else if (errno != EINTR)
			err = errno;
		if (!err)
			patient->given_up = !waits_on(&waiting);
	}
	set_ticks(patient->clock, 0);
	patient->lost += size - done;
	errno = patient->given_up ? ETIMEDOUT : err;
	return (ssize_t)done;
}

int patient__init(struct patient *patient, struct patient_clock *clock, int fd)
{
	const cookie_io_functions_t functions = { .write = put };

	*patient = (struct patient){ .clock = clock, .fd = fd };
	patient->file = fopencookie(patient, "w", functions);
	return patient->file ? 0 : -errno;
}

void patient__done(struct patient *patient)
{
	if (patient->file)
		fclose(patient->file);
	patient->file = NULL;
}

int patient__open(struct patient_clock *clock, const char *path)
{
	struct waiting waiting = { .clock = clock };
	int fd, err;

	set_ticks(clock, TICK_MS);
	do {
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
		err = fd < 0 ? -errno : 0;
	} while (err == -EINTR && waits_on(&waiting));
	set_ticks(clock, 0);
	if (err == -EINTR)
		err = -ETIMEDOUT;
	return err ? err : fd;
}
