// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Ended processes beyond those that are kept one by one: only the sums remain. */
#include "stream.h"

#include "core/ledger_impl.h"

enum {
	MORE = 6,
	LIVES = PROCESSES_KEPT + MORE
};

/* One that opens a mesh of two chips and holds a buffer at its end. */
static void live(struct stream *s, __u32 number)
{
	struct actor actor = { 1000 + number, 1000 + number, 5 + number, 0 };
	struct object o = stream_object(0x5000, 0x100, 12 * 1024);

	s->num_seen = 0;
	stream_begin(s, &actor, 2);
	stream_alloc(s, &actor, &o);
	stream_exit(s, &actor, number % 2 ? 9 : 0);
}

static void of_the_first_of_many_processes_the_sums_remain(void **state)
{
	struct stream *s = *state;
	struct snapshot *snapshot;
	__u64 bytes;

	for (__u32 i = 0; i < LIVES; i++)
		live(s, i);
	snapshot = stream_snapshot(s);
	assert_int_equal(snapshot->num_processes, PROCESSES_KEPT);
	assert_int_equal(snapshot->earlier.processes, MORE);
	assert_int_equal(snapshot->earlier.leaking, MORE / 2);
	assert_int_equal(snapshot->earlier.leaked.bytes, 2 * MORE / 2 * 12 * 1024);
	assert_int_equal(snapshot__leaks(snapshot, &bytes), LIVES / 2);
	assert_int_equal(bytes, (__u64)LIVES / 2 * 2 * 12 * 1024);
	assert_int_equal(snapshot->cut_off.buffers, LIVES / 2);
	assert_int_equal(snapshot->leaks_hidden.buffers, 0);
	assert_int_equal(snapshot->leaking_processes, LIVES / 2);
	assert_int_equal(snapshot->allocs[KIND_OWNING], LIVES);
	assert_int_equal(snapshot->coverage.processes, LIVES);
	for (__u32 i = 0; i < snapshot->num_processes; i++)
		assert_true(snapshot->processes[i]->pub.pid >= 1000 + MORE);
	snapshot__free(snapshot);
}

static void what_they_held_is_given_back(void **state)
{
	struct stream *s = *state;

	for (__u32 i = 0; i < LIVES; i++)
		live(s, i);
	assert_int_equal(s->ledger->buffers.num_used, PROCESSES_KEPT);
	assert_int_equal(s->ledger->processes.num_ended, PROCESSES_KEPT);
}

static void few_processes_are_all_kept(void **state)
{
	struct stream *s = *state;
	struct snapshot *snapshot;

	for (__u32 i = 0; i < MORE; i++)
		live(s, i);
	snapshot = stream_snapshot(s);
	assert_int_equal(snapshot->num_processes, MORE);
	assert_int_equal(snapshot->earlier.processes, 0);
	snapshot__free(snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		stream_test(of_the_first_of_many_processes_the_sums_remain),
		stream_test(what_they_held_is_given_back),
		stream_test(few_processes_are_all_kept),
	};

	return cmocka_run_group_tests_name("earlier", tests, NULL, NULL);
}
