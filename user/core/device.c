// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "core/device.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/process.h"

struct device *device__find(const struct process *process, __u64 object)
{
	struct device *device = process->devices;

	while (device && device->pub.object != object)
		device = device->next;
	return device;
}

static int compare_ids(const void *a, const void *b)
{
	__u32 x = *(const __u32 *)a, y = *(const __u32 *)b;

	return x < y ? -1 : x > y;
}

/* Its chips on this host, sorted, each once. Returns how many. */
static __u32 collect_chips(const struct tt_device *seen, __u8 faults, __u32 *chips)
{
	__u32 num = 0, unique = 0;

	if (seen->kind == TT_DEVICE_CHIP && (faults & TT_FAULT_CHIPS))
		return 0;
	for (__u32 i = 0; i < seen->num_chips && i < TT_MAX_CHIPS; i++) {
		if (seen->chips[i] != TT_NO_CHIP)
			chips[num++] = seen->chips[i];
	}
	qsort(chips, num, sizeof(*chips), compare_ids);
	for (__u32 i = 0; i < num; i++) {
		if (!unique || chips[unique - 1] != chips[i])
			chips[unique++] = chips[i];
	}
	return unique;
}

static bool contradicts(const struct device *device, const struct tt_device *seen,
			const __u32 *chips, __u32 num_chips)
{
	if (device->kind && seen->kind && device->kind != seen->kind)
		return true;
	if (device->pub.mesh_id != TT_NO_MESH && seen->mesh_id != TT_NO_MESH &&
	    device->pub.mesh_id != seen->mesh_id)
		return true;
	if (!device->pub.num_chips || !num_chips)
		return false;
	return device->pub.num_chips != num_chips ||
	       memcmp(device->chips, chips, num_chips * sizeof(*chips)) != 0;
}

static bool is_foldable(const struct device *device)
{
	return device->closed && !device->allocators && !device->leaked.buffers &&
	       !device->cut_off.buffers && !device->doubtful.buffers;
}

static bool is_used(const struct device *device)
{
	for (int i = 0; i < KIND_COUNT; i++) {
		if (device->allocs[i])
			return true;
	}
	return false;
}

static bool is_alike(const struct device *a, const struct device *b)
{
	return a->kind == b->kind && is_used(a) == is_used(b) &&
	       a->pub.num_chips == b->pub.num_chips &&
	       !memcmp(a->chips, b->chips, a->pub.num_chips * sizeof(*a->chips));
}

/* The types of memory of which @device had more at its peak than @other. */
static __u32 find_higher(const struct device *device, const struct device *other)
{
	__u32 higher = 0;

	for (int i = 0; i < TT_TYPE_COUNT; i++)
		if (device->usage.type[i].peak > other->usage.type[i].peak)
			higher |= 1u << i;
	return higher;
}

static void fold(struct device *into, struct device *device, struct buffers *buffers)
{
	__u32 nr;

	while ((nr = device->leaks.head) != BUFFER_NONE) { /* held by the runtime */
		buffer_list__remove(&device->leaks, buffers, nr);
		buffer_list__append(&into->leaks, buffers, nr);
	}
	if (device->process->sole == device)
		device->process->sole = into;
	into->opened |= device->opened;
	into->lives += device->lives;
	into->close_ts_ns = device->close_ts_ns;
	sites__fold(&into->sites, &device->sites, find_higher(device, into));
	usage__fold(&into->usage, &device->usage);
	for (int i = 0; i < KIND_COUNT; i++) {
		into->allocs[i] += device->allocs[i];
		into->live[i] += device->live[i];
	}
	into->frees += device->frees;
	into->bulk_freed += device->bulk_freed;
	verdict_sum__fold(&into->held, &device->held);
	verdict_sum__fold(&into->orphans, &device->orphans);
}

static struct device *find_fold(const struct process *process, const struct device *device)
{
	struct device *into;

	if (!is_foldable(device))
		return NULL;
	for (into = process->devices; into != device; into = into->next) {
		if (is_foldable(into) && is_alike(into, device))
			return into;
	}
	return NULL;
}

void device__fold_all(struct process *process, struct buffers *buffers)
{
	struct device **link = &process->devices, *into, *device;

	while ((device = *link)) {
		into = find_fold(process, device);
		if (!into) {
			link = &device->next;
			continue;
		}
		fold(into, device, buffers);
		*link = device->next;
		device__free(device);
		process->num_devices--;
	}
	process->devices_max = DEVICES_MIN + 2 * process->num_devices;
}

void device__free(struct device *device)
{
	sites__done(&device->sites);
	free(device);
}

static int add_device(struct process *process, struct buffers *buffers, __u64 object, __u64 ts_ns,
		      struct device **ret_device)
{
	struct device *device = calloc(1, sizeof(*device));

	if (!device)
		return -ENOMEM;
	if (process->num_devices >= process->devices_max)
		device__fold_all(process, buffers);
	device->pub.object = object;
	device->pub.mesh_id = TT_NO_MESH;
	device->pub.chips = device->chips;
	device->process = process;
	device->open_ts_ns = ts_ns;
	device->lives = 1;
	device->newest = BUFFER_NONE;
	device->number = process->devices_seen++;
	process->num_devices++;
	buffer_list__init(&device->leaks);
	device->next = process->devices;
	process->devices = device;
	*ret_device = device;
	return 0;
}

/* Chips can be filled in only while nothing is counted on the device. */
static int set_chips(struct device *device, const __u32 *chips, __u32 num_chips)
{
	int err;

	if (device->pub.num_chips || device->usage.sum.peak_buffers)
		return 0;
	for (__u32 i = 0; i < num_chips; i++) {
		err = chips__slot(&device->process->chips, chips[i], &device->chip_slots[i]);
		if (err)
			return err;
	}
	memcpy(device->chips, chips, num_chips * sizeof(*chips));
	device->pub.num_chips = num_chips;
	return 0;
}

int device__meet(struct process *process, struct buffers *buffers, const struct tt_device *seen,
		 __u8 faults, __u64 ts_ns, struct device **ret_old, struct device **ret_device)
{
	struct device *device = device__find(process, seen->object), *old = NULL;
	__u32 chips[TT_MAX_CHIPS], num_chips = collect_chips(seen, faults, chips);
	int err;

	if (device && !device->closed && contradicts(device, seen, chips, num_chips))
		old = device;
	if (!device || device->closed || old) {
		err = add_device(process, buffers, seen->object, ts_ns, &device);
		if (err)
			return err;
	}
	err = set_chips(device, chips, num_chips);
	if (err)
		return err;
	if (!device->kind) {
		device->kind = seen->kind;
		device->pub.is_mesh = seen->kind == TT_DEVICE_MESH;
	}
	if (device->pub.mesh_id == TT_NO_MESH)
		device->pub.mesh_id = seen->mesh_id;
	if (device->pub.is_mesh && (faults & TT_FAULT_CHIPS) && num_chips == TT_MAX_CHIPS)
		device->pub.chips_cut = true;
	if (ret_old)
		*ret_old = old;
	*ret_device = device;
	return 0;
}

int device__meet_object(struct process *process, struct buffers *buffers, __u64 object, __u64 ts_ns,
			struct device **ret_device)
{
	struct device *device = device__find(process, object);

	if (!device)
		return add_device(process, buffers, object, ts_ns, ret_device);
	*ret_device = device;
	return 0;
}

static __u64 peak_of(const struct device *device, __u32 type)
{
	return type < TT_TYPE_COUNT ? device->usage.type[type].peak : 0;
}

void device__add(struct allocator *allocator, const struct buffers *buffers,
		 const struct buffer *buffer)
{
	struct device *device = allocator->device;
	__u64 peak = peak_of(device, buffer->type);

	chips__add(allocator, buffers, buffer);
	sites__add(&device->sites, buffer);
	usage__add(&device->usage, buffer->type, buffer->footprint, buffer->size);
	if (peak_of(device, buffer->type) > peak)
		sites__mark_peak(&device->sites, buffer->type);
}

void device__sub(struct allocator *allocator, const struct buffer *buffer)
{
	struct device *device = allocator->device;

	chips__sub(allocator, buffer);
	sites__sub(&device->sites, buffer);
	usage__sub(&device->usage, buffer->type, buffer->footprint, buffer->size);
}

static struct site *site_of(const struct device *device, const struct buffer *buffer)
{
	return sites__find(&device->sites, buffer->stack, buffer->type);
}

static void count_live(struct device *device, const struct buffer *buffer)
{
	device->live[buffer->kind]++;
	if (buffer->kind == KIND_SYSTEM)
		verdict_sum__add(&device->held, buffer);
}

/* What the runtime held when it was judged stays in the sum. */
static void uncount_live(struct device *device, const struct buffer *buffer)
{
	device->live[buffer->kind]--;
	if (buffer->kind == KIND_SYSTEM && !(buffer->flags & BUFFER_HELD))
		verdict_sum__sub(&device->held, buffer);
}

void device__change_kind(struct device *device, struct buffer *buffer, enum buffer_kind kind)
{
	uncount_live(device, buffer);
	device->allocs[buffer->kind]--;
	buffer->kind = kind;
	device->allocs[kind]++;
	count_live(device, buffer);
}

void device__count_alloc(struct device *device, const struct buffer *buffer, __u32 nr)
{
	struct site *site = site_of(device, buffer);

	device->allocs[buffer->kind]++;
	count_live(device, buffer);
	device->newest = nr;
	if (!site)
		return;
	site_sum__add(&site->allocated, buffer);
}

void device__take_back(struct device *device, const struct buffer *buffer)
{
	struct site *site = site_of(device, buffer);

	device->allocs[buffer->kind]--;
	if (!site)
		return;
	site_sum__sub(&site->allocated, buffer);
}

void device__add_footprint(struct device *device, const struct buffer *buffer)
{
	struct site *site = site_of(device, buffer);

	if (site)
		site->allocated.bytes += buffer->footprint;
	if (buffer->kind != KIND_SYSTEM || !(buffer->flags & BUFFER_HAS_FOOTPRINT))
		return;
	device->held.bytes += buffer->footprint;
	device->held.unsized--;
}

void device__count_free(struct device *device, const struct buffer *buffer, __u32 nr)
{
	struct site *site = device->newest == nr ? site_of(device, buffer) : NULL;

	device->frees++;
	if (site)
		site->temporary++;
}

void device__count_end(struct device *device, const struct buffer *buffer, __u32 nr)
{
	uncount_live(device, buffer);
	if (device->newest == nr)
		device->newest = BUFFER_NONE;
}

void device__add_leak(struct device *device, const struct buffer *buffer)
{
	struct site *site = site_of(device, buffer);

	verdict_sum__add(&device->leaked, buffer);
	if (!site)
		return;
	site_sum__add(&site->leaked, buffer);
}

void device__sub_leak(struct device *device, const struct buffer *buffer)
{
	struct site *site = site_of(device, buffer);

	verdict_sum__sub(&device->leaked, buffer);
	if (!site)
		return;
	site_sum__sub(&site->leaked, buffer);
}

void verdict_sum__add(struct verdict_sum *sum, const struct buffer *buffer)
{
	sum->buffers++;
	sum->bytes += buffer->footprint;
	sum->size += buffer->size;
	if (!(buffer->flags & BUFFER_HAS_FOOTPRINT))
		sum->unsized++;
}

void verdict_sum__sub(struct verdict_sum *sum, const struct buffer *buffer)
{
	sum->buffers--;
	sum->bytes -= buffer->footprint;
	sum->size -= buffer->size;
	if (!(buffer->flags & BUFFER_HAS_FOOTPRINT))
		sum->unsized--;
}

void verdict_sum__fold(struct verdict_sum *sum, const struct verdict_sum *other)
{
	sum->buffers += other->buffers;
	sum->bytes += other->bytes;
	sum->size += other->size;
	sum->unsized += other->unsized;
}

void verdict_sum__take(struct verdict_sum *sum, const struct verdict_sum *other)
{
	sum->buffers -= other->buffers;
	sum->bytes -= other->bytes;
	sum->size -= other->size;
	sum->unsized -= other->unsized;
}

void verdict_sum__add_on_all_chips(struct verdict_sum *sum, const struct verdict_sum *on_each,
				   const struct event_device *device)
{
	__u64 chips = device->num_chips ? device->num_chips : 1;
	struct verdict_sum all = *on_each;

	all.bytes *= chips;
	all.size *= chips;
	verdict_sum__fold(sum, &all);
}
