// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The ledger when threads are preempted in the middle of a record. One had its place in the ring,
 * and wrote its header when another had lost something: that loss is told too early.
 */
#include "losing.h"

static const struct actor python = { 100, 100, 5, 0 };
static const struct actor preempted = { 100, 101, 5, 1 };

static struct object usual(void)
{
	return stream_object(0x5000, 0x100, 12 * 1024);
}

/* What is written before @kind is lost tells of it; what comes next does not yet. */
static void lose_and_tell_early(struct stream *s, __u32 kind)
{
	struct tt_process before = s->loser;

	losing(s, &python, kind, 1);
	stream_space(s, &preempted, 1024);
	s->loser = before;
}

static void the_end_of_a_free_that_was_lost_was_not_suppressed(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	lose_and_tell_early(s, TT_RECORD_FREE_DONE);
	stream_buffer(s, &python, TT_RECORD_FREE_BEGIN, &o);
	stream_tracked(s, &python, &o);
	losing(s, &python, TT_RECORD_FREE_DONE, 1);
	stream_space(s, &python, 1024);
	stream_expect_free(s, CLASS_LOST);
}

static bool has_footprint(struct stream *s)
{
	return stream_last(s, EVENT_ALLOC)->buffer.has_footprint;
}

/* The footprint of an allocation is that of the request before it, unless that may be another's. */
static void the_request_of_an_allocation_that_was_lost_is_not_that_of_the_next(void **state)
{
	struct stream *s = *state;
	struct object o = usual(), next = stream_object(0x6000, 0x8100, 12 * 1024);

	stream_begin(s, &python, 1);
	stream_space(s, &python, 1024);
	stream_buffer(s, &python, TT_RECORD_ALLOC, &o);
	assert_true(has_footprint(s));
	lose_and_tell_early(s, TT_RECORD_ALLOC);
	stream_space(s, &python, 1024); /* of the one that is lost */
	losing(s, &python, TT_RECORD_ALLOC, 1);
	stream_buffer(s, &python, TT_RECORD_ALLOC, &next);
	assert_false(has_footprint(s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		stream_test(the_end_of_a_free_that_was_lost_was_not_suppressed),
		stream_test(the_request_of_an_allocation_that_was_lost_is_not_that_of_the_next),
	};

	return cmocka_run_group_tests_name("late", tests, NULL, NULL);
}
