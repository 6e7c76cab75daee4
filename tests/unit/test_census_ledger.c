// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* What a census does to the ledger: late attach, repair, comparison; and what it must not do. */
#include <errno.h>

#include "counting.h"

static const struct actor python = { 100, 100, 5, 0 };
static const struct actor second = { 100, 101, 5, 1 };
/* as the user side knows a process that has not been hit yet */
static const struct actor unhit = { 100, 100, 0, 0 };

static void expect_census(const struct stream *s, __u64 buffers, __u64 added, __u64 removed)
{
	const struct event *ev = last_census(s);

	assert_int_equal(ev->num_buffers, buffers);
	assert_int_equal(ev->added, added);
	assert_int_equal(ev->removed, removed);
	assert_true(ev->whole);
}

/* A process that held @objects before it was traced, and what was found in it. */
static void attach_late(struct stream *s, const struct object *objects, size_t num)
{
	begin_late(s, &python);
	read_all(s, &unhit, objects, num);
	phase(s, &unhit, TT_CENSUS_SETTLED, TT_CENSUS_ATTACH);
}

static void what_was_held_before_the_attach_is_listed(void **state)
{
	struct stream *s = *state;
	struct object objects[] = { object(1), object(2) };

	attach_late(s, objects, 2);
	assert_int_equal(stream_count(s, EVENT_ALLOC), 2);
	assert_int_equal(stream_last(s, EVENT_ALLOC)->ev.class, CLASS_PRE_ATTACH);
	assert_int_equal(stream_last(s, EVENT_ALLOC)->buffer.footprint, 12 * 1024);
	assert_true(stream_last(s, EVENT_ALLOC)->buffer.is_older);
	assert_int_equal(held(s), 2);
	expect_census(s, 2, 2, 0);
	assert_int_equal(last_census(s)->bytes, 2 * 12 * 1024);
}

static void its_later_free_is_matched(void **state)
{
	struct stream *s = *state;
	struct object o = object(1);

	attach_late(s, &o, 1);
	stream_release(s, &python, &o);
	stream_expect_free(s, CLASS_MATCHED);
	assert_int_equal(held(s), 0);
}

/* A trace that was captured under our eyes, and is released when its device is closed. */
static void what_came_after_the_attach_goes_with_its_device(void **state)
{
	struct stream *s = *state;
	struct object before = object(1), trace = object(2);

	attach_late(s, &before, 1);
	stream_alloc(s, &python, &trace);
	stream_close(s, &python, 1);
	stream_release(s, &python, &trace);
	stream_expect_free(s, CLASS_DEVICE_CLOSED);
}

static void the_process_is_the_same_when_its_start_gets_known(void **state)
{
	struct stream *s = *state;
	struct object o = object(1);

	attach_late(s, &o, 1);
	stream_process(s, &python, TT_RECORD_PROCESS_START, "python", TT_PROCESS_BEFORE_ATTACH, 0,
		       NULL);
	assert_int_equal(stream_count(s, EVENT_PROCESS_EXIT), 0);
	assert_int_equal(held(s), 1);
	stream_exit(s, &python, 0);
	assert_int_equal(stream_count(s, EVENT_LEAK), 1);
}

static void an_allocation_on_its_way_is_not_told_twice(void **state)
{
	struct stream *s = *state;
	struct object o = object(1);

	attach_late(s, &o, 1);
	stream_alloc(s, &python, &o);
	assert_int_equal(held(s), 1);
	assert_int_equal(stream_count(s, EVENT_ALLOC), 1);
	assert_int_equal(ledger__stats(s->ledger)->reused_live, 0);
	look(s, &python, &o, 1);
	expect_census(s, 1, 0, 0);
}

/* Freed and allocated again at the same place while the census was read: it saw the second. */
static void a_free_on_its_way_does_not_take_its_successor(void **state)
{
	struct stream *s = *state;
	struct object first = object(1), next = object(1);

	next.id++;
	attach_late(s, &next, 1);
	stream_release(s, &python, &first);
	stream_expect_free(s, CLASS_PRE_ATTACH);
	assert_int_equal(held(s), 1);
	stream_alloc(s, &python, &next);
	assert_int_equal(held(s), 1);
	assert_int_equal(ledger__stats(s->ledger)->reused_live, 0);
}

static void a_census_that_agrees_changes_nothing(void **state)
{
	struct stream *s = *state;
	struct object objects[] = { object(1), object(2) };

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &objects[0]);
	stream_alloc(s, &python, &objects[1]);
	look(s, &python, objects, 2);
	expect_census(s, 2, 0, 0);
	assert_int_equal(held(s), 2);
	assert_int_equal(stream_count(s, EVENT_ALLOC), 2);
	assert_int_equal(stream_count(s, EVENT_FREE), 0);
}

/* Freed and allocated again at the same place while the census was read. */
static void a_successor_whose_records_are_on_their_way_is_waited_for(void **state)
{
	struct stream *s = *state;
	struct object first = object(1), next = object(1);

	next.id++;
	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &first);
	read_all(s, &python, &next, 1);
	stream_release(s, &python, &first);
	stream_expect_free(s, CLASS_MATCHED);
	stream_alloc(s, &python, &next);
	phase(s, &python, TT_CENSUS_SETTLED, TT_CENSUS_AUDIT);
	assert_int_equal(last_census(s)->added + last_census(s)->removed, 0);
	assert_int_equal(held(s), 1);
}

static void a_successor_whose_records_were_lost_comes_with_the_next_census(void **state)
{
	struct stream *s = *state;
	struct object first = object(1), next = object(1);

	next.id++;
	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &first);
	look(s, &python, &next, 1);
	assert_int_equal(last_census(s)->removed, 1);
	assert_false(last_census(s)->whole);
	look(s, &python, &next, 1);
	expect_census(s, 1, 0, 0); /* its record may come yet */
	look(s, &python, &next, 1);
	expect_census(s, 1, 1, 0);
	assert_int_equal(held(s), 1);
}

/* Its thread has lost its processor between the allocator's set and track_allocate. */
static void an_allocation_whose_record_comes_after_the_census_is_no_lost_one(void **state)
{
	struct stream *s = *state;
	struct object o = object(1);

	stream_begin(s, &python, 1);
	look(s, &python, &o, 1);
	expect_census(s, 1, 0, 0);
	assert_int_equal(stream_count(s, EVENT_ALLOC), 0);
	stream_alloc(s, &python, &o);
	assert_int_equal(stream_last(s, EVENT_ALLOC)->ev.class, CLASS_MATCHED);
	assert_int_equal(held(s), 1);
	stream_release(s, &python, &o);
	stream_expect_free(s, CLASS_MATCHED);
}

static void one_that_does_not_come_to_its_end_leaves_nothing_behind(void **state)
{
	struct stream *s = *state;
	struct object o = object(1);

	stream_begin(s, &python, 1);
	look(s, &python, &o, 1);
	stream_exit(s, &python, 9); /* killed */
	assert_int_equal(stream_count(s, EVENT_ALLOC), 0);
	assert_int_equal(stream_count(s, EVENT_ENDED), 0);
	assert_int_equal(held(s), 0);
}

/* The ring holds more than one life of its place. */
static void a_census_that_is_ahead_of_the_ring_waits_for_it(void **state)
{
	struct stream *s = *state;
	struct object lives[] = { object(1), object(1), object(1) };

	lives[1].id = lives[0].id + 1;
	lives[2].id = lives[0].id + 2;
	stream_begin(s, &python, 1);
	read_all(s, &python, &lives[2], 1);
	stream_alloc(s, &python, &lives[0]);
	stream_release(s, &python, &lives[0]);
	stream_alloc(s, &python, &lives[1]);
	stream_release(s, &python, &lives[1]);
	stream_alloc(s, &python, &lives[2]);
	phase(s, &python, TT_CENSUS_SETTLED, TT_CENSUS_AUDIT);
	assert_int_equal(stream_count(s, EVENT_ALLOC), 3);
	assert_int_equal(stream_count_class(s, CLASS_MATCHED), 2);
	assert_int_equal(ledger__stats(s->ledger)->reused_live, 0);
	assert_int_equal(last_census(s)->added + last_census(s)->removed, 0);
	assert_int_equal(held(s), 1);
}

static void a_lost_allocation_comes_in(void **state)
{
	struct stream *s = *state;
	struct object objects[] = { object(1), object(2) };

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &objects[0]);
	losing_counted(s, &python, TT_RECORD_ALLOC, 1);
	look(s, &python, objects, 2);
	expect_census(s, 2, 1, 0);
	assert_int_equal(stream_last(s, EVENT_ALLOC)->ev.class, CLASS_LOST);
	assert_int_equal(held(s), 2);
	stream_release(s, &python, &objects[1]);
	stream_expect_free(s, CLASS_MATCHED);
}

static void a_buffer_whose_free_was_lost_goes(void **state)
{
	struct stream *s = *state;
	struct object objects[] = { object(1), object(2) };

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &objects[0]);
	stream_alloc(s, &python, &objects[1]);
	look(s, &python, objects, 1);
	expect_census(s, 1, 0, 1);
	stream_expect_free(s, CLASS_LOST);
	assert_int_equal(held(s), 1);
}

static void a_free_that_is_on_its_way_is_waited_for(void **state)
{
	struct stream *s = *state;
	struct object objects[] = { object(1), object(2) };

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &objects[0]);
	stream_alloc(s, &python, &objects[1]);
	read_all(s, &python, objects, 1);
	stream_release(s, &python, &objects[1]);
	phase(s, &python, TT_CENSUS_SETTLED, TT_CENSUS_AUDIT);
	stream_expect_free(s, CLASS_MATCHED);
	expect_census(s, 1, 0, 0);
}

/* Its place was taken by another while the census was settled: that one is not missing. */
static void a_successor_of_what_was_missing_stays(void **state)
{
	struct stream *s = *state;
	struct object first = object(1), next = object(1);

	next.id++;
	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &first);
	read_all(s, &python, NULL, 0);
	stream_release(s, &python, &first);
	stream_alloc(s, &python, &next);
	phase(s, &python, TT_CENSUS_SETTLED, TT_CENSUS_AUDIT);
	expect_census(s, 0, 0, 0);
	assert_int_equal(held(s), 1);
}

static void a_buffer_that_is_just_leaving_its_allocator_does_not_come_back(void **state)
{
	struct stream *s = *state;
	struct object o = object(1);

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	stream_release(s, &second, &o);
	look(s, &python, &o, 1);
	expect_census(s, 0, 0, 0);
	assert_int_equal(held(s), 0);
}

/* What told the first one's id was lost: so it is not known which of the two it is, for a while. */
static void what_may_be_leaving_is_waited_for(void **state)
{
	struct stream *s = *state;
	struct object first = object(1), next = object(1);

	next.id++;
	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &first);
	stream_done(s, &second, &first);
	look(s, &python, &next, 1);
	assert_int_equal(held(s), 0);
	assert_false(last_census(s)->whole);
	s->ts_ns += SECOND;
	look(s, &python, &next, 1);
	look(s, &python, &next, 1);
	expect_census(s, 1, 1, 0);
	assert_int_equal(held(s), 1);
}

static void what_was_freed_in_bulk_does_not_come_back(void **state)
{
	struct stream *s = *state;
	struct object o = object(1);

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	stream_bulk(s, &python, TT_PROBE_DEALLOCATE_BUFFERS, HEAP);
	look(s, &python, &o, 1);
	expect_census(s, 0, 0, 0);
	assert_int_equal(held(s), 0);
}

static void a_suppressed_free_is_no_missing_buffer(void **state)
{
	struct stream *s = *state;
	struct object o = object(1);

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	suppress(s, &python, &o);
	look(s, &python, NULL, 0);
	expect_census(s, 0, 0, 0);
	assert_int_equal(held(s), 1);
}

static void a_torn_census_takes_nothing_away(void **state)
{
	struct stream *s = *state;
	struct object o = object(1);

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	phase(s, &python, TT_CENSUS_BEGIN, 0);
	phase(s, &python, TT_CENSUS_TORN, 0);
	phase(s, &python, TT_CENSUS_SETTLED, TT_CENSUS_AUDIT);
	assert_int_equal(held(s), 1);
	assert_false(last_census(s)->whole);
}

static void an_allocator_that_was_not_read_makes_the_census_incomplete(void **state)
{
	struct stream *s = *state;
	struct object o = object(1);

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	phase(s, &python, TT_CENSUS_SETTLED, TT_CENSUS_AUDIT);
	assert_int_equal(held(s), 1);
	assert_false(last_census(s)->whole);
}

/* Of an empty allocator no device is known. */
static void an_allocator_that_is_empty_takes_all_its_buffers_away(void **state)
{
	struct stream *s = *state;
	struct object objects[] = { object(1), object(2) };
	struct tt_record_census rec = { .allocator = HEAP };

	stream_begin(s, &python, 1);
	stream_allocator(s, &python, HEAP, stream_mesh(MESH + 0x100, 1, 0, 1));
	objects[1].device += 0x100;
	stream_alloc(s, &python, &objects[0]);
	stream_alloc(s, &python, &objects[1]);
	for (rec.phase = TT_CENSUS_BEGIN; rec.phase <= TT_CENSUS_END; rec.phase++) {
		rec.h = written(s, &python, TT_RECORD_CENSUS);
		stream_apply(s, &rec, sizeof(rec));
	}
	phase(s, &python, TT_CENSUS_SETTLED, TT_CENSUS_AUDIT);
	expect_census(s, 0, 0, 2);
	assert_int_equal(stream_count_class(s, CLASS_LOST), 2);
}

static void an_unknown_footprint_gets_known(void **state)
{
	struct stream *s = *state;
	struct object o = object(1);
	__u32 pid;

	stream_begin(s, &python, 1);
	stream_buffer(s, &python, TT_RECORD_ALLOC, &o);
	assert_false(stream_last(s, EVENT_ALLOC)->buffer.has_footprint);
	assert_int_equal(ledger__unsized(s->ledger, &pid, 1), 1);
	look(s, &python, &o, 1);
	assert_int_equal(ledger__unsized(s->ledger, &pid, 1), 0);
	stream_release(s, &python, &o);
	assert_int_equal(stream_last(s, EVENT_FREE)->buffer.footprint, 12 * 1024);
}

static void a_footprint_that_no_census_can_tell_is_given_up(void **state)
{
	struct stream *s = *state;
	struct object o = object(1);
	int censuses = 0;
	__u32 pid;

	stream_begin(s, &python, 1);
	stream_buffer(s, &python, TT_RECORD_ALLOC, &o);
	o.size = 0; /* then the census tells none, either */
	for (; censuses < 100 && ledger__unsized(s->ledger, &pid, 1); censuses++)
		look(s, &python, &o, 1);
	assert_in_range(censuses, 1, 99);
}

static void a_stream_may_claim_any_phase_in_any_order(void **state)
{
	struct stream *s = *state;
	struct object o = object(1);
	struct tt_record_census rec = { .h = written(s, &python, TT_RECORD_CENSUS), .phase = 99 };

	phase(s, &python, TT_CENSUS_END, 0); /* of a process that has ended */
	assert_int_equal(s->num_seen, 0);
	stream_start(s, &python);
	phase(s, &python, TT_CENSUS_END, 0);
	phase(s, &python, TT_CENSUS_SETTLED, 77);
	tell(s, &python, &o);
	phase(s, &python, TT_CENSUS_FAILED, 0);
	stream_apply(s, &rec, sizeof(rec));
	assert_int_equal(s->err, -EBADMSG);
	assert_string_equal(census_reason__name(77), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		stream_test(what_was_held_before_the_attach_is_listed),
		stream_test(its_later_free_is_matched),
		stream_test(what_came_after_the_attach_goes_with_its_device),
		stream_test(the_process_is_the_same_when_its_start_gets_known),
		stream_test(an_allocation_on_its_way_is_not_told_twice),
		stream_test(a_free_on_its_way_does_not_take_its_successor),
		stream_test(a_census_that_agrees_changes_nothing),
		stream_test(a_successor_whose_records_are_on_their_way_is_waited_for),
		stream_test(a_successor_whose_records_were_lost_comes_with_the_next_census),
		stream_test(a_census_that_is_ahead_of_the_ring_waits_for_it),
		stream_test(an_allocation_whose_record_comes_after_the_census_is_no_lost_one),
		stream_test(one_that_does_not_come_to_its_end_leaves_nothing_behind),
		stream_test(a_lost_allocation_comes_in),
		stream_test(a_buffer_whose_free_was_lost_goes),
		stream_test(a_free_that_is_on_its_way_is_waited_for),
		stream_test(a_successor_of_what_was_missing_stays),
		stream_test(a_buffer_that_is_just_leaving_its_allocator_does_not_come_back),
		stream_test(what_may_be_leaving_is_waited_for),
		stream_test(what_was_freed_in_bulk_does_not_come_back),
		stream_test(a_suppressed_free_is_no_missing_buffer),
		stream_test(a_torn_census_takes_nothing_away),
		stream_test(an_allocator_that_was_not_read_makes_the_census_incomplete),
		stream_test(an_allocator_that_is_empty_takes_all_its_buffers_away),
		stream_test(an_unknown_footprint_gets_known),
		stream_test(a_footprint_that_no_census_can_tell_is_given_up),
		stream_test(a_stream_may_claim_any_phase_in_any_order),
	};

	return cmocka_run_group_tests_name("census in the ledger", tests, NULL, NULL);
}
