// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Frees that do not come to their end, or have no explanation. */
#include "stream.h"

static const struct actor python = { 100, 100, 5, 0 };
static const struct actor second = { 100, 101, 5, 1 };

static struct object usual(void)
{
	return stream_object(0x5000, 0x100, 12 * 1024);
}

static void attempt(struct stream *s, const struct actor *a, const struct object *o)
{
	stream_buffer(s, a, TT_RECORD_FREE_BEGIN, o);
}

/* Any record of the thread that has nothing to do with a free. */
static void something_else(struct stream *s, const struct actor *a)
{
	stream_space(s, a, 32);
}

static void a_late_free_waits_no_longer_than_a_second(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	stream_close(s, &python, 1);
	attempt(s, &python, &o);
	s->ts_ns += SECOND / 2;
	something_else(s, &second);
	assert_int_equal(stream_count(s, EVENT_FREE), 0);
	s->ts_ns += SECOND;
	something_else(s, &second);
	stream_expect_free(s, CLASS_DEVICE_CLOSED);
}

static void a_process_that_is_stopped_in_the_midst_of_a_free_goes_on_with_it(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	attempt(s, &python, &o);
	for (int i = 0; i < 5; i++) {
		s->ts_ns += 10 * SECOND;
		something_else(s, &second);
	}
	assert_int_equal(stream_count(s, EVENT_FREE), 0);
	stream_tracked(s, &python, &o);
	stream_done(s, &python, &o);
	stream_expect_free(s, CLASS_MATCHED);
}

static void a_suppressed_free_leaves_the_memory_occupied(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	attempt(s, &python, &o);
	stream_tracked(s, &python, &o);
	something_else(s, &python);
	stream_expect_free(s, CLASS_SUPPRESSED);
	assert_int_equal(stream_live(s), 12 * 1024);
}

static void a_suppressed_buffer_stays_occupied_when_its_pointer_is_used_again(void **state)
{
	struct stream *s = *state;
	struct object o = usual(), p = stream_object(0x5000, 0x9000, 12 * 32);

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	attempt(s, &python, &o);
	stream_tracked(s, &python, &o);
	stream_alloc(s, &python, &p);
	assert_int_equal(stream_count_class(s, CLASS_SUPPRESSED), 1);
	assert_int_equal(stream_live(s), 12 * 1024 + 12 * 32);
	stream_release(s, &python, &p);
	stream_expect_free(s, CLASS_MATCHED);
	assert_int_equal(stream_live(s), 12 * 1024);
	stream_close(s, &python, 1);
	assert_int_equal(stream_count(s, EVENT_LEAK), 1);
	assert_non_null(strstr(stream_last(s, EVENT_LEAK)->ev.why, "suppressed"));
	assert_int_equal(stream_live(s), 0);
	assert_int_equal(ledger__stats(s->ledger)->reused_live, 0);
}

static void a_suppressed_buffer_that_is_freed_after_all_is_matched(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	attempt(s, &python, &o);
	stream_tracked(s, &python, &o);
	something_else(s, &python);
	stream_release(s, &python, &o);
	stream_expect_free(s, CLASS_MATCHED);
	assert_int_equal(stream_live(s), 0);
}

/* Its process may be stopped right there. */
static void a_tracked_free_is_not_decided_before_its_thread_goes_on(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	attempt(s, &python, &o);
	stream_tracked(s, &python, &o);
	s->ts_ns += 100 * SECOND;
	something_else(s, &second);
	assert_int_equal(stream_count(s, EVENT_FREE), 0);
	stream_done(s, &python, &o);
	stream_expect_free(s, CLASS_MATCHED);
}

static void where_the_state_of_the_device_was_read_nothing_else_tells_that_it_is_open(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	o.device_state = TT_STATE_OPEN;
	attempt(s, &python, &o);
	something_else(s, &python);
	stream_expect_free(s, CLASS_SUPPRESSED);
	o.device_state = TT_STATE_OPENING; /* not initialized: never yet, or no more */
	attempt(s, &python, &o);
	something_else(s, &python);
	stream_expect_free(s, CLASS_DEVICE_CLOSED);
}

static void where_it_could_not_be_read_the_close_that_was_seen_tells(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	stream_library_of(s, TT_MODE_DEFAULT, 1 << TT_PROBE_DEALLOCATE_IMPL);
	o.unreadable_state = true;
	attempt(s, &python, &o);
	something_else(s, &python);
	stream_expect_free(s, CLASS_SUPPRESSED);
	stream_close(s, &python, 1);
	attempt(s, &python, &o);
	something_else(s, &python);
	stream_expect_free(s, CLASS_DEVICE_CLOSED);
}

static void what_waits_is_decided_when_the_process_ends(void **state)
{
	struct stream *s = *state;
	struct object o = usual(), p = stream_object(0x6000, 0x200, 12 * 32);

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	stream_alloc(s, &python, &p);
	attempt(s, &python, &o);
	stream_tracked(s, &python, &o);
	attempt(s, &second, &p);
	stream_exit(s, &python, 0);
	assert_int_equal(stream_count_class(s, CLASS_SUPPRESSED), 1);
	assert_int_equal(stream_count_class(s, CLASS_DEVICE_CLOSED), 1);
}

static void a_free_that_was_going_on_when_the_tracing_ended_is_not_judged(void **state)
{
	struct stream *s = *state;
	struct object o = usual(), p = stream_object(0x6000, 0x200, 12 * 32);

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	stream_alloc(s, &python, &p);
	attempt(s, &python, &o);
	stream_tracked(s, &python, &o);
	attempt(s, &second, &p);
	assert_int_equal(ledger__finish(s->ledger, s->ts_ns), 0);
	assert_int_equal(stream_count(s, EVENT_FREE), 0);
	assert_int_equal(stream_count(s, EVENT_LEAK), 0);
}

static void a_free_of_a_generation_that_we_do_not_have_ends_nothing(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_process(s, &python, TT_RECORD_PROCESS_START, "python", TT_PROCESS_BEFORE_ATTACH, 0,
		       NULL);
	stream_allocator(s, &python, HEAP, stream_mesh(MESH, 0, 0, 1));
	stream_alloc(s, &python, &o);
	o.id = 1;
	stream_release(s, &python, &o);
	stream_expect_free(s, CLASS_PRE_ATTACH);
	assert_int_equal(stream_live(s), 12 * 1024);
}

static void a_free_without_any_reason_is_unknown_and_makes_the_data_incomplete(void **state)
{
	struct stream *s = *state;
	struct object o = usual();
	struct tt_counters counters = { 0 };
	struct snapshot *snapshot;

	stream_begin(s, &python, 1);
	stream_release(s, &python, &o);
	assert_int_equal(stream_count(s, EVENT_FREE), 0); /* it waits for the counters */
	stream_counters(s, &counters);
	stream_expect_free(s, CLASS_UNKNOWN);
	assert_int_equal(stream_last(s, EVENT_FREE)->buffer.size, 12 * 1024);
	assert_int_equal(stream_last(s, EVENT_FREE)->device.num_chips, 1);
	snapshot = stream_snapshot(s);
	assert_false(snapshot__complete(snapshot));
	snapshot__free(snapshot);
}

static void frees_without_any_reason_are_decided_even_if_they_are_very_many(void **state)
{
	struct stream *s = *state;
	struct snapshot *snapshot;

	stream_begin(s, &python, 1);
	for (__u32 i = 0; i < 2000; i++) {
		struct object o = stream_object(0x100000 + i * 0x100, i * 32, 32);

		stream_release(s, &python, &o);
	}
	stream_exit(s, &python, 0);
	snapshot = stream_snapshot(s);
	assert_int_equal(snapshot->frees[CLASS_UNKNOWN], 2000);
	snapshot__free(snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		stream_test(a_late_free_waits_no_longer_than_a_second),
		stream_test(a_process_that_is_stopped_in_the_midst_of_a_free_goes_on_with_it),
		stream_test(a_suppressed_free_leaves_the_memory_occupied),
		stream_test(a_suppressed_buffer_stays_occupied_when_its_pointer_is_used_again),
		stream_test(a_suppressed_buffer_that_is_freed_after_all_is_matched),
		stream_test(a_tracked_free_is_not_decided_before_its_thread_goes_on),
		stream_test(
			where_the_state_of_the_device_was_read_nothing_else_tells_that_it_is_open),
		stream_test(where_it_could_not_be_read_the_close_that_was_seen_tells),
		stream_test(what_waits_is_decided_when_the_process_ends),
		stream_test(a_free_that_was_going_on_when_the_tracing_ended_is_not_judged),
		stream_test(a_free_of_a_generation_that_we_do_not_have_ends_nothing),
		stream_test(a_free_without_any_reason_is_unknown_and_makes_the_data_incomplete),
		stream_test(frees_without_any_reason_are_decided_even_if_they_are_very_many),
	};

	return cmocka_run_group_tests_name("pending", tests, NULL, NULL);
}
