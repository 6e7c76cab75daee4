// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The ledger when records are lost: it says so, and never says "leak" of what may be none. */
#include "losing.h"

static const struct actor python = { 100, 100, 5, 0 };
static const struct actor other = { 200, 200, 5, 1 };

static struct object usual(void)
{
	return stream_object(0x5000, 0x100, 12 * 1024);
}

static void expect_totals(const struct stream *s, __u64 leaked, __u64 doubtful, bool complete)
{
	struct snapshot *snapshot = stream_snapshot(s);

	assert_int_equal(snapshot->leaks.buffers, leaked);
	assert_int_equal(snapshot->doubtful.buffers, doubtful);
	assert_int_equal(snapshot__complete(snapshot), complete);
	snapshot__free(snapshot);
}

static void lose(struct stream *s, __u32 records)
{
	for (__u32 i = 0; i < records; i++)
		stream_lose(s, &python);
}

/* The losses of python get known when the counters are read. */
static void counted(struct stream *s, __u32 kind, __u64 records)
{
	losing_counted(s, &python, kind, records);
}

static void a_free_whose_allocation_fell_into_a_gap_is_lost(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 1);
	lose(s, 100);
	stream_release(s, &python, &o);
	stream_expect_free(s, CLASS_LOST);
	expect_totals(s, 0, 0, false);
}

static void a_free_whose_allocation_the_counters_miss_is_lost(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 1);
	counted(s, TT_RECORD_ALLOC, 1);
	stream_release(s, &python, &o);
	stream_expect_free(s, CLASS_LOST);
	assert_int_equal(stream_last(s, EVENT_LOST)->ev.lost_records, 1);
}

static void a_loss_that_gets_known_after_the_free_explains_it_still(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 1);
	stream_release(s, &python, &o); /* its allocation was lost on another CPU */
	assert_int_equal(stream_count(s, EVENT_FREE), 0);
	counted(s, TT_RECORD_ALLOC, 1);
	stream_expect_free(s, CLASS_LOST);
	assert_int_equal(stream_count_class(s, CLASS_UNKNOWN), 0);
}

static void a_gap_that_is_open_at_the_end_explains_a_free_as_well(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 1);
	lose(s, 1);
	stream_release(s, &python, &o);
	assert_int_equal(stream_count(s, EVENT_FREE), 0);
	assert_int_equal(ledger__finish(s->ledger, s->ts_ns), 0);
	stream_expect_free(s, CLASS_LOST);
	assert_int_equal(stream_last(s, EVENT_LOST)->ev.lost_records, 1);
	assert_null(stream_last(s, EVENT_LOST)->ev.lost);
}

static void a_loss_of_other_kinds_does_not_explain_it(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 1);
	lose(s, 100);
	counted(s, TT_RECORD_SPACE, 100);
	stream_release(s, &python, &o);
	stream_exit(s, &python, 0);
	stream_expect_free(s, CLASS_UNKNOWN);
}

static void what_may_have_been_freed_is_doubtful_and_no_leak(void **state)
{
	struct stream *s = *state;
	struct object o = usual(), later = stream_object(0x6000, 0x8000, 12 * 32);

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	counted(s, TT_RECORD_FREE_DONE, 1);
	stream_alloc(s, &python, &later); /* no free of it can have been lost */
	stream_close(s, &python, 1);
	assert_int_equal(stream_count(s, EVENT_LEAK), 1);
	assert_int_equal(stream_last(s, EVENT_LEAK)->buffer.address, 0x8000);
	expect_totals(s, 1, 1, false);
}

static void what_a_killed_process_may_have_freed_did_not_surely_end_with_it(void **state)
{
	struct tt_counters counters = { .orphaned_end = 1, .lost[TT_RECORD_FREE_DONE] = 2 };
	struct stream *s = *state;
	struct object o = usual(), later = stream_object(0x6000, 0x8000, 12 * 32);
	struct snapshot *snapshot;

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	counted(s, TT_RECORD_FREE_DONE, 1);
	stream_alloc(s, &python, &later); /* no free of it can have been lost … */
	stream_exit(s, &python, 9);
	expect_totals(s, 0, 1, false);
	snapshot = stream_snapshot(s);
	assert_int_equal(snapshot->cut_off.buffers, 1);
	snapshot__free(snapshot);
	stream_counters(s, &counters); /* … until this becomes known */
	expect_totals(s, 0, 2, false);
}

static void a_gap_of_unknown_kind_makes_leaks_doubtful(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	lose(s, 100);
	stream_exit(s, &python, 0);
	assert_int_equal(stream_count(s, EVENT_LEAK), 0);
	expect_totals(s, 0, 1, false);
}

static void a_gap_that_the_counters_explain_as_harmless_leaves_leaks_certain(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	lose(s, 100);
	stream_space(s, &python, 32);
	counted(s, TT_RECORD_ALLOC, 100);
	stream_exit(s, &python, 0);
	expect_totals(s, 1, 0, false);
}

static void a_loss_that_gets_known_after_the_verdict_takes_it_back(void **state)
{
	struct stream *s = *state;
	struct object o = usual();
	struct tt_counters counters = { 0 };

	stream_begin(s, &python, 1);
	stream_counters(s, &counters);
	stream_alloc(s, &python, &o);
	stream_close(s, &python, 1);
	expect_totals(s, 1, 0, true);
	losing(s, &python, TT_RECORD_FREE_DONE, 1);
	stream_exit(s, &python, 0);
	expect_totals(s, 0, 1, true); /* how much is lost in all is told by the counters */
}

static void a_loss_that_the_map_of_processes_tells_takes_a_verdict_back(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	stream_close(s, &python, 1);
	counted(s, TT_RECORD_FREE_DONE, 1);
	expect_totals(s, 0, 1, false);
}

static void a_loss_of_which_the_process_is_unknown_takes_all_verdicts_back(void **state)
{
	struct tt_counters counters = { .orphaned_end = 1, .lost[TT_RECORD_FREE_DONE] = 1 };
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 1);
	stream_begin(s, &other, 1);
	stream_alloc(s, &python, &o);
	stream_alloc(s, &other, &o);
	stream_close(s, &python, 1);
	stream_exit(s, &python, 0);
	stream_counters(s, &counters);
	stream_exit(s, &other, 0);
	expect_totals(s, 0, 2, false);
}

/* One of two processes loses frees; what is judged of the other one is certain, early and late. */
static void a_loss_leaves_other_processes_alone(void **state)
{
	struct stream *s = *state;
	struct object o = usual(), p = stream_object(0x6000, 0x8000, 12 * 32);
	struct snapshot *snapshot;

	stream_begin(s, &python, 1);
	stream_begin(s, &other, 1);
	stream_alloc(s, &python, &o);
	stream_alloc(s, &other, &o);
	losing(s, &python, TT_RECORD_FREE_DONE, 3);
	losing(s, &python, TT_RECORD_ALLOC, 2);
	stream_close(s, &other, 1); /* the counters were not read yet */
	assert_int_equal(stream_count(s, EVENT_LEAK), 1);
	losing_tell(s, &python);
	assert_int_equal(stream_last(s, EVENT_LOST)->process.pid, python.tgid);
	assert_int_equal(stream_last(s, EVENT_LOST)->ev.lost_records, 5);
	losing_tell(s, &python);
	stream_close(s, &python, 1);
	assert_int_equal(stream_count(s, EVENT_LEAK), 1);
	stream_release(s, &python, &p);
	stream_expect_free(s, CLASS_LOST);
	stream_exit(s, &other, 0);
	stream_exit(s, &python, 0);
	assert_int_equal(stream_count(s, EVENT_LOST), 1);
	snapshot = stream_snapshot(s);
	assert_int_equal(snapshot->processes[0]->pub.pid, other.tgid);
	assert_int_equal(snapshot->processes[0]->lost, 0);
	assert_int_equal(snapshot->processes[0]->devices[0]->leaked_all.buffers, 1);
	assert_int_equal(snapshot->processes[1]->lost, 5);
	assert_int_equal(snapshot->processes[1]->devices[0]->doubtful_all.buffers, 1);
	snapshot__free(snapshot);
}

static void a_free_without_a_reason_is_unknown_if_only_others_lost_records(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 1);
	stream_begin(s, &other, 1);
	counted(s, TT_RECORD_ALLOC, 3);
	stream_release(s, &other, &o);
	stream_exit(s, &other, 0);
	stream_expect_free(s, CLASS_UNKNOWN);
}

static void what_is_lost_before_an_exec_is_not_held_against_what_is_after_it(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	counted(s, TT_RECORD_FREE_DONE, 3);
	stream_process(s, &python, TT_RECORD_PROCESS_EXEC, "bash", 0, 0, NULL);
	assert_int_equal(stream_count(s, EVENT_LEAK), 0);
	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	stream_exit(s, &python, 0);
	expect_totals(s, 1, 1, false);
}

static void a_process_whose_end_was_lost_is_doubtful(void **state)
{
	struct actor successor = { python.tgid, python.tid, python.start_ns + SECOND, 0 };
	struct tt_counters counters = { .lost[TT_RECORD_PROCESS_EXIT] = 1 };
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	stream_counters(s, &counters);
	stream_start(s, &successor);
	expect_totals(s, 0, 1, false);
}

static void the_map_of_processes_neither_begins_a_process_nor_ends_one_that_tells_it(void **state)
{
	struct actor successor = { python.tgid, python.tid, python.start_ns + SECOND, 0 };
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	losing(s, &successor, TT_RECORD_FREE_DONE, 1);
	losing_tell(s, &successor); /* its records come yet, as does the end of the first */
	assert_int_equal(stream_count(s, EVENT_PROCESS_EXIT), 0);
	s->loser = (struct tt_process){ 0 };
	stream_exit(s, &python, 0);
	assert_int_equal(stream_count(s, EVENT_LEAK), 1);
}

static void a_verdict_from_before_the_loss_stands(void **state)
{
	struct stream *s = *state;
	struct object o = usual();
	struct tt_counters counters = { 0 };

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	stream_close(s, &python, 1);
	stream_counters(s, &counters); /* nothing was lost until here */
	counted(s, TT_RECORD_FREE_DONE, 1);
	expect_totals(s, 1, 0, false);
}

static void the_request_of_a_lost_allocation_is_not_taken_for_that_of_the_next_one(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 1);
	stream_space(s, &python, 1 << 20);
	losing(s, &python, TT_RECORD_ALLOC, 1);
	losing(s, &python, TT_RECORD_SPACE, 1);
	stream_buffer(s, &python, TT_RECORD_ALLOC, &o);
	assert_false(stream_last(s, EVENT_ALLOC)->buffer.has_footprint);
	o.pointer = 0x6000;
	o.address = 0x8000;
	stream_alloc(s, &python, &o);
	assert_int_equal(stream_last(s, EVENT_ALLOC)->buffer.footprint, 12 * 1024);
}

static void a_free_in_the_midst_of_which_records_were_lost_is_lost(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	stream_buffer(s, &python, TT_RECORD_FREE_BEGIN, &o);
	stream_tracked(s, &python, &o);
	lose(s, 100);
	stream_space(s, &python, 32);
	stream_expect_free(s, CLASS_LOST);
	stream_exit(s, &python, 0);
	expect_totals(s, 0, 1, false);
}

static void a_buffer_that_replaces_another_one_after_a_loss_is_explained_by_it(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	counted(s, TT_RECORD_FREE_DONE, 1);
	stream_alloc(s, &python, &o);
	assert_int_equal(ledger__stats(s->ledger)->reused_lost, 1);
	assert_int_equal(ledger__stats(s->ledger)->reused_live, 0);
	assert_int_equal(stream_live(s), 12 * 1024);
}

static void in_a_process_from_before_the_attach_ids_tell_lost_from_pre_attach(void **state)
{
	struct stream *s = *state;
	struct object o = usual(), before = usual(), lost = usual();

	stream_process(s, &python, TT_RECORD_PROCESS_START, "python", TT_PROCESS_BEFORE_ATTACH, 0,
		       NULL);
	stream_allocator(s, &python, HEAP, stream_mesh(MESH, 0, 0, 1));
	o.id = 1000;
	stream_alloc(s, &python, &o);
	counted(s, TT_RECORD_ALLOC, 1);
	before.pointer = 0x6000;
	before.id = 999;
	stream_release(s, &python, &before);
	stream_expect_free(s, CLASS_PRE_ATTACH);
	lost.pointer = 0x7000;
	lost.id = 1001;
	stream_release(s, &python, &lost);
	stream_expect_free(s, CLASS_LOST);
}

/* The trace ended before there was time for one: what the process holds is not known. */
static void a_census_that_was_never_taken_leaves_the_result_incomplete(void **state)
{
	struct stream *s = *state;

	stream_process(s, &python, TT_RECORD_PROCESS_START, "python", TT_PROCESS_BEFORE_ATTACH, 0,
		       NULL);
	expect_totals(s, 0, 0, false);
}

static void records_out_of_order_on_one_cpu_are_no_loss(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	s->seq[0]++; /* taken by a program that is preempted here … */
	stream_buffer(s, &python, TT_RECORD_FREE_BEGIN, &o);
	stream_tracked(s, &python, &o);
	s->seq[0] -= 3; /* … and emits later */
	stream_space(s, &(struct actor){ 100, 101, 5, 0 }, 32);
	s->seq[0] += 2;
	stream_done(s, &python, &o);
	stream_expect_free(s, CLASS_MATCHED);
	stream_exit(s, &python, 0);
	ledger__finish(s->ledger, s->ts_ns);
	expect_totals(s, 0, 0, true);
}

static void processes_for_which_there_was_no_room_make_the_data_incomplete(void **state)
{
	struct stream *s = *state;
	struct tt_counters counters = { .process_map_full = 3 };

	stream_start(s, &python);
	stream_counters(s, &counters);
	assert_int_equal(stream_last(s, EVENT_LOST)->ev.lost_records, 0);
	expect_totals(s, 0, 0, false);
}

static void while_numbers_may_only_be_late_a_free_without_a_reason_waits(void **state)
{
	struct stream *s = *state;
	struct object o = usual();
	struct tt_counters counters = { 0 };

	stream_begin(s, &python, 1);
	lose(s, 1);
	stream_release(s, &python, &o);
	stream_counters(s, &counters);
	assert_int_equal(stream_count(s, EVENT_FREE), 0);
	s->ts_ns += 3 * SECOND;
	stream_space(s, &python, 32); /* now it is too late */
	stream_counters(s, &counters);
	stream_expect_free(s, CLASS_LOST);
}

static void a_record_that_tells_of_lost_ones_proves_the_loss_at_once(void **state)
{
	struct stream *s = *state;
	struct object o = usual(), kept = stream_object(0x6000, 0x8000, 12 * 32);
	struct tt_record_space rec = { 0 };

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &kept);
	rec.h = stream_header(s, &python, TT_RECORD_SPACE, TT_PROBE_FREE_LIST_ALLOCATE);
	losing(s, &python, TT_RECORD_ALLOC, 1);
	losing(s, &python, TT_RECORD_FREE_DONE, 1);
	rec.h = stream_header(s, &python, TT_RECORD_SPACE, TT_PROBE_FREE_LIST_ALLOCATE);
	rec.h.lost = 2; /* on another CPU, of which no record comes any more */
	stream_apply(s, &rec, sizeof(rec));
	stream_release(s, &python, &o);
	stream_expect_free(s, CLASS_LOST);
	stream_exit(s, &python, 0);
	expect_totals(s, 0, 1, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		stream_test(a_free_whose_allocation_fell_into_a_gap_is_lost),
		stream_test(a_free_whose_allocation_the_counters_miss_is_lost),
		stream_test(a_loss_that_gets_known_after_the_free_explains_it_still),
		stream_test(a_gap_that_is_open_at_the_end_explains_a_free_as_well),
		stream_test(a_loss_of_other_kinds_does_not_explain_it),
		stream_test(what_may_have_been_freed_is_doubtful_and_no_leak),
		stream_test(what_a_killed_process_may_have_freed_did_not_surely_end_with_it),
		stream_test(a_gap_of_unknown_kind_makes_leaks_doubtful),
		stream_test(a_gap_that_the_counters_explain_as_harmless_leaves_leaks_certain),
		stream_test(a_loss_that_gets_known_after_the_verdict_takes_it_back),
		stream_test(a_loss_that_the_map_of_processes_tells_takes_a_verdict_back),
		stream_test(a_loss_of_which_the_process_is_unknown_takes_all_verdicts_back),
		stream_test(a_loss_leaves_other_processes_alone),
		stream_test(a_free_without_a_reason_is_unknown_if_only_others_lost_records),
		stream_test(what_is_lost_before_an_exec_is_not_held_against_what_is_after_it),
		stream_test(a_process_whose_end_was_lost_is_doubtful),
		stream_test(
			the_map_of_processes_neither_begins_a_process_nor_ends_one_that_tells_it),
		stream_test(a_verdict_from_before_the_loss_stands),
		stream_test(the_request_of_a_lost_allocation_is_not_taken_for_that_of_the_next_one),
		stream_test(a_free_in_the_midst_of_which_records_were_lost_is_lost),
		stream_test(a_buffer_that_replaces_another_one_after_a_loss_is_explained_by_it),
		stream_test(in_a_process_from_before_the_attach_ids_tell_lost_from_pre_attach),
		stream_test(a_census_that_was_never_taken_leaves_the_result_incomplete),
		stream_test(records_out_of_order_on_one_cpu_are_no_loss),
		stream_test(processes_for_which_there_was_no_room_make_the_data_incomplete),
		stream_test(while_numbers_may_only_be_late_a_free_without_a_reason_waits),
		stream_test(a_record_that_tells_of_lost_ones_proves_the_loss_at_once),
	};

	return cmocka_run_group_tests_name("losses", tests, NULL, NULL);
}
