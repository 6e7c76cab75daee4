// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "trace/counters.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "lib/cleanup.h"

/*
 * The kernel leaves a program out when it interrupts, or on PREEMPT_RT preempts, another run of
 * itself on the same CPU (__bpf_trace_run() in kernel/trace/bpf_trace.c); since 6.7 it counts this
 * for programs at perf events as well.
 */
static __u64 count_left_out(const struct bpf_object *object)
{
	struct bpf_program *prog;
	__u64 left_out = 0;

	bpf_object__for_each_program(prog, object)
	{
		struct bpf_prog_info info = {};
		__u32 size = sizeof(info);
		int fd = bpf_program__fd(prog);

		if (fd >= 0 && !bpf_prog_get_info_by_fd(fd, &info, &size))
			left_out += info.recursion_misses;
	}
	return left_out;
}

int counters__read(const struct bpf_map *map, const struct bpf_object *object,
		   struct tt_counters *ret_counters)
{
	int cpus = libbpf_num_possible_cpus();
	_cleanup_free_ struct tt_counters *per_cpu = NULL;
	__u64 left_out = count_left_out(object);
	__u32 zero = 0;
	int err;

	if (cpus < 0)
		return cpus;
	per_cpu = calloc(cpus, sizeof(*per_cpu));
	if (!per_cpu)
		return -ENOMEM;
	err = bpf_map__lookup_elem(map, &zero, sizeof(zero), per_cpu, cpus * sizeof(*per_cpu), 0);
	if (err)
		return err;
	memset(ret_counters, 0, sizeof(*ret_counters));
	for (int cpu = 0; cpu < cpus; cpu++)
		for (size_t i = 0; i < sizeof(*per_cpu) / sizeof(__u64); i++)
			((__u64 *)ret_counters)[i] += ((const __u64 *)&per_cpu[cpu])[i];
	ret_counters->lost[TT_RECORD_NONE] += left_out;
	ret_counters->orphaned_begin += left_out;
	ret_counters->orphaned_end += left_out;
	return 0;
}

/* What a walk through the map of processes is for. */
struct walk {
	const struct bpf_map *map;
	counters_loss_fn on_loss;
	counters_process_fn on_process;
	void *ctx;
};

static void tell(const struct walk *walk, __u32 tgid)
{
	struct tt_process process;
	bool ended;

	if (bpf_map__lookup_elem(walk->map, &tgid, sizeof(tgid), &process, sizeof(process), 0))
		return; /* it has ended meanwhile */
	ended = process.flags & TT_PROCESS_ENDED;
	if (walk->on_process && !ended)
		walk->on_process(walk->ctx, tgid);
	if (!walk->on_loss)
		return;
	if (process.lost_begin || process.lost_end || process.lost_other)
		walk->on_loss(walk->ctx, tgid, &process);
	if (ended)
		bpf_map__delete_elem(walk->map, &tgid, sizeof(tgid), 0);
}

static void walk_processes(const struct walk *walk)
{
	__u32 left = 2 * bpf_map__max_entries(walk->map); /* a key that goes begins it anew */
	__u32 tgid, next;
	int err;

	err = bpf_map__get_next_key(walk->map, NULL, &next, sizeof(next));
	while (!err && left--) {
		tgid = next;
		err = bpf_map__get_next_key(walk->map, &tgid, &next, sizeof(next));
		tell(walk, tgid);
	}
}

void counters__each_process(const struct bpf_map *map, counters_process_fn fn, void *ctx)
{
	const struct walk walk = { .map = map, .on_process = fn, .ctx = ctx };

	walk_processes(&walk);
}

void counters__each_loss(const struct bpf_map *map, counters_loss_fn fn, void *ctx)
{
	const struct walk walk = { .map = map, .on_loss = fn, .ctx = ctx };

	walk_processes(&walk);
}
