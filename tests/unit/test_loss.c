// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* What can be proved to be lost. */
#include "stream.h"

#include "core/loss.h"

static const struct loss_process unharmed;

static void note(struct loss *loss, __u16 cpu, __u64 seq, __u64 ts_ns)
{
	struct tt_record h = {
		.kind = TT_RECORD_FREE_TRACKED, .cpu = cpu, .seq = seq, .ts_ns = ts_ns
	};

	assert_int_equal(loss__note(loss, &h), 0);
}

static void unbroken_numbers_prove_no_loss(void **state)
{
	struct loss loss = { 0 };

	(void)state;
	for (__u64 seq = 0; seq < 10000; seq++) {
		note(&loss, 0, seq, seq);
		note(&loss, 3, seq, seq);
	}
	loss__give_up(&loss, 20000);
	assert_int_equal(loss__total(&loss), 0);
	assert_false(loss__may_hide_alloc(&loss, &unharmed));
	assert_false(loss__may_hide_free(&loss, &unharmed, 0));
	loss__done(&loss);
}

static void a_number_that_comes_a_little_late_is_no_loss(void **state)
{
	struct loss loss = { 0 };

	(void)state;
	note(&loss, 0, 0, 1);
	note(&loss, 0, 2, 2);
	note(&loss, 0, 3, 3);
	assert_int_equal(loss.open, 1);
	assert_int_equal(loss__total(&loss), 0);
	note(&loss, 0, 1, 4);
	assert_int_equal(loss.open, 0);
	loss__give_up(&loss, 5);
	assert_int_equal(loss__total(&loss), 0);
	assert_int_equal(loss.epoch, 0);
	loss__done(&loss);
}

static void a_number_that_stays_away_is_a_loss_after_a_while(void **state)
{
	struct loss loss = { 0 };

	(void)state;
	note(&loss, 0, 1, 1);
	note(&loss, 0, 3, 2);
	assert_int_equal(loss__total(&loss), 0);
	note(&loss, 0, 4, SECOND);
	assert_int_equal(loss__total(&loss), 0);
	note(&loss, 0, 5, 3 * SECOND);
	assert_int_equal(loss__total(&loss), 1);
	assert_int_equal(loss.epoch, 1);
	assert_true(loss__may_hide_alloc(&loss, &unharmed));
	assert_true(loss__may_hide_free(&loss, &unharmed, 3 * SECOND));
	assert_false(loss__may_hide_free(&loss, &unharmed, 3 * SECOND + 1));
	loss__done(&loss);
}

static void a_number_that_stays_away_is_a_loss_after_many_records(void **state)
{
	struct loss loss = { 0 };

	(void)state;
	note(&loss, 0, 2, 1);
	for (__u64 seq = 3; seq < 1 << 20; seq++)
		note(&loss, 0, seq, 1);
	assert_int_equal(loss__total(&loss), 0);
	for (__u64 seq = 1 << 20; seq < (1 << 20) + 8; seq++)
		note(&loss, 0, seq, 1);
	assert_int_equal(loss__total(&loss), 1);
	loss__done(&loss);
}

static void a_large_gap_is_a_loss_at_once(void **state)
{
	struct loss loss = { 0 };

	(void)state;
	note(&loss, 0, 1, 1);
	note(&loss, 0, 102, 2);
	assert_int_equal(loss__total(&loss), 100);
	loss__done(&loss);
}

static void what_is_open_at_the_end_is_lost(void **state)
{
	struct loss loss = { 0 };

	(void)state;
	note(&loss, 1, 1, 1);
	note(&loss, 1, 4, 2);
	loss__give_up(&loss, 3);
	assert_int_equal(loss__total(&loss), 2);
	loss__done(&loss);
}

static void counters_explain_a_gap(void **state)
{
	struct tt_record_counters rec = { .h = { .kind = TT_RECORD_COUNTERS, .ts_ns = 10 } };
	struct tt_counters delta;
	struct loss loss = { 0 };

	(void)state;
	note(&loss, 0, 1, 1);
	note(&loss, 0, 102, 2);
	rec.c.lost[TT_RECORD_SPACE] = 100;
	assert_true(loss__count(&loss, &rec, &delta));
	assert_int_equal(delta.lost[TT_RECORD_SPACE], 100);
	assert_int_equal(loss__total(&loss), 100);
	assert_int_equal(loss__unexplained(&loss), 0);
	/* what was lost can neither have been an allocation nor a free */
	assert_false(loss__may_hide_alloc(&loss, &unharmed));
	assert_false(loss__may_hide_free(&loss, &unharmed, 1));
	loss__done(&loss);
}

static void counters_that_do_not_grow_tell_of_no_loss(void **state)
{
	struct tt_record_counters rec = { .h = { .kind = TT_RECORD_COUNTERS, .ts_ns = 10 } };
	struct tt_counters delta;
	struct loss loss = { 0 };

	(void)state;
	rec.c.hits[TT_PROBE_CLEAR] = 5;
	assert_false(loss__count(&loss, &rec, &delta));
	rec.c.lost[TT_RECORD_FREE_DONE] = 3;
	assert_true(loss__count(&loss, &rec, &delta));
	assert_false(loss__count(&loss, &rec, &delta));
	rec.c.lost[TT_RECORD_FREE_DONE] = 1; /* not possible: taken as no loss */
	assert_false(loss__count(&loss, &rec, &delta));
	assert_int_equal(loss__total(&loss), 3);
	loss__done(&loss);
}

static void only_frees_that_came_after_the_allocation_are_doubted(void **state)
{
	struct tt_record h = { .kind = TT_RECORD_SPACE, .ts_ns = 10, .lost_end = 1 };
	struct loss_process own = { 0 };
	struct loss loss = { 0 };

	(void)state;
	assert_true(loss_process__note(&own, &h));
	assert_true(loss__may_hide_free(&loss, &own, 10));
	assert_false(loss__may_hide_free(&loss, &own, 11));
	assert_false(loss__may_hide_free(&loss, &unharmed, 10));
	assert_false(loss__may_hide_alloc(&loss, &own));
	assert_true(loss__may_hide_any(&loss, &own));
}

static void a_lost_allocation_leaves_frees_alone(void **state)
{
	struct tt_record h = { .kind = TT_RECORD_SPACE, .ts_ns = 10, .lost_begin = 1 };
	struct loss_process own = { 0 };
	struct loss loss = { 0 };

	(void)state;
	assert_false(loss_process__note(&own, &h));
	assert_true(loss__may_hide_alloc(&loss, &own));
	assert_false(loss__may_hide_alloc(&loss, &unharmed));
	assert_false(loss__may_hide_free(&loss, &own, 10));
}

static void counts_of_a_process_may_come_late_and_pass_their_end(void **state)
{
	struct tt_record h = { .ts_ns = 10, .lost_end = 0xfffffffe };
	struct loss_process own = { .end = 0xfffffffd };

	(void)state;
	assert_true(loss_process__note(&own, &h));
	h.lost_end = 0xfffffffd; /* written before, read after */
	h.ts_ns = 11;
	assert_false(loss_process__note(&own, &h));
	assert_int_equal(own.clean_ns, 10);
	h.lost_end = 1;
	assert_true(loss_process__note(&own, &h));
	assert_int_equal(own.records, 4);
}

static void what_was_read_back_is_doubted_no_more(void **state)
{
	struct tt_record h = { .ts_ns = 10, .lost_end = 1, .lost_begin = 1 };
	struct loss_process own = { 0 };
	struct loss loss = { 0 };

	(void)state;
	loss_process__note(&own, &h);
	loss_process__repair(&own, 9);
	assert_true(loss__may_hide_free(&loss, &own, 5));
	assert_true(loss__may_hide_alloc(&loss, &own));
	loss_process__repair(&own, 10);
	assert_false(loss__may_hide_free(&loss, &own, 5));
	assert_false(loss__may_hide_alloc(&loss, &own));
	h.ts_ns = 20;
	h.lost_end = 2;
	assert_true(loss_process__note(&own, &h));
	assert_true(loss__may_hide_free(&loss, &own, 5));
}

static void an_orphaned_loss_counts_against_all(void **state)
{
	struct tt_record_counters rec = { .h = { .kind = TT_RECORD_COUNTERS, .ts_ns = 10 } };
	struct tt_counters delta;
	struct loss loss = { 0 };

	(void)state;
	rec.c.lost[TT_RECORD_ALLOC] = 1;
	assert_true(loss__count(&loss, &rec, &delta));
	assert_false(loss__may_hide_alloc(&loss, &unharmed));
	rec.c.orphaned_begin = 1;
	loss__count(&loss, &rec, &delta);
	assert_int_equal(delta.orphaned_begin, 1);
	assert_true(loss__may_hide_alloc(&loss, &unharmed));
	assert_false(loss__may_hide_free(&loss, &unharmed, 10));
	rec.c.orphaned_end = 1;
	loss__count(&loss, &rec, &delta);
	assert_true(loss__may_hide_free(&loss, &unharmed, 10));
	assert_false(loss__may_hide_free(&loss, &unharmed, 11));
}

static void losses_that_bpf_tells_of_are_of_a_process_that_is_known(void **state)
{
	struct tt_record h = { .kind = TT_RECORD_SPACE, .seq = 102, .ts_ns = 2, .lost = 100 };
	struct loss loss = { 0 };

	(void)state;
	note(&loss, 0, 1, 1);
	assert_int_equal(loss__note(&loss, &h), 0);
	assert_int_equal(loss__total(&loss), 100);
	assert_false(loss__may_hide_free(&loss, &unharmed, 1));
	h.seq = 204; /* one more than it tells of */
	h.lost = 200;
	loss__note(&loss, &h);
	assert_true(loss__may_hide_free(&loss, &unharmed, 1));
	assert_int_equal(loss.epoch, 1);
	assert_int_equal(loss.gap_ns, 2);
	loss__done(&loss);
}

static void processes_without_room_are_told(void **state)
{
	struct tt_record_counters rec = { .h = { .kind = TT_RECORD_COUNTERS, .ts_ns = 10 } };
	struct tt_counters delta;
	struct loss loss = { 0 };

	(void)state;
	rec.c.process_map_full = 2;
	assert_true(loss__count(&loss, &rec, &delta));
	assert_int_equal(delta.process_map_full, 2);
	assert_int_equal(loss__total(&loss), 0);
	loss__done(&loss);
}

static void the_last_cpu_of_all_is_no_trouble(void **state)
{
	struct loss loss = { 0 };

	(void)state;
	note(&loss, 0xffff, 1, 1);
	note(&loss, 0xffff, 2, 2);
	assert_int_equal(loss__total(&loss), 0);
	loss__done(&loss);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unbroken_numbers_prove_no_loss),
		cmocka_unit_test(a_number_that_comes_a_little_late_is_no_loss),
		cmocka_unit_test(a_number_that_stays_away_is_a_loss_after_a_while),
		cmocka_unit_test(a_number_that_stays_away_is_a_loss_after_many_records),
		cmocka_unit_test(a_large_gap_is_a_loss_at_once),
		cmocka_unit_test(what_is_open_at_the_end_is_lost),
		cmocka_unit_test(counters_explain_a_gap),
		cmocka_unit_test(counters_that_do_not_grow_tell_of_no_loss),
		cmocka_unit_test(only_frees_that_came_after_the_allocation_are_doubted),
		cmocka_unit_test(a_lost_allocation_leaves_frees_alone),
		cmocka_unit_test(counts_of_a_process_may_come_late_and_pass_their_end),
		cmocka_unit_test(what_was_read_back_is_doubted_no_more),
		cmocka_unit_test(an_orphaned_loss_counts_against_all),
		cmocka_unit_test(losses_that_bpf_tells_of_are_of_a_process_that_is_known),
		cmocka_unit_test(processes_without_room_are_told),
		cmocka_unit_test(the_last_cpu_of_all_is_no_trouble),
	};

	return cmocka_run_group_tests_name("loss", tests, NULL, NULL);
}
