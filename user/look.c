// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "look.h"

#include <errno.h>
#include <string.h>

#include "announcer.h"
#include "core/ledger.h"
#include "core/snapshot.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "options.h"
#include "output.h"
#include "stripped.h"
#include "survey.h"
#include "target/discovery.h"
#include "target/library.h"

struct look {
	const struct options *opts;
	struct output *output;
	struct ledger *ledger;
	struct discovery *discovery;
	struct survey *survey;
	__u16 num_libraries;
	unsigned int num_idle; /* libraries by which the process holds nothing */
	int err;	       /* why what it holds cannot be read */
	struct announcer announcer;
};

static void on_event(void *ctx, const struct event *ev)
{
	struct look *look = ctx;
	bool shown = look->opts->json ? !look->opts->quiet : look->opts->verbose;

	if (shown && filter__event(&look->opts->filter, ev))
		output__event(look->output, ev);
}

static void on_record(void *ctx, const void *record, size_t size)
{
	struct look *look = ctx;

	ledger__apply(look->ledger, record, size); /* what it drops, it counts */
}

static void on_unread(void *ctx, const struct proc_mapping *mapping, int err)
{
	struct look *look = ctx;

	announcer__unread(&look->announcer, mapping->pid, mapping->name, err);
}

static int add_library(struct look *look, const struct discovery_find *find,
		       const struct library *lib)
{
	int err = survey__add_library(look->survey, find->tag, &lib->layout, look->num_libraries);

	if (!err)
		announcer__library(&look->announcer, lib, 0, look->num_libraries++, TT_MODE_DEFAULT,
				   false);
	return err;
}

/* Where fields lie, and how that is known. */
static void tell_fields(const struct library *lib)
{
	for (int field = 0; field < TT_FIELD_COUNT; field++) {
		const struct tt_path *path = &lib->layout.field[field];

		if (path->len)
			pr_info("%s.%s of '%s' is at %d.%d.%d.%d: %s", library__field_class(field),
				library__field_name(field), lib->name, path->off[0], path->off[1],
				path->off[2], path->off[3], lib->fields[field].how);
	}
}

/* What is known of its fields is known of this process, and of this moment. */
static int add_stripped(struct look *look, const struct discovery_find *find, struct library *lib)
{
	char why[TT_WHY_SIZE];
	int state = stripped__establish(find, lib, why);

	tell_fields(lib);
	if (state < 0) {
		look->err = state;
		return 0;
	}
	if (state == STRIPPED_UNKNOWN)
		announcer__untraced(&look->announcer, find->pid, find->name, why, NULL);
	if (state == STRIPPED_NOTHING) {
		announcer__library(&look->announcer, lib, 0, look->num_libraries++, TT_MODE_DEFAULT,
				   false);
		look->num_idle++;
		return 0;
	}
	return lib->layout.field[TT_FIELD_DEVICE].len ? add_library(look, find, lib) : 0;
}

static int on_find(void *ctx, const struct discovery_find *find)
{
	struct look *look = ctx;
	struct library *lib;
	int err;

	if (!find->is_new)
		return 0;
	err = library__open(find->path, find->name, &lib);
	if (err) {
		announcer__unread(&look->announcer, find->pid, find->name, err);
		return err;
	}
	err = lib->is_stripped ? add_stripped(look, find, lib) : add_library(look, find, lib);
	library__free(lib);
	return err;
}

static int open_look(struct look *look)
{
	struct ledger_opts ledger_opts = { .on_event = on_event, .ctx = look };
	int err;

	err = output__open(look->opts, NULL, &look->output);
	if (!err)
		err = ledger__new(&ledger_opts, &look->ledger);
	if (!err)
		err = discovery__new(on_find, on_unread, look, &look->discovery);
	if (!err)
		err = survey__new(look->discovery, on_record, look, &look->survey);
	return err;
}

static void close_look(struct look *look)
{
	survey__free(look->survey);
	discovery__free(look->discovery);
	ledger__free(look->ledger);
	output__close(look->output);
}

/* Says why there is nothing to show. */
static int complain(const struct look *look, int err)
{
	pid_t pid = look->opts->snapshot_pid;

	switch (err) {
	case -ESRCH:
		pr_err(look->num_libraries
			       ? "process '%d' has ended, or called exec, while it was read"
			       : "process '%d' has ended, or uses no Tenstorrent runtime",
		       pid);
		return EXIT_NOTHING;
	case -EPERM:
	case -EACCES:
		pr_err("the memory of process '%d' may not be read: run as root (sudo), or as its "
		       "user where kernel.yama.ptrace_scope is 0",
		       pid);
		return EXIT_ERROR;
	case -ENOENT:
		pr_err("not all that is needed is known of the runtime of process '%d': `tttrace "
		       "--check %d` shows what is missing",
		       pid, pid);
		return EXIT_ERROR;
	}
	pr_err("cannot read what process '%d' holds: %s", pid, strerror(-err));
	return EXIT_ERROR;
}

static int take(struct look *look)
{
	pid_t pid = look->opts->snapshot_pid;
	int err = discovery__scan_process(look->discovery, pid);

	err = err ? err : look->err;
	if (err)
		return err;
	survey__introduce(look->survey, pid, TT_PROCESS_BEFORE_ATTACH);
	err = survey__take(look->survey, pid, NULL, 0, true, NULL, NULL);
	if (err == -ESRCH && look->num_idle)
		err = 0;
	if (err && err != -ENODATA)
		return err;
	survey__settle(look->survey, pid, TT_CENSUS_ATTACH, err);
	return 0;
}

static int report(struct look *look)
{
	struct snapshot *snap;
	int status = EXIT_OK;

	if (ledger__finish(look->ledger, clock__now_ns()) ||
	    snapshot__take(look->ledger, &look->opts->filter, clock__now_ns(), &snap)) {
		pr_err("out of memory: there is no report");
		return EXIT_ERROR;
	}
	output__report(look->output, snap);
	if (output__error(look->output) && output__error(look->output) != -EPIPE)
		status = EXIT_ERROR;
	else if (!snapshot__complete(snap))
		status = EXIT_INCOMPLETE;
	snapshot__free(snap);
	return status;
}

int look__run(const struct options *opts)
{
	struct look look = {
		.opts = opts,
		.announcer = { .on_record = on_record, .ctx = &look },
	};
	int status = EXIT_ERROR, err;

	err = open_look(&look);
	if (!err) {
		err = take(&look);
		/* what it maps was told of, and is in the report */
		if (err == -ESRCH && look.announcer.untraced.num)
			err = 0;
		status = err ? complain(&look, err) : report(&look);
	}
	close_look(&look);
	return status;
}
