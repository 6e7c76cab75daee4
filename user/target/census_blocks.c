// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/census_blocks.h"

#include <errno.h>
#include <stdlib.h>

#include "target/block_table.h"

enum {
	MAX_LISTS = 16 /* of one type; one in practice */
};

/* The free lists of one type of memory of one allocator. */
struct lists {
	struct block_table *tables[MAX_LISTS];
	int num;
};

static bool is_of_type(const struct object_space *s, const struct look_buffer *b, __u32 type)
{
	return b->is_valid && object__in_body(s->layout, TT_FIELD_TYPE, b->body, 4) == type;
}

/* How many elements a vector at hand has, of the two kinds that there are; 0: it is none. */
static size_t count_elements(const __u64 words[3])
{
	__u64 end = words[1], bytes = end - words[0];
	__u32 count = (__u32)words[1], room = words[1] >> 32;

	/* std::vector of libstdc++: begin, end, end of the room */
	if (end > words[0] && end <= words[2] && bytes % sizeof(__u64) == 0)
		return bytes / sizeof(__u64);
	/* llvm::SmallVector, which ttsl::SmallVector is: begin, and two halves of a word */
	return count <= room ? count : 0;
}

/*
 * From 0.65 on a BankManager has a vector of free lists, of which the layout names the first; in
 * libtt_metal.so 0.74.0 to 0.81.1 it is a ttsl::SmallVector. 0: it cannot be read.
 */
static int read_vector(const struct object_space *s, __u64 addr, __u64 *ret_elements)
{
	__u64 words[3];
	size_t count;

	if (memory__read(s->memory, addr, words, sizeof(words)))
		return 0;
	count = count_elements(words);
	if (count > MAX_LISTS ||
	    memory__read(s->memory, words[0], ret_elements, count * sizeof(*ret_elements)))
		return 0;
	return (int)count;
}

/* Returns how many free lists @manager has, or -errno. */
static int find_lists(const struct object_space *s, __u64 manager, __u64 *ret_lists)
{
	const struct tt_path *path = &s->layout->field[TT_FIELD_FREE_LIST];
	__u64 first;
	int err = object__field(s, TT_FIELD_FREE_LIST, manager, &first, sizeof(first)), num;

	if (err)
		return err;
	if (path->len > 1) {
		num = read_vector(s, manager + path->off[0], ret_lists);
		return num && ret_lists[0] == first ? num : -ENOENT;
	}
	ret_lists[0] = first;
	return 1;
}

static void free_lists(struct lists *lists)
{
	for (int i = 0; i < lists->num; i++)
		block_table__free(lists->tables[i]);
}

static int read_lists(const struct object_space *s, __u64 manager, struct lists *ret_lists)
{
	__u64 addresses[MAX_LISTS] = {};
	int num = find_lists(s, manager, addresses), err = 0;

	*ret_lists = (struct lists){};
	if (num < 0)
		return num;
	for (int i = 0; i < num && !err; i++) {
		err = block_table__read(s, addresses[i], &ret_lists->tables[i]);
		ret_lists->num += !err;
	}
	if (err)
		free_lists(ret_lists);
	return err;
}

static struct block *claim(const struct object_space *s, const struct lists *lists,
			   const struct look_buffer *buffer)
{
	__u64 address = object__in_body(s->layout, TT_FIELD_ADDRESS, buffer->body, 8);
	struct block *block = NULL;

	for (int i = 0; i < lists->num && !block; i++)
		block = block_table__claim(lists->tables[i], address, buffer->unique_id);
	return block;
}

static size_t num_taken(const struct lists *lists)
{
	size_t taken = 0;

	for (int i = 0; i < lists->num; i++)
		taken += block_table__num_taken(lists->tables[i]);
	return taken;
}

/* Returns false if there are buffers and taken blocks, and no buffer has one of these. */
static bool claim_blocks(const struct object_space *s, struct census_look *look, __u32 type,
			 const struct lists *lists)
{
	bool has_buffers = false, has_claims = false;

	for (size_t i = 0; i < look->num_buffers; i++) {
		struct look_buffer *b = &look->buffers[i];

		if (!is_of_type(s, b, type))
			continue;
		b->block = claim(s, lists, b);
		has_buffers = true;
		has_claims |= b->block != NULL;
	}
	return has_claims || !has_buffers || !num_taken(lists);
}

/*
 * After a bulk free (deallocate_buffers()) buffers without memory stay in the set, and in status
 * ALLOCATED. The lists have no block for them, or it is another's.
 */
static void measure_blocks(const struct object_space *s, struct census_look *look, __u32 type)
{
	for (size_t i = 0; i < look->num_buffers; i++) {
		struct look_buffer *b = &look->buffers[i];

		if (!is_of_type(s, b, type))
			continue;
		b->is_freed = !b->block || !block__is_of(b->block, b->unique_id);
		look->devices[b->device].num_buffers -= b->is_freed;
		b->per_bank = b->block ? block__size(b->block) : 0;
		b->block = NULL; /* it goes with its table */
	}
}

static int add_orphans(struct census_look *look, enum tt_buffer_type type,
		       const struct block_table *table)
{
	struct look_orphan orphan = { .type = type };
	struct look_orphan *all;

	for (size_t at = 0;
	     block_table__next_orphan(table, &at, &orphan.address, &orphan.per_bank);) {
		all = reallocarray(look->orphans, look->num_orphans + 1, sizeof(*all));
		if (!all)
			return -ENOMEM;
		look->orphans = all;
		look->orphans[look->num_orphans++] = orphan;
	}
	return 0;
}

static int measure_type(const struct object_space *s, __u64 allocator, struct census_look *look,
			enum tt_buffer_type type)
{
	__u64 manager = object__bank_manager(s, allocator, type);
	struct lists lists;
	int err;

	if (!manager)
		return 0;
	err = read_lists(s, manager, &lists);
	look->types_unread |= err ? 1u << type : 0;
	if (err)
		return err == -EAGAIN || err == -ENOMEM || err == -ESRCH || err == -EPERM ? err : 0;
	if (claim_blocks(s, look, type, &lists)) {
		measure_blocks(s, look, type);
		look->types |= 1u << type;
		for (int i = 0; i < lists.num && !err; i++)
			err = add_orphans(look, type, lists.tables[i]);
	} else {
		look->types_unread |= 1u << type;
	}
	free_lists(&lists);
	return err;
}

int census_blocks__measure(const struct object_space *s, __u64 allocator, struct census_look *look)
{
	int err = 0;

	look->types = look->types_unread = 0;
	look->num_orphans = 0;
	if (!s->layout->field[TT_FIELD_TYPE].len || !s->layout->field[TT_FIELD_ADDRESS].len)
		return 0;
	for (int type = 0; type < TT_TYPE_COUNT && !err; type++)
		err = measure_type(s, allocator, look, (enum tt_buffer_type)type);
	return err;
}

static bool has_orphan(const struct census_look *look, const struct look_orphan *orphan)
{
	for (size_t i = 0; i < look->num_orphans; i++) {
		const struct look_orphan *other = &look->orphans[i];

		if (other->address == orphan->address && other->type == orphan->type &&
		    other->per_bank == orphan->per_bank)
			return true;
	}
	return false;
}

static void keep_orphans(struct census_look *look, const struct census_look *other, bool in_other)
{
	size_t kept = 0;

	for (size_t i = 0; i < look->num_orphans; i++)
		if (has_orphan(other, &look->orphans[i]) == in_other)
			look->orphans[kept++] = look->orphans[i];
	look->num_orphans = kept;
}

void census_blocks__confirm(struct census_look *look, const struct census_look *earlier)
{
	keep_orphans(look, earlier, true);
}

void census_blocks__disown(struct census_look *look, const struct census_look *parents)
{
	keep_orphans(look, parents, false);
}
