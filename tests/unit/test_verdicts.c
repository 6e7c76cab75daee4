// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* What leaked: at the closing of a device, and at the end of a process. */
#include "losing.h"

#include <signal.h>

static const struct actor python = { 100, 100, 5, 0 };
static const struct actor second = { 100, 101, 5, 1 };

static struct object usual(void)
{
	return stream_object(0x5000, 0x100, 12 * 1024);
}

static void closing(struct stream *s, __u8 probe)
{
	stream_device(s, &python, probe, stream_mesh(MESH, 0, 0, 8));
}

/* The first mesh of the first process; there must be one. */
static const struct snapshot_device *mesh_in(const struct snapshot *snapshot)
{
	const struct snapshot_process *process = snapshot->processes[0];

	for (__u32 i = 0; i < process->num_devices; i++) {
		if (process->devices[i]->pub.is_mesh)
			return process->devices[i];
	}
	fail_msg("no mesh");
	return NULL;
}

static void what_is_live_when_the_mesh_is_closed_is_leaked(void **state)
{
	struct stream *s = *state;
	struct object o = usual(), p = stream_object(0x6000, 0x8000, 12 * 32);
	const struct seen *leak;
	struct snapshot *snapshot;
	__u64 bytes;

	stream_begin(s, &python, 8);
	stream_alloc(s, &python, &o);
	stream_alloc(s, &python, &p);
	stream_release(s, &python, &p);
	stream_close(s, &python, 8);
	assert_int_equal(stream_count(s, EVENT_LEAK), 1);
	leak = stream_last(s, EVENT_LEAK);
	assert_int_equal(leak->buffer.address, 0x100);
	assert_int_equal(leak->buffer.footprint, 12 * 1024);
	assert_true(leak->buffer.alloc_ts_ns);
	assert_string_equal(leak->ev.why, "live when its device was closed");
	snapshot = stream_snapshot(s);
	assert_int_equal(snapshot__leaks(snapshot, &bytes), 1);
	assert_int_equal(bytes, 8 * 12 * 1024);
	assert_int_equal(snapshot->processes[0]->devices[0]->leaks.num_largest, 1);
	assert_true(snapshot__complete(snapshot));
	snapshot__free(snapshot);
}

static void the_close_event_tells_how_it_came_and_what_was_live(void **state)
{
	struct stream *s = *state;
	struct object o = usual();
	const struct seen *seen;

	stream_begin(s, &python, 8);
	stream_alloc(s, &python, &o);
	closing(s, TT_PROBE_MESH_CLOSE);
	closing(s, TT_PROBE_MESH_CLOSING);
	assert_int_equal(stream_count(s, EVENT_DEVICE_CLOSE), 1);
	seen = stream_last(s, EVENT_DEVICE_CLOSE);
	assert_string_equal(seen->ev.why, "the program closed it");
	assert_int_equal(seen->ev.num_buffers, 1);
	assert_int_equal(seen->ev.bytes, 12 * 1024);
}

static void a_mesh_that_is_dropped_is_closed_without_being_asked(void **state)
{
	struct stream *s = *state;
	struct snapshot *snapshot;

	stream_begin(s, &python, 8);
	closing(s, TT_PROBE_MESH_CLOSING);
	assert_non_null(strstr(stream_last(s, EVENT_DEVICE_CLOSE)->ev.why, "dropped"));
	snapshot = stream_snapshot(s);
	assert_true(mesh_in(snapshot)->closed);
	assert_false(mesh_in(snapshot)->asked);
	snapshot__free(snapshot);
}

static void closing_again_does_nothing(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 8);
	stream_alloc(s, &python, &o);
	for (int i = 0; i < 3; i++)
		stream_close(s, &python, 8);
	closing(s, TT_PROBE_MESH_CLOSING);
	stream_exit(s, &python, 0);
	assert_int_equal(stream_count(s, EVENT_LEAK), 1);
	assert_int_equal(stream_count(s, EVENT_DEVICE_CLOSE), 1);
	assert_int_equal(stream_count(s, EVENT_BULK_FREE), 1);
}

static void what_close_itself_frees_was_not_freed_by_the_program(void **state)
{
	struct stream *s = *state;
	struct object o = usual();
	struct snapshot *snapshot;

	stream_begin(s, &python, 8);
	stream_alloc(s, &python, &o);
	closing(s, TT_PROBE_MESH_CLOSE);
	stream_release(s, &python, &o); /* as 0.60.1 does it: one by one */
	stream_expect_free(s, CLASS_MATCHED);
	stream_exit(s, &python, 0);
	assert_int_equal(stream_count(s, EVENT_LEAK), 1);
	snapshot = stream_snapshot(s);
	assert_int_equal(snapshot__leaks(snapshot, NULL), 1);
	assert_int_equal(snapshot->processes[0]->devices[0]->usage.sum.live, 0);
	snapshot__free(snapshot);
}

static void what_the_runtime_holds_for_itself_is_no_leak(void **state)
{
	struct stream *s = *state;
	struct object kernel = usual(), opening = stream_object(0x6000, 0x200, 12 * 32);
	struct object trace = stream_object(0x7000, 0x300, 12 * 64);
	struct snapshot *snapshot;
	const struct snapshot_device *device;

	stream_begin(s, &python, 8);
	kernel.top_down = 1;
	opening.device_state = TT_STATE_OPENING;
	trace.type = TT_TYPE_TRACE;
	stream_alloc(s, &python, &kernel);
	stream_alloc(s, &python, &opening);
	stream_alloc(s, &python, &trace);
	stream_close(s, &python, 8);
	stream_exit(s, &python, 0);
	assert_int_equal(stream_count(s, EVENT_LEAK), 0);
	snapshot = stream_snapshot(s);
	device = snapshot->processes[0]->devices[0];
	assert_int_equal(device->held_all.buffers, 3);
	assert_int_equal(device->held_all.bytes, 12 * 1024 + 12 * 32 + 12 * 64);
	assert_int_equal(snapshot__leaks(snapshot, NULL), 0);
	assert_int_equal(snapshot->allocs[KIND_SYSTEM], 3);
	snapshot__free(snapshot);
}

static void hooked_buffers_do_not_leak(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 8);
	o.hooked = 1;
	stream_alloc(s, &python, &o);
	stream_close(s, &python, 8);
	stream_exit(s, &python, 0);
	assert_int_equal(stream_count(s, EVENT_LEAK), 0);
}

static void buffers_freed_in_bulk_before_the_close_do_not_leak(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 8);
	stream_alloc(s, &python, &o);
	stream_bulk(s, &python, TT_PROBE_DEALLOCATE_BUFFERS, HEAP);
	stream_close(s, &python, 8);
	stream_exit(s, &python, 0);
	assert_int_equal(stream_count(s, EVENT_LEAK), 0);
}

static void closing_a_chip_judges_only_what_is_on_it(void **state)
{
	struct stream *s = *state;
	struct object on_mesh = usual(), on_chip = stream_object(0x6000, 0x200, 12 * 32);

	stream_begin(s, &python, 8);
	stream_allocator(s, &python, 0xc000, stream_chip(0x3000, 5));
	on_chip.device = 0x3000;
	on_chip.allocator = 0xc000;
	stream_alloc(s, &python, &on_mesh);
	stream_alloc(s, &python, &on_chip);
	stream_device(s, &python, TT_PROBE_DEVICE_CLOSE, stream_chip(0x3000, 5));
	assert_int_equal(stream_count(s, EVENT_LEAK), 1);
	assert_int_equal(stream_last(s, EVENT_LEAK)->buffer.address, 0x200);
	assert_int_equal(stream_last(s, EVENT_LEAK)->chips[0], 5);
	closing(s, TT_PROBE_MESH_CLOSING);
	assert_int_equal(stream_count(s, EVENT_LEAK), 2);
}

static void a_parent_mesh_does_not_take_its_submesh_with_it(void **state)
{
	struct stream *s = *state;
	struct object parent = usual(), sub = stream_object(0x6000, 0x100, 12 * 32);

	stream_begin(s, &python, 8);
	stream_device(s, &python, TT_PROBE_MESH_OPEN, stream_mesh(0x2000, 1, 0, 2));
	stream_allocator(s, &python, 0xb000, stream_mesh(0x2000, 1, 0, 2));
	sub.device = 0x2000;
	sub.allocator = 0xb000;
	stream_alloc(s, &python, &parent);
	stream_alloc(s, &python, &sub);
	stream_close(s, &python, 8);
	assert_int_equal(stream_count(s, EVENT_LEAK), 1);
	stream_release(s, &python, &sub);
	stream_expect_free(s, CLASS_MATCHED);
	stream_device(s, &python, TT_PROBE_MESH_CLOSING, stream_mesh(0x2000, 1, 0, 2));
	assert_int_equal(stream_count(s, EVENT_LEAK), 1);
	assert_int_equal(stream_count(s, EVENT_DEVICE_CLOSE), 2);
}

static void a_mesh_that_is_opened_again_at_the_same_address_is_a_new_one(void **state)
{
	struct stream *s = *state;
	struct object o = usual();
	struct snapshot *snapshot;

	stream_begin(s, &python, 8);
	stream_alloc(s, &python, &o);
	stream_close(s, &python, 8);
	stream_device(s, &python, TT_PROBE_MESH_OPEN, stream_mesh(MESH, 1, 0, 8));
	stream_allocator(s, &python, HEAP, stream_mesh(MESH, 1, 0, 8));
	stream_alloc(s, &python, &o);
	stream_release(s, &python, &o);
	stream_expect_free(s, CLASS_MATCHED);
	stream_close(s, &python, 8);
	assert_int_equal(stream_count(s, EVENT_LEAK), 1);
	assert_int_equal(stream_count(s, EVENT_DEVICE_OPEN), 8 + 2);
	assert_int_equal(stream_count(s, EVENT_DEVICE_CLOSE), 2);
	snapshot = stream_snapshot(s);
	assert_int_equal(snapshot->processes[0]->num_devices, 8 + 2);
	assert_int_equal(ledger__stats(s->ledger)->reused_live, 0);
	snapshot__free(snapshot);
}

static void a_mesh_that_is_another_one_suddenly_has_ended_unseen(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 8);
	stream_alloc(s, &python, &o);
	stream_allocator(s, &python, HEAP, stream_mesh(MESH, 7, 0, 2));
	assert_int_equal(stream_count(s, EVENT_LEAK), 1);
	assert_non_null(strstr(stream_last(s, EVENT_LEAK)->ev.why, "replaced"));
	stream_alloc(s, &python, &o);
	assert_int_equal(stream_last(s, EVENT_ALLOC)->device.num_chips, 2);
	stream_release(s, &python, &o);
	stream_expect_free(s, CLASS_MATCHED);
}

static void what_another_thread_is_freeing_while_the_device_closes_is_no_leak(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 8);
	stream_alloc(s, &python, &o);
	stream_buffer(s, &second, TT_RECORD_FREE_BEGIN, &o);
	stream_tracked(s, &second, &o);
	closing(s, TT_PROBE_MESH_CLOSE);
	stream_done(s, &second, &o);
	stream_expect_free(s, CLASS_MATCHED);
	stream_exit(s, &python, 0);
	assert_int_equal(stream_count(s, EVENT_LEAK), 0);
}

/* The end of the other's free was lost, and another Buffer lives at its place since. */
static void what_another_thread_once_began_to_free_may_leak(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	stream_buffer(s, &second, TT_RECORD_FREE_BEGIN, &o);
	stream_tracked(s, &second, &o);
	losing(s, &python, TT_RECORD_FREE_DONE, 1);
	stream_space(s, &python, 32);
	o.id++;
	stream_alloc(s, &python, &o);
	stream_close(s, &python, 1);
	assert_int_equal(stream_count(s, EVENT_LEAK), 1);
}

static void a_free_that_is_suppressed_while_the_device_closes_is_a_leak_after_all(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 8);
	stream_alloc(s, &python, &o);
	stream_buffer(s, &second, TT_RECORD_FREE_BEGIN, &o);
	stream_tracked(s, &second, &o);
	closing(s, TT_PROBE_MESH_CLOSE);
	stream_space(s, &second, 32);
	stream_expect_free(s, CLASS_SUPPRESSED);
	assert_int_equal(stream_count(s, EVENT_LEAK), 1);
	stream_exit(s, &python, 0);
	assert_int_equal(stream_count(s, EVENT_LEAK), 1);
}

static void a_free_that_was_suppressed_before_the_close_of_another_thread_is_a_leak(void **state)
{
	struct stream *s = *state;
	struct object o = usual();
	struct snapshot *snapshot;
	__u64 bytes;

	stream_begin(s, &python, 8);
	stream_alloc(s, &python, &o);
	stream_buffer(s, &second, TT_RECORD_FREE_BEGIN, &o);
	stream_tracked(s, &second, &o);
	stream_close(s, &python, 8);
	closing(s, TT_PROBE_MESH_CLOSING); /* again, at ~MeshDevice */
	stream_exit(s, &python, 0);
	stream_expect_free(s, CLASS_SUPPRESSED);
	assert_int_equal(stream_count(s, EVENT_LEAK), 1);
	snapshot = stream_snapshot(s);
	assert_int_equal(snapshot__leaks(snapshot, &bytes), 1);
	assert_true(bytes > 0);
	snapshot__free(snapshot);
}

static void what_is_live_when_the_process_ends_is_leaked(void **state)
{
	struct stream *s = *state;
	struct object o = usual();
	struct snapshot *snapshot;

	stream_begin(s, &python, 8);
	stream_alloc(s, &python, &o);
	stream_exit(s, &python, 3 << 8);
	assert_int_equal(stream_count(s, EVENT_LEAK), 1);
	assert_string_equal(stream_last(s, EVENT_LEAK)->ev.why, "live when the process ended");
	assert_string_equal(stream_last(s, EVENT_PROCESS_EXIT)->ev.why, "ended with status 3");
	snapshot = stream_snapshot(s);
	assert_int_equal(snapshot->processes[0]->state, PROCESS_EXITED);
	assert_int_equal(snapshot->processes[0]->exit_code, 3 << 8);
	assert_int_equal(snapshot->processes[0]->devices[0]->leaks.num_largest, 1);
	assert_int_equal(snapshot->processes[0]->devices[0]->usage.sum.live, 0);
	snapshot__free(snapshot);
}

static void a_process_that_is_killed_says_by_what(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 8);
	stream_alloc(s, &python, &o);
	stream_exit(s, &python, SIGKILL);
	assert_string_equal(stream_last(s, EVENT_ENDED)->ev.why,
			    "live when the process was killed by a signal");
	assert_string_equal(stream_last(s, EVENT_PROCESS_EXIT)->ev.why,
			    "killed by signal 9 (SIGKILL)");
	assert_int_equal(stream_last(s, EVENT_PROCESS_EXIT)->ev.exit_code, SIGKILL);
}

static void a_process_that_goes_on_when_the_tracing_ends_has_no_leaks(void **state)
{
	struct stream *s = *state;
	struct object o = usual();
	struct snapshot *snapshot;

	stream_begin(s, &python, 8);
	stream_alloc(s, &python, &o);
	assert_int_equal(ledger__finish(s->ledger, s->ts_ns + SECOND), 0);
	assert_int_equal(stream_count(s, EVENT_LEAK), 0);
	snapshot = stream_snapshot(s);
	assert_int_equal(snapshot__leaks(snapshot, NULL), 0);
	assert_int_equal(snapshot->processes[0]->devices[0]->live.sum.buffers, 1);
	assert_int_equal(snapshot->processes[0]->devices[0]->live.num_oldest, 1);
	snapshot__free(snapshot);
}

static void a_leak_of_a_victim_says_so(void **state)
{
	struct stream *s = *state;
	struct object o = usual(), victim = stream_object(0x6000, 0x100, 12 * 512);

	stream_begin(s, &python, 8);
	stream_alloc(s, &python, &o);
	stream_bulk(s, &python, TT_PROBE_DEALLOCATE_BUFFERS, HEAP);
	stream_alloc(s, &python, &victim);
	stream_release(s, &python, &o);
	stream_close(s, &python, 8);
	assert_int_equal(stream_count(s, EVENT_LEAK), 1);
	assert_non_null(strstr(stream_last(s, EVENT_LEAK)->ev.why, "given away"));
}

static void processes_leak_each_for_itself(void **state)
{
	struct stream *s = *state;
	struct actor other = { 200, 200, 6, 2 };
	struct object o = usual(), big = stream_object(0x6000, 0x9000, 120 * 1024);
	struct snapshot *snapshot;

	stream_begin(s, &python, 8);
	stream_begin(s, &other, 1);
	stream_alloc(s, &python, &o);
	stream_alloc(s, &other, &big);
	stream_exit(s, &python, 0);
	stream_exit(s, &other, 0);
	snapshot = stream_snapshot(s);
	assert_int_equal(snapshot->leaks.buffers, 2);
	assert_int_equal(snapshot->leaks.bytes, 8 * 12 * 1024 + 120 * 1024);
	assert_int_equal(snapshot->leaking_processes, 2);
	assert_int_equal(snapshot->processes[0]->pub.pid, 200); /* more on one chip */
	snapshot__free(snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		stream_test(what_is_live_when_the_mesh_is_closed_is_leaked),
		stream_test(the_close_event_tells_how_it_came_and_what_was_live),
		stream_test(a_mesh_that_is_dropped_is_closed_without_being_asked),
		stream_test(closing_again_does_nothing),
		stream_test(what_close_itself_frees_was_not_freed_by_the_program),
		stream_test(what_the_runtime_holds_for_itself_is_no_leak),
		stream_test(hooked_buffers_do_not_leak),
		stream_test(buffers_freed_in_bulk_before_the_close_do_not_leak),
		stream_test(closing_a_chip_judges_only_what_is_on_it),
		stream_test(a_parent_mesh_does_not_take_its_submesh_with_it),
		stream_test(a_mesh_that_is_opened_again_at_the_same_address_is_a_new_one),
		stream_test(a_mesh_that_is_another_one_suddenly_has_ended_unseen),
		stream_test(what_another_thread_is_freeing_while_the_device_closes_is_no_leak),
		stream_test(what_another_thread_once_began_to_free_may_leak),
		stream_test(a_free_that_is_suppressed_while_the_device_closes_is_a_leak_after_all),
		stream_test(
			a_free_that_was_suppressed_before_the_close_of_another_thread_is_a_leak),
		stream_test(what_is_live_when_the_process_ends_is_leaked),
		stream_test(a_process_that_is_killed_says_by_what),
		stream_test(a_process_that_goes_on_when_the_tracing_ends_has_no_leaks),
		stream_test(a_leak_of_a_victim_says_so),
		stream_test(processes_leak_each_for_itself),
	};

	return cmocka_run_group_tests_name("verdicts", tests, NULL, NULL);
}
