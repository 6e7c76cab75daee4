// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Forked children, and what they free of their parents. */
#include "counting.h"

static const struct actor python = { 100, 100, 5, 0 };

static struct object usual(void)
{
	return stream_object(0x5000, 0x100, 12 * 1024);
}

static void a_forked_child_that_frees_its_parents_buffer_is_foreign(void **state)
{
	struct stream *s = *state;
	struct actor child = { 300, 300, 50, 0 };
	struct object o = usual();

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	stream_process(s, &child, TT_RECORD_PROCESS_START, "python", TT_PROCESS_FORKED, 0, &python);
	stream_release(s, &child, &o);
	stream_expect_free(s, CLASS_FOREIGN);
	assert_non_null(strstr(stream_last(s, EVENT_FREE)->ev.why, "PID 100"));
	assert_int_equal(stream_last(s, EVENT_FREE)->process.pid, 300);
	assert_true(stream_live(s) >= 12 * 1024); /* the parent's is as it was */
	stream_release(s, &python, &o);
	stream_expect_free(s, CLASS_MATCHED);
	stream_exit(s, &child, 0);
	assert_int_equal(stream_count(s, EVENT_LEAK), 0);
}

static void a_grandchild_is_foreign_too_and_so_is_what_the_parent_has_freed_since(void **state)
{
	struct stream *s = *state;
	struct actor child = { 300, 300, 50, 0 }, grandchild = { 400, 400, 60, 1 };
	struct object o = usual();

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	stream_process(s, &child, TT_RECORD_PROCESS_START, "python", TT_PROCESS_FORKED, 0, &python);
	stream_process(s, &grandchild, TT_RECORD_PROCESS_START, "python", TT_PROCESS_FORKED, 0,
		       &child);
	stream_release(s, &grandchild, &o);
	stream_expect_free(s, CLASS_FOREIGN);
	assert_non_null(strstr(stream_last(s, EVENT_FREE)->ev.why, "PID 100"));
	stream_release(s, &python, &o);
	stream_release(s, &child, &o);
	stream_expect_free(s, CLASS_FOREIGN);
}

static void a_forked_child_has_buffers_of_its_own_as_well(void **state)
{
	struct stream *s = *state;
	struct actor child = { 300, 300, 50, 0 };
	struct object o = usual();

	stream_begin(s, &python, 1);
	stream_process(s, &child, TT_RECORD_PROCESS_START, "python", TT_PROCESS_FORKED, 0, &python);
	stream_allocator(s, &child, HEAP, stream_mesh(MESH, 0, 0, 1));
	stream_alloc(s, &child, &o);
	stream_release(s, &child, &o);
	stream_expect_free(s, CLASS_MATCHED);
}

static void a_cycle_of_parents_does_not_hang(void **state)
{
	struct stream *s = *state;
	struct actor a = { 300, 300, 50, 0 }, b = { 400, 400, 60, 1 };
	struct object o = usual();

	stream_process(s, &a, TT_RECORD_PROCESS_START, "a", TT_PROCESS_FORKED, 0, &b);
	stream_process(s, &b, TT_RECORD_PROCESS_START, "b", TT_PROCESS_FORKED, 0, &a);
	stream_release(s, &a, &o);
	stream_expect_free(s, CLASS_FOREIGN);
}

static void what_the_parent_allocated_after_the_fork_is_not_what_the_child_frees(void **state)
{
	struct stream *s = *state;
	struct actor child = { 300, 300, 50, 0 };
	struct object o = usual();

	stream_begin(s, &python, 1);
	stream_process(s, &child, TT_RECORD_PROCESS_START, "python", TT_PROCESS_FORKED, 0, &python);
	stream_alloc(s, &python, &o);
	stream_release(s, &child, &o); /* another one, from before, at the same place */
	stream_expect_free(s, CLASS_FOREIGN);
	assert_null(strstr(stream_last(s, EVENT_FREE)->ev.why, "PID"));
}

/* It ended between the attach and its census: what it held of its own, if anything, nobody knows.
 */
static bool is_complete_without(struct stream *s, __u32 flags)
{
	struct snapshot *snapshot;
	bool complete;

	stream_process(s, &python, TT_RECORD_PROCESS_START, "python",
		       TT_PROCESS_BEFORE_ATTACH | flags, 0, NULL);
	phase(s, &python, TT_CENSUS_GONE, TT_CENSUS_ATTACH);
	snapshot = stream_snapshot(s);
	complete = snapshot__complete(snapshot);
	snapshot__free(snapshot);
	return complete;
}

static void a_child_that_lived_for_a_moment_is_not_missing(void **state)
{
	assert_true(is_complete_without(*state, TT_PROCESS_FORKED));
	assert_int_equal(stream_count(*state, EVENT_CENSUS), 0);
}

static void another_process_that_ended_before_its_census_is(void **state)
{
	assert_false(is_complete_without(*state, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		stream_test(a_forked_child_that_frees_its_parents_buffer_is_foreign),
		stream_test(a_grandchild_is_foreign_too_and_so_is_what_the_parent_has_freed_since),
		stream_test(a_forked_child_has_buffers_of_its_own_as_well),
		stream_test(a_cycle_of_parents_does_not_hang),
		stream_test(what_the_parent_allocated_after_the_fork_is_not_what_the_child_frees),
		stream_test(a_child_that_lived_for_a_moment_is_not_missing),
		stream_test(another_process_that_ended_before_its_census_is),
	};

	return cmocka_run_group_tests_name("forks", tests, NULL, NULL);
}
