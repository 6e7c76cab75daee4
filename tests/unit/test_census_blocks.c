// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* What the free lists say of buffers, while they change. */
#include "fake_runtime.h"

#include <errno.h>

#include "target/census_blocks.h"

struct scene {
	struct fake *f;
	struct memory *memory;
	struct object_space space;
	struct census_tables before;
	struct census_look look;
};

/* Two buffers, as a look has read them; and the free lists, as they were before. */
static void set_up(struct scene *s, bool is_explained)
{
	*s = (struct scene){ .f = new_fake(2) };
	assert_int_equal(memory__open(getpid(), &s->memory), 0);
	s->space = (struct object_space){ s->memory, &layout, BIAS };
	s->look.is_explained = is_explained;
	s->look.num_buffers = 2;
	s->look.buffers = calloc(2, sizeof(*s->look.buffers));
	assert_non_null(s->look.buffers);
	for (size_t i = 0; i < 2; i++) {
		s->look.buffers[i].is_valid = true;
		s->look.buffers[i].unique_id = s->f->buffers[i].unique_id;
		memcpy(s->look.buffers[i].body, (char *)&s->f->buffers[i] + layout.body_start,
		       TT_BODY_SIZE);
	}
	assert_int_equal(census_tables__read(&s->space, (__u64)&s->f->allocator, &s->before), 0);
	memory__forget(s->memory);
}

static int measure(struct scene *s)
{
	return census_blocks__measure(&s->space, (__u64)&s->f->allocator, &s->before, &s->look);
}

static void tear_down(struct scene *s)
{
	census_look__done(&s->look);
	census_tables__done(&s->before);
	memory__free(s->memory);
	free_fake(s->f);
}

/* Both buffers are freed, and a larger one is where the first was. */
static void give_to_a_larger_one(struct fake *f)
{
	f->used[MAX_BLOCKS - 1 - 1] = 0;
	f->sizes[MAX_BLOCKS - 1] = 2 * BLOCK;
}

static void what_rests_is_measured(void **state)
{
	struct scene s;

	(void)state;
	set_up(&s, false);
	assert_int_equal(measure(&s), 0);
	assert_int_equal(s.look.buffers[0].per_bank, BLOCK);
	assert_int_equal(s.look.buffers[1].per_bank, BLOCK);
	assert_true(s.look.has_lists);
	tear_down(&s);
}

static void a_block_of_another_time_is_not_the_buffers(void **state)
{
	struct scene s;

	(void)state;
	set_up(&s, true);
	give_to_a_larger_one(s.f);
	assert_int_equal(measure(&s), 0); /* who frees and who allocates will be told */
	assert_int_equal(s.look.buffers[0].per_bank, 0);
	assert_false(s.look.buffers[0].is_freed);
	assert_true(s.look.buffers[1].is_freed);
	tear_down(&s);
}

static void where_nobody_tells_it_is_looked_at_again(void **state)
{
	struct scene s;

	(void)state;
	set_up(&s, false);
	give_to_a_larger_one(s.f);
	assert_int_equal(measure(&s), -EAGAIN);
	tear_down(&s);
}

/* After a bulk free, and before numbers of Buffers were known. */
static void a_block_that_two_claim_is_not_looked_at_for_ever(void **state)
{
	struct scene s;

	(void)state;
	set_up(&s, false);
	memcpy(&s.look.buffers[1], &s.look.buffers[0], sizeof(s.look.buffers[1]));
	assert_int_equal(measure(&s), 0);
	assert_int_equal(s.look.buffers[0].per_bank, 0);
	tear_down(&s);
}

/* It may be that the only one with a block there came and went meanwhile: that proves nothing. */
static void where_no_buffer_has_a_block_the_lists_are_not_read(void **state)
{
	struct scene s;

	(void)state;
	set_up(&s, true);
	s.f->used[MAX_BLOCKS - 1] = s.f->used[MAX_BLOCKS - 1 - 1] = 0;
	s.f->taken[MAX_BLOCKS - 1 - 2] = 1;
	assert_int_equal(measure(&s), 0);
	assert_int_equal(s.look.types_unsure, 1 << TT_TYPE_DRAM);
	assert_int_equal(s.look.types_unread, 1 << TT_TYPE_DRAM);
	assert_int_equal(s.look.num_orphans, 0);
	assert_false(s.look.buffers[0].is_freed);
	tear_down(&s);
}

static void what_an_earlier_look_could_not_read_is_unread(void **state)
{
	struct census_look earlier = { .types_unread = 1 << TT_TYPE_DRAM };
	struct scene s;

	(void)state;
	set_up(&s, true);
	s.f->taken[MAX_BLOCKS - 1 - 2] = 1;
	assert_int_equal(measure(&s), 0);
	assert_int_equal(s.look.num_orphans, 1);
	assert_int_equal(s.look.types, 1 << TT_TYPE_DRAM);
	census_blocks__confirm(&s.space, &s.look, &earlier);
	assert_int_equal(s.look.num_orphans, 0);
	assert_int_equal(s.look.types, 0);
	assert_int_equal(s.look.types_unread, 1 << TT_TYPE_DRAM);
	tear_down(&s);
}

static void what_cannot_be_read_of_a_parent_is_unread(void **state)
{
	struct census_look parents = { .types_unread = 1 << TT_TYPE_DRAM };
	struct scene s;

	(void)state;
	set_up(&s, true);
	s.f->taken[MAX_BLOCKS - 1 - 2] = 1;
	assert_int_equal(measure(&s), 0);
	census_blocks__disown(&s.space, &s.look, &parents, 0);
	assert_int_equal(s.look.num_orphans, 0);
	assert_int_equal(s.look.types_unread, 1 << TT_TYPE_DRAM);
	tear_down(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(where_no_buffer_has_a_block_the_lists_are_not_read),
		cmocka_unit_test(what_an_earlier_look_could_not_read_is_unread),
		cmocka_unit_test(what_cannot_be_read_of_a_parent_is_unread),
		cmocka_unit_test(what_rests_is_measured),
		cmocka_unit_test(a_block_of_another_time_is_not_the_buffers),
		cmocka_unit_test(where_nobody_tells_it_is_looked_at_again),
		cmocka_unit_test(a_block_that_two_claim_is_not_looked_at_for_ever),
	};

	return cmocka_run_group_tests(tests, describe_layout, NULL);
}
