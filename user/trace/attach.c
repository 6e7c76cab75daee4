// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "trace/attach.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "target/library.h"
#include "target/probe_set.h"
#include "tttrace_config.h"

enum {
	SLOW_NS = 1000000000
};

void attach_points__done(struct attach_points *points)
{
	free(points->offsets);
	free(points->cookies);
}

int attach_points__of_library(struct attach_points *points, const struct library *lib, __u64 set,
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

int attach_points__copy(struct attach_points *points, const unsigned long *offsets,
			const struct tt_cookie *cookies, size_t count)
{
	points->offsets = calloc(count, sizeof(*points->offsets));
	points->cookies = calloc(count, sizeof(*points->cookies));
	if (!points->offsets || !points->cookies)
		return -ENOMEM;
	memcpy(points->offsets, offsets, count * sizeof(*offsets));
	memcpy(points->cookies, cookies, count * sizeof(*cookies));
	points->count = count;
	return 0;
}

int links__add(struct links *links, struct bpf_link *link)
{
	struct bpf_link **all = realloc(links->links, (links->count + 1) * sizeof(*all));

	if (!all) {
		bpf_link__destroy(link);
		return -ENOMEM;
	}
	links->links = all;
	all[links->count++] = link;
	return 0;
}

/* Kernels before 6.6 wait for all CPUs at each probe that goes: who waits is told so, once. */
static bool tell_if_slow(const struct links *links, size_t from, __u64 begin_ns)
{
	if (clock__now_ns() - begin_ns < SLOW_NS)
		return false;
	pr_warn("removing the probes takes a while: %zu are left", links->count - from);
	return true;
}

void links__close(struct links *links, size_t from, size_t count)
{
	for (size_t i = from; i < from + count && i < links->count; i++) {
		bpf_link__destroy(links->links[i]);
		links->links[i] = NULL;
	}
}

__u32 link_ranges__free(const struct link_range *ranges, __u32 count)
{
	__u32 i = 0;

	while (i < count && ranges[i].is_taken)
		i++;
	return i;
}

void links__drop(struct links *links, size_t from)
{
	__u64 begin_ns = clock__now_ns();
	bool told = false;

	while (links->count > from) {
		if (!told)
			told = tell_if_slow(links, from, begin_ns);
		bpf_link__destroy(links->links[--links->count]);
	}
}

void links__done(struct links *links)
{
	links__drop(links, 0);
	free(links->links);
	links->links = NULL;
}

int links__attach_multi(struct links *links, const struct bpf_program *prog,
			const struct attach_points *points, const char *path)
{
	LIBBPF_OPTS(bpf_uprobe_multi_opts, opts, .offsets = points->offsets,
		    .cookies = points->cookies, .cnt = points->count);
	struct bpf_link *link =
		bpf_program__attach_uprobe_multi(prog, /* pid= */ -1, path, NULL, &opts);

	return link ? links__add(links, link) : -errno;
}

int links__attach_perf_events(struct links *links, const struct bpf_program *prog,
			      const struct attach_points *points, const char *path)
{
	struct bpf_link *link;
	int err = 0;

	for (size_t i = 0; !err && i < points->count; i++) {
		LIBBPF_OPTS(bpf_uprobe_opts, opts, .bpf_cookie = points->cookies[i]);

		link = bpf_program__attach_uprobe_opts(prog, /* pid= */ -1, path,
						       points->offsets[i], &opts);
		err = link ? links__add(links, link) : -errno;
	}
	return err;
}
