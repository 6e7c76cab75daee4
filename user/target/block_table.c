// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/block_table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"

enum {
	MAX_BLOCKS = 1 << 22 /* of one bank; a bank of 4 GiB in blocks of 1 KiB */
};

struct block {
	__u64 address, size; /* less the base of the bank; bytes */
	bool is_taken;
	__u32 claims; /* by the latest */
	__u64 id;     /* of that */
};

struct block_table {
	__u64 base;
	size_t count;
	struct block blocks[]; /* by address, without gaps */
};

/* One of the vectors as it lies in the process. */
struct column {
	__u64 begin, end;
};

struct columns {
	struct column addresses, sizes, taken, used;
	size_t count; /* of elements */
};

static int read_column(const struct object_space *s, enum tt_field field, __u64 free_list,
		       struct column *ret_column)
{
	__u64 range[2];
	int err = object__field(s, field, free_list, range, sizeof(range));

	if (err)
		return err;
	*ret_column = (struct column){ range[0], range[1] };
	return range[0] <= range[1] ? 0 : -EAGAIN;
}

static int read_columns(const struct object_space *s, __u64 free_list, struct columns *ret_columns)
{
	struct columns c;
	__u64 size;
	int err;

	err = read_column(s, TT_FIELD_FL_ADDRESSES, free_list, &c.addresses);
	err = err ? err : read_column(s, TT_FIELD_FL_SIZES, free_list, &c.sizes);
	err = err ? err : read_column(s, TT_FIELD_FL_ALLOCATED, free_list, &c.taken);
	err = err ? err : read_column(s, TT_FIELD_FL_META, free_list, &c.used);
	if (err)
		return err;
	size = c.addresses.end - c.addresses.begin;
	c.count = size / sizeof(__u64);
	if (size % sizeof(__u64) || c.sizes.end - c.sizes.begin != size ||
	    c.taken.end - c.taken.begin != c.count || c.used.end - c.used.begin != c.count)
		return -EAGAIN;
	if (c.count > MAX_BLOCKS)
		return -E2BIG;
	*ret_columns = c;
	return 0;
}

/* Copies the four vectors to @buf, one behind the other. */
static int copy_columns(struct memory *memory, const struct columns *c, char *buf)
{
	size_t words = c->count * sizeof(__u64);
	struct memory_part parts[] = {
		{ .addr = c->addresses.begin, .buf = buf, .size = words },
		{ .addr = c->sizes.begin, .buf = buf + words, .size = words },
		{ .addr = c->taken.begin, .buf = buf + 2 * words, .size = c->count },
		{ .addr = c->used.begin, .buf = buf + 2 * words + c->count, .size = c->count },
	};
	int err = memory__gather(memory, parts, 4);

	for (int i = 0; i < 4 && !err; i++)
		err = parts[i].err;
	return err;
}

static int compare_blocks(const void *a, const void *b)
{
	const struct block *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

/* Takes over the elements that are in use, in the order of their addresses. */
static void fill_blocks(struct block_table *t, const char *buf, size_t count)
{
	const __u64 *addresses = (const __u64 *)buf, *sizes = addresses + count;
	const __u8 *taken = (const __u8 *)(sizes + count), *used = taken + count;

	for (size_t i = 0; i < count; i++)
		if (used[i])
			t->blocks[t->count++] =
				(struct block){ addresses[i], sizes[i], taken[i] != 0, 0, 0 };
	qsort(t->blocks, t->count, sizeof(*t->blocks), compare_blocks);
}

/*
 * Each block ends where the next one begins, and together they are no more than the bank, which
 * shrinks from below where sub-devices take part of it.
 */
static bool is_consistent(const struct block_table *t, __u64 bank_size)
{
	__u64 left = bank_size;

	for (size_t i = 0; i < t->count; i++) {
		const struct block *b = &t->blocks[i];

		if (b->size > left || b->address > UINT64_MAX - b->size)
			return false;
		if (i + 1 < t->count && b->address + b->size != b[1].address)
			return false;
		left -= b->size;
	}
	return true;
}

int block_table__read(const struct object_space *s, __u64 free_list, struct block_table **ret_table)
{
	_cleanup_free_ struct block_table *t = NULL;
	_cleanup_free_ char *buf = NULL;
	__u64 bank_size, base;
	struct columns c;
	int err;

	err = object__field(s, TT_FIELD_FL_BASE, free_list, &base, sizeof(base));
	err = err ? err : object__field(s, TT_FIELD_FL_SIZE, free_list, &bank_size, 8);
	err = err ? err : read_columns(s, free_list, &c);
	if (err)
		return err;
	t = malloc(sizeof(*t) + c.count * sizeof(*t->blocks));
	buf = malloc(c.count * (2 * sizeof(__u64) + 2) + 1);
	if (!t || !buf)
		return -ENOMEM;
	err = copy_columns(s->memory, &c, buf);
	if (err)
		return err;
	t->base = base;
	t->count = 0;
	fill_blocks(t, buf, c.count);
	if (!is_consistent(t, bank_size))
		return -EAGAIN;
	*ret_table = no_cleanup_ptr(t);
	return 0;
}

void block_table__free(struct block_table *t)
{
	free(t);
}

static struct block *find_taken(const struct block_table *t, __u64 address)
{
	struct block key = { .address = address - t->base };
	struct block *found = bsearch(&key, t->blocks, t->count, sizeof(key), compare_blocks);

	return found && found->is_taken ? found : NULL;
}

struct block *block_table__claim(struct block_table *t, __u64 address, __u64 id)
{
	struct block *found = find_taken(t, address);

	if (!found)
		return NULL;
	if (!found->claims || id > found->id)
		*found = (struct block){ found->address, found->size, true, 0, id };
	found->claims += id == found->id;
	return found;
}

bool block_table__has(const struct block_table *t, __u64 address, __u64 size)
{
	const struct block *found = find_taken(t, address);

	return found && found->size == size;
}

bool block__is_of(const struct block *block, __u64 id)
{
	return block->id == id;
}

__u64 block__size(const struct block *block)
{
	return block->claims == 1 ? block->size : 0;
}

size_t block_table__num_taken(const struct block_table *t)
{
	size_t taken = 0;

	for (size_t i = 0; i < t->count; i++)
		taken += t->blocks[i].is_taken;
	return taken;
}

bool block_table__next_orphan(const struct block_table *t, size_t *at, __u64 *ret_address,
			      __u64 *ret_size)
{
	for (; *at < t->count; ++*at) {
		const struct block *block = &t->blocks[*at];

		if (!block->is_taken || block->claims)
			continue;
		*ret_address = block->address + t->base;
		*ret_size = block->size;
		++*at;
		return true;
	}
	return false;
}
