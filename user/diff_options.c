// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "diff_options.h"

#include <argp.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "lib/parse.h"
#include "options.h"

static const char doc[] =
	"Compare what two traces of a program say of its memory, by operation and by the code that "
	"allocated it.\n"
	"\n"
	"OLD and NEW are results of `tttrace -j`, with stacks. Addresses, processes, lines and the "
	"builds of libraries do not count, so what a change of the program has changed is left.\n"
	"\n"
	"  tttrace -j --output old.ndjson -- python model.py\n"
	"  tttrace -j --output new.ndjson -- python model.py     after the change\n"
	"  tttrace diff old.ndjson new.ndjson\n";

enum {
	OPT_BY = 256,
	OPT_ERROR_EXITCODE,
};

static const struct argp_option options[] = {
	{ "by", OPT_BY, "WHAT", 0,
	  "compare what is leaked, live, peak or allocated (leaked if anything is, else live, else "
	  "peak)",
	  1 },
	{ "top", 'T', "N", 0, "show the N largest changes (10)", 1 },
	{ "verbose", 'v', NULL, 0, "whole stacks", 1 },
	{ "json", 'j', NULL, 0, "one JSON object a line, all changes", 1 },
	{ "error-exitcode", OPT_ERROR_EXITCODE, "N", 0, "exit with N when NEW has more in all", 1 },
	{ "help", 'h', NULL, OPTION_HIDDEN, "", -1 },
	{},
};

static int parse_measure(struct diff_options *opts, const char *text)
{
	for (int i = 0; i < DIFF_MEASURE_COUNT; i++) {
		if (strcmp(text, diff_measure__name(i)))
			continue;
		opts->measure = i;
		return 0;
	}
	return -EINVAL;
}

static int parse_top(struct diff_options *opts, const char *text)
{
	long top;
	int err = parse__number(text, 1, INT32_MAX, &top);

	if (!err)
		opts->top = (__u32)top;
	return err;
}

static int parse_exitcode(struct diff_options *opts, const char *text)
{
	long code;
	int err = parse__number(text, 1, 255, &code);

	if (!err)
		opts->error_exitcode = (int)code;
	return err;
}

static int take_path(struct diff_options *opts, char *path)
{
	for (int side = 0; side < DIFF_SIDE_COUNT; side++) {
		if (opts->paths[side])
			continue;
		opts->paths[side] = path;
		return 0;
	}
	return -E2BIG;
}

/* -ENOENT: no such option. */
static int take(struct diff_options *opts, int key, char *arg)
{
	switch (key) {
	case 'T':
		return parse_top(opts, arg);
	case 'j':
		opts->json = true;
		return 0;
	case 'v':
		opts->verbose = true;
		return 0;
	case OPT_BY:
		return parse_measure(opts, arg);
	case OPT_ERROR_EXITCODE:
		return parse_exitcode(opts, arg);
	case ARGP_KEY_ARG:
		return take_path(opts, arg);
	}
	return -ENOENT;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct diff_options *opts = state->input;
	int err;

	switch (key) {
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		return 0;
	case ARGP_KEY_END:
		if (!opts->paths[DIFF_NEW])
			argp_error(state,
				   "two results are needed, OLD and NEW: files that `tttrace "
				   "-j` has written");
		return 0;
	}
	err = take(opts, key, arg);
	if (err == -ENOENT)
		return ARGP_ERR_UNKNOWN;
	if (err == -E2BIG)
		argp_error(state, "'%s' is one too many: two results are compared", arg);
	else if (err)
		argp_error(state, "'%s' will not do for this option%s", arg,
			   err == -ERANGE ? ": it is out of range" : "; see --help");
	return 0;
}

static const struct argp parser = {
	.options = options,
	.parser = parse_option,
	.args_doc = "OLD NEW",
	.doc = doc,
};

int diff_options__parse(int argc, char **argv, struct diff_options *ret_opts)
{
	static char name[] = "tttrace diff"; /* in messages */

	*ret_opts = (struct diff_options){ .measure = DIFF_MEASURE_COUNT, .top = TOP };
	argp_err_exit_status = EXIT_USAGE;
	argv[0] = name;
	return -argp_parse(&parser, argc, argv, 0, NULL, ret_opts);
}
