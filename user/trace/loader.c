// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "trace/loader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "lib/cleanup.h"
#include "lib/log.h"
#include "target/library.h"
#include "target/probe_set.h"
#include "trace/features.h"
#include "tttrace.skel.h"

struct loader {
	struct tttrace_bpf *skel;
	bool multi;
	struct bpf_link **links;
	size_t num_links;
	__u16 num_layouts;
};

/* libbpf's messages come one level down: what it calls a warning is often only its view. */
static int print_libbpf(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	char line[512];
	int len = vsnprintf(line, sizeof(line), fmt, ap);

	if (len > 0 && (size_t)len < sizeof(line) && line[len - 1] == '\n')
		line[len - 1] = '\0';
	log__print(level == LIBBPF_WARN ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, "%s", line);
	return 0;
}

static size_t round_ring_size(size_t bytes)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);

	while (size < bytes)
		size *= 2;
	return size;
}

int loader__prepare(const struct loader_opts *opts, struct loader **ret_loader)
{
	struct loader *loader = calloc(1, sizeof(*loader));
	int err;

	if (!loader)
		return -ENOMEM;
	libbpf_set_print(print_libbpf);
	loader->skel = tttrace_bpf__open();
	if (!loader->skel) {
		err = -errno;
		pr_err("cannot open the BPF object: %s", strerror(-err));
		loader__free(loader);
		return err;
	}
	loader->skel->rodata->knobs.scope = opts->scope;
	loader->skel->rodata->knobs.emit_views = opts->emit_views;
	loader->skel->rodata->knobs.lean = opts->mode == TT_MODE_LEAN;
	loader->skel->rodata->knobs.pid_namespace = opts->pid_namespace;
	loader->skel->rodata->knobs.stacks = opts->stack_depth > 0;
	loader->skel->rodata->knobs.copy_limit = round_ring_size(opts->ring_size) / 2;
	bpf_map__set_max_entries(loader->skel->maps.ring, round_ring_size(opts->ring_size));
	bpf_map__set_max_entries(loader->skel->maps.processes, opts->max_processes);
	bpf_map__set_max_entries(loader->skel->maps.pythons, opts->max_processes);
	bpf_map__set_max_entries(loader->skel->maps.scratches,
				 TT_SCRATCH_SPARE + libbpf_num_possible_cpus());
	if (!opts->stack_depth) {
		bpf_map__set_max_entries(loader->skel->maps.known_stacks, 1);
		bpf_map__set_max_entries(loader->skel->maps.known_codes, 1);
	}
	loader->multi = !opts->force_perf_events && features__uprobe_multi();
	if (!loader->multi)
		bpf_program__set_expected_attach_type(loader->skel->progs.on_probe, 0);
	*ret_loader = loader;
	return 0;
}

static int explain_load_error(int err)
{
	switch (err) {
	case -EPERM:
	case -EACCES:
		pr_err("the kernel does not let this user load BPF programs: run as root (sudo), or "
		       "give the binary CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN");
		return -EPERM;
	case -ENOSYS:
	case -EINVAL:
	case -EOPNOTSUPP:
		pr_err("this kernel cannot run the BPF programs of tttrace (%s): Linux 5.15 or later "
		       "with BPF, uprobes and BTF is needed; see `tttrace --check`",
		       strerror(-err));
		return -EOPNOTSUPP;
	}
	pr_err("cannot load the BPF programs: %s; `-v` shows what the kernel says", strerror(-err));
	return err;
}

int loader__load(struct loader *loader)
{
	int err = tttrace_bpf__load(loader->skel);

	if (!err)
		err = tttrace_bpf__attach(loader->skel); /* fork, exec, exit, rename */
	return err ? explain_load_error(err) : 0;
}

static int add_link(struct loader *loader, struct bpf_link *link)
{
	struct bpf_link **links = realloc(loader->links, (loader->num_links + 1) * sizeof(*links));

	if (!links) {
		bpf_link__destroy(link);
		return -ENOMEM;
	}
	loader->links = links;
	loader->links[loader->num_links++] = link;
	return 0;
}

/* The cookies and file offsets of all probes of a library. */
struct attach_points {
	unsigned long *offsets;
	__u64 *cookies;
	size_t count;
};

static void attach_points__done(struct attach_points *points)
{
	free(points->offsets);
	free(points->cookies);
}

static int attach_points__init(struct attach_points *points, const struct library *lib, __u64 set,
			       __u16 layout)
{
	points->offsets = calloc(lib->num_probes, sizeof(*points->offsets));
	points->cookies = calloc(lib->num_probes, sizeof(*points->cookies));
	if (!points->offsets || !points->cookies)
		return -ENOMEM;
	for (size_t i = 0; i < lib->num_probes; i++) {
		const struct library_probe *probe = &lib->probes[i];
		__u64 vaddr = probe->vaddr + probe->insn_offset;
		struct tt_cookie cookie = {
			.vaddr = vaddr,
			.layout = layout,
			.probe = probe->probe,
			.arg = probe->arg,
		};

		if (!probe_set__has(set, probe->probe))
			continue;
		if (vaddr > UINT32_MAX)
			return -EOVERFLOW; /* no library is that large */
		points->offsets[points->count] = probe->file_offset;
		memcpy(&points->cookies[points->count++], &cookie, sizeof(cookie));
	}
	return 0;
}

static int attach_multi(struct loader *loader, const struct attach_points *points, const char *path)
{
	LIBBPF_OPTS(bpf_uprobe_multi_opts, opts, .offsets = points->offsets,
		    .cookies = points->cookies, .cnt = points->count);
	struct bpf_link *link = bpf_program__attach_uprobe_multi(loader->skel->progs.on_probe,
								 /* pid= */ -1, path, NULL, &opts);

	return link ? add_link(loader, link) : -errno;
}

/* Kernels before 6.6: one perf event for each probe. */
static int attach_perf_events(struct loader *loader, const struct attach_points *points,
			      const char *path)
{
	struct bpf_link *link;
	int err;

	for (size_t i = 0; i < points->count; i++) {
		LIBBPF_OPTS(bpf_uprobe_opts, opts, .bpf_cookie = points->cookies[i]);

		link = bpf_program__attach_uprobe_opts(loader->skel->progs.on_probe, /* pid= */ -1,
						       path, points->offsets[i], &opts);
		if (!link)
			return -errno;
		err = add_link(loader, link);
		if (err)
			return err;
	}
	return 0;
}

static void drop_links(struct loader *loader, size_t from)
{
	while (loader->num_links > from)
		bpf_link__destroy(loader->links[--loader->num_links]);
}

int loader__attach_library(struct loader *loader, const struct library *lib, __u64 set,
			   const char *path, __u16 *ret_layout, unsigned int *ret_attached)
{
	_cleanup_(attach_points__done) struct attach_points points = {};
	__u32 index = loader->num_layouts;
	size_t num_links = loader->num_links;
	int err;

	if (index >= TT_MAX_LAYOUTS) {
		pr_err("'%s': %d different libraries are traced already, this one is not",
		       lib->name, TT_MAX_LAYOUTS);
		return -E2BIG;
	}
	err = attach_points__init(&points, lib, set, index);
	if (err)
		return err;
	err = bpf_map__update_elem(loader->skel->maps.layouts, &index, sizeof(index), &lib->layout,
				   sizeof(lib->layout), BPF_ANY);
	if (!err)
		err = loader->multi ? attach_multi(loader, &points, path)
				    : attach_perf_events(loader, &points, path);
	if (err) {
		pr_err("cannot attach to '%s': %s", lib->name, strerror(-err));
		drop_links(loader, num_links);
		return err;
	}
	loader->num_layouts++;
	*ret_layout = index;
	*ret_attached = points.count;
	return 0;
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
	drop_links(loader, 0);
	tttrace_bpf__detach(loader->skel);
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
	int cpus = libbpf_num_possible_cpus();
	_cleanup_free_ struct tt_counters *per_cpu = NULL;
	__u32 zero = 0;
	int err;

	if (cpus < 0)
		return cpus;
	per_cpu = calloc(cpus, sizeof(*per_cpu));
	if (!per_cpu)
		return -ENOMEM;
	err = bpf_map__lookup_elem(loader->skel->maps.counters, &zero, sizeof(zero), per_cpu,
				   cpus * sizeof(*per_cpu), 0);
	if (err)
		return err;
	memset(ret_counters, 0, sizeof(*ret_counters));
	for (int cpu = 0; cpu < cpus; cpu++)
		for (size_t i = 0; i < sizeof(*per_cpu) / sizeof(__u64); i++)
			((__u64 *)ret_counters)[i] += ((const __u64 *)&per_cpu[cpu])[i];
	return 0;
}

static void tell_loss(const struct bpf_map *map, __u32 tgid, loader_loss_fn fn, void *ctx)
{
	struct tt_process process;

	if (bpf_map__lookup_elem(map, &tgid, sizeof(tgid), &process, sizeof(process), 0))
		return; /* it has ended meanwhile */
	if (process.lost_begin || process.lost_end || process.lost_other)
		fn(ctx, tgid, &process);
	if (process.flags & TT_PROCESS_ENDED)
		bpf_map__delete_elem(map, &tgid, sizeof(tgid), 0);
}

void loader__each_loss(const struct loader *loader, loader_loss_fn fn, void *ctx)
{
	const struct bpf_map *map = loader->skel->maps.processes;
	__u32 left = 2 * bpf_map__max_entries(map); /* a key that goes begins it all again */
	__u32 tgid, next;
	int err;

	err = bpf_map__get_next_key(map, NULL, &next, sizeof(next));
	while (!err && left--) {
		tgid = next;
		err = bpf_map__get_next_key(map, &tgid, &next, sizeof(next));
		tell_loss(map, tgid, fn, ctx);
	}
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
	drop_links(loader, 0);
	free(loader->links);
	tttrace_bpf__destroy(loader->skel);
	free(loader);
}
