/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Devices and allocators as the target's memory shows them: which chips a mesh has, how many banks
 * an allocator has of each type. Read at the hit itself, so that the answer is right even if the
 * process has ended when the record is looked at.
 */
#ifndef TTTRACE_INTRODUCE_BPF_H
#define TTTRACE_INTRODUCE_BPF_H

static __always_inline __u64 load_bias(const struct hit *hit)
{
	return hit->ip - hit->cookie.vaddr;
}

/* Device or MeshDevice, by the first word of the object: its vtable. */
static __always_inline __u32 device_kind(const struct tt_layout *layout, __u64 device, __u64 bias)
{
	__u64 vptr;

	if (bpf_probe_read_user(&vptr, sizeof(vptr), (void *)device))
		return TT_DEVICE_UNKNOWN;
	vptr -= bias;
	if (layout->vtable_mesh && vptr == layout->vtable_mesh)
		return TT_DEVICE_MESH;
	if (layout->vtable_device && vptr == layout->vtable_device)
		return TT_DEVICE_CHIP;
	return TT_DEVICE_UNKNOWN;
}

/* The chips of the mesh @device. Returns -1 when they cannot be read, or are too many. */
static __always_inline int read_mesh_chips(const struct tt_layout *layout, struct tt_device *device)
{
	__u64 range[2], element, chip;

	if (!layout->chip_stride ||
	    read_field(layout, TT_FIELD_MESH_CHIPS, device->object, range, sizeof(range)))
		return -1;
	for (int i = 0; i < TT_MAX_CHIPS; i++) {
		element = range[0] + i * layout->chip_stride;
		if (element >= range[1])
			return 0;
		if (bpf_probe_read_user(&chip, sizeof(chip), (void *)element))
			return -1;
		device->chips[i] = TT_NO_CHIP;
		/* a null pointer stands for a chip of another host */
		if (chip && read_field(layout, TT_FIELD_CHIP_ID, chip, &device->chips[i], 4))
			return -1;
		device->num_chips = i + 1;
	}
	return range[0] + TT_MAX_CHIPS * layout->chip_stride < range[1] ? -1 : 0;
}

/*
 * Fills @device of which the object is set. Returns the faults (enum tt_record_fault). Global for
 * the same reason as field_address().
 */
__noinline int read_device(const struct tt_layout *layout, struct tt_device *device, __u64 bias)
{
	int err = 0;

	if (!layout || !device)
		return TT_FAULT_DEVICE;
	device->mesh_id = TT_NO_MESH;
	device->kind = device_kind(layout, device->object, bias);
	switch (device->kind) {
	case TT_DEVICE_CHIP:
		device->num_chips = 1;
		err = read_field(layout, TT_FIELD_CHIP_ID, device->object, &device->chips[0], 4);
		break;
	case TT_DEVICE_MESH:
		if (read_field(layout, TT_FIELD_MESH_ID, device->object, &device->mesh_id, 4))
			device->mesh_id = TT_NO_MESH;
		err = read_mesh_chips(layout, device);
		break;
	default:
		return TT_FAULT_DEVICE | TT_FAULT_CHIPS;
	}
	return err ? TT_FAULT_CHIPS : 0;
}

static __always_inline __u32 read_device_state(const struct tt_layout *layout, __u64 device,
					       __u32 kind)
{
	__u32 field =
		kind == TT_DEVICE_MESH ? TT_FIELD_MESH_INITIALIZED : TT_FIELD_DEVICE_INITIALIZED;
	__u8 initialized;

	if (kind == TT_DEVICE_UNKNOWN || read_field(layout, field, device, &initialized, 1))
		return TT_STATE_UNKNOWN;
	return initialized ? TT_STATE_OPEN : TT_STATE_OPENING;
}

static __always_inline void read_banks(const struct tt_layout *layout, __u32 field, __u32 type,
				       struct tt_record_allocator *rec, __u64 *ret_free_list)
{
	__u64 manager, free_list;

	if (read_field(layout, field, rec->allocator, &manager, sizeof(manager)))
		goto fault;
	if (!manager)
		return; /* this allocator has no memory of the type */
	if (read_field(layout, TT_FIELD_NUM_BANKS, manager, &rec->num_banks[type], 4))
		goto fault;
	if (read_field(layout, TT_FIELD_FREE_LIST, manager, &free_list, sizeof(free_list)) ||
	    read_field(layout, TT_FIELD_FL_SIZE, free_list, &rec->bank_size[type], 8) ||
	    read_field(layout, TT_FIELD_FL_ALIGN, free_list, &rec->bank_align[type], 8))
		rec->h.faults |= TT_FAULT_SPACE;
	else if (!read_field(layout, TT_FIELD_FL_BASE, free_list, &rec->bank_base[type], 8))
		*ret_free_list = free_list;
	return;
fault:
	rec->h.faults |= TT_FAULT_BANKS;
}

/* Fills in what is remembered, but not whose it is. Returns -1 when the record was lost. */
static __always_inline int emit_allocator(const struct hit *hit, const struct tt_layout *layout,
					  __u64 object, __u64 device, struct allocator *allocator)
{
	struct tt_record_allocator *rec = emit_begin(hit, TT_RECORD_ALLOCATOR, sizeof(*rec));

	if (!rec)
		return -1;
	rec->allocator = object;
	rec->device.object = device;
	rec->h.faults |= read_device(layout, &rec->device, load_bias(hit));
	read_banks(layout, TT_FIELD_BANKS_DRAM, TT_TYPE_DRAM, rec,
		   &allocator->free_list[TT_TYPE_DRAM]);
	read_banks(layout, TT_FIELD_BANKS_L1, TT_TYPE_L1, rec, &allocator->free_list[TT_TYPE_L1]);
	read_banks(layout, TT_FIELD_BANKS_L1_SMALL, TT_TYPE_L1_SMALL, rec,
		   &allocator->free_list[TT_TYPE_L1_SMALL]);
	read_banks(layout, TT_FIELD_BANKS_TRACE, TT_TYPE_TRACE, rec,
		   &allocator->free_list[TT_TYPE_TRACE]);
	allocator->introduced_ns = rec->h.ts_ns;
	allocator->device = device;
	allocator->device_kind = rec->device.kind;
	emit_end(hit, rec, sizeof(*rec));
	return 0;
}

/* A buffer in an allocator, and what is known of that when it was introduced. */
struct met {
	__u64 allocator;
	__u64 device;
	__u32 type;   /* of the buffer */
	__u32 number; /* counts the buffers that came this way */
	__u64 introduced_ns;
	__u64 free_list; /* of the type; 0: not known */
};

/*
 * An element of the map that is evicted is used for another allocator at once, while this hit, or
 * one that it has preempted, may still look at it: so it names its key, and that is looked at last.
 */
static __always_inline __u64 allocator_owner(const struct allocator_key *key)
{
	return tt_print__mix(1, key->allocator, (__u64)key->generation << 32 | key->tgid);
}

static __always_inline void remember(struct allocator *allocator, const struct allocator_key *key,
				     struct met *met)
{
	met->introduced_ns = allocator->introduced_ns;
	met->free_list = met->type < TT_TYPE_COUNT ? allocator->free_list[met->type] : 0;
	met->number = allocator->buffers++;
	barrier();
	if (*(volatile __u64 *)&allocator->owner != allocator_owner(key))
		met->free_list = 0;
}

/* The place of one that was never met, or of another one: what is in it means nothing. */
static __always_inline struct allocator *take_allocator(const struct allocator_key *key)
{
	static const struct allocator nothing;
	struct allocator *taken = NULL;
	struct tt_counters *c;

	if (!bpf_map_update_elem(&allocators, key, &nothing, BPF_ANY))
		taken = bpf_map_lookup_elem(&allocators, key);
	if (taken) {
		taken->owner = allocator_owner(key);
		return taken;
	}
	c = get_counters();
	if (c)
		__sync_fetch_and_add(&c->allocator_map_full, 1);
	return NULL;
}

/*
 * Introduces the allocator of @met, which is of @met->device, unless that was done. It counts as
 * done only when the record got through. Returns the state of the device at this moment (enum
 * tt_device_state), and what is known of the allocator for buffers of @met->type.
 */
static __noinline __u32 introduce_allocator(const struct hit *hit, const struct tt_layout *layout,
					    struct met *met)
{
	struct allocator_key key = { met->allocator, hit->tgid, hit->generation };
	struct allocator *known = bpf_map_lookup_elem(&allocators, &key);

	if (!known || known->start_ns != hit->start_ns || known->device != met->device) {
		known = take_allocator(&key);
		if (!known || emit_allocator(hit, layout, met->allocator, met->device, known))
			return TT_STATE_UNKNOWN;
		known->start_ns = hit->start_ns;
	} else if (known->open) {
		remember(known, &key, met);
		return TT_STATE_OPEN;
	}
	remember(known, &key, met);
	if (read_device_state(layout, met->device, known->device_kind) == TT_STATE_OPEN)
		known->open = 1;
	return known->open ? TT_STATE_OPEN
			   : read_device_state(layout, met->device, known->device_kind);
}

/*
 * An allocator to which memory goes back: it lives, so that it may be read. One of before the
 * attach is met here first.
 */
static __noinline void meet_allocator(const struct hit *hit, const struct tt_layout *layout,
				      __u64 allocator, __u64 buffer)
{
	struct allocator_key key = { allocator, hit->tgid, hit->generation };
	struct allocator *known = bpf_map_lookup_elem(&allocators, &key);
	struct met met = { .allocator = allocator, .type = TT_TYPE_COUNT };
	__u8 body[TT_BODY_SIZE] = {};

	if (known && known->start_ns == hit->start_ns)
		return;
	if (read_body(layout, buffer, body))
		return;
	met.device = body_word(layout, TT_FIELD_DEVICE, body);
	introduce_allocator(hit, layout, &met);
}

static __always_inline void forget_allocator(const struct hit *hit, __u64 allocator)
{
	struct allocator_key key = { allocator, hit->tgid, hit->generation };

	bpf_map_delete_elem(&allocators, &key);
}

#endif
