// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "trace/loader.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "lib/bytes.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "target/host.h"
#include "target/library.h"
#include "trace/attach.h"
#include "trace/counters.h"
#include "trace/features.h"
#include "trace/libbpf_log.h"
#include "tttrace.skel.h"

struct loader {
	struct loader_opts opts;
	struct tttrace_bpf *skel;
	struct tttrace_bpf *twin; /* the same maps; its on_probe is for perf events. Or NULL */
	bool multi;
	bool multi_works; /* a library was attached to so */
	struct links links;
	struct link_range links_of[TT_MAX_LAYOUTS];
	bool is_missing[TT_PART_COUNT];
	char missing[TT_PART_COUNT][LOAD_TEXT_SIZE]; /* why */
	struct load_failure failure;
};

/* The programs without which the others work. */
static const struct {
	enum tt_part part;
	const char *program;
} tracepoints[] = {
	{ TT_PART_FORK, "on_sched_fork" },
	{ TT_PART_EXEC, "on_sched_exec" },
	{ TT_PART_EXIT, "on_sched_exit" },
	{ TT_PART_RENAME, "on_task_rename" },
};

enum {
	NUM_TRACEPOINTS = sizeof(tracepoints) / sizeof(tracepoints[0])
};

static struct bpf_program *tracepoint(const struct tttrace_bpf *skel, size_t i)
{
	return bpf_object__find_program_by_name(skel->obj, tracepoints[i].program);
}

static int open_object(struct loader *loader)
{
	const struct loader_opts *opts = &loader->opts;
	int err;

	loader->skel = tttrace_bpf__open();
	if (!loader->skel) {
		err = -errno;
		pr_err("cannot open the BPF object: %s", strerror(-err));
		return err;
	}
	loader->skel->rodata->knobs.scope = opts->scope;
	loader->skel->rodata->knobs.emit_views = opts->emit_views;
	loader->skel->rodata->knobs.lean = opts->mode == TT_MODE_LEAN;
	loader->skel->rodata->knobs.pid_namespace = opts->pid_namespace;
	loader->skel->rodata->knobs.stacks = opts->stack_depth > 0;
	loader->skel->rodata->knobs.copy_limit = bytes__round_up(opts->ring_size) / 2;
	bpf_map__set_max_entries(loader->skel->maps.ring, bytes__round_up(opts->ring_size));
	bpf_map__set_max_entries(loader->skel->maps.processes, opts->max_processes);
	bpf_map__set_max_entries(loader->skel->maps.pythons, opts->max_processes);
	bpf_map__set_max_entries(loader->skel->maps.scratches,
				 TT_SCRATCH_SPARE + libbpf_num_possible_cpus());
	if (!opts->stack_depth) {
		bpf_map__set_max_entries(loader->skel->maps.known_stacks, 1);
		bpf_map__set_max_entries(loader->skel->maps.known_codes, 1);
	}
	if (!loader->multi)
		bpf_program__set_expected_attach_type(loader->skel->progs.on_probe, 0);
	for (size_t i = 0; i < NUM_TRACEPOINTS; i++)
		if (loader->is_missing[tracepoints[i].part])
			bpf_program__set_autoload(tracepoint(loader->skel, i), false);
	return 0;
}

int loader__prepare(const struct loader_opts *opts, struct loader **ret_loader)
{
	struct loader *loader = calloc(1, sizeof(*loader));
	int err;

	if (!loader)
		return -ENOMEM;
	libbpf_log__init();
	loader->opts = *opts;
	loader->multi = !opts->force_perf_events && features__uprobe_multi();
	err = open_object(loader);
	if (err) {
		loader__free(loader);
		return err;
	}
	*ret_loader = loader;
	return 0;
}

/* --- what fails ------------------------------------------------------------------------------ */

/* From now on what libbpf says is about this. */
static void begin_step(struct loader *loader, enum load_step step)
{
	load_failure__done(&loader->failure);
	loader->failure.step = step;
	libbpf_log__watch(&loader->failure);
}

static int end_step(struct loader *loader, int err)
{
	libbpf_log__end_watch();
	loader->failure.err = err;
	return err;
}

/* Two lines: what is wrong, and what to do. */
static int report_failure(const struct loader *loader, const char *what)
{
	const struct load_failure *failure = &loader->failure;
	char why[LOAD_TEXT_SIZE];
	struct host host;

	if (loader->opts.quiet)
		return failure->err;
	host__read(&host);
	load_error__why(failure, &host, why, sizeof(why));
	if (failure->program[0])
		pr_err("cannot load the BPF program '%s': %s", failure->program, why);
	else
		pr_err("cannot %s: %s", what, why);
	pr_err("%s", load_error__advice(load_error__cause(failure, &host)));
	return failure->err;
}

/* The failure at hand costs @part, and only that. */
static void do_without(struct loader *loader, enum tt_part part)
{
	struct host host;

	host__read(&host);
	loader->is_missing[part] = true;
	load_error__why(&loader->failure, &host, loader->missing[part],
			sizeof(loader->missing[part]));
	if (part == TT_PART_STACKS)
		loader->opts.stack_depth = 0;
}

/* The part without which the programs may load that do not now; TT_PART_COUNT: there is none. */
static enum tt_part dispensable(const struct loader *loader)
{
	struct host host;

	host__read(&host);
	if (!load_error__may_do_with_less(load_error__cause(&loader->failure, &host)))
		return TT_PART_COUNT;
	for (size_t i = 0; i < NUM_TRACEPOINTS; i++)
		if (!strcmp(loader->failure.program, tracepoints[i].program))
			return tracepoints[i].part;
	return loader->opts.stack_depth ? TT_PART_STACKS : TT_PART_COUNT;
}

/* --- load ------------------------------------------------------------------------------------ */

static int load_object(struct loader *loader)
{
	begin_step(loader, LOAD_STEP_LOAD);
	return end_step(loader, tttrace_bpf__load(loader->skel));
}

static int reload_object(struct loader *loader)
{
	int err;

	tttrace_bpf__destroy(loader->skel); /* one that was not loaded cannot be loaded again */
	loader->skel = NULL;
	err = open_object(loader);
	return err ? err : load_object(loader);
}

static int attach_tracepoints(struct loader *loader)
{
	struct bpf_link *link;
	int err = 0;

	for (size_t i = 0; !err && i < NUM_TRACEPOINTS; i++) {
		if (loader->is_missing[tracepoints[i].part])
			continue;
		begin_step(loader, LOAD_STEP_ATTACH);
		link = bpf_program__attach(tracepoint(loader->skel, i));
		if (end_step(loader, link ? 0 : -errno))
			do_without(loader, tracepoints[i].part);
		else
			err = links__add(&loader->links, link);
	}
	return err;
}

/* Rather now than when a library has been found. */
static int try_probes(struct loader *loader)
{
	if (loader->multi)
		return 0;
	begin_step(loader, LOAD_STEP_PROBES);
	return end_step(loader, features__perf_uprobes()) ? report_failure(loader, "attach probes")
							  : 0;
}

int loader__load(struct loader *loader)
{
	int err = load_object(loader);
	enum tt_part part;

	while (err) {
		part = dispensable(loader);
		if (part == TT_PART_COUNT || loader->is_missing[part])
			return report_failure(loader, "load the BPF programs");
		do_without(loader, part);
		err = reload_object(loader);
		if (!loader->skel)
			return err;
	}
	err = try_probes(loader);
	return err ? err : attach_tracepoints(loader);
}

const char *loader__missing(const struct loader *loader, enum tt_part part)
{
	return loader->is_missing[part] ? loader->missing[part] : NULL;
}

const struct load_failure *loader__failure(const struct loader *loader)
{
	return &loader->failure;
}

/* --- attach ---------------------------------------------------------------------------------- */

static int attach_perf_events(struct loader *loader, const struct attach_points *points,
			      const char *path)
{
	const struct tttrace_bpf *skel = loader->twin ? loader->twin : loader->skel;

	return links__attach_perf_events(&loader->links, skel->progs.on_probe, points, path);
}

static int share_maps(const struct tttrace_bpf *from, struct tttrace_bpf *to)
{
	struct bpf_map *map, *own;
	int err = 0;

	bpf_object__for_each_map(map, from->obj)
	{
		/* takes programs of one way of attaching only, and stays empty anyhow */
		if (bpf_map__type(map) == BPF_MAP_TYPE_PROG_ARRAY)
			continue;
		own = bpf_object__find_map_by_name(to->obj, bpf_map__name(map));
		err = own ? bpf_map__reuse_fd(own, bpf_map__fd(map)) : -ENOENT;
		if (err)
			break;
	}
	return err;
}

/*
 * A program is loaded for one way of attaching: that for perf events comes out of the same object
 * once more. What it records goes into the maps that are there.
 */
static int load_twin(struct loader *loader)
{
	struct tttrace_bpf *twin = tttrace_bpf__open();
	int err;

	if (!twin)
		return -errno;
	bpf_program__set_expected_attach_type(twin->progs.on_probe, 0);
	for (size_t i = 0; i < NUM_TRACEPOINTS; i++)
		bpf_program__set_autoload(tracepoint(twin, i), false);
	err = share_maps(loader->skel, twin);
	if (!err)
		err = tttrace_bpf__load(twin);
	if (err) {
		tttrace_bpf__destroy(twin);
		return err;
	}
	loader->twin = twin;
	return 0;
}

/* The kernel has uprobe_multi, but refused it. Where more of something would do, that is no way. */
static bool is_refused_multi(const struct loader *loader)
{
	struct host host;

	host__read(&host);
	switch (load_error__cause(&loader->failure, &host)) {
	case LOAD_CAUSE_FILES:
	case LOAD_CAUSE_MEMORY:
		return false;
	default:
		return loader->multi;
	}
}

static int attach_as_can_be(struct loader *loader, const struct attach_points *points,
			    const char *path)
{
	size_t num_links = loader->links.count;
	int err;

	begin_step(loader, loader->multi ? LOAD_STEP_ATTACH : LOAD_STEP_PROBES);
	if (loader->multi)
		err = links__attach_multi(&loader->links, loader->skel->progs.on_probe, points,
					  path);
	else
		err = attach_perf_events(loader, points, path);
	loader->multi_works |= loader->multi && !err;
	end_step(loader, err);
	if (err && is_refused_multi(loader)) {
		err = load_twin(loader);
		if (!err)
			err = attach_perf_events(loader, points, path);
		if (!err) {
			do_without(loader, TT_PART_UPROBE_MULTI);
			loader->multi = false;
		}
	}
	if (err)
		links__drop(&loader->links, num_links);
	return err;
}

int loader__attach_library(struct loader *loader, const struct library *lib, __u64 set,
			   const char *path, __u16 *ret_layout, unsigned int *ret_attached)
{
	_cleanup_(attach_points__done) struct attach_points points = {};
	__u32 index = link_ranges__free(loader->links_of, TT_MAX_LAYOUTS);
	int err;

	begin_step(loader, LOAD_STEP_ATTACH);
	if (index >= TT_MAX_LAYOUTS) {
		snprintf(loader->failure.words, sizeof(loader->failure.words),
			 "%d different libraries are traced already", TT_MAX_LAYOUTS);
		return end_step(loader, -E2BIG);
	}
	err = attach_points__of_library(&points, lib, set, index);
	if (!err)
		err = bpf_map__update_elem(loader->skel->maps.layouts, &index, sizeof(index),
					   &lib->layout, sizeof(lib->layout), BPF_ANY);
	if (err)
		return end_step(loader, err);
	loader->links_of[index].from = loader->links.count;
	err = attach_as_can_be(loader, &points, path);
	if (err)
		return err;
	loader->links_of[index].count = loader->links.count - loader->links_of[index].from;
	loader->links_of[index].is_taken = true;
	*ret_layout = index;
	*ret_attached = points.count;
	return 0;
}

void loader__detach_library(struct loader *loader, __u16 layout)
{
	if (layout < TT_MAX_LAYOUTS && loader->links_of[layout].is_taken)
		links__close(&loader->links, loader->links_of[layout].from,
			     loader->links_of[layout].count);
}

void loader__release_library(struct loader *loader, __u16 layout)
{
	loader__detach_library(loader, layout);
	if (layout < TT_MAX_LAYOUTS)
		loader->links_of[layout].is_taken = false;
}

int loader__attach_own(struct loader *loader, const char *path, const unsigned long *offsets,
		       const struct tt_cookie *cookies, size_t count)
{
	_cleanup_(attach_points__done) struct attach_points points = {};
	int err = attach_points__copy(&points, offsets, cookies, count);

	return err ? err : attach_as_can_be(loader, &points, path);
}

int loader__add_process(struct loader *loader, pid_t pid, __u32 flags)
{
	struct tt_process process = { .flags = flags };
	__u32 tgid = pid;
	int err = bpf_map__update_elem(loader->skel->maps.processes, &tgid, sizeof(tgid), &process,
				       sizeof(process), BPF_NOEXIST);

	if (err == -E2BIG)
		pr_err("there is no room for process '%d', it is not traced: --max-processes gives "
		       "more",
		       pid);
	else if (err && err != -EEXIST)
		pr_err("cannot trace process '%d': %s", pid, strerror(-err));
	return err == -EEXIST ? 0 : err;
}

bool loader__may_use_perf_events(const struct loader *loader)
{
	return !loader->multi_works;
}

void loader__activate(struct loader *loader)
{
	loader->skel->bss->active = true;
}

void loader__deactivate(struct loader *loader)
{
	loader->skel->bss->active = false;
}

void loader__detach(struct loader *loader)
{
	links__drop(&loader->links, 0);
}

int loader__ring_fd(const struct loader *loader)
{
	return bpf_map__fd(loader->skel->maps.ring);
}

void loader__set_reader_idle(struct loader *loader, bool idle)
{
	__atomic_store_n(&loader->skel->bss->reader_idle, idle, __ATOMIC_SEQ_CST);
}

int loader__read_counters(const struct loader *loader, struct tt_counters *ret_counters)
{
	return counters__read(loader->skel->maps.counters, loader->skel->obj, ret_counters);
}

void loader__each_loss(const struct loader *loader, counters_loss_fn fn, void *ctx)
{
	counters__each_loss(loader->skel->maps.processes, fn, ctx);
}

void loader__each_process(const struct loader *loader, counters_process_fn fn, void *ctx)
{
	counters__each_process(loader->skel->maps.processes, fn, ctx);
}

int loader__know_stack(const struct loader *loader, const struct tt_known_key *key,
		       const struct tt_known_stack *stack)
{
	return bpf_map__update_elem(loader->skel->maps.known_stacks, key, sizeof(*key), stack,
				    sizeof(*stack), BPF_ANY);
}

void loader__forget_stack(const struct loader *loader, const struct tt_known_key *key)
{
	bpf_map__delete_elem(loader->skel->maps.known_stacks, key, sizeof(*key), 0);
}

int loader__know_python(const struct loader *loader, __u32 tgid, const struct tt_python *python)
{
	return bpf_map__update_elem(loader->skel->maps.pythons, &tgid, sizeof(tgid), python,
				    sizeof(*python), BPF_ANY);
}

void loader__free(struct loader *loader)
{
	if (!loader)
		return;
	links__done(&loader->links);
	load_failure__done(&loader->failure);
	tttrace_bpf__destroy(loader->twin);
	tttrace_bpf__destroy(loader->skel);
	free(loader);
}
