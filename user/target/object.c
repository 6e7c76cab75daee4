// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/object.h"

#include <errno.h>
#include <string.h>

/* The managers by type; SYSTEM_MEMORY has none. */
static const int bank_fields[TT_TYPE_COUNT] = {
	[TT_TYPE_DRAM] = TT_FIELD_BANKS_DRAM,	[TT_TYPE_L1] = TT_FIELD_BANKS_L1,
	[TT_TYPE_SYSTEM_MEMORY] = -1,		[TT_TYPE_L1_SMALL] = TT_FIELD_BANKS_L1_SMALL,
	[TT_TYPE_TRACE] = TT_FIELD_BANKS_TRACE,
};

int object__address(const struct object_space *s, enum tt_field field, __u64 object,
		    __u64 *ret_addr)
{
	const struct tt_path *path = &s->layout->field[field];
	int err = 0;

	if (!path->len || path->len > TT_PATH_MAX)
		return -ENOENT;
	for (int i = 0; i + 1 < path->len && !err; i++)
		err = memory__read(s->memory, object + path->off[i], &object, sizeof(object));
	if (!err)
		*ret_addr = object + path->off[path->len - 1];
	return err;
}

int object__field(const struct object_space *s, enum tt_field field, __u64 object, void *buf,
		  size_t size)
{
	__u64 addr;
	int err = object__address(s, field, object, &addr);

	return err ? err : memory__read(s->memory, addr, buf, size);
}

__u64 object__in_body(const struct tt_layout *layout, enum tt_field field, const __u8 *body,
		      size_t size)
{
	const struct tt_path *path = &layout->field[field];
	__u64 number = 0, at;

	if (!path->len || path->len > TT_PATH_MAX || size > sizeof(number))
		return 0;
	at = (__u64)path->off[path->len - 1] - layout->body_start;
	if (at > TT_BODY_SIZE - size)
		return 0;
	memcpy(&number, body + at, size);
	return number;
}

static enum tt_device_kind find_kind(const struct object_space *s, __u64 device)
{
	__u64 word;

	if (memory__read(s->memory, device, &word, sizeof(word)))
		return TT_DEVICE_UNKNOWN;
	word -= s->bias;
	if (s->layout->vtable_mesh && word == s->layout->vtable_mesh)
		return TT_DEVICE_MESH;
	if (s->layout->vtable_device && word == s->layout->vtable_device)
		return TT_DEVICE_CHIP;
	return TT_DEVICE_UNKNOWN;
}

/* A null pointer stands for a chip of another host. */
static int read_chip(const struct object_space *s, __u64 element, __u32 *ret_chip)
{
	__u64 chip;
	int err = memory__read(s->memory, element, &chip, sizeof(chip));

	*ret_chip = TT_NO_CHIP;
	if (!err && chip)
		err = object__field(s, TT_FIELD_CHIP_ID, chip, ret_chip, sizeof(*ret_chip));
	return err;
}

static int read_mesh_chips(const struct object_space *s, struct tt_device *device)
{
	__u32 stride = s->layout->chip_stride;
	__u64 range[2];

	if (!stride || object__field(s, TT_FIELD_MESH_CHIPS, device->object, range, sizeof(range)))
		return -ENOENT;
	for (__u64 at = range[0]; at < range[1]; at += stride) {
		if (device->num_chips == TT_MAX_CHIPS ||
		    read_chip(s, at, &device->chips[device->num_chips]))
			return -ENOENT;
		device->num_chips++;
	}
	return 0;
}

__u8 object__device(const struct object_space *s, struct tt_device *device)
{
	int err;

	device->mesh_id = TT_NO_MESH;
	device->kind = find_kind(s, device->object);
	switch (device->kind) {
	case TT_DEVICE_CHIP:
		device->num_chips = 1;
		err = object__field(s, TT_FIELD_CHIP_ID, device->object, &device->chips[0], 4);
		break;
	case TT_DEVICE_MESH:
		if (object__field(s, TT_FIELD_MESH_ID, device->object, &device->mesh_id, 4))
			device->mesh_id = TT_NO_MESH;
		err = read_mesh_chips(s, device);
		break;
	default:
		return TT_FAULT_DEVICE | TT_FAULT_CHIPS;
	}
	return err ? TT_FAULT_CHIPS : 0;
}

__u32 object__device_state(const struct object_space *s, const struct tt_device *device)
{
	enum tt_field field = device->kind == TT_DEVICE_MESH ? TT_FIELD_MESH_INITIALIZED
							     : TT_FIELD_DEVICE_INITIALIZED;
	__u8 initialized;

	if (device->kind == TT_DEVICE_UNKNOWN ||
	    object__field(s, field, device->object, &initialized, sizeof(initialized)))
		return TT_STATE_UNKNOWN;
	return initialized ? TT_STATE_OPEN : TT_STATE_OPENING;
}

__u64 object__bank_manager(const struct object_space *s, __u64 allocator, enum tt_buffer_type type)
{
	__u64 manager;

	if (bank_fields[type] < 0 ||
	    object__field(s, (enum tt_field)bank_fields[type], allocator, &manager, 8))
		return 0;
	return manager;
}

static void read_bank(const struct object_space *s, enum tt_buffer_type type,
		      struct tt_record_allocator *rec)
{
	__u64 manager, free_list;

	if (object__field(s, (enum tt_field)bank_fields[type], rec->allocator, &manager, 8)) {
		rec->h.faults |= TT_FAULT_BANKS;
		return;
	}
	if (!manager)
		return; /* this allocator has no memory of the type */
	if (object__field(s, TT_FIELD_NUM_BANKS, manager, &rec->num_banks[type], 4))
		rec->h.faults |= TT_FAULT_BANKS;
	else if (object__field(s, TT_FIELD_FREE_LIST, manager, &free_list, 8) ||
		 object__field(s, TT_FIELD_FL_SIZE, free_list, &rec->bank_size[type], 8) ||
		 object__field(s, TT_FIELD_FL_ALIGN, free_list, &rec->bank_align[type], 8))
		rec->h.faults |= TT_FAULT_SPACE;
	else if (object__field(s, TT_FIELD_FL_BASE, free_list, &rec->bank_base[type], 8))
		rec->bank_base[type] = 0; /* not read */
}

void object__banks(const struct object_space *s, struct tt_record_allocator *rec)
{
	for (int type = 0; type < TT_TYPE_COUNT; type++)
		if (bank_fields[type] >= 0)
			read_bank(s, (enum tt_buffer_type)type, rec);
}

bool object__is_allocator_vtable(const struct object_space *s, __u64 word)
{
	for (int i = 0; i < TT_MAX_ALLOCATOR_VTABLES && s->layout->vtable_allocator[i]; i++)
		if (word - s->bias == s->layout->vtable_allocator[i])
			return true;
	return false;
}
