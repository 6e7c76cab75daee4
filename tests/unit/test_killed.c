// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* What a process held when a signal ended it: no leak, for it had no chance to free it. */
#include "stream.h"

#include <signal.h>

static const struct actor python = { 100, 100, 5, 0 };
static const struct actor second = { 100, 101, 5, 1 };

static struct object usual(void)
{
	return stream_object(0x5000, 0x100, 12 * 1024);
}

static void what_a_signal_ends_with_its_process_is_no_leak(void **state)
{
	struct stream *s = *state;
	struct object o = usual(), system = stream_object(0x6000, 0x8000, 12 * 32);
	struct snapshot *snapshot;

	stream_begin(s, &python, 8);
	stream_alloc(s, &python, &o);
	system.top_down = 1;
	stream_alloc(s, &python, &system);
	stream_exit(s, &python, SIGSEGV | 0x80); /* with a core dump */
	assert_int_equal(stream_count(s, EVENT_LEAK), 0);
	assert_int_equal(stream_count(s, EVENT_ENDED), 1);
	snapshot = stream_snapshot(s);
	assert_int_equal(snapshot__leaks(snapshot, NULL), 0);
	assert_int_equal(snapshot->leaking_processes, 0);
	assert_int_equal(snapshot->cut_off.buffers, 1);
	assert_int_equal(snapshot->cut_off.bytes, 8 * 12 * 1024);
	assert_int_equal(snapshot->processes[0]->devices[0]->cut_off_all.bytes, 12 * 1024);
	assert_int_equal(snapshot->processes[0]->devices[0]->cut_off.num_largest, 1);
	assert_int_equal(snapshot->processes[0]->devices[0]->held_all.buffers, 1);
	snapshot__free(snapshot);
}

static void what_leaked_before_the_signal_stays_a_leak(void **state)
{
	struct stream *s = *state;
	struct object closed = usual(), kept = usual(), open = usual();
	struct snapshot *snapshot;

	kept.pointer += 0x100;
	kept.address += 0x10000;
	open.pointer += 0x200;
	open.address += 0x20000;
	stream_begin(s, &python, 8);
	stream_alloc(s, &python, &closed);
	stream_close(s, &python, 8);
	stream_device(s, &python, TT_PROBE_MESH_OPEN, stream_mesh(MESH, 1, 0, 8));
	stream_allocator(s, &python, HEAP, stream_mesh(MESH, 1, 0, 8));
	stream_alloc(s, &python, &kept);
	stream_alloc(s, &python, &open);
	stream_buffer(s, &python, TT_RECORD_FREE_BEGIN, &kept); /* a capture suppresses the rest */
	stream_tracked(s, &python, &kept);
	stream_buffer(s, &python, TT_RECORD_FREE_BEGIN, &closed);
	stream_expect_free(s, CLASS_SUPPRESSED);
	stream_exit(s, &python, SIGABRT);
	assert_int_equal(stream_count(s, EVENT_FREE), 1);
	snapshot = stream_snapshot(s);
	assert_int_equal(snapshot__leaks(snapshot, NULL), 2);
	assert_int_equal(snapshot->cut_off.buffers, 1);
	snapshot__free(snapshot);
}

static void a_free_that_a_signal_cuts_off_is_not_called_suppressed(void **state)
{
	struct stream *s = *state;
	struct object begun = usual(), tracked = stream_object(0x6000, 0x8000, 12 * 32);
	struct snapshot *snapshot;

	stream_begin(s, &python, 8);
	stream_alloc(s, &python, &begun);
	stream_alloc(s, &python, &tracked);
	stream_buffer(s, &python, TT_RECORD_FREE_BEGIN, &begun);
	stream_buffer(s, &second, TT_RECORD_FREE_BEGIN, &tracked);
	stream_tracked(s, &second, &tracked);
	stream_exit(s, &python, SIGKILL);
	assert_int_equal(stream_count(s, EVENT_FREE), 0);
	assert_int_equal(stream_count(s, EVENT_LEAK), 0);
	snapshot = stream_snapshot(s);
	assert_int_equal(snapshot->cut_off.buffers, 2);
	snapshot__free(snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		stream_test(what_a_signal_ends_with_its_process_is_no_leak),
		stream_test(what_leaked_before_the_signal_stays_a_leak),
		stream_test(a_free_that_a_signal_cuts_off_is_not_called_suppressed),
	};

	return cmocka_run_group_tests_name("killed", tests, NULL, NULL);
}
