// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "options.h"

#include <argp.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/parse.h"

const char *argp_program_version = "tttrace " TTTRACE_VERSION;

static const char doc[] =
	"Show who holds the memory of Tenstorrent devices, in running processes.\n"
	"\n"
	"  tttrace -- python model.py   trace a command; its exit status is ours\n"
	"  tttrace -p 1234              trace a running process and its children\n"
	"  tttrace                      trace every process that uses the runtime\n"
	"  tttrace --snapshot 1234      one look at what it holds, without a probe\n"
	"  tttrace --check [LIB|PID]    say what would work here\n"
	"  tttrace diff OLD NEW         compare two results of -j (tttrace diff --help)\n";

/* Options without a letter. */
enum {
	OPT_ALL_PROBES = 256,
	OPT_AUDIT,
	OPT_CHECK,
	OPT_DEVICE,
	OPT_ERROR_EXITCODE,
	OPT_FOLDED,
	OPT_LEAN,
	OPT_MAX_PROCESSES,
	OPT_NO_STACKS,
	OPT_OUTPUT,
	OPT_PERF_EVENTS,
	OPT_RING_SIZE,
	OPT_SNAPSHOT,
	OPT_STACKS,
	OPT_STACK_DEPTH,
	OPT_SUPPRESSIONS,
	OPT_TYPE,
};

static const struct argp_option options[] = {
	{ "pid", 'p', "PID,...", 0, "trace these processes and their children", 1 },
	{ "json", 'j', NULL, 0, "one JSON object a line", 2 },
	{ "folded", OPT_FOLDED, "WHAT", 0, "stacks: live, peak, leaked or allocated", 2 },
	{ "quiet", 'q', NULL, 0, "no events, only the report at the end", 2 },
	{ "interval", 'i', "SECONDS", 0, "a running summary", 2 },
	{ "output", OPT_OUTPUT, "FILE", 0, "results go there, not to stdout", 2 },
	{ "top", 'T', "N", 0, "so many stacks of a list, the largest (10; at the peak 3)", 2 },
	{ "verbose", 'v', NULL, 0, "views too, and what is attached; -vv: debug", 2 },
	{ "device", OPT_DEVICE, "CHIP,...", 0, "only buffers on these chips", 3 },
	{ "type", OPT_TYPE, "TYPE,...", 0, "only DRAM, L1, L1_SMALL, TRACE", 3 },
	{ "min-size", 'z', "BYTES", 0, "only buffers at least as large (64K, 1.5M)", 3 },
	{ "max-size", 'Z', "BYTES", 0, "only buffers at most as large", 3 },
	{ "comm", 'n', "NAME", 0, "only processes of this command name", 3 },
	{ "older", 'o', "AGE", 0, "report only what is older (5s, 200ms, 2m)", 3 },
	{ "duration", 'd', "SECONDS", 0, "end the trace after that time", 4 },
	{ "error-exitcode", OPT_ERROR_EXITCODE, "N", 0, "exit with N when there are leaks", 4 },
	{ "audit", OPT_AUDIT, "SECONDS", 0, "compare with the allocators, again and again", 4 },
	{ "lean", OPT_LEAN, NULL, 0, "as cheap as can be: what holds memory alone", 4 },
	{ "all-probes", OPT_ALL_PROBES, NULL, 0, "those too that are only counted (dearer)", 4 },
	{ "stacks", OPT_STACKS, NULL, 0, "by what code it was, with --lean as well", 4 },
	{ "no-stacks", OPT_NO_STACKS, NULL, 0, "not by what code memory was allocated", 4 },
	{ "stack-depth", OPT_STACK_DEPTH, "N", 0, "keep so many frames of a stack (512)", 4 },
	{ "suppressions", OPT_SUPPRESSIONS, "FILE", 0, "known leaks: leak:PATTERN a line", 4 },
	{ "snapshot", OPT_SNAPSHOT, "PID", 0, "what it holds now, without a probe", 5 },
	{ "check", OPT_CHECK, NULL, 0, "what would work here, with which library", 5 },
	{ "ring-size", OPT_RING_SIZE, "BYTES", 0, "ring buffer for records (8M)", 6 },
	{ "max-processes", OPT_MAX_PROCESSES, "N", 0, "room for so many at once (16384)", 6 },
	{ "perf-events", OPT_PERF_EVENTS, NULL, 0, "attach as kernels before 6.6 have to", 6 },
	{ "help", 'h', NULL, OPTION_HIDDEN, "", -1 },
	{},
};

static int add_pid(struct options *opts, const char *text)
{
	pid_t *pids;
	long pid;

	if (parse__number(text, 1, 1 << 22, &pid))
		return -EINVAL;
	pids = realloc(opts->pids, (opts->num_pids + 1) * sizeof(*pids));
	if (!pids)
		return -ENOMEM;
	opts->pids = pids;
	opts->pids[opts->num_pids++] = pid;
	return 0;
}

static int add_device(struct options *opts, const char *text)
{
	long chip;

	if (parse__number(text, 0, INT32_MAX, &chip))
		return -EINVAL;
	if (opts->filter.num_chips == TT_MAX_CHIPS)
		return -ERANGE;
	opts->chips[opts->filter.num_chips++] = chip;
	opts->filter.chips = opts->chips;
	return 0;
}

static int add_type(struct options *opts, const char *text)
{
	for (__u32 type = 0; type < TT_TYPE_COUNT; type++) {
		if (strcasecmp(text, buffer_type__name(type)))
			continue;
		opts->filter.types |= 1u << type;
		return 0;
	}
	return -EINVAL;
}

/* Calls @add for each part of a list "A,B,C". */
static int add_list(struct options *opts, const char *list,
		    int (*add)(struct options *opts, const char *text))
{
	char *copy = strdup(list), *rest = copy, *part;
	int err = copy ? 0 : -ENOMEM;

	while (!err && (part = strsep(&rest, ",")))
		err = add(opts, part);
	free(copy);
	return err;
}

static int parse_age(struct options *opts, const char *text)
{
	double seconds;
	int err = parse__seconds(text, &seconds);

	if (!err)
		opts->filter.min_age_ns = seconds * 1e9;
	return err;
}

static int parse_exitcode(struct options *opts, const char *text)
{
	long code;
	int err = parse__number(text, 1, 255, &code);

	if (!err)
		opts->error_exitcode = code;
	return err;
}

static int parse_ring_size(struct options *opts, const char *text)
{
	__u64 bytes;
	int err = parse__bytes(text, &bytes);

	if (err)
		return err;
	if (bytes < 4096 || bytes > 1u << 30)
		return -ERANGE;
	opts->ring_size = bytes;
	return 0;
}

static int parse_folded(struct options *opts, const char *text)
{
	static const char *const names[] = {
		[FOLDED_LIVE] = "live",
		[FOLDED_PEAK] = "peak",
		[FOLDED_LEAKED] = "leaked",
		[FOLDED_ALLOCATED] = "allocated",
	};

	for (int i = FOLDED_LIVE; i <= FOLDED_ALLOCATED; i++) {
		if (strcmp(text, names[i]))
			continue;
		opts->folded = (enum folded_what)i;
		return 0;
	}
	return -EINVAL;
}

static int parse_snapshot(struct options *opts, const char *text)
{
	long pid;
	int err = parse__number(text, 1, 1 << 22, &pid);

	if (!err)
		opts->snapshot_pid = (pid_t)pid;
	return err;
}

static int parse_stack_depth(struct options *opts, const char *text)
{
	long depth;
	int err = parse__number(text, 1, STACK_DEPTH_MAX, &depth);

	if (!err)
		opts->stack_depth = (__u32)depth;
	return err;
}

static int parse_top(struct options *opts, const char *text)
{
	long top;
	int err = parse__number(text, 1, INT32_MAX, &top);

	if (!err)
		opts->top = opts->top_peak = (__u32)top;
	return err;
}

static int parse_max_processes(struct options *opts, const char *text)
{
	long max;
	int err = parse__number(text, 1, 1 << 22, &max);

	if (!err)
		opts->max_processes = (__u32)max;
	return err;
}

/* The options that have a value. -ENOENT: no such option here. */
static int parse_value(struct options *opts, int key, char *arg)
{
	switch (key) {
	case 'p':
		return add_list(opts, arg, add_pid);
	case 'i':
		return parse__seconds(arg, &opts->interval_s);
	case 'd':
		return parse__seconds(arg, &opts->duration_s);
	case 'o':
		return parse_age(opts, arg);
	case 'z':
		return parse__bytes(arg, &opts->filter.min_size);
	case 'Z':
		return parse__bytes(arg, &opts->filter.max_size);
	case 'n':
		opts->filter.comm = arg;
		return 0;
	case OPT_DEVICE:
		return add_list(opts, arg, add_device);
	case OPT_TYPE:
		return add_list(opts, arg, add_type);
	case OPT_ERROR_EXITCODE:
		return parse_exitcode(opts, arg);
	case OPT_RING_SIZE:
		return parse_ring_size(opts, arg);
	case OPT_MAX_PROCESSES:
		return parse_max_processes(opts, arg);
	case OPT_AUDIT:
		return parse__seconds(arg, &opts->audit_s);
	case OPT_SNAPSHOT:
		return parse_snapshot(opts, arg);
	case OPT_FOLDED:
		return parse_folded(opts, arg);
	case OPT_STACK_DEPTH:
		return parse_stack_depth(opts, arg);
	case 'T':
		return parse_top(opts, arg);
	case OPT_OUTPUT:
		opts->output = arg;
		return 0;
	case OPT_SUPPRESSIONS:
		opts->suppressions = arg;
		return 0;
	}
	return -ENOENT;
}

static int set_mode(struct options *opts, enum tt_mode mode)
{
	if (opts->mode != TT_MODE_DEFAULT && opts->mode != mode)
		return -EEXIST;
	opts->mode = mode;
	return 0;
}

/* The options that are a word alone. -ENOENT: no such option here. */
static int parse_switch(struct options *opts, int key)
{
	switch (key) {
	case 'j':
		opts->json = true;
		return 0;
	case 'q':
		opts->quiet = true;
		return 0;
	case 'v':
		opts->debug = opts->verbose; /* given twice */
		opts->verbose = true;
		return 0;
	case OPT_CHECK:
		opts->check = true;
		return 0;
	case OPT_LEAN:
		return set_mode(opts, TT_MODE_LEAN);
	case OPT_ALL_PROBES:
		return set_mode(opts, TT_MODE_ALL);
	case OPT_STACKS:
		opts->stack_depth = opts->stack_depth ? opts->stack_depth : STACK_DEPTH_MAX;
		return 0;
	case OPT_NO_STACKS:
		opts->no_stacks = true;
		return 0;
	case OPT_PERF_EVENTS:
		opts->perf_events = true;
		return 0;
	}
	return -ENOENT;
}

/* What is left: the command, or what is to be checked. */
static void take_rest(struct options *opts, struct argp_state *state)
{
	char **rest = state->argv + state->next;

	if (!opts->check) {
		opts->command = rest;
	} else {
		opts->check_target = rest[0];
		if (rest[1])
			argp_error(state, "--check takes one library or PID, not '%s' as well",
				   rest[1]);
	}
	state->next = state->argc;
}

static void check_together(const struct options *opts, struct argp_state *state)
{
	if (opts->command && opts->num_pids)
		argp_error(state, "-p and a command do not go together: trace one of them");
	if (opts->snapshot_pid && (opts->command || opts->num_pids || opts->check))
		argp_error(state, "--snapshot stands alone: it traces nothing");
	if (opts->no_stacks && opts->stack_depth)
		argp_error(state,
			   "--no-stacks does not go together with --stacks or --stack-depth");
	if (opts->no_stacks && (opts->folded || opts->suppressions))
		argp_error(state,
			   "--folded and --suppressions need stacks: they do not go together "
			   "with --no-stacks");
	if (opts->json && opts->folded)
		argp_error(state, "-j and --folded are two formats: take one of them");
	if (opts->filter.max_size && opts->filter.min_size > opts->filter.max_size)
		argp_error(state, "--min-size is larger than --max-size: nothing would be shown");
}

/* They are shown, but where it is to be as cheap as can be. */
static void decide_stacks(struct options *opts)
{
	bool usual = opts->mode != TT_MODE_LEAN || opts->folded;

	if (!opts->stack_depth && !opts->no_stacks && usual)
		opts->stack_depth = STACK_DEPTH_MAX;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *opts = state->input;
	int err;

	switch (key) {
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		return 0;
	case ARGP_KEY_ARG:
		return ARGP_ERR_UNKNOWN; /* ARGP_KEY_ARGS then has all of them */
	case ARGP_KEY_ARGS:
		take_rest(opts, state);
		return 0;
	case ARGP_KEY_END:
		check_together(opts, state);
		decide_stacks(opts);
		return 0;
	}
	err = arg ? parse_value(opts, key, arg) : parse_switch(opts, key);
	if (err == -ENOENT)
		return ARGP_ERR_UNKNOWN;
	if (err == -EEXIST)
		argp_error(state, "--lean and --all-probes do not go together: take one of them");
	if (err == -EINVAL || err == -ERANGE)
		argp_error(state, "'%s' will not do for this option%s", arg,
			   err == -ERANGE ? ": it is out of range" : "; see --help");
	return -err;
}

static const struct argp parser = {
	.options = options,
	.parser = parse_option,
	.args_doc = "[-- COMMAND [ARG...]]",
	.doc = doc,
};

int options__parse(int argc, char **argv, struct options *ret_opts)
{
	int err;

	*ret_opts = (struct options){ .ring_size = 8 << 20, .max_processes = 16384, .top = TOP };
	argp_err_exit_status = EXIT_USAGE;
	err = argp_parse(&parser, argc, argv, ARGP_IN_ORDER, NULL, ret_opts);
	return -err;
}

void options__done(struct options *opts)
{
	free(opts->pids);
}
