// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "signals.h"

#include <errno.h>
#include <unistd.h>
#include <sys/signalfd.h>

static const int changed[SIGNALS_CHANGED] = { SIGPIPE, SIGXFSZ, SIGURG };

static void interrupt(int signal)
{
	(void)signal;
}

static void change_dispositions(struct signals_before *ret_before)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	const struct sigaction taken = { .sa_handler = interrupt }; /* no SA_RESTART */

	for (int i = 0; i < SIGNALS_CHANGED; i++)
		sigaction(changed[i], changed[i] == SIGURG ? &taken : &ignore, &ret_before->of[i]);
}

/* As nohup(1) has it. SIGINT counts all the same: a shell ignores it in what it runs with `&`. */
static bool is_ignored(int signal)
{
	struct sigaction action;

	return !sigaction(signal, NULL, &action) && action.sa_handler == SIG_IGN;
}

int signals__open(struct signals_before *ret_before)
{
	sigset_t mask, tick;
	int fd;

	change_dispositions(ret_before);
	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGTERM);
	if (!is_ignored(SIGHUP))
		sigaddset(&mask, SIGHUP);
	sigprocmask(SIG_BLOCK, &mask, &ret_before->mask);
	sigemptyset(&tick);
	sigaddset(&tick, SIGURG);
	sigprocmask(SIG_UNBLOCK, &tick, NULL);
	fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

void signals__restore(const struct signals_before *before)
{
	for (int i = 0; i < SIGNALS_CHANGED; i++)
		sigaction(changed[i], &before->of[i], NULL);
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
