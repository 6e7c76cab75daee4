// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/census_look.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "target/census_blocks.h"
#include "target/census_owners.h"
#include "target/census_set.h"

enum {
	SLAB = 2048,   /* buffers that are read together */
	MIN_LOOKS = 3, /* until what is torn is called so */
	MAX_LOOKS_NS = 100 * 1000 * 1000,
	CONFIRMATIONS = 2, /* whole looks that an orphan must be in, after the first */
	CONFIRM_PAUSE_NS = 1000 * 1000,
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
static int find_bodies(const struct object_space *s, struct look_buffer *buffers, size_t count,
		       struct memory_part *parts)
{
	const struct tt_path *path = &s->layout->field[TT_FIELD_DEVICE];
	int err;

	for (size_t i = 0; i < count; i++) {
		buffers[i].body_at = buffers[i].buffer;
		parts[i] =
			(struct memory_part){ buffers[i].buffer + path->off[0], &buffers[i].body_at,
					      sizeof(buffers[i].body_at), 0 };
	}
	if (path->len == 1)
		return 0;
	err = memory__gather(s->memory, parts, count);
	for (size_t i = 0; i < count; i++)
		if (parts[i].err)
			buffers[i].body_at = 0;
	return err;
}

/* The number of a Buffer lies far from its other fields, in the same object. */
static __u64 find_unique_id(const struct object_space *s, const struct look_buffer *buffer)
{
	const struct tt_path *path = &s->layout->field[TT_FIELD_UNIQUE_ID];
	const struct tt_path *device = &s->layout->field[TT_FIELD_DEVICE];
	__u64 addr;

	if (!path->len)
		return 0;
	if (path->len == device->len && (path->len == 1 || path->off[0] == device->off[0]))
		return buffer->body_at + path->off[path->len - 1];
	return object__address(s, TT_FIELD_UNIQUE_ID, buffer->buffer, &addr) ? 0 : addr;
}

static int read_slab(const struct object_space *s, struct look_buffer *buffers, size_t count,
		     struct memory_part *parts)
{
	int err = find_bodies(s, buffers, count, parts);

	if (err)
		return err;
	for (size_t i = 0; i < count; i++) {
		struct look_buffer *b = &buffers[i];
		__u64 id = find_unique_id(s, b);

		parts[2 * i] = (struct memory_part){ b->body_at + s->layout->body_start, b->body,
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

static int read_all(const struct object_space *s, const struct census_set *set,
		    struct census_look *look)
{
	_cleanup_free_ struct memory_part *parts = malloc(2 * SLAB * sizeof(*parts));
	int err = 0;

	free(look->buffers);
	look->num_buffers = 0;
	look->buffers = calloc(set->count + 1, sizeof(*look->buffers));
	if (!parts || !look->buffers)
		return -ENOMEM;
	look->num_buffers = set->count;
	for (size_t i = 0; i < set->count; i++)
		look->buffers[i].buffer = set->elements[i];
	for (size_t at = 0; at < set->count && !err; at += SLAB)
		err = read_slab(s, look->buffers + at,
				set->count - at < SLAB ? set->count - at : SLAB, parts);
	return err ? err : census_owners__mark(s, look);
}

static bool is_final(int err)
{
	return err == -ESRCH || err == -EPERM || err == -ENOMEM;
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

static bool names(const struct object_space *s, const struct look_buffer *b, __u64 allocator)
{
	return !(b->faults & TT_FAULT_OBJECT) &&
	       object__in_body(s->layout, TT_FIELD_ALLOCATOR, b->body, sizeof(__u64)) == allocator;
}

static __u64 status_of(const struct object_space *s, const struct look_buffer *b)
{
	return s->layout->field[TT_FIELD_STATUS].len
		       ? object__in_body(s->layout, TT_FIELD_STATUS, b->body, 1)
		       : TT_STATUS_ALLOCATED;
}

static int device_of(const struct object_space *s, struct census_look *look,
		     const struct look_buffer *b)
{
	return find_device(s, look,
			   object__in_body(s->layout, TT_FIELD_DEVICE, b->body, sizeof(__u64)));
}

/*
 * One that was freed, and left its memory behind, tells whose that is, where no other does. The
 * object may be gone, and free(3) has left its links in it.
 */
static void ask_freed(const struct object_space *s, __u64 allocator, struct census_look *look)
{
	for (size_t i = 0; i < look->num_buffers && !look->num_devices; i++)
		if (names(s, &look->buffers[i], allocator) &&
		    look->devices[device_of(s, look, &look->buffers[i])].faults)
			look->num_devices = 0;
}

static void judge_buffers(const struct object_space *s, __u64 allocator, struct census_look *look)
{
	look->num_valid = 0;
	look->num_devices = 0;
	for (size_t i = 0; i < look->num_buffers; i++) {
		struct look_buffer *b = &look->buffers[i];

		if (!names(s, b, allocator) || status_of(s, b) != TT_STATUS_ALLOCATED)
			continue;
		b->device = device_of(s, look, b);
		if (b->device < 0)
			continue;
		b->is_valid = true;
		look->devices[b->device].num_buffers++;
		look->num_valid++;
	}
	ask_freed(s, allocator, look);
}

/* Where a buffer is in the making, its block is no orphan. */
static bool is_making(const struct object_space *s, __u64 allocator, const struct census_look *look)
{
	for (size_t i = 0; i < look->num_buffers; i++)
		if (names(s, &look->buffers[i], allocator) &&
		    status_of(s, &look->buffers[i]) == TT_STATUS_REQUESTED)
			return true;
	return false;
}

/*
 * Between two looks at the free lists: so what a buffer occupies is of its own time. Returns 0 or
 * -errno; *@ret_measured: as of census_blocks__measure().
 */
static int read_buffers(const struct object_space *s, __u64 allocator, const struct census_set *set,
			struct census_look *look, int *ret_measured)
{
	_cleanup_(census_tables__done) struct census_tables tables;
	int before = census_tables__read(s, allocator, &tables), err;

	*ret_measured = before;
	if (is_final(before))
		return before;
	memory__forget(s->memory);
	err = read_all(s, set, look);
	if (err)
		return err;
	judge_buffers(s, allocator, look);
	*ret_measured = census_blocks__measure(s, allocator, &tables, look);
	if (!*ret_measured)
		*ret_measured = before;
	return 0;
}

/*
 * Not every element need be a live buffer of this allocator: one may be in the making, and after a
 * free that a graph capture suppressed the Buffer is gone, but not from the set: then its block is
 * an orphan, if it had one. The dead of a freed allocator are many more; but where the free lists
 * are whole they tell all that is taken. @is_late: what is in the making has been waited for, and
 * may be what is left of a Buffer that got no memory.
 */
static bool is_sound(const struct object_space *s, __u64 allocator, const struct census_look *look,
		     bool is_late)
{
	for (size_t i = 0; i < look->num_buffers; i++)
		if (look->buffers[i].is_absent)
			return false;
	return 2 * look->num_valid >= look->claimed ||
	       (look->is_alive && (is_late || !is_making(s, allocator, look)));
}

/* Of a set without elements. -ENOENT; or as of census_blocks__measure(). */
static int look_at_empty(const struct object_space *s, __u64 allocator, struct census_look *look)
{
	const struct census_tables none = {};
	int err;

	look->num_buffers = 0;
	look->num_devices = 0;
	err = census_blocks__measure(s, allocator, &none, look);
	look->end_ns = clock__now_ns();
	return err ? err : -ENOENT;
}

/*
 * Reads the set, its buffers, and the set again. Where what happens meanwhile is seen by others,
 * the set may change: it is enough that each time its chain came to its end, and was as long as the
 * set said. 0: as a whole; -EAGAIN: something changed, or is not there to be read; @look has what
 * was found.
 */
static int look_once(const struct object_space *s, __u64 allocator, struct census_set *before,
		     struct census_set *after, bool is_late, struct census_look *look)
{
	int walked, measured, err;

	memory__forget(s->memory);
	look->begin_ns = clock__now_ns();
	look->num_valid = 0;
	look->is_alive = false;
	walked = read_set(s, allocator, before);
	look->is_empty = walked == -ENOENT && census_set__is_empty(&before->header);
	if (look->is_empty)
		return look_at_empty(s, allocator, look);
	if (walked == -ENOENT || is_final(walked))
		return walked;
	if (!before->header.num_buckets)
		return walked == -ENODATA ? walked : -ENOENT;
	look->is_absent = walked == -ENODATA;
	look->claimed = before->header.count;
	err = read_buffers(s, allocator, before, look, &measured);
	if (err || is_final(measured))
		return err ? err : measured;
	look->is_alive = look->has_lists && !before->is_copy;
	memory__forget(s->memory);
	err = read_set(s, allocator, after);
	if (is_final(err))
		return err;
	look->end_ns = clock__now_ns();
	look->is_whole = !walked && !err && is_sound(s, allocator, look, is_late) &&
			 (look->is_explained || census_set__equal(before, after));
	return look->is_whole && !measured ? 0 : -EAGAIN;
}

/*
 * What a look is worth that is not whole. Its free lists are, or most of what the set leads to are
 * live buffers of this allocator: it lives, but does not rest, or part of it is swapped out. The
 * dead fail here.
 */
static int judge_look(const struct census_look *look)
{
	size_t absent = 0;

	for (size_t i = 0; i < look->num_buffers; i++)
		absent += look->buffers[i].is_absent;
	if (!look->is_alive &&
	    (2 * (look->num_valid + absent) < look->num_buffers || look->num_valid + absent == 0))
		return look->is_absent ? -ENODATA : -ENOENT;
	return look->num_valid ? 0 : -ENODATA;
}

/*
 * A type of which no buffer has a block may be so for good: that is looked at a few times. What
 * changes meanwhile, as long as there is time.
 */
static bool is_to_be_repeated(const struct census_look *look, int err, int looks, bool is_late,
			      bool is_known)
{
	if (looks < MIN_LOOKS)
		return err == -EAGAIN || (!err && look->types_unsure);
	return err == -EAGAIN && !is_late && (is_known || look->num_valid || look->is_alive);
}

static int look_until_whole(const struct object_space *s, const struct census_target *target,
			    __u64 allocator, bool is_known, struct census_look *ret_look)
{
	__u64 end_ns = clock__now_ns() + MAX_LOOKS_NS;
	struct census_set before = {}, after = {};
	bool is_late;
	int looks = 0, err;

	*ret_look = (struct census_look){ .is_explained = target->ready };
	do {
		if (target->ready)
			target->ready(target->ctx);
		is_late = clock__now_ns() >= end_ns;
		err = look_once(s, allocator, &before, &after, is_late, ret_look);
		looks++;
	} while (is_to_be_repeated(ret_look, err, looks, is_late, is_known));
	census_set__done(&before);
	census_set__done(&after);
	return err;
}

static bool is_sure(const struct census_look *look, int err)
{
	return !err || (err == -ENOENT && look->is_empty);
}

/* Looks again: a buffer that was on its way into the set is there soon. */
static int confirm_orphans(const struct object_space *s, const struct census_target *target,
			   __u64 allocator, bool is_known, struct census_look *look)
{
	const struct timespec pause = { .tv_nsec = CONFIRM_PAUSE_NS };
	struct census_look earlier = *look;
	int err;

	nanosleep(&pause, NULL);
	err = look_until_whole(s, target, allocator, is_known, look);
	if (is_sure(look, err))
		census_blocks__confirm(s, look, &earlier);
	census_look__done(&earlier);
	return err;
}

int census_look__take(const struct object_space *s, const struct census_target *target,
		      __u64 allocator, bool is_known, struct census_look *ret_look)
{
	int err = look_until_whole(s, target, allocator, is_known, ret_look);

	for (int i = 0; is_sure(ret_look, err) && ret_look->num_orphans && i < CONFIRMATIONS; i++)
		err = confirm_orphans(s, target, allocator, is_known, ret_look);
	return err == -EAGAIN ? judge_look(ret_look) : err;
}

void census_look__done(struct census_look *look)
{
	free(look->buffers);
	free(look->orphans);
	*look = (struct census_look){};
}
