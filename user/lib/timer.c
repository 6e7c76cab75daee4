// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "lib/timer.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>
#include <sys/timerfd.h>

int timer__open(double seconds, bool repeat)
{
	struct itimerspec spec = {
		.it_value.tv_sec = (time_t)seconds,
		.it_value.tv_nsec = (long)((seconds - (time_t)seconds) * 1e9),
	};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	int err;

	if (fd < 0)
		return -errno;
	if (repeat)
		spec.it_interval = spec.it_value;
	if (timerfd_settime(fd, 0, &spec, NULL)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}
