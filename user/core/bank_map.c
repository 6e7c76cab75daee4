// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "core/bank_map.h"

#include <Judy.h>
#include <errno.h>
#include <stdlib.h>

#include "core/size_class.h"

/* Buffers of one kind and class of size. */
struct group {
	__u64 buffers;
	__u64 size;
	__u64 footprint;
	__u64 unsized; /* of unknown footprint */
	__u64 unseen; /* that were there when their place was looked at: they are older than that */
	void *births; /* JudyL: time of allocation → how many; none for those of unknown time */
};

enum {
	GROUP_KINDS = 2 /* owning and system: others hold no memory */
};

struct bank_map {
	const struct buffers *buffers;
	__u32 num_banks; /* 0: unknown, then all are taken to have no extent */
	struct buffer_index by_address;
	void *gaps;	/* JudyL: bytes → how many holes between neighbours are as long */
	__u64 overlaps; /* neighbours that overlap */
	__u64 hidden;	/* buffers that another one at the same address hides */
	struct group groups[GROUP_KINDS][SIZE_CLASSES];
};

/* A place that is occupied. */
struct block {
	__u64 start;
	__u64 end;
};

int bank_map__new(const struct buffers *buffers, __u32 num_banks, struct bank_map **ret_map)
{
	struct bank_map *map = calloc(1, sizeof(*map));

	if (!map)
		return -ENOMEM;
	map->buffers = buffers;
	map->num_banks = num_banks;
	*ret_map = map;
	return 0;
}

void bank_map__free(struct bank_map *map)
{
	if (!map)
		return;
	buffer_index__done(&map->by_address);
	JudyLFreeArray(&map->gaps, PJE0);
	for (int kind = 0; kind < GROUP_KINDS; kind++) {
		for (int i = 0; i < SIZE_CLASSES; i++)
			JudyLFreeArray(&map->groups[kind][i].births, PJE0);
	}
	free(map);
}

static int count_up(void **counts, __u64 key)
{
	PPvoid_t value = JudyLIns(counts, key, PJE0);

	if (!value || value == PPJERR)
		return -ENOMEM;
	*value = (void *)((uintptr_t)*value + 1);
	return 0;
}

/* Deleting takes memory too: the array is packed anew. */
static int count_down(void **counts, __u64 key)
{
	PPvoid_t value = JudyLGet(*counts, key, PJE0);

	if (!value || value == PPJERR)
		return 0;
	*value = (void *)((uintptr_t)*value - 1);
	if (*value)
		return 0;
	return JudyLDel(counts, key, PJE0) == JERR ? -ENOMEM : 0;
}

static struct block block_of(const struct bank_map *map, __u32 nr)
{
	const struct buffer *buffer = buffers__at(map->buffers, nr);
	__u64 bytes = map->num_banks ? buffer->footprint / map->num_banks : 0;
	struct block block = { .start = buffer->address };

	if (__builtin_add_overflow(block.start, bytes, &block.end))
		block.end = ~0ull;
	return block;
}

/* The blocks next to @address on both sides. */
struct neighbours {
	bool has_before;
	bool has_after;
	struct block before;
	struct block after;
};

static struct neighbours neighbours_of(const struct bank_map *map, __u64 address)
{
	Word_t before = address, after = address;
	PPvoid_t value;
	struct neighbours n = { 0 };

	value = JudyLPrev(map->by_address.judy, &before, PJE0);
	if (value && value != PPJERR) {
		n.has_before = true;
		n.before = block_of(map, (__u32)(uintptr_t)*value);
	}
	value = JudyLNext(map->by_address.judy, &after, PJE0);
	if (value && value != PPJERR) {
		n.has_after = true;
		n.after = block_of(map, (__u32)(uintptr_t)*value);
	}
	return n;
}

static int open_gap(struct bank_map *map, const struct block *before, const struct block *after)
{
	if (after->start < before->end)
		map->overlaps++;
	else if (after->start > before->end)
		return count_up(&map->gaps, after->start - before->end);
	return 0;
}

static int close_gap(struct bank_map *map, const struct block *before, const struct block *after)
{
	if (after->start < before->end)
		map->overlaps--;
	else if (after->start > before->end)
		return count_down(&map->gaps, after->start - before->end);
	return 0;
}

static int link_block(struct bank_map *map, __u32 nr)
{
	struct block block = block_of(map, nr);
	struct neighbours n;
	int err;

	err = buffer_index__put(&map->by_address, block.start, nr);
	if (err)
		return err;
	n = neighbours_of(map, block.start);
	if (n.has_before && n.has_after)
		err = close_gap(map, &n.before, &n.after);
	if (!err && n.has_before)
		err = open_gap(map, &n.before, &block);
	if (!err && n.has_after)
		err = open_gap(map, &block, &n.after);
	return err;
}

static int unlink_block(struct bank_map *map, __u32 nr)
{
	struct block block = block_of(map, nr);
	struct neighbours n = neighbours_of(map, block.start);
	int err = 0;

	if (n.has_before)
		err = close_gap(map, &n.before, &block);
	if (!err && n.has_after)
		err = close_gap(map, &block, &n.after);
	if (!err && n.has_before && n.has_after)
		err = open_gap(map, &n.before, &n.after);
	if (!err)
		err = buffer_index__remove(&map->by_address, block.start);
	return err;
}

static struct group *group_of(struct bank_map *map, const struct buffer *buffer)
{
	return &map->groups[buffer->kind == KIND_SYSTEM][size_class__of(buffer->size)];
}

static int join_group(struct bank_map *map, const struct buffer *buffer)
{
	struct group *group = group_of(map, buffer);

	group->buffers++;
	group->size += buffer->size;
	group->footprint += buffer->footprint;
	group->unsized += !(buffer->flags & BUFFER_HAS_FOOTPRINT);
	group->unseen += !!(buffer->flags & BUFFER_UNSEEN);
	return buffer->alloc_ts_ns ? count_up(&group->births, buffer->alloc_ts_ns) : 0;
}

static int leave_group(struct bank_map *map, const struct buffer *buffer)
{
	struct group *group = group_of(map, buffer);

	group->buffers--;
	group->size -= buffer->size;
	group->footprint -= buffer->footprint;
	group->unsized -= !(buffer->flags & BUFFER_HAS_FOOTPRINT);
	group->unseen -= !!(buffer->flags & BUFFER_UNSEEN);
	return buffer->alloc_ts_ns ? count_down(&group->births, buffer->alloc_ts_ns) : 0;
}

int bank_map__put(struct bank_map *map, __u32 nr)
{
	const struct buffer *buffer = buffers__at(map->buffers, nr);
	__u32 old = bank_map__at(map, buffer->address);
	int err;

	if (old != BUFFER_NONE) {
		err = unlink_block(map, old);
		if (err)
			return err;
		map->hidden++;
	}
	err = link_block(map, nr);
	return err ? err : join_group(map, buffer);
}

int bank_map__remove(struct bank_map *map, __u32 nr)
{
	const struct buffer *buffer = buffers__at(map->buffers, nr);
	int err = 0;

	if (bank_map__at(map, buffer->address) == nr)
		err = unlink_block(map, nr);
	else
		map->hidden--;
	return err ? err : leave_group(map, buffer);
}

__u32 bank_map__at(const struct bank_map *map, __u64 address)
{
	return buffer_index__find(&map->by_address, address);
}

/* From the first block to the last. Returns false if there is none. */
static bool find_extent(const struct bank_map *map, struct block *ret_extent)
{
	Word_t first = 0, last = ~(Word_t)0;
	PPvoid_t value = JudyLFirst(map->by_address.judy, &first, PJE0);

	if (!value || value == PPJERR)
		return false;
	ret_extent->start = first;
	value = JudyLLast(map->by_address.judy, &last, PJE0);
	ret_extent->end = block_of(map, (__u32)(uintptr_t)*value).end;
	return true;
}

static __u64 greater(__u64 a, __u64 b)
{
	return a > b ? a : b;
}

bool bank_map__largest_hole(const struct bank_map *map, __u64 base, __u64 size, __u64 *ret_bytes)
{
	Word_t hole = ~(Word_t)0;
	struct block extent;
	PPvoid_t value;
	__u64 end;

	if (map->overlaps || map->hidden || __builtin_add_overflow(base, size, &end))
		return false;
	if (!find_extent(map, &extent)) {
		*ret_bytes = size;
		return true;
	}
	if (extent.start < base || extent.end > end)
		return false;
	value = JudyLLast(map->gaps, &hole, PJE0);
	if (!value || value == PPJERR)
		hole = 0;
	*ret_bytes = greater(hole, greater(extent.start - base, end - extent.end));
	return true;
}

/* How old the first and the last of @births are. */
static void take_ages(const void *births, __u64 ts_ns, struct event_holder *holder)
{
	Word_t first = 0, last = ~(Word_t)0;
	PPvoid_t value = JudyLFirst(births, &first, PJE0);

	if (!value || value == PPJERR)
		return;
	JudyLLast(births, &last, PJE0);
	holder->has_ages = true;
	holder->oldest_ns = ts_ns > first ? ts_ns - first : 0;
	holder->newest_ns = ts_ns > last ? ts_ns - last : 0;
}

static int compare_holders(const void *a, const void *b)
{
	const struct event_holder *x = a, *y = b;

	if (x->footprint != y->footprint)
		return x->footprint < y->footprint ? 1 : -1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return y->size_class < x->size_class ? -1 : y->size_class > x->size_class;
}

_Static_assert(HOLDERS_MAX == GROUP_KINDS * SIZE_CLASSES, "all groups must fit");

__u32 bank_map__holders(const struct bank_map *map, __u64 ts_ns, struct event_holder *ret_holders)
{
	__u32 num = 0;

	for (__u32 i = 0; i < HOLDERS_MAX; i++) {
		const struct group *group = &map->groups[i / SIZE_CLASSES][i % SIZE_CLASSES];
		struct event_holder *holder = &ret_holders[num];

		if (!group->buffers)
			continue;
		*holder = (struct event_holder){
			.kind = i / SIZE_CLASSES ? KIND_SYSTEM : KIND_OWNING,
			.size_class = i % SIZE_CLASSES,
			.buffers = group->buffers,
			.size = group->size,
			.footprint = group->footprint,
			.unsized = group->unsized,
			.is_older = group->unseen,
			.per_bank = map->num_banks ? group->footprint / map->num_banks : 0,
		};
		take_ages(group->births, ts_ns, holder);
		num++;
	}
	qsort(ret_holders, num, sizeof(*ret_holders), compare_holders);
	return num;
}
