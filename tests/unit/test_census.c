// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* A census of this very process, and of a child. */
#include "fake_runtime.h"

#include <errno.h>
#include <sys/wait.h>

static void what_an_allocator_holds_is_told(void **state)
{
	struct fake *f = new_fake(20);
	const struct tt_record_census_buffer *b = &said.buffers[0];
	__u64 size;

	(void)state;
	take_of(f);
	assert_whole(20);
	assert_int_equal(said.begin.allocator, &f->allocator);
	assert_int_equal(said.begin.device, &f->mesh);
	/* the order is the set's: the last of ours is its first */
	assert_int_equal(b->b.buffer, &f->buffers[19]);
	assert_int_equal(b->b.unique_id, 1019);
	assert_int_equal(b->b.device_state, TT_STATE_OPEN);
	assert_int_equal(b->allocator, &f->allocator);
	assert_int_equal(b->per_bank, BLOCK);
	assert_int_equal(b->b.h.faults, 0);
	memcpy(&size, b->b.body + offsetof(struct fake_buffer, size) - layout.body_start, 8);
	assert_int_equal(size, 119);
	assert_int_equal(said.result.unknown_sizes, 0);
	free_fake(f);
}

static void its_device_and_banks_are_introduced(void **state)
{
	struct fake *f = new_fake(1);

	(void)state;
	take_of(f);
	assert_int_equal(said.allocator.allocator, &f->allocator);
	assert_int_equal(said.allocator.device.kind, TT_DEVICE_MESH);
	assert_int_equal(said.allocator.device.mesh_id, 3);
	assert_int_equal(said.allocator.device.num_chips, 2);
	assert_int_equal(said.allocator.device.chips[1], 6);
	assert_int_equal(said.allocator.num_banks[TT_TYPE_DRAM], 12);
	assert_int_equal(said.allocator.bank_size[TT_TYPE_DRAM], MAX_BLOCKS * BLOCK);
	assert_int_equal(said.allocator.bank_align[TT_TYPE_DRAM], 32);
	free_fake(f);
}

static void buffers_on_two_devices_make_two_pairs(void **state)
{
	struct fake *f = new_fake(5), *g = new_fake(0);

	(void)state;
	f->buffers[2].device = (__u64)&g->mesh;
	take_of(f);
	assert_int_equal(said.num_pairs, 2);
	assert_int_equal(said.num_buffers, 5);
	assert_int_equal(said.end.num_buffers, 1);
	assert_int_equal(said.end.device, &g->mesh);
	assert_int_equal(said.result.allocators, 1);
	free_fake(f);
	free_fake(g);
}

static void an_empty_set_is_told_of_if_its_allocator_is_known(void **state)
{
	struct fake *f = new_fake(0);

	(void)state;
	take_of(f);
	assert_int_equal(said.end.phase, TT_CENSUS_END);
	assert_int_equal(said.end.allocator, (__u64)&f->allocator);
	assert_int_equal(said.end.device, 0);
	assert_int_equal(said.end.types, 1 << TT_TYPE_DRAM);
	assert_int_equal(said.num_buffers, 0);
	assert_int_equal(said.num_orphans, 0);
	f->taken[3] = 1;
	take_of(f);
	assert_int_equal(said.num_orphans, 1);
	take(NULL, 0);
	assert_nothing();
	free_fake(f);
}

/* A graph capture has suppressed a free: the Buffer is gone, its block is taken. */
static void a_block_that_no_buffer_owns_is_told(void **state)
{
	struct fake *f = new_fake(9);

	(void)state;
	f->nodes[4].buffer = (struct fake_buffer *)16;
	take_of(f);
	assert_int_equal(said.end.phase, TT_CENSUS_END);
	assert_int_equal(said.num_buffers, 8);
	assert_int_equal(said.num_orphans, 1);
	assert_int_equal(said.orphans[0].allocator, (__u64)&f->allocator);
	assert_int_equal(said.orphans[0].device, (__u64)&f->mesh);
	assert_int_equal(said.orphans[0].address, BASE + 4 * BLOCK);
	assert_int_equal(said.orphans[0].per_bank, BLOCK);
	assert_int_equal(said.orphans[0].type, TT_TYPE_DRAM);
	assert_int_equal(said.end.types, 1 << TT_TYPE_DRAM);
	assert_int_equal(said.end.types_unread, 0);
	free_fake(f);
}

struct suppressor {
	struct fake *fake;
	int looks;
};

static void suppress_before_the_second_look(void *ctx)
{
	struct suppressor *suppressor = ctx;

	if (++suppressor->looks == 2)
		suppressor->fake->nodes[3].buffer = (struct fake_buffer *)16;
}

/* Another one is an orphan already, so that it is looked at again. */
static void a_block_whose_buffer_goes_between_two_looks_is_told(void **state)
{
	struct suppressor suppressor = { .fake = new_fake(9) };
	const __u64 allocator = (__u64)&suppressor.fake->allocator;

	(void)state;
	suppressor.fake->nodes[4].buffer = (struct fake_buffer *)16;
	take_while(&allocator, 1, suppress_before_the_second_look, &suppressor);
	assert_int_equal(said.num_buffers, 7);
	assert_int_equal(said.num_orphans, 2);
	free_fake(suppressor.fake);
}

/* A buffer was freed after the look at the set, and before that at the free list. */
static void free_before_the_first_look(void *ctx)
{
	struct suppressor *suppressor = ctx;

	suppressor->fake->taken[MAX_BLOCKS - 1 - 0] = ++suppressor->looks > 1;
}

static void a_buffer_that_goes_meanwhile_does_not_hide_such_a_block(void **state)
{
	struct suppressor suppressor = { .fake = new_fake(2) };
	const __u64 allocator = (__u64)&suppressor.fake->allocator;

	(void)state;
	suppressor.fake->nodes[1].buffer = (struct fake_buffer *)16;
	take_while(&allocator, 1, free_before_the_first_look, &suppressor);
	assert_int_equal(said.num_buffers, 1);
	assert_int_equal(said.num_orphans, 1);
	assert_int_equal(said.end.types, 1 << TT_TYPE_DRAM);
	free_fake(suppressor.fake);
}

/* All buffers were freed so. One that is there still, and says that it is freed, names a device. */
static void an_allocator_may_hold_nothing_but_such_blocks(void **state)
{
	struct fake *f = new_fake(3);

	(void)state;
	for (size_t i = 0; i < 3; i++)
		f->buffers[i].status = TT_STATUS_DEALLOCATED;
	take(NULL, 0);
	assert_int_equal(said.num_orphans, 3);
	assert_int_equal(said.orphans[2].device, (__u64)&f->mesh);
	for (size_t i = 0; i < 3; i++)
		f->nodes[i].buffer = (struct fake_buffer *)16;
	take_of(f); /* a search would find the copies that tests of this very process make */
	assert_int_equal(said.num_orphans, 3);
	assert_int_equal(said.orphans[2].device, 0);
	free_fake(f);
}

/* free(3) has left its links where a Buffer that was freed names its device. */
static void what_is_left_of_a_freed_buffer_is_no_device(void **state)
{
	struct fake *f = new_fake(3);

	(void)state;
	f->buffers[2].status = TT_STATUS_DEALLOCATED;
	f->buffers[2].device = 0x30;
	take_of(f);
	assert_int_equal(said.num_pairs, 1);
	assert_int_equal(said.num_orphans, 1);
	assert_int_equal(said.orphans[0].device, (__u64)&f->mesh);
	f->buffers[0].status = f->buffers[1].status = TT_STATUS_DEALLOCATED;
	take_of(f);
	assert_int_equal(said.num_orphans, 3);
	assert_int_equal(said.orphans[0].device, (__u64)&f->mesh);
	free_fake(f);
}

static void without_free_lists_no_block_is_told(void **state)
{
	struct fake *f = new_fake(3);

	(void)state;
	f->nodes[1].buffer = (struct fake_buffer *)16;
	layout.field[TT_FIELD_FL_META].len = 0;
	take_of(f);
	assert_int_equal(said.num_buffers, 2);
	assert_int_equal(said.num_orphans, 0);
	assert_int_equal(said.end.types, 0);
	assert_int_equal(said.end.types_unread, 1 << TT_TYPE_DRAM);
	layout.field[TT_FIELD_FL_META].len = 1;
	free_fake(f);
}

static void a_search_finds_what_begins_with_the_vtable(void **state)
{
	struct fake *f = new_fake(7);

	(void)state;
	take(NULL, 0);
	assert_whole(7);
	assert_true(said.result.searched_bytes > 0);
	free_fake(f);
	take(NULL, 0);
	assert_nothing();
}

static void without_vtables_devices_lead_to_buffers_and_those_to_allocators(void **state)
{
	struct fake *f = new_fake(7);

	(void)state;
	f->allocator.vtable = 0;
	layout.vtable_allocator[0] = 0;
	take(NULL, 0);
	assert_whole(7);
	layout.vtable_allocator[0] = vtable_allocator;
	free_fake(f);
}

static int count_record(void *ctx, const void *record, size_t size)
{
	const struct tt_record *h = record;

	(void)size;
	*(int *)ctx += h->kind == TT_RECORD_CENSUS_BUFFER;
	return 0;
}

static void a_child_is_read_and_one_that_has_ended_is_none(void **state)
{
	struct fake *f = new_fake(11);
	const struct census_library library = { &layout, 0, BIAS };
	struct census_target target = { .libraries = &library, .num_libraries = 1, .search = true };
	struct census_result result;
	int gate[2], buffers = 0;
	char byte;

	(void)state;
	assert_int_equal(pipe(gate), 0);
	target.pid = fork();
	if (!target.pid) {
		close(gate[1]);
		_exit(read(gate[0], &byte, 1) != 0);
	}
	close(gate[0]);
	free_fake(f);
	assert_int_equal(census__take(&target, count_record, &buffers, &result), 0);
	assert_int_equal(buffers, 11);
	close(gate[1]);
	assert_int_equal(waitpid(target.pid, NULL, 0), target.pid);
	assert_int_equal(census__take(&target, count_record, &buffers, &result), -ESRCH);
}

/*
 * Takes a census of a child that was forked with @f, and that then did @change to its copy, while
 * its parent has freed @freed, or NULL.
 */
static void take_of_child(struct fake *f, void (*change)(struct fake *f), struct fake_buffer *freed)
{
	const struct census_library library = { &layout, 9, BIAS };
	const __u64 allocator = (__u64)&f->allocator;
	struct census_target target = {
		.parent = getpid(),
		.start_ns = 77,
		.libraries = &library,
		.num_libraries = 1,
		.allocators = &allocator,
		.num_allocators = 1,
	};
	int ready[2], gate[2];
	char byte;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(gate), 0);
	memset(&said, 0, sizeof(said));
	target.pid = fork();
	if (!target.pid) {
		close(gate[1]);
		change(f);
		_exit(write(ready[1], "", 1) != 1 || read(gate[0], &byte, 1) != 0);
	}
	close(gate[0]);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	said_pid = target.pid;
	if (freed)
		freed->status = TT_STATUS_DEALLOCATED;
	assert_int_equal(census__take(&target, note_record, NULL, &said.result), 0);
	said_pid = 0;
	close(gate[1]);
	close(ready[0]);
	assert_int_equal(waitpid(target.pid, NULL, 0), target.pid);
}

static void change_nothing(struct fake *f)
{
	(void)f;
}

static void add_two(struct fake *f)
{
	for (size_t i = 5; i < 7; i++)
		make_buffer(f, i);
	f->allocator.set.first = &f->nodes[6];
	f->allocator.set.count = 7;
}

/* Both have five; the child has allocated two since. */
static void a_child_holds_what_it_has_allocated_itself(void **state)
{
	struct fake *f = new_fake(5);

	(void)state;
	take_of_child(f, add_two, NULL);
	assert_int_equal(said.num_buffers, 2);
	assert_int_equal(said.end.num_buffers, 2);
	assert_int_equal(said.end.phase, TT_CENSUS_END);
	assert_int_equal(said.buffers[0].b.unique_id, 1006);
	assert_int_equal(said.buffers[1].b.unique_id, 1005);
	free_fake(f);
}

static __u64 next_unique_id;

static void add_two_and_count(struct fake *f)
{
	add_two(f);
	next_unique_id += 2;
}

/* The youngest that it was forked with, its parent has freed. What both have not counted is its
 * own. */
static void what_is_the_childs_own_is_not_always_known(void **state)
{
	struct fake *f = new_fake(5);

	(void)state;
	next_unique_id = 1005;
	layout.next_unique_id = (__u64)&next_unique_id - BIAS;
	take_of_child(f, add_two_and_count, &f->buffers[4]);
	assert_int_equal(said.num_buffers, 3);
	assert_false(said.buffers[0].may_be_inherited);
	assert_false(said.buffers[1].may_be_inherited);
	assert_int_equal(said.buffers[2].b.unique_id, 1004);
	assert_true(said.buffers[2].may_be_inherited);
	layout.next_unique_id = 0; /* then it may be any of them */
	f->buffers[4].status = TT_STATUS_ALLOCATED;
	take_of_child(f, add_two, &f->buffers[4]);
	for (size_t i = 0; i < 3; i++)
		assert_true(said.buffers[i].may_be_inherited);
	free_fake(f);
}

/* Its parent has closed the device. */
static void of_a_parent_that_has_nothing_left_all_may_be_inherited(void **state)
{
	struct fake *f = new_fake(1);

	(void)state;
	next_unique_id = 1001;
	layout.next_unique_id = (__u64)&next_unique_id - BIAS;
	take_of_child(f, change_nothing, &f->buffers[0]);
	assert_int_equal(said.num_buffers, 1);
	assert_true(said.buffers[0].may_be_inherited);
	layout.next_unique_id = 0;
	free_fake(f);
}

static void suppress_one_of_three(struct fake *f)
{
	add_two(f);
	f->nodes[5].buffer = (struct fake_buffer *)16;
}

/* An orphan is the child's own unless its parent has it, too. */
static void a_child_has_orphans_of_its_own(void **state)
{
	struct fake *f = new_fake(5);

	(void)state;
	f->nodes[2].buffer = (struct fake_buffer *)16;
	take_of_child(f, suppress_one_of_three, NULL);
	assert_int_equal(said.num_buffers, 1);
	assert_int_equal(said.num_orphans, 2);
	assert_int_equal(said.orphans[0].address, BASE + 2 * BLOCK);
	assert_int_equal(said.orphans[0].doubt, TT_ORPHAN_INHERITED);
	assert_int_equal(said.orphans[1].address, BASE + 5 * BLOCK);
	assert_int_equal(said.orphans[1].doubt, TT_ORPHAN_SURE);
	free_fake(f);
}

static void suppress_what_both_have(struct fake *f)
{
	add_two(f);
	f->nodes[3].buffer = (struct fake_buffer *)16;
}

/* Its parent has a buffer there that is as old as the fork. */
static void a_childs_suppressed_free_of_what_it_inherited_is_no_orphan_of_its_own(void **state)
{
	struct fake *f = new_fake(5);

	(void)state;
	take_of_child(f, suppress_what_both_have, NULL);
	assert_int_equal(said.num_buffers, 2);
	assert_int_equal(said.num_orphans, 1);
	assert_int_equal(said.orphans[0].doubt, TT_ORPHAN_INHERITED);
	free_fake(f);
}

/* What is older than anything that both hold was there before the fork. */
static void what_the_parent_has_freed_since_is_not_the_childs(void **state)
{
	struct fake *f = new_fake(5);

	(void)state;
	take_of_child(f, change_nothing, &f->buffers[1]);
	assert_int_equal(said.num_buffers, 0);
	free_fake(f);
}

static void a_layout_without_the_set_cannot_be_used(void **state)
{
	const struct tt_layout empty = {};
	const struct census_library library = { &empty, 0, 0 };
	const struct census_target target = {
		.pid = getpid(), .libraries = &library, .num_libraries = 1, .search = true
	};
	struct census_result result;

	(void)state;
	assert_int_equal(census__take(&target, note_record, NULL, &result), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_an_allocator_holds_is_told),
		cmocka_unit_test(its_device_and_banks_are_introduced),
		cmocka_unit_test(buffers_on_two_devices_make_two_pairs),
		cmocka_unit_test(an_empty_set_is_told_of_if_its_allocator_is_known),
		cmocka_unit_test(a_block_that_no_buffer_owns_is_told),
		cmocka_unit_test(a_block_whose_buffer_goes_between_two_looks_is_told),
		cmocka_unit_test(a_buffer_that_goes_meanwhile_does_not_hide_such_a_block),
		cmocka_unit_test(an_allocator_may_hold_nothing_but_such_blocks),
		cmocka_unit_test(what_is_left_of_a_freed_buffer_is_no_device),
		cmocka_unit_test(without_free_lists_no_block_is_told),
		cmocka_unit_test(a_search_finds_what_begins_with_the_vtable),
		cmocka_unit_test(without_vtables_devices_lead_to_buffers_and_those_to_allocators),
		cmocka_unit_test(a_child_is_read_and_one_that_has_ended_is_none),
		cmocka_unit_test(a_child_holds_what_it_has_allocated_itself),
		cmocka_unit_test(what_is_the_childs_own_is_not_always_known),
		cmocka_unit_test(of_a_parent_that_has_nothing_left_all_may_be_inherited),
		cmocka_unit_test(a_child_has_orphans_of_its_own),
		cmocka_unit_test(
			a_childs_suppressed_free_of_what_it_inherited_is_no_orphan_of_its_own),
		cmocka_unit_test(what_the_parent_has_freed_since_is_not_the_childs),
		cmocka_unit_test(a_layout_without_the_set_cannot_be_used),
	};

	return cmocka_run_group_tests(tests, describe_layout, NULL);
}
