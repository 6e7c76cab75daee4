// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * tttrace: who holds the memory of Tenstorrent devices. Options -> session -> exit status.
 */
#include <fcntl.h>
#include <unistd.h>

#include "diff_command.h"
#include "lib/log.h"
#include "look.h"
#include "options.h"
#include "self_check.h"
#include "session.h"
#include "suppression_file.h"

/* Or a file of results that is opened gets the number of one, and what is meant for that one. */
static void fill_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

int main(int argc, char **argv)
{
	struct options opts;
	int status;

	fill_standard_descriptors();
	if (diff_command__is_meant(argc, argv))
		return diff_command__run(argc, argv);
	if (options__parse(argc, argv, &opts))
		return EXIT_ERROR;
	if (opts.verbose)
		log__set_level(opts.debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	if (opts.suppressions &&
	    suppression_file__read(opts.suppressions, &opts.filter.suppressions))
		status = EXIT_USAGE;
	else if (opts.check)
		status = self_check__run(&opts);
	else if (opts.snapshot_pid)
		status = look__run(&opts);
	else
		status = session__run(&opts);
	options__done(&opts);
	return status;
}
