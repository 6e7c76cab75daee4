// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Every class of a free, one by one, and how they are told apart. */
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
static void a_free_that_reaches_the_allocator_is_matched(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	attempt(s, &python, &o);
	stream_tracked(s, &python, &o);
	assert_int_equal(stream_count(s, EVENT_FREE), 0);
	stream_done(s, &python, &o);
	stream_expect_free(s, CLASS_MATCHED);
	assert_null(stream_last(s, EVENT_FREE)->ev.why);
	assert_int_equal(stream_last(s, EVENT_FREE)->buffer.footprint, 12 * 1024);
	assert_int_equal(stream_live(s), 0);
}
static void a_matched_free_needs_no_attempt_before_it(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	stream_done(s, &python, &o);
	stream_expect_free(s, CLASS_MATCHED);
	assert_int_equal(stream_last(s, EVENT_FREE)->buffer.size, 12 * 1024);
	assert_int_equal(stream_live(s), 0);
}
static void frees_of_several_threads_interleave(void **state)
{
	struct stream *s = *state;
	struct object o = usual(), p = stream_object(0x6000, 0x200, 12 * 32);

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	stream_alloc(s, &second, &p);
	attempt(s, &python, &o);
	attempt(s, &second, &p);
	stream_tracked(s, &second, &p);
	stream_tracked(s, &python, &o);
	stream_done(s, &python, &o);
	assert_int_equal(stream_last(s, EVENT_FREE)->ev.tid, 100);
	stream_done(s, &second, &p);
	assert_int_equal(stream_last(s, EVENT_FREE)->ev.tid, 101);
	assert_int_equal(stream_count_class(s, CLASS_MATCHED), 2);
}
static void a_buffer_of_size_0_is_zero_size(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 1);
	o.size = 0;
	attempt(s, &python, &o);
	stream_expect_free(s, CLASS_ZERO_SIZE);
}
static void the_free_of_a_hooked_buffer_is_hooked_and_ends_it(void **state)
{
	struct stream *s = *state;
	struct object o = usual();
	struct snapshot *snapshot;

	stream_begin(s, &python, 1);
	o.hooked = 1;
	o.address = 0;
	stream_alloc(s, &python, &o);
	attempt(s, &python, &o);
	stream_tracked(s, &python, &o);
	stream_expect_free(s, CLASS_HOOKED);
	assert_int_equal(stream_count(s, EVENT_FREE), 1);
	snapshot = stream_snapshot(s);
	assert_int_equal(snapshot->processes[0]->devices[0]->live_kinds[KIND_HOOKED], 0);
	snapshot__free(snapshot);
}
static void a_view_is_a_view(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 1);
	o.view = 1;
	attempt(s, &python, &o);
	stream_expect_free(s, CLASS_VIEW);
}
static void a_free_after_the_close_is_device_closed_and_no_second_leak(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	stream_close(s, &python, 1);
	assert_int_equal(stream_count(s, EVENT_LEAK), 1);
	attempt(s, &python, &o);
	something_else(s, &python);
	stream_expect_free(s, CLASS_DEVICE_CLOSED);
	assert_int_equal(stream_last(s, EVENT_FREE)->buffer.size, 12 * 1024);
	stream_exit(s, &python, 0);
	assert_int_equal(stream_count(s, EVENT_LEAK), 1);
}
static void a_second_free_of_the_same_buffer_is_repeated(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	stream_release(s, &python, &o);
	o.status = TT_STATUS_DEALLOCATED;
	attempt(s, &python, &o);
	stream_expect_free(s, CLASS_REPEATED);
}
static void a_repeated_free_does_not_touch_a_new_buffer_at_its_place(void **state)
{
	struct stream *s = *state;
	struct object o = usual(), p = usual();

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	stream_release(s, &python, &o);
	p.pointer = 0x6000;
	stream_alloc(s, &python, &p);
	o.status = TT_STATUS_DEALLOCATED;
	attempt(s, &python, &o);
	assert_int_equal(stream_live(s), 12 * 1024);
}
static void a_failed_allocation_tells_what_was_asked_and_what_was_free(void **state)
{
	struct stream *s = *state;
	struct object o = usual(), big = stream_object(0x6000, 0, 20ull << 30);
	const struct seen *seen;

	stream_begin(s, &python, 8);
	stream_alloc(s, &python, &o);
	big.status = TT_STATUS_REQUESTED;
	stream_space(s, &python, 2ull << 30);
	attempt(s, &python, &big);
	seen = stream_last(s, EVENT_ALLOC_FAILED);
	assert_int_equal(seen->buffer.size, 20ull << 30);
	assert_int_equal(seen->buffer.num_banks, 12);
	assert_true(seen->shortage.asked == 2ull << 30);
	assert_true(seen->shortage.space.has_free);
	assert_int_equal(seen->shortage.space.free, (1ull << 30) - 1024);
	assert_int_equal(seen->device.num_chips, 8);
	assert_int_equal(stream_count(s, EVENT_FREE), 0);
}
static void a_failed_allocation_is_counted_among_the_classes(void **state)
{
	struct stream *s = *state;
	struct object big = stream_object(0x6000, 0, 20ull << 30);
	struct snapshot *snapshot;

	stream_begin(s, &python, 1);
	big.status = TT_STATUS_REQUESTED;
	attempt(s, &python, &big);
	assert_int_equal(stream_last(s, EVENT_ALLOC_FAILED)->shortage.asked, 0);
	snapshot = stream_snapshot(s);
	assert_int_equal(snapshot->frees[CLASS_FAILED_ALLOC], 1);
	snapshot__free(snapshot);
}
static void the_request_of_a_failed_allocation_is_not_used_for_the_next(void **state)
{
	struct stream *s = *state;
	struct object o = usual(), big = stream_object(0x6000, 0, 20ull << 30);

	stream_begin(s, &python, 1);
	big.status = TT_STATUS_REQUESTED;
	stream_space(s, &python, 2ull << 30);
	attempt(s, &python, &big);
	stream_buffer(s, &python, TT_RECORD_ALLOC, &o);
	assert_false(stream_last(s, EVENT_ALLOC)->buffer.has_footprint);
}
static void what_is_free_is_not_told_if_not_all_was_seen(void **state)
{
	struct stream *s = *state;
	struct object big = stream_object(0x6000, 0, 20ull << 30);

	stream_process(s, &python, TT_RECORD_PROCESS_START, "python", TT_PROCESS_BEFORE_ATTACH, 0,
		       NULL);
	stream_allocator(s, &python, HEAP, stream_mesh(MESH, 0, 0, 1));
	big.status = TT_STATUS_REQUESTED;
	stream_space(s, &python, 2ull << 30);
	attempt(s, &python, &big);
	assert_false(stream_last(s, EVENT_ALLOC_FAILED)->shortage.space.has_free);
}
static void what_was_allocated_before_the_attach_is_pre_attach(void **state)
{
	struct stream *s = *state;
	struct object o = usual();
	const struct seen *seen;

	stream_process(s, &python, TT_RECORD_PROCESS_START, "python", TT_PROCESS_BEFORE_ATTACH, 0,
		       NULL);
	stream_release(s, &python, &o);
	stream_expect_free(s, CLASS_PRE_ATTACH);
	seen = stream_last(s, EVENT_FREE);
	assert_int_equal(seen->buffer.size, 12 * 1024);
	assert_int_equal(seen->buffer.address, 0x100);
	assert_string_equal(seen->ev.why, "allocated before tracing began");
}
static void in_a_process_from_before_the_attach_the_rest_is_matched_as_ever(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_process(s, &python, TT_RECORD_PROCESS_START, "python", TT_PROCESS_BEFORE_ATTACH, 0,
		       NULL);
	stream_allocator(s, &python, HEAP, stream_mesh(MESH, 0, 0, 1));
	stream_alloc(s, &python, &o);
	stream_release(s, &python, &o);
	stream_expect_free(s, CLASS_MATCHED);
	assert_int_equal(ledger__stats(s->ledger)->processes_pre_attach, 1);
}
static void a_free_after_a_bulk_free_and_the_close_has_no_memory(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	stream_bulk(s, &python, TT_PROBE_CLEAR, HEAP);
	stream_close(s, &python, 1);
	attempt(s, &python, &o);
	stream_exit(s, &python, 0);
	stream_expect_free(s, CLASS_DEVICE_CLOSED);
	assert_false(stream_last(s, EVENT_FREE)->buffer.has_footprint);
}

/* A chip of its own, as the pool of devices has it: the same object in every life. */
static struct object on_chip(struct stream *s, __u64 pointer)
{
	struct object o = stream_object(pointer, 0x100, 12 * 1024);

	o.device = CHIPS;
	stream_device(s, &python, TT_PROBE_DEVICE_OPEN, stream_chip(CHIPS, 0));
	stream_allocator(s, &python, HEAP, stream_chip(CHIPS, 0));
	stream_alloc(s, &python, &o);
	return o;
}

static void a_free_of_an_earlier_life_of_a_chip_takes_the_memory_of_this_one(void **state)
{
	struct stream *s = *state;
	struct object old, victim;
	const struct seen *seen;

	stream_start(s, &python);
	old = on_chip(s, 0x5000);
	stream_device(s, &python, TT_PROBE_DEVICE_CLOSE, stream_chip(CHIPS, 0));
	stream_bulk(s, &python, TT_PROBE_ALLOCATOR_DESTROY, HEAP);
	victim = on_chip(s, 0x6000); /* the allocator is another one at the same place */
	stream_release(s, &python, &old);
	stream_expect_free(s, CLASS_DEVICE_CLOSED);
	seen = stream_last(s, EVENT_FREE);
	assert_non_null(strstr(seen->ev.why, "GAVE AWAY THE MEMORY OF BUFFER 256 (id 1536"));
	assert_false(seen->buffer.has_footprint);
	assert_int_equal(stream_live(s), 0);
	stream_release(s, &python, &victim); /* what has no memory any more takes nobody's */
	stream_expect_free(s, CLASS_MATCHED);
	assert_int_equal(stream_live(s), 0);
}

static void a_free_of_an_earlier_life_of_a_chip_may_be_harmless(void **state)
{
	struct stream *s = *state;
	struct object old, other;

	stream_start(s, &python);
	old = on_chip(s, 0x5000);
	stream_device(s, &python, TT_PROBE_DEVICE_CLOSE, stream_chip(CHIPS, 0));
	stream_bulk(s, &python, TT_PROBE_ALLOCATOR_DESTROY, HEAP);
	other = on_chip(s, 0x6000);
	stream_release(s, &python, &other);
	stream_release(s, &python, &old);
	stream_expect_free(s, CLASS_DEVICE_CLOSED);
	assert_null(strstr(stream_last(s, EVENT_FREE)->ev.why, "GAVE"));
}

static void without_an_attempt_a_free_after_the_close_is_still_device_closed(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	stream_close(s, &python, 1);
	stream_done(s, &python, &o);
	stream_expect_free(s, CLASS_DEVICE_CLOSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		stream_test(a_free_that_reaches_the_allocator_is_matched),
		stream_test(a_matched_free_needs_no_attempt_before_it),
		stream_test(frees_of_several_threads_interleave),
		stream_test(a_buffer_of_size_0_is_zero_size),
		stream_test(the_free_of_a_hooked_buffer_is_hooked_and_ends_it),
		stream_test(a_view_is_a_view),
		stream_test(a_free_after_the_close_is_device_closed_and_no_second_leak),
		stream_test(a_second_free_of_the_same_buffer_is_repeated),
		stream_test(a_repeated_free_does_not_touch_a_new_buffer_at_its_place),
		stream_test(a_failed_allocation_tells_what_was_asked_and_what_was_free),
		stream_test(a_failed_allocation_is_counted_among_the_classes),
		stream_test(the_request_of_a_failed_allocation_is_not_used_for_the_next),
		stream_test(what_is_free_is_not_told_if_not_all_was_seen),
		stream_test(what_was_allocated_before_the_attach_is_pre_attach),
		stream_test(in_a_process_from_before_the_attach_the_rest_is_matched_as_ever),
		stream_test(a_free_after_a_bulk_free_and_the_close_has_no_memory),
		stream_test(a_free_of_an_earlier_life_of_a_chip_takes_the_memory_of_this_one),
		stream_test(a_free_of_an_earlier_life_of_a_chip_may_be_harmless),
		stream_test(without_an_attempt_a_free_after_the_close_is_still_device_closed),
	};

	return cmocka_run_group_tests_name("frees", tests, NULL, NULL);
}
