// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "lib/cleanup.h"
#include "lib/log.h"

/* The child: waits for the word to go, then becomes the command. */
static void run_child(char *const argv[], const struct command_start *start, int go_fd,
		      int error_fd)
{
	char word;
	int err;

	if (read(go_fd, &word, 1) != 1)
		_exit(1); /* tttrace has given up */
	signals__restore(&start->signals);
	setrlimit(RLIMIT_NOFILE, &start->files); /* it was had, so it may be had */
	execvp(argv[0], argv);
	err = errno;
	if (write(error_fd, &err, sizeof(err)) != sizeof(err))
		_exit(126);
	_exit(127);
}

int command__fork(char *const argv[], const struct command_start *start,
		  struct command *ret_command)
{
	int go[2] = { -1, -1 }, error[2] = { -1, -1 }, err = 0;
	struct command command = { .pid = -1, .pidfd = -1 };

	if (pipe2(go, O_CLOEXEC) || pipe2(error, O_CLOEXEC))
		err = -errno;
	if (!err) {
		command.pid = fork();
		err = command.pid < 0 ? -errno : 0;
	}
	if (!err && !command.pid) {
		close(go[1]);
		close(error[0]);
		run_child(argv, start, go[0], error[1]);
	}
	close(go[0]);
	close(error[1]);
	command.go_fd = go[1];
	command.error_fd = error[0];
	if (!err) {
		command.pidfd = syscall(SYS_pidfd_open, command.pid, 0);
		err = command.pidfd < 0 ? -errno : 0;
	}
	if (err) {
		pr_err("cannot start '%s': %s", argv[0], strerror(-err));
		command__done(&command);
		return err;
	}
	*ret_command = command;
	return 0;
}

int command__release(struct command *command, const char *name)
{
	int err = 0;

	if (write(command->go_fd, "", 1) != 1)
		err = errno;
	else if (read(command->error_fd, &err, sizeof(err)) != sizeof(err))
		err = 0; /* closed by a successful exec */
	close(command->go_fd);
	close(command->error_fd);
	command->go_fd = command->error_fd = -1;
	if (err)
		pr_err("cannot run '%s': %s", name, strerror(err));
	return -err;
}

int command__status(struct command *command)
{
	int status;

	if (command->pid <= 0 || waitpid(command->pid, &status, 0) < 0)
		return 1;
	command->pid = -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void command__done(struct command *command)
{
	/* a child that still waits for the word reads the end of the pipe and exits */
	if (command->go_fd >= 0)
		close(command->go_fd);
	if (command->error_fd >= 0)
		close(command->error_fd);
	if (command->pidfd >= 0)
		close(command->pidfd);
	command->go_fd = command->error_fd = command->pidfd = -1;
}
