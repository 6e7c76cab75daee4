// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "rewrites.h"

#include <errno.h>
#include <unistd.h>
#include <sys/inotify.h>

int rewrites__open(void)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int rewrites__watch(int fd, const char *path)
{
	/* a truncation is a modification, too */
	int number = inotify_add_watch(fd, path, IN_MODIFY);

	return number < 0 ? -errno : number;
}

void rewrites__forget(int fd, int number)
{
	inotify_rm_watch(fd, number);
}

int rewrites__next(int fd)
{
	struct inotify_event event; /* of a file, not of a directory: without a name */

	while (read(fd, &event, sizeof(event)) == sizeof(event))
		if (event.mask & IN_MODIFY)
			return event.wd;
	return 0;
}
