// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Why an allocation failed, and what is free of a device, as the ledger tells it. */
#include "losing.h"

#define BANK	  (1ull << 30) /* of the usual allocator, from DRAM_BASE on */
#define DRAM_BASE 32ull
#define LIFE(nr)  (0x5000 + 0x100 * (__u64)(nr))

static const struct actor python = { 100, 100, 5, 0 };
static const struct actor other = { 200, 200, 6, 1 };

/* Number @nr: @per_bank bytes in each bank of DRAM, @at bytes into it. */
static struct object place(__u32 nr, __u64 at, __u64 per_bank)
{
	return stream_object(LIFE(nr), DRAM_BASE + at, per_bank * 12);
}

static const struct event_shortage *ask(struct stream *s, const struct actor *a, __u64 per_bank)
{
	struct object o = stream_object(0x4000, 0, per_bank * 12);

	o.status = TT_STATUS_REQUESTED;
	stream_space(s, a, per_bank);
	stream_buffer(s, a, TT_RECORD_FREE_BEGIN, &o);
	assert_int_equal(s->err, 0);
	return &stream_last(s, EVENT_ALLOC_FAILED)->shortage;
}

static void expect_fit(const struct event_shortage *shortage, enum fit fit)
{
	assert_string_equal(fit__name(shortage->fit), fit__name(fit));
	assert_int_equal(fit == FIT_UNKNOWN || !shortage->space.has_hole,
			 shortage->space.why != NULL);
}

/* Two of a quarter of the bank each, with a quarter free between them and one above. */
static void fill_two_quarters(struct stream *s, const struct actor *a)
{
	struct object low = place(1, 0, BANK / 4), high = place(2, BANK / 2, BANK / 4);

	stream_begin(s, a, 1);
	stream_alloc(s, a, &low);
	stream_alloc(s, a, &high);
}

static void it_would_have_fitted_without_fragmentation(void **state)
{
	const struct event_shortage *shortage;
	struct stream *s = *state;

	fill_two_quarters(s, &python);
	shortage = ask(s, &python, BANK / 4 + 32);
	expect_fit(shortage, FIT_FRAGMENTED);
	assert_int_equal(shortage->asked, BANK / 4 + 32);
	assert_int_equal(shortage->space.free, BANK / 2);
	assert_int_equal(shortage->space.hole, BANK / 4);
	assert_int_equal(shortage->space.held, BANK / 2);
	assert_int_equal(shortage->space.size, BANK);
	assert_int_equal(shortage->num_holders, 1);
	assert_int_equal(shortage->holders[0].buffers, 2);
	assert_int_equal(shortage->holders[0].per_bank, BANK / 2);
	assert_int_equal(shortage->num_rivals, 0);
}

static void the_other_verdicts_follow_from_free_and_hole(void **state)
{
	struct stream *s = *state;

	fill_two_quarters(s, &python);
	expect_fit(ask(s, &python, BANK / 2 + 32), FIT_FULL);
	expect_fit(ask(s, &python, BANK / 2), FIT_FRAGMENTED);
	expect_fit(ask(s, &python, BANK / 4), FIT_REFUSED);
	expect_fit(ask(s, &python, BANK), FIT_FULL);
	expect_fit(ask(s, &python, BANK + 32), FIT_TOO_LARGE);
}

static void a_bank_without_a_free_byte_is_known_to_be_full(void **state)
{
	const struct event_shortage *shortage;
	struct stream *s = *state;
	struct object all = place(1, 0, BANK);

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &all);
	shortage = ask(s, &python, 32);
	expect_fit(shortage, FIT_FULL);
	assert_true(shortage->space.has_free && shortage->space.has_hole);
	assert_int_equal(shortage->space.free, 0);
	assert_int_equal(shortage->space.hole, 0);
}

/* From the first failure on a map is kept: it must follow what comes and goes. */
static void each_failure_sees_what_has_changed_since_the_last(void **state)
{
	struct object low = place(1, 0, BANK / 4), more = place(3, BANK / 4, BANK / 8);
	struct stream *s = *state;

	fill_two_quarters(s, &python);
	assert_int_equal(ask(s, &python, BANK)->space.hole, BANK / 4);
	stream_release(s, &python, &low);
	assert_int_equal(ask(s, &python, BANK)->space.hole, BANK / 2);
	stream_alloc(s, &python, &more);
	assert_int_equal(ask(s, &python, BANK)->space.hole, BANK / 4);
	assert_int_equal(stream_last(s, EVENT_ALLOC_FAILED)->shortage.num_holders, 2);
	stream_bulk(s, &python, TT_PROBE_DEALLOCATE_BUFFERS, HEAP);
	assert_int_equal(ask(s, &python, 2 * BANK)->space.hole, BANK);
	assert_int_equal(stream_last(s, EVENT_ALLOC_FAILED)->shortage.num_holders, 0);
}

static void the_first_allocation_of_all_may_fail_too(void **state)
{
	struct tt_record_space space;
	struct stream *s = *state;
	struct object o = stream_object(0x4000, 0, 24 * BANK);
	const struct event_shortage *shortage;

	stream_start(s, &python);
	stream_device(s, &python, TT_PROBE_DEVICE_OPEN, stream_chip(CHIPS, 0));
	stream_device(s, &python, TT_PROBE_MESH_OPEN, stream_mesh(MESH, 0, 0, 1));
	space = (struct tt_record_space){
		.h = stream_header(s, &python, TT_RECORD_SPACE, TT_PROBE_FREE_LIST_ALLOCATE),
		.asked = BANK / 2,
		.per_bank = BANK / 2,
		.bank_size = BANK / 4,
	};
	stream_apply(s, &space, sizeof(space));
	o.status = TT_STATUS_REQUESTED;
	stream_buffer(s, &python, TT_RECORD_FREE_BEGIN, &o);
	shortage = &stream_last(s, EVENT_ALLOC_FAILED)->shortage;
	expect_fit(shortage, FIT_TOO_LARGE);
	assert_int_equal(shortage->space.free, BANK / 4);
	assert_int_equal(shortage->space.hole, BANK / 4);
}

static void what_it_asked_is_unknown_if_it_came_to_no_free_list(void **state)
{
	struct stream *s = *state;
	struct object o = stream_object(0x4000, 0, 4096);

	stream_begin(s, &python, 1);
	o.status = TT_STATUS_REQUESTED;
	stream_buffer(s, &python, TT_RECORD_FREE_BEGIN, &o);
	expect_fit(&stream_last(s, EVENT_ALLOC_FAILED)->shortage, FIT_UNKNOWN);
}

static void expect_nothing_known(const struct event_shortage *shortage, const char *word)
{
	expect_fit(shortage, FIT_UNKNOWN);
	assert_false(shortage->space.has_free);
	assert_false(shortage->space.has_hole);
	assert_non_null(strstr(shortage->space.why, word));
}

static void what_is_free_is_unknown_if_a_footprint_is(void **state)
{
	struct stream *s = *state;
	struct object o = place(1, 0, 1024);

	stream_begin(s, &python, 1);
	stream_buffer(s, &python, TT_RECORD_ALLOC, &o);
	expect_nothing_known(ask(s, &python, 32), "occupy");
	assert_int_equal(stream_last(s, EVENT_ALLOC_FAILED)->shortage.holders[0].unsized, 1);
}

static void what_is_free_is_unknown_if_records_were_lost(void **state)
{
	struct stream *s = *state;

	fill_two_quarters(s, &python);
	losing_counted(s, &python, TT_RECORD_FREE_DONE, 1);
	expect_nothing_known(ask(s, &python, 32), "lost");
	assert_int_equal(stream_last(s, EVENT_ALLOC_FAILED)->shortage.num_holders, 1);
}

static void what_is_free_is_unknown_after_a_state_was_put_over(void **state)
{
	struct stream *s = *state;

	stream_begin(s, &python, 1);
	stream_bulk(s, &python, TT_PROBE_OVERRIDE_STATE, HEAP);
	expect_nothing_known(ask(s, &python, 32), "overridden");
}

static void that_holds_for_an_allocator_that_was_not_met_before(void **state)
{
	struct stream *s = *state;

	stream_start(s, &python);
	stream_bulk(s, &python, TT_PROBE_OVERRIDE_STATE, HEAP);
	stream_allocator(s, &python, HEAP, stream_mesh(MESH, 0, 0, 1));
	expect_nothing_known(ask(s, &python, 32), "used the runtime before");
	stream_start(s, &other);
	stream_device(s, &other, TT_PROBE_DEVICE_OPEN, stream_chip(CHIPS, 0));
	stream_bulk(s, &other, TT_PROBE_OVERRIDE_STATE, HEAP);
	stream_allocator(s, &other, HEAP, stream_mesh(MESH, 0, 0, 1));
	expect_nothing_known(ask(s, &other, 32), "overridden");
}

static void the_hole_is_unknown_where_addresses_contradict_each_other(void **state)
{
	struct stream *s = *state;
	struct object low = place(1, 0, 4096), over = place(2, 2048, 4096);
	const struct event_shortage *shortage;

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &low);
	stream_alloc(s, &python, &over);
	shortage = ask(s, &python, 32);
	expect_fit(shortage, FIT_UNKNOWN);
	assert_true(shortage->space.has_free);
	assert_false(shortage->space.has_hole);
	expect_fit(ask(s, &python, BANK), FIT_FULL);
	stream_release(s, &python, &over);
	expect_fit(ask(s, &python, 32), FIT_REFUSED);
}

static void see_bank(struct stream *s, __u64 per_bank, __u64 bank_size)
{
	struct tt_record_space rec = {
		.h = stream_header(s, &python, TT_RECORD_SPACE, TT_PROBE_FREE_LIST_ALLOCATE),
		.asked = per_bank,
		.per_bank = per_bank,
		.bank_size = bank_size,
	};

	stream_apply(s, &rec, sizeof(rec));
}

static void a_bank_may_shrink_and_be_whole_again(void **state)
{
	struct stream *s = *state;
	struct object o = place(1, BANK / 2, 4096);
	const struct event_shortage *shortage;

	stream_begin(s, &python, 1);
	see_bank(s, 4096, BANK - 8192);
	stream_buffer(s, &python, TT_RECORD_ALLOC, &o);
	shortage = ask(s, &python, 32);
	assert_int_equal(shortage->space.free, BANK - 8192 - 4096);
	assert_false(shortage->space.has_hole);
	stream_release(s, &python, &o);
	see_bank(s, 4096, BANK);
	stream_buffer(s, &python, TT_RECORD_ALLOC, &o);
	shortage = ask(s, &python, BANK);
	assert_int_equal(shortage->space.free, BANK - 4096);
	assert_int_equal(shortage->space.hole, BANK / 2);
}

static void l1_and_l1_small_are_apart(void **state)
{
	struct stream *s = *state;
	struct object small = stream_object(LIFE(1), 0x100, 64 * 4096);
	const struct event_space *space;

	stream_begin(s, &python, 1);
	small.type = TT_TYPE_L1_SMALL;
	stream_alloc(s, &python, &small);
	small.type = TT_TYPE_L1;
	small.pointer = LIFE(2);
	small.status = TT_STATUS_REQUESTED;
	stream_space(s, &python, 4 * MIB);
	stream_buffer(s, &python, TT_RECORD_FREE_BEGIN, &small);
	space = &stream_last(s, EVENT_ALLOC_FAILED)->shortage.space;
	assert_int_equal(space->type, TT_TYPE_L1);
	assert_int_equal(space->num_banks, 64);
	assert_int_equal(space->hole, MIB);
	assert_int_equal(stream_last(s, EVENT_ALLOC_FAILED)->shortage.num_holders, 0);
}

static void others_on_the_same_chips_are_named(void **state)
{
	const struct event_shortage *shortage;
	struct object theirs = place(9, 0, 4096);
	struct stream *s = *state;

	fill_two_quarters(s, &python);
	stream_begin(s, &other, 8);
	stream_alloc(s, &other, &theirs);
	shortage = ask(s, &python, BANK);
	assert_int_equal(shortage->num_rivals, 1);
	assert_int_equal(shortage->rivals[0].bytes, 12 * 4096);
	assert_int_equal(shortage->rivals[0].buffers, 1);
	assert_int_equal(shortage->rivals[0].process->pid, 200);
	stream_release(s, &other, &theirs);
	assert_int_equal(ask(s, &python, BANK)->num_rivals, 0);
}

static void others_on_other_chips_are_not(void **state)
{
	struct object theirs = place(9, 0, 4096);
	struct stream *s = *state;

	fill_two_quarters(s, &python);
	stream_start(s, &other);
	stream_allocator(s, &other, HEAP, stream_mesh(MESH, 0, 1, 7));
	stream_alloc(s, &other, &theirs);
	assert_int_equal(ask(s, &python, BANK)->num_rivals, 0);
}

/* Only so many, those that hold most; the rest is counted. */
static void of_very_many_others_the_greatest_are_named(void **state)
{
	const struct event_shortage *shortage;
	struct stream *s = *state;

	fill_two_quarters(s, &python);
	for (__u32 i = 0; i < RIVALS_MAX + 4; i++) {
		struct actor a = { 300 + i, 300 + i, 7, 0 };
		struct object theirs = place(9, 0, 4096 + 32 * i);

		stream_start(s, &a);
		stream_allocator(s, &a, HEAP, stream_mesh(MESH, 0, 0, 1));
		stream_alloc(s, &a, &theirs);
	}
	shortage = ask(s, &python, BANK);
	assert_int_equal(shortage->num_rivals, RIVALS_MAX);
	assert_int_equal(shortage->rivals_left_out, 4);
	for (__u32 i = 0; i < RIVALS_MAX; i++)
		assert_int_equal(shortage->rivals[i].process->pid, 300 + RIVALS_MAX + 3 - i);
}

static const struct event_space *find_space(const struct snapshot *snapshot, __u32 type)
{
	const struct snapshot_device *device;

	assert_int_equal(snapshot->num_processes, 1);
	device = snapshot->processes[0]->devices[0];
	for (__u32 i = 0; i < device->num_spaces; i++) {
		if (device->spaces[i].type == type)
			return &device->spaces[i];
	}
	fail_msg("nothing is told of %s", buffer_type__name(type));
	return NULL;
}

static void expect_space(struct stream *s, __u64 free, __u64 hole)
{
	struct snapshot *snapshot = stream_snapshot(s);
	const struct event_space *space = find_space(snapshot, TT_TYPE_DRAM);

	assert_true(space->has_free && space->has_hole);
	assert_int_equal(space->free, free);
	assert_int_equal(space->hole, hole);
	snapshot__free(snapshot);
}

static void a_snapshot_tells_what_is_free_now_and_then_what_was_at_the_close(void **state)
{
	struct object low = place(1, 0, BANK / 4);
	struct stream *s = *state;

	fill_two_quarters(s, &python);
	expect_space(s, BANK / 2, BANK / 4);
	stream_release(s, &python, &low);
	expect_space(s, BANK - BANK / 4, BANK / 2);
	stream_close(s, &python, 1);
	expect_space(s, BANK - BANK / 4, BANK / 2);
	stream_exit(s, &python, 0);
	expect_space(s, BANK - BANK / 4, BANK / 2);
}

static void a_process_that_ends_without_a_close_leaves_what_was_free(void **state)
{
	struct stream *s = *state;

	fill_two_quarters(s, &python);
	stream_exit(s, &python, 9);
	expect_space(s, BANK / 2, BANK / 4);
}

static void totals_have_holes_only_if_they_are_followed(void **state)
{
	struct stream *s = *state;
	struct ledger_opts opts = { .on_event = stream_keep, .ctx = s, .follow_holes = true };
	struct snapshot *snapshot;

	for (int follow = 0; follow < 2; follow++) {
		if (follow) {
			ledger__free(s->ledger);
			assert_int_equal(ledger__new(&opts, &s->ledger), 0);
			memset(s->seq, 0, sizeof(s->seq));
			stream_library(s);
		}
		fill_two_quarters(s, &python);
		assert_int_equal(snapshot__take_totals(s->ledger, NULL, s->ts_ns, &snapshot), 0);
		assert_int_equal(find_space(snapshot, TT_TYPE_DRAM)->free, BANK / 2);
		assert_int_equal(find_space(snapshot, TT_TYPE_DRAM)->has_hole, follow);
		if (follow)
			assert_int_equal(find_space(snapshot, TT_TYPE_DRAM)->hole, BANK / 4);
		snapshot__free(snapshot);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		stream_test(it_would_have_fitted_without_fragmentation),
		stream_test(the_other_verdicts_follow_from_free_and_hole),
		stream_test(a_bank_without_a_free_byte_is_known_to_be_full),
		stream_test(each_failure_sees_what_has_changed_since_the_last),
		stream_test(the_first_allocation_of_all_may_fail_too),
		stream_test(what_it_asked_is_unknown_if_it_came_to_no_free_list),
		stream_test(what_is_free_is_unknown_if_a_footprint_is),
		stream_test(what_is_free_is_unknown_if_records_were_lost),
		stream_test(what_is_free_is_unknown_after_a_state_was_put_over),
		stream_test(that_holds_for_an_allocator_that_was_not_met_before),
		stream_test(the_hole_is_unknown_where_addresses_contradict_each_other),
		stream_test(a_bank_may_shrink_and_be_whole_again),
		stream_test(l1_and_l1_small_are_apart),
		stream_test(others_on_the_same_chips_are_named),
		stream_test(others_on_other_chips_are_not),
		stream_test(of_very_many_others_the_greatest_are_named),
		stream_test(a_snapshot_tells_what_is_free_now_and_then_what_was_at_the_close),
		stream_test(a_process_that_ends_without_a_close_leaves_what_was_free),
		stream_test(totals_have_holes_only_if_they_are_followed),
	};

	return cmocka_run_group_tests_name("shortage", tests, NULL, NULL);
}
