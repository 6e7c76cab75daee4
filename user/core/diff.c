// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "core/diff.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/frame_set.h"
#include "core/origin.h"
#include "lib/bytes.h"
#include "lib/table.h"

struct stack_key {
	__u64 side;
	__u64 number;
};

struct told_stack {
	struct stack_key key;
	UT_hash_handle hh;
	struct event_stack stack; /* its frames lie behind it */
};

struct op_entry {
	struct diff_op op;
	UT_hash_handle hh;
	char key[];
};

struct group_entry {
	struct diff_group group;
	bool is_new; /* what it shows is of the new side */
	UT_hash_handle hh;
	char key[];
};

struct diff {
	struct frame_set frames;
	struct told_stack *stacks;
	struct op_entry *ops;
	struct group_entry *groups;
	struct diff_sums total[DIFF_SIDE_COUNT];
};

int diff__new(struct diff **ret_diff)
{
	struct diff *diff = calloc(1, sizeof(*diff));

	if (!diff)
		return -ENOMEM;
	*ret_diff = diff;
	return 0;
}

void diff__free(struct diff *diff)
{
	struct told_stack *stack, *next_stack;
	struct group_entry *group, *next_group;
	struct op_entry *op, *next_op;

	if (!diff)
		return;
	HASH_ITER (hh, diff->stacks, stack, next_stack) {
		HASH_DEL(diff->stacks, stack);
		free(stack);
	}
	HASH_ITER (hh, diff->groups, group, next_group) {
		HASH_DEL(diff->groups, group);
		free(group);
	}
	HASH_ITER (hh, diff->ops, op, next_op) {
		HASH_DEL(diff->ops, op);
		free(op);
	}
	frame_set__done(&diff->frames);
	free(diff);
}

/* --- stacks --------------------------------------------------------------------------------- */

static struct told_stack *find_stack(const struct diff *diff, enum diff_side side, __u64 number)
{
	struct stack_key key = { side, number };
	struct told_stack *stack;

	HASH_FIND(hh, diff->stacks, &key, sizeof(key), stack);
	return stack;
}

static int copy_frames(struct diff *diff, const struct event_stack *from, struct event_stack *to)
{
	int err = 0;

	for (__u32 i = 0; !err && i < from->num_frames; i++)
		err = frame_set__add(&diff->frames, from->frames[i], &to->frames[i]);
	return err;
}

int diff__add_stack(struct diff *diff, enum diff_side side, __u64 number,
		    const struct event_stack *stack)
{
	char op[2]; /* its name is told with the sites */
	struct told_stack *told;
	int err;

	if (find_stack(diff, side, number))
		return -EEXIST;
	told = calloc(1, sizeof(*told) + stack->num_frames * sizeof(stack->frames[0]));
	if (!told)
		return -ENOMEM;
	told->key = (struct stack_key){ side, number };
	told->stack.end = stack->end;
	told->stack.num_frames = stack->num_frames;
	told->stack.op_frame = origin__operation(stack, op, sizeof(op));
	err = copy_frames(diff, stack, &told->stack);
	if (!err) {
		HASH_ADD(hh, diff->stacks, key, sizeof(told->key), told);
		err = table__has(told) ? 0 : -ENOMEM;
	}
	if (err)
		free(told);
	return err;
}

/* --- sites ---------------------------------------------------------------------------------- */

static int add_number(__u64 *sum, __u64 number)
{
	if (__builtin_add_overflow(*sum, number, sum) || *sum > LLONG_MAX)
		return -ERANGE;
	return 0;
}

static int add_sums(struct diff_sums *to, const struct diff_site *site)
{
	__u64 bytes;

	for (int i = 0; i < DIFF_MEASURE_COUNT; i++) {
		const struct diff_sum *sum = &site->sums.of[i];

		if (__builtin_mul_overflow(sum->bytes, site->chips, &bytes) ||
		    add_number(&to->of[i].bytes, bytes) ||
		    add_number(&to->of[i].buffers, sum->buffers))
			return -ERANGE;
	}
	return 0;
}

/* With the 0 at its end; of what is not known that alone. */
static int put_string(struct bytes *key, const char *s)
{
	return bytes__append(key, s ? s : "", s ? strlen(s) + 1 : 1);
}

static int make_op_key(const struct diff_site *site, struct bytes *key)
{
	int err = bytes__append(key, &site->type, sizeof(site->type));

	if (!err)
		err = put_string(key, site->op);
	if (!err)
		err = put_string(key, site->owner);
	return err;
}

static struct op_entry *new_op(const struct diff_site *site, const struct bytes *key, __u32 number)
{
	struct op_entry *entry = calloc(1, sizeof(*entry) + key->size);
	const char *op, *owner;

	if (!entry)
		return NULL;
	memcpy(entry->key, key->data, key->size);
	op = entry->key + sizeof(site->type);
	owner = op + strlen(op) + 1;
	entry->op.number = number;
	entry->op.type = site->type;
	entry->op.op = *op ? op : NULL;
	entry->op.owner = *owner ? owner : NULL;
	return entry;
}

static int add_op(struct diff *diff, const struct diff_site *site, const struct bytes *key,
		  struct diff_op **ret_op)
{
	struct op_entry *entry;

	HASH_FIND(hh, diff->ops, key->data, key->size, entry);
	if (!entry) {
		entry = new_op(site, key, HASH_COUNT(diff->ops));
		if (!entry)
			return -ENOMEM;
		HASH_ADD(hh, diff->ops, key, key->size, entry);
		if (!table__has(entry)) {
			free(entry);
			return -ENOMEM;
		}
	}
	*ret_op = &entry->op;
	return 0;
}

static int find_op(struct diff *diff, const struct diff_site *site, struct diff_op **ret_op)
{
	struct bytes key = { 0 };
	int err = make_op_key(site, &key);

	if (!err)
		err = add_op(diff, site, &key, ret_op);
	free(key.data);
	return err;
}

/* Without a stack the number of the operation stands where the places of the frames would. */
static int make_group_key(const struct diff_op *op, const struct event_stack *stack,
			  struct bytes *key)
{
	__u32 head[] = { op->type, stack ? 1 : 0 };
	int err = bytes__append(key, head, sizeof(head));

	if (!err && !stack)
		err = bytes__append(key, &op->number, sizeof(op->number));
	for (__u32 i = 0; !err && stack && i < stack->num_frames; i++) {
		__u32 place = frame_set__place(stack->frames[i]);

		err = bytes__append(key, &place, sizeof(place));
	}
	return err;
}

static int add_group(struct diff *diff, const struct bytes *key, struct group_entry **ret_entry)
{
	struct group_entry *entry;

	HASH_FIND(hh, diff->groups, key->data, key->size, entry);
	if (!entry) {
		entry = calloc(1, sizeof(*entry) + key->size);
		if (!entry)
			return -ENOMEM;
		memcpy(entry->key, key->data, key->size);
		entry->group.number = HASH_COUNT(diff->groups);
		HASH_ADD(hh, diff->groups, key, key->size, entry);
		if (!table__has(entry)) {
			free(entry);
			return -ENOMEM;
		}
	}
	*ret_entry = entry;
	return 0;
}

static int find_group(struct diff *diff, enum diff_side side, const struct diff_op *op,
		      const struct event_stack *stack, struct diff_group **ret_group)
{
	struct bytes key = { 0 };
	struct group_entry *entry;
	int err = make_group_key(op, stack, &key);

	if (!err)
		err = add_group(diff, &key, &entry);
	free(key.data);
	if (err)
		return err;
	if (!entry->group.op || (side == DIFF_NEW && !entry->is_new)) {
		entry->group.type = op->type;
		entry->group.op = op;
		entry->group.stack = stack;
		entry->is_new = side == DIFF_NEW;
	}
	*ret_group = &entry->group;
	return 0;
}

int diff__add_site(struct diff *diff, enum diff_side side, const struct diff_site *site)
{
	struct told_stack *told = NULL;
	struct diff_group *group;
	struct diff_op *op;
	int err;

	if (site->has_stack) {
		told = find_stack(diff, side, site->stack);
		if (!told)
			return -ENOENT;
	}
	err = find_op(diff, site, &op);
	if (!err)
		err = find_group(diff, side, op, told ? &told->stack : NULL, &group);
	if (!err)
		err = add_sums(&op->sums[side], site);
	if (!err)
		err = add_sums(&group->sums[side], site);
	if (!err)
		err = add_sums(&diff->total[side], site);
	return err;
}

/* --- what has changed ----------------------------------------------------------------------- */

static bool has_any(const struct diff *diff, enum diff_measure measure)
{
	for (int side = 0; side < DIFF_SIDE_COUNT; side++)
		if (diff->total[side].of[measure].bytes || diff->total[side].of[measure].buffers)
			return true;
	return false;
}

enum diff_measure diff__default_measure(const struct diff *diff)
{
	if (has_any(diff, DIFF_LEAKED))
		return DIFF_LEAKED;
	return has_any(diff, DIFF_LIVE) ? DIFF_LIVE : DIFF_PEAK;
}

struct diff_change diff__change(const struct diff_sum *before, const struct diff_sum *after)
{
	return (struct diff_change){
		.bytes = (__s64)after->bytes - (__s64)before->bytes,
		.buffers = (__s64)after->buffers - (__s64)before->buffers,
	};
}

static struct diff_change change_of(const struct diff_sums sums[DIFF_SIDE_COUNT],
				    enum diff_measure measure)
{
	return diff__change(&sums[DIFF_OLD].of[measure], &sums[DIFF_NEW].of[measure]);
}

static bool has_changed(const struct diff_sums sums[DIFF_SIDE_COUNT], enum diff_measure measure)
{
	struct diff_change change = change_of(sums, measure);

	return change.bytes || change.buffers;
}

/* Less than 0: @a comes first. */
static int compare_changes(struct diff_change a, struct diff_change b)
{
	__s64 bytes = llabs(b.bytes) - llabs(a.bytes);
	__s64 buffers = llabs(b.buffers) - llabs(a.buffers);

	if (bytes)
		return bytes < 0 ? -1 : 1;
	return buffers < 0 ? -1 : buffers > 0;
}

static int compare_ops(const void *left, const void *right, void *measure)
{
	const struct diff_op *a = *(struct diff_op *const *)left;
	const struct diff_op *b = *(struct diff_op *const *)right;
	enum diff_measure by = *(enum diff_measure *)measure;
	int order = compare_changes(change_of(a->sums, by), change_of(b->sums, by));

	return order ? order : a->number < b->number ? -1 : 1;
}

static int compare_groups(const void *left, const void *right, void *measure)
{
	const struct diff_group *a = *(struct diff_group *const *)left;
	const struct diff_group *b = *(struct diff_group *const *)right;
	enum diff_measure by = *(enum diff_measure *)measure;
	int order = compare_changes(change_of(a->sums, by), change_of(b->sums, by));

	return order ? order : a->number < b->number ? -1 : 1;
}

static void take_changes(const struct diff *diff, struct diff_view *view)
{
	const struct group_entry *group;
	const struct op_entry *op;

	for (op = diff->ops; op; op = op->hh.next)
		if (has_changed(op->op.sums, view->measure))
			view->ops[view->num_ops++] = &op->op;
	for (group = diff->groups; group; group = group->hh.next)
		if (has_changed(group->group.sums, view->measure))
			view->groups[view->num_groups++] = &group->group;
	if (view->num_ops)
		qsort_r(view->ops, view->num_ops, sizeof(view->ops[0]), compare_ops,
			&view->measure);
	if (view->num_groups)
		qsort_r(view->groups, view->num_groups, sizeof(view->groups[0]), compare_groups,
			&view->measure);
}

int diff__view(const struct diff *diff, enum diff_measure measure, struct diff_view **ret_view)
{
	struct diff_view *view = calloc(1, sizeof(*view));

	if (!view)
		return -ENOMEM;
	view->measure = measure;
	view->ops = calloc(HASH_COUNT(diff->ops) + 1, sizeof(*view->ops));
	view->groups = calloc(HASH_COUNT(diff->groups) + 1, sizeof(*view->groups));
	if (!view->ops || !view->groups) {
		diff_view__free(view);
		return -ENOMEM;
	}
	for (int side = 0; side < DIFF_SIDE_COUNT; side++)
		view->total[side] = diff->total[side].of[measure];
	take_changes(diff, view);
	*ret_view = view;
	return 0;
}

void diff_view__free(struct diff_view *view)
{
	if (!view)
		return;
	free(view->ops);
	free(view->groups);
	free(view);
}

bool diff_view__has_more(const struct diff_view *view)
{
	struct diff_change change = diff__change(&view->total[DIFF_OLD], &view->total[DIFF_NEW]);

	return change.bytes ? change.bytes > 0 : change.buffers > 0;
}

const char *diff_measure__name(enum diff_measure measure)
{
	static const char *const names[DIFF_MEASURE_COUNT] = {
		[DIFF_LEAKED] = "leaked",
		[DIFF_LIVE] = "live",
		[DIFF_PEAK] = "peak",
		[DIFF_ALLOCATED] = "allocated",
	};

	return measure < DIFF_MEASURE_COUNT ? names[measure] : "?";
}
