// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Processes, their threads and devices: who they are, and that they do not pile up. */
#include "losing.h"

static const struct actor python = { 100, 100, 5, 0 };

static const struct seen *last_alloc(const struct stream *s)
{
	return stream_last(s, EVENT_ALLOC);
}

static void a_pid_that_comes_back_is_another_process(void **state)
{
	struct stream *s = *state;
	struct actor again = { 100, 100, 99, 0 };
	struct object o = stream_object(0x5000, 0x100, MIB);
	struct snapshot *snapshot;

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	stream_begin(s, &again, 1);
	assert_int_equal(stream_count(s, EVENT_LEAK), 1);
	assert_int_equal(stream_count(s, EVENT_PROCESS_EXIT), 1);
	assert_int_equal(stream_last(s, EVENT_PROCESS_EXIT)->process.start_ns, 5);
	stream_alloc(s, &again, &o);
	stream_release(s, &again, &o);
	stream_expect_free(s, CLASS_MATCHED);
	snapshot = stream_snapshot(s);
	assert_int_equal(snapshot->num_processes, 2);
	assert_int_equal(snapshot->processes[0]->state, PROCESS_VANISHED);
	assert_int_equal(snapshot->processes[1]->state, PROCESS_RUNNING);
	snapshot__free(snapshot);
}

static void after_exec_the_address_space_is_a_new_one(void **state)
{
	struct stream *s = *state;
	struct object o = stream_object(0x5000, 0x100, MIB);
	struct snapshot *snapshot;

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	stream_process(s, &python, TT_RECORD_PROCESS_EXEC, "bash", 0, 0, NULL);
	assert_int_equal(stream_count(s, EVENT_LEAK), 1);
	assert_non_null(strstr(stream_last(s, EVENT_LEAK)->ev.why, "exec"));
	stream_allocator(s, &python, HEAP, stream_mesh(MESH, 0, 0, 1));
	stream_alloc(s, &python, &o);
	assert_int_equal(stream_count(s, EVENT_PROCESS_START), 2);
	assert_int_equal(ledger__stats(s->ledger)->reused_live, 0);
	snapshot = stream_snapshot(s);
	assert_int_equal(snapshot->num_processes, 2);
	assert_string_equal(snapshot->processes[0]->comm, "python");
	assert_string_equal(snapshot->processes[1]->comm, "bash");
	snapshot__free(snapshot);
}

static void an_exec_before_anything_else_begins_the_process(void **state)
{
	struct stream *s = *state;

	stream_process(s, &python, TT_RECORD_PROCESS_EXEC, "python", 0, 0, NULL);
	assert_int_equal(stream_count(s, EVENT_PROCESS_START), 0); /* nobody wants to know yet */
	stream_space(s, &python, 32);
	stream_space(s, &python, 32);
	assert_int_equal(stream_count(s, EVENT_PROCESS_START), 1);
	assert_string_equal(stream_last(s, EVENT_PROCESS_START)->process.comm, "python");
	assert_int_equal(stream_count(s, EVENT_PROCESS_EXIT), 0);
}

static void processes_that_did_nothing_are_not_in_the_report(void **state)
{
	struct stream *s = *state;
	struct snapshot *snapshot;

	for (__u32 pid = 1000; pid < 1100; pid++) {
		struct actor shell = { pid, pid, pid, 0 };

		stream_process(s, &shell, TT_RECORD_PROCESS_START, "sh", TT_PROCESS_FORKED, 0,
			       &python);
		stream_exit(s, &shell, 0);
	}
	snapshot = stream_snapshot(s);
	assert_int_equal(snapshot->num_processes, 0);
	assert_false(snapshot__saw_activity(snapshot));
	snapshot__free(snapshot);
}

static void a_process_has_the_name_that_it_was_given_last(void **state)
{
	struct stream *s = *state;
	struct object o = stream_object(0x5000, 0x100, MIB), p = stream_object(0x6000, 0x800, MIB);
	struct snapshot *snapshot;

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	assert_string_equal(last_alloc(s)->process.comm, "python");
	stream_process(s, &python, TT_RECORD_PROCESS_NAME, "worker", 0, 0, NULL);
	stream_alloc(s, &python, &p);
	assert_string_equal(last_alloc(s)->process.comm, "worker");
	stream_process(s, &python, TT_RECORD_PROCESS_EXIT, "last", 0, 0, NULL);
	assert_string_equal(stream_last(s, EVENT_PROCESS_EXIT)->process.comm, "last");
	snapshot = stream_snapshot(s);
	assert_string_equal(snapshot->processes[0]->comm, "last");
	snapshot__free(snapshot);
}

static void a_change_of_the_name_does_not_end_a_free(void **state)
{
	struct stream *s = *state;
	struct object o = stream_object(0x5000, 0x100, MIB);

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	stream_buffer(s, &python, TT_RECORD_FREE_BEGIN, &o);
	stream_tracked(s, &python, &o);
	stream_process(s, &python, TT_RECORD_PROCESS_NAME, "worker", 0, 0, NULL);
	stream_done(s, &python, &o);
	stream_expect_free(s, CLASS_MATCHED);
	assert_int_equal(stream_count(s, EVENT_FREE), 1);
}

static void a_process_is_known_even_if_its_start_was_not_seen(void **state)
{
	struct stream *s = *state;
	struct object o = stream_object(0x5000, 0x100, MIB);

	stream_allocator(s, &python, HEAP, stream_mesh(MESH, 0, 0, 1));
	stream_alloc(s, &python, &o);
	assert_int_equal(last_alloc(s)->process.pid, 100);
	assert_string_equal(last_alloc(s)->process.comm, "");
}

static void open_and_close(struct stream *s, __u32 times)
{
	for (__u32 i = 0; i < times; i++) {
		__u64 mesh = 0x10000 + i * 0x100, heap = 0x90000 + i * 0x100;
		struct object o = stream_object(0x5000, 0x100, MIB);

		s->num_seen = 0;
		o.device = mesh;
		o.allocator = heap;
		stream_device(s, &python, TT_PROBE_MESH_OPEN, stream_mesh(mesh, i, 0, 8));
		stream_allocator(s, &python, heap, stream_mesh(mesh, i, 0, 8));
		stream_alloc(s, &python, &o);
		stream_release(s, &python, &o);
		stream_device(s, &python, TT_PROBE_MESH_CLOSE, stream_mesh(mesh, i, 0, 8));
		stream_bulk(s, &python, TT_PROBE_ALLOCATOR_DESTROY, heap);
	}
}

static void a_program_may_open_and_close_its_devices_very_often(void **state)
{
	struct stream *s = *state;
	struct snapshot *snapshot;
	__u64 opened = 0, allocs = 0;

	stream_start(s, &python);
	open_and_close(s, 1000);
	snapshot = stream_snapshot(s);
	assert_true(snapshot->processes[0]->num_devices < 200);
	for (__u32 i = 0; i < snapshot->processes[0]->num_devices; i++) {
		opened += snapshot->processes[0]->devices[i]->lives;
		allocs += snapshot->processes[0]->devices[i]->allocs[KIND_OWNING];
	}
	assert_int_equal(opened, 1000);
	assert_int_equal(allocs, 1000);
	snapshot__free(snapshot);
}

static void expect_lives(const struct stream *s, __u32 lives)
{
	struct snapshot *snapshot = stream_snapshot(s);

	assert_int_equal(snapshot->processes[0]->num_devices, 1);
	assert_int_equal(snapshot->processes[0]->devices[0]->lives, lives);
	snapshot__free(snapshot);
}

/* Once lives are shown as one, all are: or it seems that there were no more. */
static void of_lives_that_are_shown_as_one_none_is_left_out(void **state)
{
	struct stream *s = *state;

	stream_start(s, &python);
	open_and_close(s, DEVICES_MIN + 5);
	stream_exit(s, &python, 0);
	expect_lives(s, DEVICES_MIN + 5);
}

static void nor_of_a_process_that_goes_on_when_the_trace_ends(void **state)
{
	struct stream *s = *state;

	stream_start(s, &python);
	open_and_close(s, DEVICES_MIN + 9);
	assert_int_equal(ledger__finish(s->ledger, s->ts_ns), 0);
	expect_lives(s, DEVICES_MIN + 9);
}

static void a_process_whose_end_is_lost_has_ended_all_the_same(void **state)
{
	struct stream *s = *state;
	struct object o = stream_object(0x5000, 0x100, MIB);
	struct snapshot *snapshot;

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	losing_end(s, &python, 3 << 8);
	assert_int_equal(stream_last(s, EVENT_PROCESS_EXIT)->ev.exit_code, 3 << 8);
	assert_int_equal(stream_count(s, EVENT_LEAK), 1);
	snapshot = stream_snapshot(s);
	assert_int_equal(snapshot->processes[0]->state, PROCESS_EXITED);
	snapshot__free(snapshot);
}

/* Its object lives on after the close, and closing is entered again when that ends. */
static void the_end_of_a_device_that_was_closed_long_ago_is_no_close(void **state)
{
	struct stream *s = *state;

	stream_start(s, &python);
	for (__u32 i = 0; i < 1000; i++) {
		__u64 mesh = 0x10000 + i * 0x100;

		s->num_seen = 0;
		stream_device(s, &python, TT_PROBE_MESH_OPEN, stream_mesh(mesh, i, 0, 8));
		stream_device(s, &python, TT_PROBE_MESH_CLOSE, stream_mesh(mesh, i, 0, 8));
	}
	s->num_seen = 0;
	for (__u32 i = 0; i < 1000; i++)
		stream_device(s, &python, TT_PROBE_MESH_CLOSING,
			      stream_mesh(0x10000 + i * 0x100, i, 0, 8));
	assert_int_equal(stream_count(s, EVENT_DEVICE_CLOSE), 0);
}

static void threads_that_have_gone_do_not_pile_up(void **state)
{
	struct stream *s = *state;
	struct object o = stream_object(0x5000, 0x100, MIB);

	stream_begin(s, &python, 1);
	for (__u32 tid = 1; tid < 5000; tid++) {
		struct actor thread = { 100, tid, 5, 0 };

		s->num_seen = 0;
		stream_alloc(s, &thread, &o);
		stream_release(s, &thread, &o);
		assert_int_equal(stream_count_class(s, CLASS_MATCHED), 1);
	}
}

static void a_device_whose_opening_was_not_seen_is_from_before_the_attach(void **state)
{
	struct stream *s = *state;
	struct object o = stream_object(0x5000, 0x100, MIB), before = stream_object(0x6000, 0, 64);

	stream_start(s, &python);
	stream_allocator(s, &python, HEAP, stream_mesh(MESH, 0, 0, 2));
	stream_alloc(s, &python, &o);
	stream_release(s, &python, &before);
	stream_expect_free(s, CLASS_PRE_ATTACH);
	assert_int_equal(ledger__stats(s->ledger)->processes_pre_attach, 1);
}

static void a_child_that_uses_what_its_parent_opened_is_not_from_before_the_attach(void **state)
{
	struct stream *s = *state;
	struct actor child = { 300, 300, 50, 0 };

	stream_begin(s, &python, 2);
	stream_process(s, &child, TT_RECORD_PROCESS_START, "python", TT_PROCESS_FORKED, 0, &python);
	stream_allocator(s, &child, HEAP, stream_mesh(MESH, 0, 0, 2));
	assert_int_equal(ledger__stats(s->ledger)->processes_pre_attach, 0);
}

static void a_process_that_never_did_anything_is_not_told_of(void **state)
{
	struct stream *s = *state;

	stream_process(s, &python, TT_RECORD_PROCESS_START, "sh", 0, 0, NULL);
	stream_process(s, &python, TT_RECORD_PROCESS_EXEC, "ls", 0, 0, NULL);
	stream_exit(s, &python, 0);
	assert_int_equal(s->num_seen, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		stream_test(a_pid_that_comes_back_is_another_process),
		stream_test(after_exec_the_address_space_is_a_new_one),
		stream_test(an_exec_before_anything_else_begins_the_process),
		stream_test(processes_that_did_nothing_are_not_in_the_report),
		stream_test(a_process_has_the_name_that_it_was_given_last),
		stream_test(a_change_of_the_name_does_not_end_a_free),
		stream_test(a_process_is_known_even_if_its_start_was_not_seen),
		stream_test(a_program_may_open_and_close_its_devices_very_often),
		stream_test(of_lives_that_are_shown_as_one_none_is_left_out),
		stream_test(nor_of_a_process_that_goes_on_when_the_trace_ends),
		stream_test(a_process_whose_end_is_lost_has_ended_all_the_same),
		stream_test(the_end_of_a_device_that_was_closed_long_ago_is_no_close),
		stream_test(threads_that_have_gone_do_not_pile_up),
		stream_test(a_device_whose_opening_was_not_seen_is_from_before_the_attach),
		stream_test(a_child_that_uses_what_its_parent_opened_is_not_from_before_the_attach),
		stream_test(a_process_that_never_did_anything_is_not_told_of),
	};

	return cmocka_run_group_tests_name("processes", tests, NULL, NULL);
}
