// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "core/snapshot_list.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/ledger_impl.h"
#include "core/origin.h"

__u32 snapshot__size_class(__u64 size)
{
	return size_class__of(size);
}

void list_builder__init(struct list_builder *builder, const struct ledger *ledger,
			const struct filter *filter, __u64 ts_ns)
{
	list_builder__done(builder);
	*builder = (struct list_builder){ .ledger = ledger, .filter = filter, .ts_ns = ts_ns };
}

void list_builder__suppress(struct list_builder *builder, struct snapshot_rule *rules,
			    const struct event_device *device)
{
	builder->rules = rules;
	builder->device = device;
}

void list_builder__done(struct list_builder *builder)
{
	struct stack_group *group, *next;

	HASH_ITER (hh, builder->by_stack, group, next) {
		HASH_DEL(builder->by_stack, group);
		free(group);
	}
}

/* Keeps @top sorted by key, the greatest first; of equal ones the earlier comes first. */
static void add_top(struct list_top *top, const struct buffer *buffer, __u64 key)
{
	__u32 place = top->count;

	if (top->count == SNAPSHOT_ROWS && top->at[SNAPSHOT_ROWS - 1].key >= key)
		return;
	while (place && top->at[place - 1].key < key)
		place--;
	if (top->count < SNAPSHOT_ROWS)
		top->count++;
	memmove(&top->at[place + 1], &top->at[place],
		(top->count - 1 - place) * sizeof(top->at[0]));
	top->at[place] = (struct list_entry){ buffer, key };
}

static void add_group(struct list_builder *builder, const struct buffer *buffer, __u64 age_ns)
{
	__u32 type = buffer->type < TT_TYPE_COUNT ? buffer->type : TT_TYPE_COUNT;
	__u32 size_class = snapshot__size_class(buffer->size);
	struct snapshot_group *group = &builder->groups[type][size_class];

	group->type = type;
	group->size_class = size_class;
	verdict_sum__add(&group->sum, buffer);
	group->is_older |= buffer->flags & BUFFER_UNSEEN;
	if (group->oldest_ns < age_ns)
		group->oldest_ns = age_ns;
}

static struct stack_group *meet_stack(struct list_builder *builder, const struct site_key *key)
{
	struct stack_group *group;

	HASH_FIND(hh, builder->by_stack, key, sizeof(*key), group);
	if (group)
		return group;
	group = calloc(1, sizeof(*group));
	if (!group)
		return NULL;
	group->key = *key;
	group->row.stack = stacks__find(&builder->ledger->stacks, key->stack);
	group->row.type = key->type;
	HASH_ADD(hh, builder->by_stack, key, sizeof(group->key), group);
	if (table__has(group))
		return group;
	free(group);
	return NULL;
}

static void add_stack(struct list_builder *builder, const struct buffer *buffer, __u64 age_ns)
{
	const struct site_key key = { .stack = buffer->stack, .type = buffer->type };
	struct stack_group *group;

	if (!builder->ledger->stacks.num_stacks)
		return;
	group = meet_stack(builder, &key);
	if (!group) {
		builder->err = -ENOMEM;
		return;
	}
	verdict_sum__add(&group->row.sum, buffer);
	group->row.is_older |= buffer->flags & BUFFER_UNSEEN;
	if (group->row.oldest_ns < age_ns)
		group->row.oldest_ns = age_ns;
}

static __u64 age_of(const struct list_builder *builder, const struct buffer *buffer)
{
	return builder->ts_ns > buffer->alloc_ts_ns ? builder->ts_ns - buffer->alloc_ts_ns : 0;
}

/* Of those that a census found no age is known, but the order: they are older than all others. */
static __u64 oldness_of(const struct buffer *buffer, __u64 age_ns)
{
	const __u32 ordered = BUFFER_UNSEEN | BUFFER_HAS_ID;

	return (buffer->flags & ordered) == ordered ? UINT64_MAX - buffer->id : age_ns;
}

static bool is_suppressed(struct list_builder *builder, const struct buffer *buffer)
{
	const struct suppression *rule = NULL;
	struct verdict_sum one = {};

	if (builder->rules)
		rule = filter__suppression(builder->filter,
					   stacks__find(&builder->ledger->stacks, buffer->stack));
	if (!rule)
		return false;
	verdict_sum__add(&one, buffer);
	verdict_sum__fold(&builder->suppressed, &one);
	verdict_sum__add_on_all_chips(&builder->rules[rule->number].sum, &one, builder->device);
	return true;
}

/* What the program itself has freed is its own. */
static bool may_be_cached(const struct list_builder *builder, const struct buffer *buffer)
{
	return !(buffer->flags & (BUFFER_SUPPRESSED | BUFFER_ORPHAN)) &&
	       !origin__is_told(stacks__find(&builder->ledger->stacks, buffer->stack));
}

void list_builder__add(struct list_builder *builder, const struct buffer *buffer)
{
	__u64 age_ns = age_of(builder, buffer);
	bool has_footprint = buffer->flags & BUFFER_HAS_FOOTPRINT;

	if (!filter__buffer(builder->filter, buffer->type, buffer->size) ||
	    !filter__age(builder->filter, age_ns)) {
		verdict_sum__add(&builder->hidden, buffer);
		return;
	}
	if (is_suppressed(builder, buffer))
		return;
	verdict_sum__add(&builder->sum, buffer);
	builder->untold += may_be_cached(builder, buffer);
	add_group(builder, buffer, age_ns);
	add_stack(builder, buffer, age_ns);
	add_top(&builder->largest, buffer, has_footprint ? buffer->footprint : buffer->size);
	add_top(&builder->oldest, buffer, oldness_of(buffer, age_ns));
}

static int compare_groups(const void *a, const void *b)
{
	const struct snapshot_group *x = a, *y = b;

	if (x->sum.bytes != y->sum.bytes)
		return x->sum.bytes < y->sum.bytes ? 1 : -1;
	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	return y->size_class < x->size_class ? -1 : y->size_class > x->size_class;
}

static int finish_groups(const struct list_builder *builder, struct snapshot_list *list)
{
	const struct snapshot_group *group = &builder->groups[0][0];
	__u32 all = (TT_TYPE_COUNT + 1) * SIZE_CLASSES, num = 0;

	for (__u32 i = 0; i < all; i++)
		num += group[i].sum.buffers != 0;
	if (!num)
		return 0;
	list->groups = calloc(num, sizeof(*list->groups));
	if (!list->groups)
		return -ENOMEM;
	for (__u32 i = 0; i < all; i++) {
		if (group[i].sum.buffers)
			list->groups[list->num_groups++] = group[i];
	}
	qsort(list->groups, num, sizeof(*list->groups), compare_groups);
	return 0;
}

static int compare_stacks(const void *a, const void *b)
{
	const struct snapshot_stack *x = a, *y = b;

	if (x->sum.bytes != y->sum.bytes)
		return x->sum.bytes < y->sum.bytes ? 1 : -1;
	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	if (!x->stack || !y->stack)
		return x->stack ? -1 : y->stack ? 1 : 0;
	return x->stack->number < y->stack->number ? -1 : x->stack->number > y->stack->number;
}

static int finish_stacks(const struct list_builder *builder, struct snapshot_list *list)
{
	__u32 num = HASH_COUNT(builder->by_stack);
	struct stack_group *group, *next;

	if (!num)
		return 0;
	list->stacks = calloc(num, sizeof(*list->stacks));
	if (!list->stacks)
		return -ENOMEM;
	HASH_ITER (hh, builder->by_stack, group, next)
		list->stacks[list->num_stacks++] = group->row;
	qsort(list->stacks, num, sizeof(*list->stacks), compare_stacks);
	return 0;
}

static int finish_rows(const struct list_builder *builder, const struct list_top *top,
		       struct snapshot_row **ret_rows, __u32 *ret_num)
{
	struct snapshot_row *rows;

	if (!top->count)
		return 0;
	rows = calloc(top->count, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	for (__u32 i = 0; i < top->count; i++) {
		const struct buffer *buffer = top->at[i].buffer;

		ledger__describe(builder->ledger, buffer, &rows[i].buffer);
		rows[i].age_ns = age_of(builder, buffer);
		rows[i].suppressed = buffer->flags & BUFFER_SUPPRESSED;
		rows[i].victim = buffer->flags & BUFFER_VICTIM;
	}
	*ret_rows = rows;
	*ret_num = top->count;
	return 0;
}

int list_builder__finish(const struct list_builder *builder, struct snapshot_list *ret_list)
{
	int err = builder->err;

	*ret_list = (struct snapshot_list){ .sum = builder->sum,
					    .hidden = builder->hidden,
					    .suppressed = builder->suppressed,
					    .untold = builder->untold };
	if (!err)
		err = finish_groups(builder, ret_list);
	if (!err)
		err = finish_stacks(builder, ret_list);
	if (!err)
		err = finish_rows(builder, &builder->largest, &ret_list->largest,
				  &ret_list->num_largest);
	if (!err)
		err = finish_rows(builder, &builder->oldest, &ret_list->oldest,
				  &ret_list->num_oldest);
	return err;
}

void snapshot_list__done(struct snapshot_list *list)
{
	free(list->groups);
	free(list->stacks);
	free(list->largest);
	free(list->oldest);
	memset(list, 0, sizeof(*list));
}

int snapshot__take_rules(const struct filter *filter, struct snapshot *snapshot)
{
	__u32 num = filter->suppressions ? suppressions__count(filter->suppressions) : 0;

	if (!num)
		return 0;
	snapshot->rules = calloc(num, sizeof(*snapshot->rules));
	if (!snapshot->rules)
		return -ENOMEM;
	snapshot->num_rules = num;
	for (__u32 i = 0; i < num; i++)
		snapshot->rules[i].pattern = suppressions__rule(filter->suppressions, i)->pattern;
	return 0;
}
