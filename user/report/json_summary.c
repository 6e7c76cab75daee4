// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "report/json_summary.h"

#include <sys/wait.h>

#include "report/json_line.h"

static void put_sum(struct json_line *line, struct json_object *object, const char *key,
		    const struct verdict_sum *sum)
{
	struct json_object *o = json_line__object(line, object, key);

	json_line__number(line, o, "buffers", sum->buffers);
	json_line__number(line, o, "bytes", sum->bytes);
	json_line__number(line, o, "size", sum->size);
	if (sum->unsized)
		json_line__number(line, o, "unsized", sum->unsized);
}

static void put_kinds(struct json_line *line, struct json_object *object, const char *key,
		      const __u64 *counts)
{
	struct json_object *o = json_line__object(line, object, key);

	for (int i = 0; i < KIND_COUNT; i++)
		json_line__number(line, o, buffer_kind__name(i), counts[i]);
}

static void put_classes(struct json_line *line, struct json_object *object, const __u64 *counts)
{
	struct json_object *o = json_line__object(line, object, "classes");

	for (int i = 0; i < CLASS_COUNT; i++)
		json_line__number(line, o, free_class__name(i), counts[i]);
}

/* One look at a process shows no peak. */
static void put_cell(struct json_line *line, struct json_object *object, const char *key,
		     const struct usage_cell *cell, bool is_look)
{
	struct json_object *o;

	if (!cell->peak_buffers)
		return;
	o = json_line__object(line, object, key);
	json_line__number(line, o, "live", cell->live);
	if (!is_look)
		json_line__number(line, o, "peak", cell->peak);
	json_line__number(line, o, "live_size", cell->size);
	if (!is_look)
		json_line__number(line, o, "peak_size", cell->peak_size);
	json_line__number(line, o, "buffers", cell->buffers);
	if (!is_look)
		json_line__number(line, o, "peak_buffers", cell->peak_buffers);
}

/* "memory": by type, and the sum, whose peak is one of its own. */
static void put_usage(struct json_line *line, struct json_object *object, const struct usage *usage,
		      bool is_look)
{
	struct json_object *o = json_line__object(line, object, "memory");

	for (__u32 i = 0; i < TT_TYPE_COUNT; i++)
		put_cell(line, o, buffer_type__name(i), &usage->type[i], is_look);
	put_cell(line, o, "all", &usage->sum, is_look);
}

/* What is free of each type of memory, in each bank: now, or when the device was closed. */
static void put_spaces(struct json_line *line, struct json_object *object,
		       const struct snapshot_device *device)
{
	struct json_object *list = json_line__array(line, object, "spaces");

	for (__u32 i = 0; i < device->num_spaces; i++) {
		const struct event_space *space = &device->spaces[i];
		struct json_object *o = json_line__element(line, list);

		json_line__string(line, o, "type", buffer_type__name(space->type));
		json_line__hex(line, o, "allocator", space->allocator);
		json_line__space(line, o, space);
	}
}

static void put_region(struct json_line *line, struct json_object *regions, __u32 type,
		       const struct region *region)
{
	struct json_object *o;

	if (!region->to)
		return;
	o = json_line__object(line, regions, buffer_type__name(type));
	json_line__number(line, o, "from", region->from);
	json_line__number(line, o, "to", region->to);
	json_line__number(line, o, "banks", region->banks);
}

/* What it is for, of all that has a stack; nothing where stacks are not known. */
static void put_owners(struct json_line *line, struct json_object *object,
		       const struct snapshot_device *device)
{
	struct json_object *owners, *o;

	if (!device->num_sites)
		return;
	owners = json_line__object(line, object, "owners");
	for (int i = 0; i < OWNER_COUNT; i++) {
		const struct snapshot_owner *owner = &device->owners[i];

		if (!owner->allocated.buffers)
			continue;
		o = json_line__object(line, owners, i ? owner__name(i) : "unknown");
		json_line__number(line, o, "live", owner->live.bytes);
		json_line__number(line, o, "live_buffers", owner->live.buffers);
		json_line__number(line, o, "leaked", owner->leaked.bytes);
		json_line__number(line, o, "leaked_buffers", owner->leaked.buffers);
		json_line__number(line, o, "allocated", owner->allocated.bytes);
		json_line__number(line, o, "allocations", owner->allocated.buffers);
	}
}

static void put_device(struct json_line *line, struct json_object *array,
		       const struct snapshot_device *device, bool is_look)
{
	struct json_object *o = json_line__element(line, array), *regions;

	json_line__device(line, o, &device->pub);
	json_line__hex(line, o, "object", device->pub.object);
	json_line__number(line, o, "lives", device->lives);
	json_line__bool(line, o, "closed", device->closed);
	if (device->closed)
		json_line__bool(line, o, "close_asked", device->asked);
	regions = json_line__object(line, o, "regions");
	for (__u32 i = 0; i < TT_TYPE_COUNT; i++)
		put_region(line, regions, i, &device->regions[i]);
	put_usage(line, o, &device->usage, is_look);
	put_kinds(line, o, "allocs", device->allocs);
	put_kinds(line, o, "live", device->live_kinds);
	json_line__number(line, o, "frees", device->frees);
	json_line__number(line, o, "bulk_freed", device->bulk_freed);
	put_sum(line, o, "leaked", &device->leaked_all);
	put_sum(line, o, "ended", &device->cut_off_all);
	put_sum(line, o, "unknown", &device->doubtful_all);
	put_sum(line, o, "held_by_runtime", &device->held_all);
	put_sum(line, o, "orphaned", &device->orphans);
	put_spaces(line, o, device);
	put_owners(line, o, device);
}

static void put_state(struct json_line *line, struct json_object *o,
		      const struct snapshot_process *process)
{
	static const char *const states[] = {
		[PROCESS_RUNNING] = "running",
		[PROCESS_EXITED] = "exited",
		[PROCESS_EXECED] = "exec",
		[PROCESS_VANISHED] = "vanished",
	};

	json_line__string(line, o, "state", states[process->state]);
	if (process->state != PROCESS_EXITED)
		return;
	if (WIFSIGNALED(process->exit_code))
		json_line__number(line, o, "signal", WTERMSIG(process->exit_code));
	else
		json_line__number(line, o, "status", WEXITSTATUS(process->exit_code));
}

/* L1 that programs take without a buffer: the most of any one of them, no sum. */
static void put_largest(struct json_line *line, struct json_object *placed,
			const struct circular_largest *largest)
{
	struct json_object *o = json_line__object(line, placed, "largest_program");

	json_line__number(line, o, "bytes_per_core", largest->bytes);
	json_line__number(line, o, "cores", largest->cores);
	json_line__number(line, o, "to", largest->to);
}

static void put_circular(struct json_line *line, struct json_object *chip, const char *key,
			 const struct circular_sum *sum, bool exact)
{
	struct json_object *o;

	if (!sum->buffers)
		return;
	o = json_line__object(line, chip, key);
	json_line__number(line, o, "bytes_per_core", sum->largest.bytes);
	json_line__number(line, o, "cores", sum->cores);
	json_line__number(line, o, "from", sum->from);
	json_line__number(line, o, "to", sum->to);
	json_line__number(line, o, "programs", sum->programs);
	if (sum->ended)
		json_line__number(line, o, "programs_ended", sum->ended);
	put_largest(line, o, &sum->largest);
	json_line__bool(line, o, "exact", exact && !sum->cut);
}

static void put_regions(struct json_line *line, struct json_object *chip,
			const struct snapshot_chip *seen, bool exact)
{
	put_circular(line, chip, "circular_buffers", &seen->circular[CIRCULAR_BUFFERS], exact);
	put_circular(line, chip, "dataflow_buffers", &seen->circular[DATAFLOW_BUFFERS], exact);
}

static void put_chips(struct json_line *line, struct json_object *o, const struct snapshot *snap,
		      const struct snapshot_process *process)
{
	bool exact = snap->coverage.circular_exact && !(process->flags & TT_PROCESS_BEFORE_ATTACH);
	struct json_object *list = json_line__array(line, o, "chips");

	for (__u32 i = 0; i < process->num_chips; i++) {
		struct json_object *chip = json_line__element(line, list);

		json_line__number(line, chip, "device", process->chips[i].id);
		put_usage(line, chip, &process->chips[i].usage, snap->coverage.is_look);
		put_regions(line, chip, &process->chips[i], exact);
	}
}

static void put_process(struct json_line *line, struct json_object *array,
			const struct snapshot *snap, const struct snapshot_process *process,
			bool interval)
{
	struct json_object *o = json_line__element(line, array), *list;

	json_line__number(line, o, "pid", process->pub.pid);
	json_line__number(line, o, "start_ns", process->pub.start_ns);
	json_line__string(line, o, "comm", process->comm);
	put_state(line, o, process);
	json_line__bool(line, o, "before_attach", process->flags & TT_PROCESS_BEFORE_ATTACH);
	json_line__bool(line, o, "forked", process->flags & TT_PROCESS_FORKED);
	json_line__number(line, o, "first_ts_ns", process->first_ts_ns);
	json_line__number(line, o, "end_ts_ns", process->end_ts_ns);
	put_usage(line, o, &process->usage, snap->coverage.is_look);
	put_kinds(line, o, "allocs", process->allocs);
	put_classes(line, o, process->frees);
	json_line__number(line, o, "bulk_freed", process->bulk_freed);
	json_line__number(line, o, "lost", process->lost);
	list = json_line__array(line, o, "devices");
	for (__u32 i = 0; i < process->num_devices; i++)
		put_device(line, list, process->devices[i], snap->coverage.is_look);
	if (!interval)
		put_chips(line, o, snap, process);
}

static void put_libraries(struct json_line *line, struct json_object *o,
			  const struct snapshot_coverage *c)
{
	struct json_object *list = json_line__array(line, o, "libraries");

	for (__u32 i = 0; i < c->num_libraries; i++) {
		struct json_object *library = json_line__element(line, list);

		json_line__string(line, library, "path", c->libraries[i].path);
		json_line__number(line, library, "probes_wanted", c->libraries[i].probes_wanted);
		json_line__number(line, library, "probes_attached",
				  c->libraries[i].probes_attached);
	}
}

static void put_losses(struct json_line *line, struct json_object *o,
		       const struct snapshot_coverage *c)
{
	struct json_object *kinds;

	json_line__number(line, o, "lost", c->lost);
	json_line__number(line, o, "repaired", c->repaired);
	kinds = json_line__object(line, o, "lost_kinds");
	for (__u32 i = TT_RECORD_PROCESS_START; i < TT_RECORD_LIBRARY; i++) {
		if (c->lost_kinds[i])
			json_line__number(line, kinds, record_kind__name(i), c->lost_kinds[i]);
	}
	json_line__number(line, o, "lost_unexplained", c->lost_unexplained);
	json_line__number(line, o, "bad_records", c->bad_records);
	json_line__number(line, o, "dropped_records", c->dropped_records);
	json_line__number(line, o, "process_map_full", c->process_map_full);
	json_line__number(line, o, "allocator_map_full", c->allocator_map_full);
	json_line__number(line, o, "footprint_unknown", c->footprint_unknown);
	json_line__number(line, o, "circular_unknown", c->circular_unknown);
	json_line__number(line, o, "reused_live", c->reused_live);
	json_line__number(line, o, "reused_lost", c->reused_lost);
	if (c->twice)
		json_line__number(line, o, "twice", c->twice);
}

/* What the mode leaves out: functions that are not probed, so that nothing is known of them. */
static void put_mode(struct json_line *line, struct json_object *o,
		     const struct snapshot_coverage *c)
{
	struct json_object *left_out;

	json_line__string(line, o, "mode", mode__name(c->mode));
	left_out = json_line__array(line, o, "not_probed");
	for (__u32 i = 0; i < TT_PROBE_COUNT; i++)
		if (!(c->probes >> i & 1))
			json_line__add_string(line, left_out, probe__name(i));
}

/* The stacks of allocations, by how they ended. */
static void put_stacks(struct json_line *line, struct json_object *o,
		       const struct snapshot_coverage *c)
{
	struct json_object *stacks = json_line__object(line, o, "stacks");

	for (int end = 0; end < TT_STACK_END_COUNT; end++)
		json_line__number(line, stacks, stack_end__name(end), c->stacks[end]);
	json_line__number(line, stacks, "missing", c->stacks_missing);
	json_line__number(line, stacks, "copied", c->stacks_copied);
}

/* Runtimes that were seen and are not traced; nothing if there are none. */
static void put_untraced(struct json_line *line, struct json_object *o,
			 const struct untraced *untraced)
{
	struct json_object *list, *item;

	if (!untraced->times)
		return;
	json_line__number(line, o, "untraced_times", untraced->times);
	list = json_line__array(line, o, "untraced");
	for (__u32 i = 0; i < untraced->num_items; i++) {
		item = json_line__element(line, list);
		json_line__string(line, item, "path", untraced->items[i].path);
		json_line__number(line, item, "pid", untraced->items[i].pid);
		json_line__number(line, item, "times", untraced->items[i].times);
		json_line__string(line, item, "why", untraced->items[i].why);
	}
}

/* Parts of the tracer that this machine does not allow; nothing if it allows all. */
static void put_missing(struct json_line *line, struct json_object *o, const struct parts *parts)
{
	struct json_object *list = NULL, *missing;

	for (int part = 0; part < TT_PART_COUNT; part++) {
		if (!parts->missing[part])
			continue;
		if (!list)
			list = json_line__array(line, o, "missing");
		missing = json_line__element(line, list);
		json_line__string(line, missing, "part", part__name(part));
		json_line__string(line, missing, "loss", part__loss(part));
		json_line__string(line, missing, "why", parts->why[part]);
	}
}

static void put_hits(struct json_line *line, struct json_object *o,
		     const struct snapshot_coverage *c)
{
	struct json_object *hits = json_line__object(line, o, "hits");

	for (__u32 i = 0; i < TT_PROBE_COUNT; i++)
		if (c->probes >> i & 1)
			json_line__number(line, hits, probe__name(i), c->hits[i]);
}

static void put_coverage(struct json_line *line, const struct snapshot *snap)
{
	const struct snapshot_coverage *c = &snap->coverage;
	struct json_object *o = json_line__object(line, line->root, "coverage");

	json_line__bool(line, o, "complete", c->complete);
	if (!c->is_look)
		put_mode(line, o, c);
	json_line__number(line, o, "probes_wanted", c->probes_wanted);
	json_line__number(line, o, "probes_attached", c->probes_attached);
	put_libraries(line, o, c);
	json_line__number(line, o, "processes", c->processes);
	json_line__number(line, o, "processes_before_attach", c->processes_pre_attach);
	json_line__number(line, o, "buffers_before_attach",
			  c->buffers_pre_attach + snap->frees[CLASS_PRE_ATTACH]);
	json_line__number(line, o, "buffers_mended", c->buffers_mended);
	if (c->may_be_inherited)
		json_line__number(line, o, "buffers_may_be_inherited", c->may_be_inherited);
	if (c->may_be_own)
		json_line__number(line, o, "orphans_taken_for_inherited", c->may_be_own);
	json_line__bool(line, o, "census_torn", c->census_torn);
	json_line__number(line, o, "events", c->records);
	put_losses(line, o, c);
	put_missing(line, o, &c->missing);
	put_untraced(line, o, &c->untraced);
	if (c->has_stacks)
		put_stacks(line, o, c);
	if (c->has_hits)
		put_hits(line, o, c);
}

/* Those of which only the sums are left; nothing if there are none. */
static void put_earlier(struct json_line *line, const struct earlier *earlier)
{
	struct json_object *o;

	if (!earlier->processes)
		return;
	o = json_line__object(line, line->root, "earlier");
	json_line__number(line, o, "processes", earlier->processes);
	json_line__number(line, o, "leaking", earlier->leaking);
	put_sum(line, o, "leaked", &earlier->leaked);
	put_sum(line, o, "ended", &earlier->cut_off);
	put_sum(line, o, "unknown", &earlier->doubtful);
}

/* Leaks that are known, and by which rules. */
static void put_suppressed(struct json_line *line, const struct snapshot *snap)
{
	struct json_object *list, *o;

	put_sum(line, line->root, "suppressed", &snap->suppressed);
	list = json_line__array(line, line->root, "suppressions");
	for (__u32 i = 0; i < snap->num_rules; i++) {
		o = json_line__element(line, list);
		json_line__string(line, o, "pattern", snap->rules[i].pattern);
		json_line__number(line, o, "buffers", snap->rules[i].sum.buffers);
		json_line__number(line, o, "bytes", snap->rules[i].sum.bytes);
	}
}

int json_summary__write(FILE *out, const struct snapshot *snap, bool interval)
{
	struct json_object *list;
	struct json_line line;

	json_line__begin(&line, "summary", snap->ts_ns);
	json_line__bool(&line, line.root, "interval", interval);
	json_line__number(&line, line.root, "duration_ns", snap->duration_ns);
	json_line__bool(&line, line.root, "activity", snapshot__saw_activity(snap));
	put_sum(&line, line.root, "leaked", &snap->leaks);
	put_sum(&line, line.root, "leaked_hidden", &snap->leaks_hidden);
	if (snap->leaks_untold)
		json_line__number(&line, line.root, "leaked_may_be_cached", snap->leaks_untold);
	if (snap->num_rules)
		put_suppressed(&line, snap);
	put_sum(&line, line.root, "ended", &snap->cut_off);
	put_sum(&line, line.root, "unknown", &snap->doubtful);
	put_kinds(&line, line.root, "allocs", snap->allocs);
	put_classes(&line, line.root, snap->frees);
	json_line__number(&line, line.root, "bulk_freed", snap->bulk_freed);
	list = json_line__array(&line, line.root, "processes");
	for (__u32 i = 0; i < snap->num_processes; i++)
		put_process(&line, list, snap, snap->processes[i], interval);
	put_earlier(&line, &snap->earlier);
	put_coverage(&line, snap);
	return json_line__write(&line, out);
}
