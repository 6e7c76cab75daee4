// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "signals.h"

#include <errno.h>
#include <unistd.h>
#include <sys/signalfd.h>

int signals__open(struct signals_before *ret_before)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t mask;
	int fd;

	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGHUP);
	sigaction(SIGPIPE, &ignore, &ret_before->pipe);
	sigprocmask(SIG_BLOCK, &mask, &ret_before->mask);
	fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

void signals__restore(const struct signals_before *before)
{
	sigaction(SIGPIPE, &before->pipe, NULL);
	sigprocmask(SIG_SETMASK, &before->mask, NULL);
}

int signals__next(int fd, bool *ret_to_all)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != sizeof(info))
		return 0;
	*ret_to_all =
		info.ssi_code == SI_KERNEL; /* isig() of drivers/tty/n_tty.c; kill(2): SI_USER */
	return (int)info.ssi_signo;
}
