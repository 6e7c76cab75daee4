// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* A census of what changes, is dead, or is made to confuse. */
#include "fake_runtime.h"

struct maker {
	struct fake *f;
	int looks;
};

static void a_dead_allocator_has_no_records(void **state)
{
	struct fake *f = new_fake(4);

	(void)state;
	f->allocator.vtable = 0x5555;
	take_of(f);
	assert_nothing();
	/* its memory was given to another one, the set is still as it was */
	f->allocator.vtable = vtable_allocator + BIAS;
	for (size_t i = 0; i < 4; i++)
		f->buffers[i].allocator += 64;
	f->addresses[0] = (__u64)f; /* as free(3) leaves it */
	take_of(f);
	assert_nothing();
	for (size_t i = 0; i < 4; i++) {
		f->buffers[i].allocator -= 64;
		f->buffers[i].status = TT_STATUS_DEALLOCATED;
	}
	f->addresses[0] = (__u64)f; /* as free(3) leaves it */
	take_of(f);
	assert_nothing();
	free_fake(f);
}

/* One is in the making, another is gone, but a suppressed free has left it in the set. */
static void an_element_that_is_no_live_buffer_is_passed_over(void **state)
{
	struct fake *f = new_fake(9);

	(void)state;
	f->buffers[5].status = TT_STATUS_REQUESTED;
	f->nodes[1].buffer = (struct fake_buffer *)16;
	take_of(f);
	assert_int_equal(said.end.phase, TT_CENSUS_END);
	assert_int_equal(said.begin.num_buffers, 9);
	assert_int_equal(said.end.num_buffers, 7);
	assert_int_equal(said.num_buffers, 7);
	assert_int_equal(said.num_orphans, 2);
	free_fake(f);
}

/* Frees that captures suppressed, of buffers that had no block of their own any more, or never. */
static void elements_that_outnumber_the_orphans_are_passed_over(void **state)
{
	struct fake *f = new_fake(6);

	(void)state;
	for (size_t i = 0; i < 5; i++)
		f->nodes[i].buffer = (struct fake_buffer *)16;
	for (size_t i = 1; i < 5; i++)
		f->taken[MAX_BLOCKS - 1 - i] = 0;
	take_of(f);
	assert_int_equal(said.end.phase, TT_CENSUS_END);
	assert_int_equal(said.num_buffers, 1);
	assert_int_equal(said.num_orphans, 1);
	assert_int_equal(said.orphans[0].address, BASE);
	free_fake(f);
}

/* A Buffer of another allocator has come to lie where such a one was. */
static void an_element_may_have_become_another_allocators(void **state)
{
	struct fake *f = new_fake(3), *other = new_fake(2);

	(void)state;
	f->nodes[0].buffer = &other->buffers[0];
	f->nodes[1].buffer = &other->buffers[1];
	take_of(f);
	assert_int_equal(said.end.phase, TT_CENSUS_END);
	assert_int_equal(said.num_buffers, 1);
	assert_int_equal(said.num_orphans, 2);
	free_fake(other);
	free_fake(f);
}

/* Its buffers and free lists are there, but they are not its own. */
static void a_copy_of_an_allocator_is_none(void **state)
{
	struct fake *f = new_fake(3);
	struct fake_allocator copy = f->allocator;
	const __u64 allocator = (__u64)&copy;

	(void)state;
	take(&allocator, 1);
	memset(&copy, 0, sizeof(copy));
	assert_nothing();
	free_fake(f);
}

/* What is left of a Buffer that ran out of memory looks so, too. */
static void what_is_in_the_making_for_ever_is_not_waited_for(void **state)
{
	struct fake *f = new_fake(3);

	(void)state;
	for (size_t i = 0; i < 2; i++)
		f->buffers[i].status = TT_STATUS_REQUESTED;
	take_of(f);
	assert_int_equal(said.end.phase, TT_CENSUS_END);
	assert_int_equal(said.num_buffers, 1);
	assert_int_equal(said.num_orphans, 2);
	free_fake(f);
}

/* The free lists say that it lives, so it is not passed over without a word. */
static void an_allocator_that_does_not_rest_is_torn(void **state)
{
	struct fake *f = new_fake(3);

	(void)state;
	for (size_t i = 0; i < 2; i++)
		f->nodes[i].buffer = (struct fake_buffer *)16;
	f->allocator.set.count = 4;
	take_of(f);
	assert_torn(1);
	f->allocator.set.first = NULL; /* as between the two steps of an erase */
	f->allocator.set.count = 1;
	take_of(f);
	assert_int_equal(said.num_pairs, 0);
	assert_int_equal(said.result.unreadable, 1);
	free_fake(f);
}

static void empty_the_set(void *ctx)
{
	struct maker *maker = ctx;

	if (++maker->looks == 2)
		maker->f->allocator.set.count = 0;
}

/* The last element is out of the chain before it is out of the count. */
static void an_erase_that_is_going_on_is_waited_for(void **state)
{
	struct fake *f = new_fake(0);
	struct maker maker = { .f = f };
	const __u64 allocator = (__u64)&f->allocator;

	(void)state;
	f->taken[MAX_BLOCKS - 1] = 1;
	f->allocator.set.count = 1;
	take_while(&allocator, 1, empty_the_set, &maker);
	assert_int_equal(said.end.phase, TT_CENSUS_END);
	assert_int_equal(said.num_orphans, 1);
	free_fake(f);
}

static void finish_after_some_looks(void *ctx)
{
	struct maker *maker = ctx;

	if (++maker->looks == 10)
		maker->f->buffers[0].status = TT_STATUS_ALLOCATED;
}

/* A program that allocates and frees one buffer after the other has none that is whole, often. */
static void an_allocator_whose_only_buffer_is_in_the_making_is_looked_at_again(void **state)
{
	struct fake *f = new_fake(1);
	struct maker maker = { .f = f };
	const __u64 allocator = (__u64)&f->allocator;

	(void)state;
	f->buffers[0].status = TT_STATUS_REQUESTED;
	take_while(&allocator, 1, finish_after_some_looks, &maker);
	assert_whole(1);
	free_fake(f);
}

static void a_ring_ends(void **state)
{
	struct fake *f = new_fake(9);

	(void)state;
	f->nodes[0].next = &f->nodes[6];
	take_of(f);
	assert_torn(9);
	f->allocator.set.count = 1 << 22;
	take_of(f);
	assert_torn(9);
	free_fake(f);
}

static void a_chain_of_another_length_is_torn(void **state)
{
	struct fake *f = new_fake(9);

	(void)state;
	f->allocator.set.count = 10;
	take_of(f);
	assert_torn(9);
	f->allocator.set.count = 8;
	take_of(f);
	assert_torn(8);
	free_fake(f);
}

static void numbers_that_cannot_be_are_no_set(void **state)
{
	struct fake *f = new_fake(3);

	(void)state;
	f->allocator.set.count = 1ull << 60;
	take_of(f);
	assert_nothing();
	f->allocator.set.count = 3;
	f->allocator.set.num_buckets = 0;
	take_of(f);
	assert_nothing();
	/* buckets are a help only: where they are nonsense the chain is enough */
	f->allocator.set.num_buckets = 1ull << 60;
	take_of(f);
	assert_whole(3);
	f->allocator.set.num_buckets = MAX_BUFFERS;
	f->allocator.set.buckets = (struct fake_node **)8;
	take_of(f);
	assert_whole(3);
	free_fake(f);
}

static void pointers_to_nowhere_are_survived(void **state)
{
	struct fake *f = new_fake(6);

	(void)state;
	f->nodes[2].next = (struct fake_node *)UINTPTR_MAX;
	take_of(f);
	assert_torn(4);
	f->nodes[2].next = &f->nodes[1];
	f->buckets[7] = (struct fake_node *)(UINTPTR_MAX - 3);
	f->allocator.dram = (struct fake_manager *)1;
	f->mesh.chips = (struct fake_chip **)UINTPTR_MAX - 1;
	f->mesh.chips_end = (struct fake_chip **)UINTPTR_MAX;
	take_of(f);
	assert_whole(6);
	assert_int_equal(said.allocator.h.faults, TT_FAULT_BANKS | TT_FAULT_CHIPS);
	assert_int_equal(said.result.unknown_sizes, 6);
	f->allocator.set.first = (struct fake_node *)8;
	take_of(f);
	assert_nothing();
	free_fake(f);
}

static void an_address_that_is_no_object_is_no_allocator(void **state)
{
	const __u64 allocators[] = { 0, 8, UINT64_MAX - 16, (__u64)&layout, (__u64)&said };

	(void)state;
	take(allocators, 5);
	assert_nothing();
}

/* After a bulk free they stay in the set, and their addresses get to others. */
static void what_has_no_block_of_its_own_is_not_held(void **state)
{
	struct fake *f = new_fake(6);

	(void)state;
	f->taken[MAX_BLOCKS - 1 - 2] = 0;	       /* given back, by a bulk free */
	f->buffers[3].address += 32;		       /* inside of a block */
	f->buffers[4].address = f->buffers[5].address; /* the later one has it */
	take_of(f);
	assert_int_equal(said.end.phase, TT_CENSUS_END);
	assert_int_equal(said.begin.num_buffers, 6);
	assert_int_equal(said.end.num_buffers, 3);
	assert_int_equal(said.num_buffers, 3);
	/* in the order of the set: 5, 1, 0 */
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(said.buffers[i].per_bank, BLOCK);
	assert_int_equal(said.buffers[0].b.buffer, (__u64)&f->buffers[5]);
	assert_int_equal(said.result.unknown_sizes, 0);
	/* what the free list holds and no buffer owns is told apart */
	assert_int_equal(said.num_orphans, 2);
	assert_int_equal(said.orphans[0].address, BASE + 3 * BLOCK);
	assert_int_equal(said.orphans[1].address, BASE + 4 * BLOCK);
	free_fake(f);
}

static void a_block_table_that_contradicts_itself_is_not_used(void **state)
{
	struct fake *f = new_fake(2);

	(void)state;
	f->sizes[7] -= 32;
	take_of(f);
	assert_whole(2);
	assert_int_equal(said.result.unknown_sizes, 2);
	/* what is not in use may hold anything, and a block may be merged with the next one */
	f->used[7] = 0;
	f->sizes[8] = 2 * BLOCK;
	take_of(f);
	assert_int_equal(said.result.unknown_sizes, 0);
	f->list.taken_end--;
	take_of(f);
	assert_int_equal(said.result.unknown_sizes, 2);
	f->list.taken_end++;
	f->list.size = BLOCK;
	take_of(f);
	assert_int_equal(said.result.unknown_sizes, 2);
	free_fake(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dead_allocator_has_no_records),
		cmocka_unit_test(an_element_that_is_no_live_buffer_is_passed_over),
		cmocka_unit_test(elements_that_outnumber_the_orphans_are_passed_over),
		cmocka_unit_test(an_element_may_have_become_another_allocators),
		cmocka_unit_test(a_copy_of_an_allocator_is_none),
		cmocka_unit_test(what_is_in_the_making_for_ever_is_not_waited_for),
		cmocka_unit_test(an_allocator_that_does_not_rest_is_torn),
		cmocka_unit_test(an_erase_that_is_going_on_is_waited_for),
		cmocka_unit_test(
			an_allocator_whose_only_buffer_is_in_the_making_is_looked_at_again),
		cmocka_unit_test(a_ring_ends),
		cmocka_unit_test(a_chain_of_another_length_is_torn),
		cmocka_unit_test(numbers_that_cannot_be_are_no_set),
		cmocka_unit_test(pointers_to_nowhere_are_survived),
		cmocka_unit_test(an_address_that_is_no_object_is_no_allocator),
		cmocka_unit_test(what_has_no_block_of_its_own_is_not_held),
		cmocka_unit_test(a_block_table_that_contradicts_itself_is_not_used),
	};

	return cmocka_run_group_tests(tests, describe_layout, NULL);
}
