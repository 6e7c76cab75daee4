// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/census_blocks.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/cleanup.h"
#include "target/block_table.h"

enum {
	MAX_LISTS = 1024 /* of one type; one in practice, or one more than there are cores */
};

/*
 * The free lists of one type of memory of one allocator. The first is of what is taken in all banks
 * alike. Where cores are allocated on their own (TT_METAL_ALLOCATOR_MODE_HYBRID) there is one more
 * for each: then it is not known how many banks a block of these is in.
 */
struct lists {
	struct block_table *table; /* of the first */
	bool has_more;		   /* something is taken in another */
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

static int read_other(const struct object_space *s, __u64 free_list, bool *ret_taken)
{
	_cleanup_(block_table__free_p) struct block_table *table = NULL;
	int err = block_table__read(s, free_list, &table);

	if (!err)
		*ret_taken |= block_table__num_taken(table) != 0;
	return err;
}

static int read_lists(const struct object_space *s, __u64 manager, struct lists *ret_lists)
{
	_cleanup_free_ __u64 *addresses = calloc(MAX_LISTS, sizeof(*addresses));
	struct lists lists = {};
	int num, err;

	if (!addresses)
		return -ENOMEM;
	num = find_lists(s, manager, addresses);
	if (num < 0)
		return num;
	err = block_table__read(s, addresses[0], &lists.table);
	for (int i = 1; i < num && !err; i++)
		err = read_other(s, addresses[i], &lists.has_more);
	if (err)
		block_table__free(lists.table);
	else
		*ret_lists = lists;
	return err;
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
		b->block = block_table__claim(
			lists->table,
			object__in_body(s->layout, TT_FIELD_ADDRESS, b->body, sizeof(__u64)),
			b->unique_id);
		has_buffers = true;
		has_claims |= b->block != NULL;
	}
	return has_claims || !has_buffers || !block_table__num_taken(lists->table);
}

/* A block that several have claimed says nothing of any of them, neither now nor before. */
static bool was_so(const struct object_space *s, const struct block_table *before,
		   const struct look_buffer *b)
{
	__u64 address = object__in_body(s->layout, TT_FIELD_ADDRESS, b->body, sizeof(address));
	__u64 size = block__size(b->block);

	return !size || (before && block_table__has(before, address, size));
}

/*
 * After a bulk free (deallocate_buffers()) buffers without memory stay in the set, and in status
 * ALLOCATED. The lists have no block for them, or it is another's. Returns -EAGAIN if a block has
 * changed meanwhile, and nobody will tell how.
 */
static int measure_blocks(const struct object_space *s, const struct block_table *before,
			  struct census_look *look, __u32 type, bool has_more)
{
	int err = 0;

	for (size_t i = 0; i < look->num_buffers; i++) {
		struct look_buffer *b = &look->buffers[i];
		bool is_sure;

		if (!is_of_type(s, b, type))
			continue;
		is_sure = b->block && was_so(s, before, b);
		b->is_freed = !has_more && (!b->block || !block__is_of(b->block, b->unique_id));
		look->devices[b->device].num_buffers -= b->is_freed;
		b->per_bank = is_sure ? block__size(b->block) : 0;
		if (b->block && !is_sure && !look->is_explained)
			err = -EAGAIN;
		b->block = NULL; /* it goes with its table */
	}
	return err;
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

static bool is_error(int err)
{
	return err == -EAGAIN || err == -ENOMEM || err == -ESRCH || err == -EPERM;
}

static int measure_type(const struct object_space *s, __u64 allocator,
			const struct census_tables *before, struct census_look *look,
			enum tt_buffer_type type)
{
	__u64 manager = object__bank_manager(s, allocator, type);
	struct lists lists;
	bool is_known;
	int changed = 0, err;

	if (!manager)
		return 0;
	err = read_lists(s, manager, &lists);
	look->has_lists &= !err;
	look->types_unread |= err ? 1u << type : 0;
	if (err)
		return is_error(err) ? err : 0;
	is_known = claim_blocks(s, look, type, &lists);
	look->types_unsure |= is_known ? 0 : 1u << type;
	if (is_known)
		changed = measure_blocks(s, before->of[type], look, type, lists.has_more);
	if (is_known && !lists.has_more) {
		look->types |= 1u << type;
		err = add_orphans(look, type, lists.table);
	} else {
		look->types_unread |= 1u << type;
	}
	block_table__free(lists.table);
	return err ? err : changed;
}

static bool has_places(const struct tt_layout *layout)
{
	return layout->field[TT_FIELD_TYPE].len && layout->field[TT_FIELD_ADDRESS].len;
}

static int read_before(const struct object_space *s, __u64 allocator, enum tt_buffer_type type,
		       struct census_tables *tables)
{
	__u64 manager = object__bank_manager(s, allocator, type), free_list;
	int err;

	if (!manager)
		return 0;
	err = object__field(s, TT_FIELD_FREE_LIST, manager, &free_list, sizeof(free_list));
	err = err ? err : block_table__read(s, free_list, &tables->of[type]);
	return is_error(err) ? err : 0;
}

int census_tables__read(const struct object_space *s, __u64 allocator,
			struct census_tables *ret_tables)
{
	int err = 0;

	*ret_tables = (struct census_tables){};
	for (int type = 0; type < TT_TYPE_COUNT && !err && has_places(s->layout); type++)
		err = read_before(s, allocator, (enum tt_buffer_type)type, ret_tables);
	return err;
}

void census_tables__done(struct census_tables *tables)
{
	for (int type = 0; type < TT_TYPE_COUNT; type++)
		block_table__free(tables->of[type]);
	*tables = (struct census_tables){};
}

int census_blocks__measure(const struct object_space *s, __u64 allocator,
			   const struct census_tables *before, struct census_look *look)
{
	int err = 0;

	look->types = look->types_unread = look->types_unsure = 0;
	look->num_orphans = 0;
	look->has_lists = false;
	if (!has_places(s->layout))
		return 0;
	look->has_lists = true;
	for (int type = 0; type < TT_TYPE_COUNT && !err; type++)
		err = measure_type(s, allocator, before, look, (enum tt_buffer_type)type);
	look->has_lists &= look->types | look->types_unread;
	return err;
}

/* In the order in which they are added. */
static int compare_orphans(const void *a, const void *b)
{
	const struct look_orphan *x = a, *y = b;

	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	return x->address < y->address ? -1 : x->address > y->address;
}

static const struct look_orphan *find_orphan(const struct census_look *look,
					     const struct look_orphan *orphan)
{
	const struct look_orphan *found;

	if (!look->num_orphans)
		return NULL; /* then there is no array, which bsearch() must have */
	found = bsearch(orphan, look->orphans, look->num_orphans, sizeof(*orphan), compare_orphans);
	return found && found->per_bank == orphan->per_bank ? found : NULL;
}

/* Does a buffer of @look own that block, which is not younger than @youngest? */
static bool has_owner(const struct object_space *s, const struct census_look *look,
		      const struct look_orphan *orphan, __u64 youngest)
{
	for (size_t i = 0; i < look->num_buffers; i++) {
		const struct look_buffer *b = &look->buffers[i];

		if (is_of_type(s, b, orphan->type) && !b->is_freed && b->unique_id <= youngest &&
		    b->per_bank == orphan->per_bank &&
		    object__in_body(s->layout, TT_FIELD_ADDRESS, b->body, sizeof(__u64)) ==
			    orphan->address)
			return true;
	}
	return false;
}

/* The orphans of a type are known if both looks have read its free lists. */
static void drop_unread(struct census_look *look, const struct census_look *other)
{
	__u32 unread = look->types & other->types_unread;
	size_t kept = 0;

	look->types &= ~unread;
	look->types_unread |= unread;
	for (size_t i = 0; i < look->num_orphans; i++)
		if (!(unread & 1u << look->orphans[i].type))
			look->orphans[kept++] = look->orphans[i];
	look->num_orphans = kept;
}

void census_blocks__confirm(const struct object_space *s, struct census_look *look,
			    const struct census_look *earlier)
{
	drop_unread(look, earlier);
	for (size_t i = 0; i < look->num_orphans; i++) {
		struct look_orphan *orphan = &look->orphans[i];
		const struct look_orphan *before = find_orphan(earlier, orphan);

		if (before ? before->doubt : !has_owner(s, earlier, orphan, ~0ull))
			orphan->doubt = TT_ORPHAN_FRESH;
	}
}

void census_blocks__disown(const struct object_space *s, struct census_look *look,
			   const struct census_look *parents, __u64 youngest)
{
	drop_unread(look, parents);
	for (size_t i = 0; i < look->num_orphans; i++) {
		struct look_orphan *orphan = &look->orphans[i];

		if (!find_orphan(parents, orphan) && !has_owner(s, parents, orphan, youngest))
			continue;
		orphan->doubt = TT_ORPHAN_INHERITED;
		look->inherits = true;
	}
}
