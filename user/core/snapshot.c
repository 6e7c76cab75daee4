// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "core/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/ledger_impl.h"
#include "core/snapshot_coverage.h"
#include "core/snapshot_list.h"
#include "core/snapshot_sites.h"

/* What one snapshot__take() works with. */
struct taking {
	const struct ledger *ledger;
	const struct filter *filter;
	__u64 ts_ns;
	bool lists;
	struct snapshot *snapshot;
	struct list_builder *builder;
};

static void copy_device(const struct device *device, struct snapshot_device *copy)
{
	copy->pub = device->pub;
	memcpy(copy->chips, device->chips, sizeof(copy->chips));
	copy->pub.chips = copy->chips;
	copy->number = device->number;
	copy->kind = device->kind;
	copy->lives = device->lives;
	copy->opened = device->opened;
	copy->asked = device->asked;
	copy->closed = device->closed;
	copy->open_ts_ns = device->open_ts_ns;
	copy->close_ts_ns = device->close_ts_ns;
	memcpy(copy->regions, device->regions, sizeof(copy->regions));
	copy->usage = device->usage;
	memcpy(copy->allocs, device->allocs, sizeof(copy->allocs));
	memcpy(copy->live_kinds, device->live, sizeof(copy->live_kinds));
	copy->frees = device->frees;
	copy->bulk_freed = device->bulk_freed;
	copy->leaked_all = device->leaked;
	copy->cut_off_all = device->cut_off;
	copy->doubtful_all = device->doubtful;
	copy->held_all = device->held;
	copy->orphans = device->orphans;
}

/* Which of the lists a buffer belongs to. */
enum list_kind {
	LIST_LEAKS,
	LIST_CUT_OFF,
	LIST_DOUBTFUL,
	LIST_LIVE,
	LIST_HELD,
	LIST_NONE
};

static enum list_kind list_of(const struct buffer *buffer)
{
	if (buffer->flags & BUFFER_LEAKED)
		return LIST_LEAKS;
	if (buffer->flags & BUFFER_CUT_OFF)
		return LIST_CUT_OFF;
	if (buffer->flags & BUFFER_DOUBTFUL)
		return LIST_DOUBTFUL;
	if (buffer->kind == KIND_SYSTEM)
		return LIST_HELD;
	return buffer->kind == KIND_OWNING ? LIST_LIVE : LIST_NONE;
}

static void walk(struct taking *taking, const struct buffer_list *list, enum list_kind wanted)
{
	const struct buffers *buffers = &taking->ledger->buffers;
	const struct buffer *buffer;

	for (__u32 nr = list->head; nr != BUFFER_NONE; nr = buffer->next) {
		buffer = buffers__at(buffers, nr);
		if (list_of(buffer) == wanted)
			list_builder__add(taking->builder, buffer);
	}
}

/* At which ages are taken. Of what is held when a process is looked at once none is known. */
static __u64 time_of(const struct taking *taking, const struct device *device,
		     enum list_kind wanted)
{
	if (libraries__are_unprobed(&taking->ledger->libraries))
		return 0;
	return wanted != LIST_LIVE && device->close_ts_ns ? device->close_ts_ns : taking->ts_ns;
}

static int take_list(struct taking *taking, const struct device *device, enum list_kind wanted,
		     struct snapshot_list *ret_list)
{
	const struct allocator *allocator;

	list_builder__init(taking->builder, taking->ledger, taking->filter,
			   time_of(taking, device, wanted));
	if (wanted == LIST_LEAKS && taking->snapshot->num_rules)
		list_builder__suppress(taking->builder, taking->snapshot->rules, &device->pub);
	if (wanted != LIST_LIVE)
		walk(taking, &device->leaks, wanted);
	TAILQ_FOREACH (allocator, &device->process->all_allocators, entry) {
		if (allocator->device == device)
			walk(taking, &allocator->live, wanted);
	}
	return list_builder__finish(taking->builder, ret_list);
}

static int take_lists(struct taking *taking, const struct device *device,
		      struct snapshot_device *copy)
{
	int err = 0;

	if (device->leaked.buffers)
		err = take_list(taking, device, LIST_LEAKS, &copy->leaks);
	if (!err && device->cut_off.buffers)
		err = take_list(taking, device, LIST_CUT_OFF, &copy->cut_off);
	if (!err && device->doubtful.buffers)
		err = take_list(taking, device, LIST_DOUBTFUL, &copy->doubtful);
	if (!err && device->live[KIND_OWNING])
		err = take_list(taking, device, LIST_LIVE, &copy->live);
	if (!err && device->held.buffers)
		err = take_list(taking, device, LIST_HELD, &copy->held);
	if (!err)
		err = snapshot__take_sites(taking->ledger, device, copy);
	return err;
}

/* What is gone is as it was at its end. */
static void take_spaces(const struct taking *taking, const struct device *device,
			struct snapshot_device *copy)
{
	if (device->closed || device->process->state != PROCESS_RUNNING) {
		copy->num_spaces = device->num_spaces;
		memcpy(copy->spaces, device->spaces, sizeof(copy->spaces));
	} else {
		copy->num_spaces =
			ledger__survey_device(taking->ledger, device, taking->lists, copy->spaces);
	}
}

/* Without lists, the sums are those of the ledger. */
static void take_sums(const struct device *device, struct snapshot_device *copy)
{
	copy->leaks.sum = device->leaked;
	copy->cut_off.sum = device->cut_off;
	copy->doubtful.sum = device->doubtful;
	copy->held.sum = device->held;
}

bool snapshot_device__is_used(const struct snapshot_device *device)
{
	for (int i = 0; i < KIND_COUNT; i++) {
		if (device->allocs[i])
			return true;
	}
	return false;
}

static int compare_devices(const void *a, const void *b)
{
	const struct snapshot_device *x = *(struct snapshot_device *const *)a;
	const struct snapshot_device *y = *(struct snapshot_device *const *)b;

	if (snapshot_device__is_used(x) != snapshot_device__is_used(y))
		return snapshot_device__is_used(x) ? -1 : 1;
	if (x->pub.mesh_id != y->pub.mesh_id)
		return x->pub.mesh_id < y->pub.mesh_id ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

static int take_device(struct taking *taking, const struct device *device,
		       struct snapshot_process *process)
{
	struct snapshot_device *copy;

	if (!filter__device(taking->filter, &device->pub))
		return 0;
	copy = calloc(1, sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	process->devices[process->num_devices++] = copy;
	copy_device(device, copy);
	take_spaces(taking, device, copy);
	if (taking->lists)
		return take_lists(taking, device, copy);
	take_sums(device, copy);
	return 0;
}

static int take_devices(struct taking *taking, const struct process *process,
			struct snapshot_process *copy)
{
	const struct device *device;
	int err;

	if (!process->num_devices)
		return 0;
	copy->devices = calloc(process->num_devices, sizeof(*copy->devices));
	if (!copy->devices)
		return -ENOMEM;
	for (device = process->devices; device; device = device->next) {
		err = take_device(taking, device, copy);
		if (err)
			return err;
	}
	qsort(copy->devices, copy->num_devices, sizeof(*copy->devices), compare_devices);
	return 0;
}

static int compare_chips(const void *a, const void *b)
{
	const struct snapshot_chip *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static void take_chip(const struct taking *taking, const struct process *process, __u32 slot,
		      struct snapshot_chip *copy)
{
	const struct chip *chip = &process->chips.at[slot];
	struct event_device device = { .num_chips = 1, .chips = &chip->id };

	copy->id = chip->id;
	copy->usage = *chips__usage(process, slot);
	if (!filter__device(taking->filter, &device))
		return;
	for (int kind = 0; kind < CIRCULAR_KINDS; kind++)
		circular__sum(chip->circular[kind], &copy->circular[kind]);
}

static int take_chips(const struct taking *taking, const struct process *process,
		      struct snapshot_process *copy)
{
	if (!process->chips.num)
		return 0;
	copy->chips = calloc(process->chips.num, sizeof(*copy->chips));
	if (!copy->chips)
		return -ENOMEM;
	for (__u32 i = 0; i < process->chips.num; i++)
		take_chip(taking, process, i, &copy->chips[i]);
	copy->num_chips = process->chips.num;
	qsort(copy->chips, copy->num_chips, sizeof(*copy->chips), compare_chips);
	return 0;
}

static void copy_process(const struct taking *taking, const struct process *process,
			 struct snapshot_process *copy)
{
	copy->pub = process->pub;
	memcpy(copy->comm, process->comm, sizeof(copy->comm));
	copy->pub.comm = copy->comm;
	copy->flags = process->flags;
	copy->state = process->state;
	copy->exit_code = process->exit_code;
	copy->first_ts_ns = process->first_ts_ns;
	copy->end_ts_ns = process->state == PROCESS_RUNNING ? taking->ts_ns : process->end_ts_ns;
	copy->usage = process->usage;
	memcpy(copy->allocs, process->allocs, sizeof(copy->allocs));
	memcpy(copy->frees, process->frees, sizeof(copy->frees));
	copy->bulk_freed = process->bulk_freed;
	copy->footprint_unknown = process->footprint_unknown;
	copy->lost = process->loss.records;
}

static void count_process(struct snapshot *snapshot, const struct process *process)
{
	for (int i = 0; i < KIND_COUNT; i++)
		snapshot->allocs[i] += process->allocs[i];
	for (int i = 0; i < CLASS_COUNT; i++)
		snapshot->frees[i] += process->frees[i];
	snapshot->bulk_freed += process->bulk_freed;
	snapshot->coverage.buffers_pre_attach += process->census.pre_attach;
	snapshot->coverage.repaired += process->loss.repaired;
	snapshot->coverage.buffers_mended += process->census.mended;
	snapshot->coverage.may_be_inherited += process->census.may_be_inherited;
	snapshot->coverage.may_be_own += process->census.may_be_own;
	snapshot->coverage.census_torn |= census__is_missing(process);
}

static void count_leaks(struct snapshot *snapshot, const struct snapshot_process *process)
{
	__u64 before = snapshot->leaks.buffers;

	for (__u32 i = 0; i < process->num_devices; i++) {
		const struct snapshot_device *device = process->devices[i];

		verdict_sum__add_on_all_chips(&snapshot->leaks, &device->leaks.sum, &device->pub);
		verdict_sum__add_on_all_chips(&snapshot->suppressed, &device->leaks.suppressed,
					      &device->pub);
		snapshot->leaks_untold += device->leaks.untold;
		snapshot->leaks_on_many |= device->leaks.sum.buffers && device->pub.num_chips > 1;
		verdict_sum__add_on_all_chips(&snapshot->cut_off, &device->cut_off.sum,
					      &device->pub);
		verdict_sum__add_on_all_chips(&snapshot->doubtful, &device->doubtful.sum,
					      &device->pub);
	}
	snapshot->leaking_processes += snapshot->leaks.buffers != before;
}

static void count_all_leaks(struct verdict_sum *all, const struct process *process)
{
	for (const struct device *d = process->devices; d; d = d->next)
		verdict_sum__add_on_all_chips(all, &d->leaked, &d->pub);
}

static int take_process(struct taking *taking, const struct process *process)
{
	struct snapshot *snapshot = taking->snapshot;
	struct snapshot_process *copy;
	int err;

	count_process(snapshot, process);
	count_all_leaks(&snapshot->leaks_hidden, process);
	if (!filter__comm(taking->filter, process->comm)) {
		snapshot->num_hidden++;
		return 0;
	}
	copy = calloc(1, sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	snapshot->processes[snapshot->num_processes++] = copy;
	copy_process(taking, process, copy);
	err = take_chips(taking, process, copy);
	if (!err)
		err = take_devices(taking, process, copy);
	if (!err)
		count_leaks(snapshot, copy);
	return err;
}

static __u64 leaked_bytes(const struct snapshot_process *process)
{
	__u64 bytes = 0;

	for (__u32 i = 0; i < process->num_devices; i++)
		bytes += process->devices[i]->leaks.sum.bytes;
	return bytes;
}

static int compare_processes(const void *a, const void *b)
{
	const struct snapshot_process *x = *(struct snapshot_process *const *)a;
	const struct snapshot_process *y = *(struct snapshot_process *const *)b;
	__u64 x_bytes = leaked_bytes(x), y_bytes = leaked_bytes(y);

	if (x_bytes != y_bytes)
		return x_bytes < y_bytes ? 1 : -1;
	if (x->pub.pid != y->pub.pid)
		return x->pub.pid < y->pub.pid ? -1 : 1;
	return x->first_ts_ns < y->first_ts_ns ? -1 : x->first_ts_ns > y->first_ts_ns;
}

static __u32 count_processes(const struct ledger *ledger)
{
	const struct process *process;
	__u32 count = HASH_COUNT(ledger->processes.running);

	TAILQ_FOREACH (process, &ledger->processes.ended, entry)
		count++;
	return count;
}

static int take_processes(struct taking *taking)
{
	const struct ledger *ledger = taking->ledger;
	struct snapshot *snapshot = taking->snapshot;
	__u32 count = count_processes(ledger);
	struct process *process, *next;
	int err;

	if (!count)
		return 0;
	snapshot->processes = calloc(count, sizeof(*snapshot->processes));
	if (!snapshot->processes)
		return -ENOMEM;
	HASH_ITER (hh, ledger->processes.running, process, next) {
		if (!process__is_active(process)) {
			count_process(snapshot, process); /* what is not known of it counts */
			continue;
		}
		err = take_process(taking, process);
		if (err)
			return err;
	}
	TAILQ_FOREACH (process, &ledger->processes.ended, entry) {
		err = take_process(taking, process);
		if (err)
			return err;
	}
	verdict_sum__take(&snapshot->leaks_hidden, &snapshot->leaks);
	verdict_sum__take(&snapshot->leaks_hidden, &snapshot->suppressed);
	qsort(snapshot->processes, snapshot->num_processes, sizeof(*snapshot->processes),
	      compare_processes);
	return 0;
}

static int fill(struct taking *taking)
{
	const struct ledger *ledger = taking->ledger;
	struct snapshot *snapshot = taking->snapshot;
	int err;

	err = taking->lists ? snapshot__take_rules(taking->filter, snapshot) : 0;
	if (err)
		return err;
	snapshot->ts_ns = taking->ts_ns;
	if (ledger->stats.first_ts_ns && taking->ts_ns > ledger->stats.first_ts_ns)
		snapshot->duration_ns = taking->ts_ns - ledger->stats.first_ts_ns;
	err = take_processes(taking);
	if (err)
		return err;
	snapshot__add_earlier(&ledger->processes.earlier, snapshot);
	return snapshot__take_coverage(ledger, snapshot);
}

static int take(const struct ledger *ledger, const struct filter *filter, __u64 ts_ns, bool lists,
		struct snapshot **ret_snapshot)
{
	static const struct filter all_pass;
	struct taking taking = { ledger, filter ? filter : &all_pass, ts_ns, lists, NULL, NULL };
	int err = -ENOMEM;

	taking.snapshot = calloc(1, sizeof(*taking.snapshot));
	taking.builder = calloc(1, sizeof(*taking.builder));
	if (taking.snapshot && taking.builder)
		err = fill(&taking);
	if (taking.builder)
		list_builder__done(taking.builder);
	free(taking.builder);
	if (err) {
		snapshot__free(taking.snapshot);
		return err;
	}
	*ret_snapshot = taking.snapshot;
	return 0;
}

int snapshot__take(const struct ledger *ledger, const struct filter *filter, __u64 ts_ns,
		   struct snapshot **ret_snapshot)
{
	return take(ledger, filter, ts_ns, true, ret_snapshot);
}

int snapshot__take_totals(const struct ledger *ledger, const struct filter *filter, __u64 ts_ns,
			  struct snapshot **ret_snapshot)
{
	return take(ledger, filter, ts_ns, false, ret_snapshot);
}

static void free_process(struct snapshot_process *process)
{
	for (__u32 i = 0; i < process->num_devices; i++) {
		snapshot_list__done(&process->devices[i]->leaks);
		snapshot_list__done(&process->devices[i]->cut_off);
		snapshot_list__done(&process->devices[i]->doubtful);
		snapshot_list__done(&process->devices[i]->live);
		snapshot_list__done(&process->devices[i]->held);
		free(process->devices[i]->sites);
		free(process->devices[i]);
	}
	free(process->devices);
	free(process->chips);
	free(process);
}

void snapshot__free(struct snapshot *snapshot)
{
	if (!snapshot)
		return;
	for (__u32 i = 0; i < snapshot->num_processes; i++)
		free_process(snapshot->processes[i]);
	free(snapshot->processes);
	free(snapshot->coverage.libraries);
	untraced__done(&snapshot->coverage.untraced);
	free(snapshot->rules);
	free(snapshot);
}

__u64 snapshot__leaks(const struct snapshot *snapshot, __u64 *ret_bytes)
{
	if (ret_bytes)
		*ret_bytes = snapshot->leaks.bytes;
	return snapshot->leaks.buffers;
}

const struct usage *snapshot_process__chip(const struct snapshot_process *process, __u32 chip)
{
	for (__u32 i = 0; i < process->num_chips; i++) {
		if (process->chips[i].id == chip)
			return &process->chips[i].usage;
	}
	return NULL;
}
