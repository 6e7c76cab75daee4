// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "diff_command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "diff_options.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "options.h"
#include "report/json_diff.h"
#include "report/text_diff.h"
#include "result.h"

bool diff_command__is_meant(int argc, char **argv)
{
	return argc > 1 && !strcmp(argv[1], "diff");
}

static int read_both(const struct diff_options *opts, struct diff *diff)
{
	int err = 0;

	for (int side = 0; !err && side < DIFF_SIDE_COUNT; side++)
		err = result__read(opts->paths[side], side, diff);
	return err;
}

static int write_text(const struct diff_options *opts, const struct diff_view *view)
{
	struct text_diff_opts text_opts = {
		.old_path = opts->paths[DIFF_OLD],
		.new_path = opts->paths[DIFF_NEW],
		.top = opts->top,
		.verbose = opts->verbose,
	};

	text_diff__write(stdout, view, &text_opts);
	return 0;
}

static int write_view(const struct diff_options *opts, const struct diff_view *view)
{
	int err;

	errno = 0;
	err = opts->json ? json_diff__write(stdout, view, opts->paths[DIFF_OLD],
					    opts->paths[DIFF_NEW], clock__now_ns())
			 : write_text(opts, view);
	if (!err && (fflush(stdout) || ferror(stdout)))
		err = -(errno ? errno : EIO);
	if (err)
		pr_err("cannot write the comparison to stdout: %s", strerror(-err));
	return err;
}

static int compare(const struct diff_options *opts, const struct diff *diff)
{
	enum diff_measure measure = opts->measure;
	struct diff_view *view;
	int status = EXIT_OK;

	if (measure == DIFF_MEASURE_COUNT)
		measure = diff__default_measure(diff);
	if (diff__view(diff, measure, &view)) {
		pr_err("out of memory: there is no comparison");
		return EXIT_ERROR;
	}
	if (write_view(opts, view))
		status = EXIT_ERROR;
	else if (opts->error_exitcode && diff_view__has_more(view))
		status = opts->error_exitcode;
	diff_view__free(view);
	return status;
}

int diff_command__run(int argc, char **argv)
{
	struct diff_options opts;
	struct diff *diff = NULL;
	int status = EXIT_ERROR;

	if (diff_options__parse(argc - 1, argv + 1, &opts) || diff__new(&diff)) {
		pr_err("out of memory: there is no comparison");
		return EXIT_ERROR;
	}
	if (!read_both(&opts, diff))
		status = compare(&opts, diff);
	diff__free(diff);
	return status;
}
