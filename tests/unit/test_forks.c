// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Forked children, and what they free of their parents. */
#include "stream.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		stream_test(a_forked_child_that_frees_its_parents_buffer_is_foreign),
		stream_test(a_grandchild_is_foreign_too_and_so_is_what_the_parent_has_freed_since),
		stream_test(a_forked_child_has_buffers_of_its_own_as_well),
		stream_test(a_cycle_of_parents_does_not_hang),
		stream_test(what_the_parent_allocated_after_the_fork_is_not_what_the_child_frees),
	};

	return cmocka_run_group_tests_name("forks", tests, NULL, NULL);
}
