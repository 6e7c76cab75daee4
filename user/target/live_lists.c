// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/live_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"

enum {
	MAX_BLOCKS = 1 << 22,	       /* as in block_table.c */
	MAX_COLUMNS = LIVE_LIST_WORDS, /* any three words may look like a vector */
	MAX_VIEWS = 64,		       /* of one list, and different ones of all */
	SIZE_WORDS = 8,		       /* among which the size of the bank is */
};

/* One way to read a free list: words at which its members begin. */
struct view {
	__u8 size, addresses, sizes, taken, used;
};

/* A member that may be a std::vector, with what it holds. */
struct column {
	size_t word, size; /* bytes */
	void *data;
};

struct columns {
	struct column all[MAX_COLUMNS];
	size_t count;
};

/* How many lists a view describes. */
struct vote {
	struct view view;
	size_t votes;
};

struct election {
	const struct live_list *list; /* that votes */
	struct vote all[MAX_VIEWS];
	size_t count;
};

typedef void (*view_fn)(void *ctx, const struct view *view);

static void columns_done(struct columns *columns)
{
	for (size_t i = 0; i < columns->count; i++)
		free(columns->all[i].data);
}

static int read_columns(struct live *live, const struct live_list *list,
			struct columns *ret_columns)
{
	for (size_t i = 1; i + 2 < LIVE_LIST_WORDS && ret_columns->count < MAX_COLUMNS; i++) {
		__u64 begin = list->words[i], end = list->words[i + 1], room = list->words[i + 2];
		struct memory_part part = { .addr = begin, .size = end - begin };
		struct column *column = &ret_columns->all[ret_columns->count];

		if (!live__is_pointer(begin) || begin >= end || end > room ||
		    part.size > MAX_BLOCKS * sizeof(__u64) || !live__may_read(live, part.size))
			continue;
		part.buf = malloc(part.size);
		if (!part.buf)
			return -ENOMEM;
		*column = (struct column){ i, part.size, part.buf };
		ret_columns->count++;
		if (memory__gather(live->memory, &part, 1) || part.err) {
			free(part.buf);
			ret_columns->count--;
		}
	}
	return 0;
}

/* All of them 0 or 1; what is taken of a block that is not in use says nothing. */
static bool are_flags(const struct column *taken, const struct column *used)
{
	const __u8 *t = taken->data, *u = used->data;
	bool any = false;

	if (taken == used || taken->size != used->size)
		return false;
	for (size_t i = 0; i < taken->size; i++) {
		if (t[i] > 1 || u[i] > 1)
			return false;
		any |= u[i];
	}
	return any;
}

static int compare_blocks(const void *a, const void *b)
{
	const struct live_block *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

/* The blocks that have both flags, by address; to be freed. */
static struct live_block *collect_blocks(const struct column *addresses, const struct column *sizes,
					 const __u8 *flags, const __u8 *others, size_t *ret_count)
{
	const __u64 *a = addresses->data, *s = sizes->data;
	size_t count = addresses->size / WORD, n = 0;
	struct live_block *blocks = calloc(count + 1, sizeof(*blocks));

	for (size_t i = 0; i < count && blocks; i++)
		if (flags[i] && others[i])
			blocks[n++] = (struct live_block){ a[i], s[i], false };
	if (blocks)
		qsort(blocks, n, sizeof(*blocks), compare_blocks);
	*ret_count = n;
	return blocks;
}

/* Does each block end where the next one begins? A negative address is none. */
static bool are_gapless(const struct live_block *blocks, size_t count)
{
	if ((__s64)blocks[0].address < 0)
		return false;
	for (size_t i = 0; i + 1 < count; i++)
		if (blocks[i].address + blocks[i].size != blocks[i + 1].address)
			return false;
	return true;
}

static __u64 sum_used(const struct column *sizes, const __u8 *used)
{
	const __u64 *s = sizes->data;
	__u64 sum = 0;

	for (size_t i = 0; i < sizes->size / WORD; i++)
		sum += used[i] ? s[i] : 0;
	return sum;
}

static bool has_size(const struct live_list *list, __u64 size)
{
	for (size_t i = 1; i < SIZE_WORDS; i++)
		if (list->words[i] == size)
			return true;
	return false;
}

/* Calls @fn for each size that fits, if the blocks do. Returns 0 or -ENOMEM. */
static int try_blocks(const struct live_list *list, struct view view,
		      const struct column *addresses, const struct column *sizes,
		      const struct column *used, view_fn fn, void *ctx)
{
	_cleanup_free_ struct live_block *blocks = NULL;
	__u64 size = sum_used(sizes, used->data);
	size_t count;

	if (!has_size(list, size))
		return 0;
	blocks = collect_blocks(addresses, sizes, used->data, used->data, &count);
	if (!blocks)
		return -ENOMEM;
	if (!are_gapless(blocks, count))
		return 0;
	view.addresses = (__u8)addresses->word;
	view.sizes = (__u8)sizes->word;
	for (view.size = 1; view.size < SIZE_WORDS; view.size++)
		if (list->words[view.size] == size)
			fn(ctx, &view);
	return 0;
}

static int try_flags(const struct live_list *list, const struct columns *columns,
		     const struct column *taken, const struct column *used, view_fn fn, void *ctx)
{
	const struct view view = { .taken = (__u8)taken->word, .used = (__u8)used->word };
	int err = 0;

	for (size_t a = 0; a < columns->count && !err; a++) {
		const struct column *addresses = &columns->all[a];

		if (addresses->size != used->size * WORD)
			continue;
		for (size_t s = 0; s < columns->count && !err; s++)
			if (s != a && columns->all[s].size == addresses->size)
				err = try_blocks(list, view, addresses, &columns->all[s], used, fn,
						 ctx);
	}
	return err;
}

/* Calls @fn for each way to read @list in which its blocks fit together. */
static int each_view(struct live *live, const struct live_list *list, view_fn fn, void *ctx)
{
	_cleanup_(columns_done) struct columns columns = {};
	int err = read_columns(live, list, &columns);

	for (size_t t = 0; t < columns.count && !err; t++)
		for (size_t u = 0; u < columns.count && !err; u++)
			if (are_flags(&columns.all[t], &columns.all[u]))
				err = try_flags(list, &columns, &columns.all[t], &columns.all[u],
						fn, ctx);
	return err;
}

/* A bank of no size, which not all types of memory have, may be read in many ways. */
static void vote(void *ctx, const struct view *view)
{
	struct election *election = ctx;

	if (!election->list->words[view->size])
		return;
	for (size_t i = 0; i < election->count; i++) {
		if (memcmp(&election->all[i].view, view, sizeof(*view)))
			continue;
		election->all[i].votes++;
		return;
	}
	if (election->count < MAX_VIEWS)
		election->all[election->count++] = (struct vote){ *view, 1 };
}

/* The one that describes more lists than any other. -EAGAIN: there is none. */
static int find_winner(const struct election *election, struct view *ret_view)
{
	size_t best = 0, rivals = 0;

	for (size_t i = 0; i < election->count; i++) {
		if (election->all[i].votes > election->all[best].votes) {
			best = i;
			rivals = 0;
		} else if (i != best && election->all[i].votes == election->all[best].votes) {
			rivals++;
		}
	}
	if (!election->count || rivals)
		return -EAGAIN;
	*ret_view = election->all[best].view;
	return 0;
}

struct check {
	const struct view *view;
	bool holds;
};

static void note_view(void *ctx, const struct view *view)
{
	struct check *check = ctx;

	check->holds |= !memcmp(view, check->view, sizeof(*view));
}

static const struct column *find_column(const struct columns *columns, size_t word)
{
	for (size_t i = 0; i < columns->count; i++)
		if (columns->all[i].word == word)
			return &columns->all[i];
	return NULL;
}

/* What is taken, and whether the list is what @view says. */
static int read_list(struct live *live, struct live_list *list, const struct view *view)
{
	const struct column *addresses, *sizes, *taken, *used;
	_cleanup_(columns_done) struct columns columns = {};
	struct check check = { .view = view };
	int err = each_view(live, list, note_view, &check);

	if (err || !check.holds)
		return err;
	err = read_columns(live, list, &columns);
	if (err)
		return err;
	addresses = find_column(&columns, view->addresses);
	sizes = find_column(&columns, view->sizes);
	taken = find_column(&columns, view->taken);
	used = find_column(&columns, view->used);
	if (addresses && sizes && taken && used)
		list->taken =
			collect_blocks(addresses, sizes, taken->data, used->data, &list->num_taken);
	list->is_sound = list->taken;
	return list->taken ? 0 : -EAGAIN;
}

static void take_view(struct live *live, const struct view *view)
{
	static const char blocks[] = "blocks that follow each other and fill the bank";
	const size_t size = view->size * WORD, addresses = view->addresses * WORD,
		     sizes = view->sizes * WORD, taken = view->taken * WORD,
		     used = view->used * WORD;

	live__found(live, TT_FIELD_FL_SIZE, "the sum of the blocks", 1, &size);
	live__found(live, TT_FIELD_FL_ADDRESSES, blocks, 1, &addresses);
	live__found(live, TT_FIELD_FL_SIZES, blocks, 1, &sizes);
	live__found(live, TT_FIELD_FL_ALLOCATED, "0 or 1, only of blocks in use", 1, &taken);
	live__found(live, TT_FIELD_FL_META, "1 of the blocks that fill the bank", 1, &used);
}

int live_lists__establish(struct live *live)
{
	struct election election = {};
	struct view view;
	int err = 0;

	live->lists = calloc(live->free_lists.count + 1, sizeof(*live->lists));
	if (!live->lists)
		return -ENOMEM;
	for (size_t i = 0; i < live->free_lists.count && !err; i++) {
		struct live_list *list = &live->lists[i];

		list->object = live->free_lists.all[i];
		live__copy(live, list->object, list->words, LIVE_LIST_WORDS);
		election.list = list;
		err = each_view(live, list, vote, &election);
	}
	err = err ? err : find_winner(&election, &view);
	for (size_t i = 0; i < live->free_lists.count && !err; i++)
		err = read_list(live, &live->lists[i], &view);
	if (!err)
		take_view(live, &view);
	return err;
}
