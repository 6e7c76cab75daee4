// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "self_check.h"

#include <errno.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/parse.h"
#include "options.h"
#include "report/check.h"
#include "report/machine.h"
#include "target/discovery.h"
#include "target/host.h"
#include "target/library.h"
#include "trace/features.h"
#include "trace/trial.h"

enum {
	TRIED_DEPTH = 64 /* frames of a stack: any will do */
};

struct process_check {
	const struct check_stream *stream;
	unsigned int num_libraries, num_usable;
	bool unread; /* a runtime that it maps; it was told of */
	int err;
};

/* What a user may ask for; the first is what he gets. */
static const struct {
	const char *options;
	enum tt_mode mode;
	bool stacks;
	bool perf_events;
} modes[] = {
	{ "", TT_MODE_DEFAULT, true, false },
	{ "--no-stacks", TT_MODE_DEFAULT, false, false },
	{ "--lean", TT_MODE_LEAN, false, false },
	{ "--lean --stacks", TT_MODE_LEAN, true, false },
	{ "--all-probes", TT_MODE_ALL, true, false },
	{ "--perf-events", TT_MODE_DEFAULT, true, true },
	{ "--lean --perf-events", TT_MODE_LEAN, false, true },
};

static void check_machine(const struct options *opts, const struct check_stream *stream)
{
	_cleanup_free_ char *config = opts->output ? host__config() : NULL;
	struct host host;
	struct machine_facts facts = { .host = &host, .bpf_err = features__bpf() };

	host__read(&host);
	facts.uprobe_multi = !facts.bpf_err && features__uprobe_multi();
	if (opts->output)
		facts.config = config ? config : "";
	machine_report__print(stream, &facts);
}

/* Tries all modes on ourselves. Returns whether the default one works. */
static bool check_modes(const struct options *opts, const struct check_stream *stream)
{
	const char *advised = NULL;
	bool first_works = false;

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		const struct loader_opts tried = {
			.ring_size = opts->ring_size,
			.max_processes = opts->max_processes,
			.mode = modes[i].mode,
			.emit_views = modes[i].mode == TT_MODE_ALL,
			.stack_depth = modes[i].stacks ? TRIED_DEPTH : 0,
			.force_perf_events = modes[i].perf_events,
		};
		struct trial_result result;
		struct mode_facts facts = { .options = modes[i].options };

		trial__run(&tried, &result);
		facts.works = result.works;
		facts.missing = result.missing;
		facts.why = result.why;
		/* that of one mode holds for the next */
		facts.advice = opts->json || result.advice != advised ? result.advice : NULL;
		advised = result.advice;
		facts.log = opts->output ? result.log : NULL;
		machine_report__print_mode(stream, &facts);
		if (!i)
			first_works = result.works;
		trial_result__done(&result);
	}
	return first_works;
}

/* Prints the library at @path, which is shown as @name. @ret_usable: it can be traced. */
static int check_library(const struct check_stream *stream, const char *path, const char *name,
			 bool *ret_usable)
{
	struct library *lib;
	int err = library__open(path, name, &lib);

	if (err)
		return err;
	*ret_usable = !lib->is_stripped;
	if (lib->is_stripped)
		pr_err("'%s' cannot be traced: %s", name, library_stripped_advice);
	err = check__library(stream->out, stream->json, stream->ts_ns, lib);
	library__free(lib);
	return err;
}

static int check_find(void *ctx, const struct discovery_find *find)
{
	struct process_check *check = ctx;
	bool usable = false;
	int err;

	if (!find->is_new)
		return 0;
	check->num_libraries++;
	err = check_library(check->stream, find->path, find->name, &usable);
	check->err = err ? err : check->err;
	check->num_usable += usable;
	return 0;
}

static void check_unread(void *ctx, const struct proc_mapping *mapping, int err)
{
	struct process_check *check = ctx;

	pr_err("cannot read '%s' of process '%d': %s", mapping->name, mapping->pid, strerror(-err));
	check->unread = true;
}

static int check_process(const struct check_stream *stream, pid_t pid)
{
	struct process_check check = { .stream = stream };
	struct discovery *discovery;
	int err = discovery__new(check_find, check_unread, &check, &discovery);

	if (err)
		return EXIT_ERROR;
	err = discovery__scan_process(discovery, pid);
	discovery__free(discovery);
	if (err) {
		pr_err("cannot read what process '%d' maps: %s%s", pid, strerror(-err),
		       err == -EACCES ? "; run as root (sudo)" : "");
		return err == -ESRCH ? EXIT_NOTHING : EXIT_ERROR;
	}
	if (check.err)
		pr_err("cannot read a runtime of process '%d': %s", pid, strerror(-check.err));
	else if (!check.num_libraries && !check.unread)
		pr_err("process '%d' maps no Tenstorrent runtime", pid);
	return check.err || check.unread ? EXIT_ERROR : check.num_usable ? EXIT_OK : EXIT_NOTHING;
}

static int check_file(const struct check_stream *stream, const char *path)
{
	bool usable;
	int err = check_library(stream, path, path, &usable);

	switch (err) {
	case 0:
		return usable ? EXIT_OK : EXIT_NOTHING;
	case -ENODATA:
		pr_err("'%s' is not a Tenstorrent runtime: it has no GraphTracker::track_allocate",
		       path);
		return EXIT_NOTHING;
	case -ENOEXEC:
		pr_err("'%s' is not an ELF file of this machine, or it is damaged", path);
		return EXIT_NOTHING;
	}
	pr_err("cannot read '%s': %s", path, strerror(-err));
	return EXIT_ERROR;
}

static int check_target(const struct options *opts, const struct check_stream *stream)
{
	long pid;

	if (!opts->check_target)
		return check_modes(opts, stream) ? EXIT_OK : EXIT_ERROR;
	if (!parse__number(opts->check_target, 1, 1 << 22, &pid))
		return check_process(stream, pid);
	return check_file(stream, opts->check_target);
}

int self_check__run(const struct options *opts)
{
	_cleanup_fclose_ FILE *file = opts->output ? fopen(opts->output, "we") : NULL;
	const struct check_stream stream = {
		.out = file ? file : stdout,
		.json = opts->json,
		.ts_ns = clock__now_ns(),
	};
	int status;

	if (opts->output && !file) {
		pr_err("cannot open '%s': %s", opts->output, strerror(errno));
		return EXIT_ERROR;
	}
	check_machine(opts, &stream);
	status = check_target(opts, &stream);
	if (fflush(stream.out)) {
		pr_err("cannot write to '%s': %s", opts->output ? opts->output : "stdout",
		       strerror(errno));
		return EXIT_ERROR;
	}
	return status;
}
