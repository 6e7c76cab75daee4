// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/census_look.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "target/block_table.h"
#include "target/census_set.h"

enum {
	SLAB = 2048,   /* buffers that are read together */
	MIN_LOOKS = 3, /* until what is torn is called so */
	MAX_LOOKS_NS = 100 * 1000 * 1000,
};

/* The set of the allocator. -ENOENT: that is no allocator, or its set is empty. */
static int read_set(const struct object_space *s, __u64 allocator, struct census_set *set)
{
	__u64 count, vtable;
	int err = 0;

	census_set__done(set);
	if (s->layout->vtable_allocator[0]) {
		err = memory__read(s->memory, allocator, &vtable, sizeof(vtable));
		if (!err && !object__is_allocator_vtable(s, vtable))
			return -ENOENT;
	}
	err = err ? err : object__address(s, TT_FIELD_ALLOCATED_BUFFERS, allocator, &count);
	return err ? err : census_set__read(s->memory, count - SET_COUNT_AT, set);
}

/* Where the bodies of some buffers begin: the Buffer itself, or what it points to. */
static int find_bodies(const struct object_space *s, const struct look_buffer *buffers,
		       size_t count, __u64 *ret_bodies, struct memory_part *parts)
{
	const struct tt_path *path = &s->layout->field[TT_FIELD_SIZE];
	int err;

	for (size_t i = 0; i < count; i++) {
		ret_bodies[i] = buffers[i].buffer;
		parts[i] = (struct memory_part){ buffers[i].buffer + path->off[0], &ret_bodies[i],
						 sizeof(*ret_bodies), 0 };
	}
	if (path->len == 1)
		return 0;
	err = memory__gather(s->memory, parts, count);
	for (size_t i = 0; i < count; i++)
		if (parts[i].err)
			ret_bodies[i] = 0;
	return err;
}

/* The number of a Buffer lies far from its other fields, in the same object. */
static __u64 find_unique_id(const struct object_space *s, const struct look_buffer *buffer,
			    __u64 body)
{
	const struct tt_path *path = &s->layout->field[TT_FIELD_UNIQUE_ID];
	const struct tt_path *size = &s->layout->field[TT_FIELD_SIZE];
	__u64 addr;

	if (!path->len)
		return 0;
	if (path->len == size->len && (path->len == 1 || path->off[0] == size->off[0]))
		return body + path->off[path->len - 1];
	return object__address(s, TT_FIELD_UNIQUE_ID, buffer->buffer, &addr) ? 0 : addr;
}

static int read_slab(const struct object_space *s, struct look_buffer *buffers, size_t count,
		     __u64 *bodies, struct memory_part *parts)
{
	int err = find_bodies(s, buffers, count, bodies, parts);

	if (err)
		return err;
	for (size_t i = 0; i < count; i++) {
		struct look_buffer *b = &buffers[i];
		__u64 id = find_unique_id(s, b, bodies[i]);

		parts[2 * i] = (struct memory_part){ bodies[i] + s->layout->body_start, b->body,
						     sizeof(b->body), 0 };
		parts[2 * i + 1] =
			(struct memory_part){ id, &b->unique_id, id ? sizeof(b->unique_id) : 0, 0 };
	}
	err = memory__gather(s->memory, parts, 2 * count);
	for (size_t i = 0; i < count; i++) {
		buffers[i].is_absent = parts[2 * i].err == -ENODATA;
		buffers[i].faults |= parts[2 * i].err ? TT_FAULT_OBJECT : 0;
		buffers[i].faults |= parts[2 * i + 1].err ? TT_FAULT_UNIQUE_ID : 0;
	}
	return err;
}

static int read_buffers(const struct object_space *s, const struct census_set *set,
			struct census_look *look)
{
	_cleanup_free_ struct memory_part *parts = malloc(2 * SLAB * sizeof(*parts));
	_cleanup_free_ __u64 *bodies = malloc(SLAB * sizeof(*bodies));
	int err = 0;

	free(look->buffers);
	look->num_buffers = 0;
	look->buffers = calloc(set->count + 1, sizeof(*look->buffers));
	if (!parts || !bodies || !look->buffers)
		return -ENOMEM;
	look->num_buffers = set->count;
	for (size_t i = 0; i < set->count; i++)
		look->buffers[i].buffer = set->elements[i];
	for (size_t at = 0; at < set->count && !err; at += SLAB)
		err = read_slab(s, look->buffers + at,
				set->count - at < SLAB ? set->count - at : SLAB, bodies, parts);
	return err;
}

/* -1: there are too many. */
static int find_device(const struct object_space *s, struct census_look *look, __u64 object)
{
	struct look_device *d;

	for (int i = look->num_devices - 1; i >= 0; i--)
		if (look->devices[i].device.object == object)
			return i;
	if (look->num_devices == LOOK_MAX_DEVICES)
		return -1;
	d = &look->devices[look->num_devices];
	*d = (struct look_device){ .device.object = object };
	d->faults = object__device(s, &d->device);
	d->state = object__device_state(s, &d->device);
	return look->num_devices++;
}

static bool belongs_to(const struct object_space *s, const struct look_buffer *b, __u64 allocator)
{
	if (b->faults & TT_FAULT_OBJECT)
		return false;
	if (object__in_body(s->layout, TT_FIELD_ALLOCATOR, b->body, sizeof(__u64)) != allocator)
		return false;
	return !s->layout->field[TT_FIELD_STATUS].len ||
	       object__in_body(s->layout, TT_FIELD_STATUS, b->body, 1) == TT_STATUS_ALLOCATED;
}

static void judge_buffers(const struct object_space *s, __u64 allocator, struct census_look *look)
{
	look->num_valid = 0;
	look->num_devices = 0;
	for (size_t i = 0; i < look->num_buffers; i++) {
		struct look_buffer *b = &look->buffers[i];

		if (!belongs_to(s, b, allocator))
			continue;
		b->device = find_device(
			s, look,
			object__in_body(s->layout, TT_FIELD_DEVICE, b->body, sizeof(__u64)));
		if (b->device < 0)
			continue;
		b->is_valid = true;
		look->devices[b->device].num_buffers++;
		look->num_valid++;
	}
}

static bool is_of_type(const struct object_space *s, const struct look_buffer *b, __u32 type)
{
	return b->is_valid && object__in_body(s->layout, TT_FIELD_TYPE, b->body, 4) == type;
}

/*
 * From 0.65 on a BankManager has a vector of free lists, of which we know the first: what has no
 * block there may have one in another.
 */
static bool has_one_list(const struct object_space *s, __u64 manager)
{
	const struct tt_path *path = &s->layout->field[TT_FIELD_FREE_LIST];
	__u64 range[2];

	if (path->len < 2)
		return true;
	return !memory__read(s->memory, manager + path->off[0], range, sizeof(range)) &&
	       range[1] - range[0] == sizeof(__u64);
}

/*
 * After a bulk free (deallocate_buffers()) buffers without memory stay in the set, and in status
 * ALLOCATED. The table has no block for them, or it is another's. But if it has none for any of
 * them although blocks are taken, we do not understand it, and conclude nothing.
 */
static void assign_blocks(const struct object_space *s, struct census_look *look,
			  enum tt_buffer_type type, struct block_table *table, bool is_only)
{
	bool is_known = is_only && !block_table__num_taken(table);

	for (size_t i = 0; i < look->num_buffers; i++) {
		struct look_buffer *b = &look->buffers[i];

		if (!is_of_type(s, b, type))
			continue;
		b->block = block_table__claim(
			table, object__in_body(s->layout, TT_FIELD_ADDRESS, b->body, 8),
			b->unique_id);
		is_known |= is_only && b->block >= 0;
	}
	for (size_t i = 0; i < look->num_buffers; i++) {
		struct look_buffer *b = &look->buffers[i];

		if (!is_of_type(s, b, type))
			continue;
		b->is_freed = is_known &&
			      (b->block < 0 || !block_table__is_of(table, b->block, b->unique_id));
		look->devices[b->device].num_buffers -= b->is_freed;
		if (b->block >= 0)
			b->per_bank = block_table__size(table, b->block);
	}
}

/* Returns 0 or -errno when a table was read, but changed meanwhile. */
static int measure_type(const struct object_space *s, __u64 allocator, struct census_look *look,
			enum tt_buffer_type type)
{
	__u64 manager = object__bank_manager(s, allocator, type), free_list;
	_cleanup_(block_table__free_p) struct block_table *table = NULL;
	int err = 0;

	if (!manager || object__field(s, TT_FIELD_FREE_LIST, manager, &free_list, 8))
		return 0;
	err = block_table__read(s, free_list, &table);
	if (err)
		return err == -EAGAIN || err == -ENOMEM ? err : 0;
	assign_blocks(s, look, type, table, has_one_list(s, manager));
	return 0;
}

static int measure_buffers(const struct object_space *s, __u64 allocator, struct census_look *look)
{
	bool occurs[TT_TYPE_COUNT] = {};
	int err = 0;

	if (!s->layout->field[TT_FIELD_TYPE].len || !s->layout->field[TT_FIELD_ADDRESS].len)
		return 0;
	for (size_t i = 0; i < look->num_buffers; i++)
		for (__u32 type = 0; type < TT_TYPE_COUNT; type++)
			occurs[type] |= is_of_type(s, &look->buffers[i], type);
	for (int type = 0; type < TT_TYPE_COUNT && !err; type++)
		if (occurs[type])
			err = measure_type(s, allocator, look, (enum tt_buffer_type)type);
	return err;
}

/*
 * Not every element need be a live buffer of this allocator: one may be in the making, and after a
 * free that a graph capture suppressed the Buffer is gone, but not from the set. The dead of a
 * freed allocator are many more.
 */
static bool is_sound(const struct census_look *look)
{
	for (size_t i = 0; i < look->num_buffers; i++)
		if (look->buffers[i].is_absent)
			return false;
	return 2 * look->num_valid >= look->claimed;
}

static bool is_final(int err)
{
	return err == -ESRCH || err == -EPERM || err == -ENOMEM;
}

/*
 * Reads the set, its buffers, and the set again. Where what happens meanwhile is seen by others,
 * the set may change: it is enough that each time its chain came to its end, and was as long as the
 * set said. 0: as a whole; -EAGAIN: something changed, or is
 * not there to be read; @look has what was found.
 */
static int look_once(const struct object_space *s, __u64 allocator, struct census_set *before,
		     struct census_set *after, struct census_look *look)
{
	int walked, measured, err;

	memory__forget(s->memory);
	look->begin_ns = clock__now_ns();
	look->num_valid = 0;
	walked = read_set(s, allocator, before);
	look->is_empty = walked == -ENOENT && census_set__is_empty(&before->header);
	if (walked == -ENOENT || is_final(walked))
		return walked;
	if (!before->header.count)
		return walked == -ENODATA ? walked : -ENOENT;
	look->is_absent = walked == -ENODATA;
	look->claimed = before->header.count;
	err = read_buffers(s, before, look);
	if (err)
		return err;
	judge_buffers(s, allocator, look);
	measured = measure_buffers(s, allocator, look);
	if (is_final(measured))
		return measured;
	memory__forget(s->memory);
	err = read_set(s, allocator, after);
	if (is_final(err))
		return err;
	look->end_ns = clock__now_ns();
	look->is_whole = !walked && !err && is_sound(look) &&
			 (look->is_explained || census_set__equal(before, after));
	return look->is_whole && !measured ? 0 : -EAGAIN;
}

/*
 * What a look is worth that is not whole. Most of what the set leads to are live buffers of this
 * allocator: it lives, but does not rest, or part of it is swapped out. The dead fail here.
 */
static int judge_look(const struct census_look *look)
{
	size_t absent = 0;

	for (size_t i = 0; i < look->num_buffers; i++)
		absent += look->buffers[i].is_absent;
	if (2 * (look->num_valid + absent) < look->num_buffers || look->num_valid + absent == 0)
		return look->is_absent ? -ENODATA : -ENOENT;
	return look->num_valid ? 0 : -ENODATA;
}

int census_look__take(const struct object_space *s, const struct census_target *target,
		      __u64 allocator, bool is_known, struct census_look *ret_look)
{
	__u64 begin_ns = clock__now_ns();
	struct census_set before = {}, after = {};
	int looks = 0, err;

	*ret_look = (struct census_look){ .is_explained = target->ready };
	do {
		if (target->ready)
			target->ready(target->ctx);
		err = look_once(s, allocator, &before, &after, ret_look);
		looks++;
	} while (err == -EAGAIN &&
		 (looks < MIN_LOOKS || ((is_known || ret_look->num_valid) &&
					clock__now_ns() - begin_ns < MAX_LOOKS_NS)));
	census_set__done(&before);
	census_set__done(&after);
	return err == -EAGAIN ? judge_look(ret_look) : err;
}

void census_look__done(struct census_look *look)
{
	free(look->buffers);
	*look = (struct census_look){};
}
