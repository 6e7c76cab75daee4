// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The view that reports are made of. */
#include "stream.h"

static const struct actor python = { 100, 100, 5, 0 };

static struct snapshot *filtered(const struct stream *s, const struct filter *filter)
{
	struct snapshot *snapshot;

	assert_int_equal(snapshot__take(s->ledger, filter, s->ts_ns, &snapshot), 0);
	return snapshot;
}

/* 3 small ones, 2 large ones in DRAM and one in L1, a second apart from each other; all leak. */
static void leak_some(struct stream *s)
{
	static const struct {
		__u64 size;
		__u32 type;
	} sizes[] = { { 4096, 0 },	     { MIB, 0 },     { 4000, 0 },
		      { 65536, TT_TYPE_L1 }, { 2 * MIB, 0 }, { 4096, 0 } };

	stream_begin(s, &python, 2);
	for (__u32 i = 0; i < 6; i++) {
		struct object o = stream_object(0x5000 + i * 0x100, 0x10000 * i, sizes[i].size);

		o.type = sizes[i].type;
		stream_alloc(s, &python, &o);
		s->ts_ns += SECOND;
	}
	stream_close(s, &python, 2);
}

static void leaks_are_grouped_by_type_and_size_class(void **state)
{
	struct stream *s = *state;
	struct snapshot *snapshot;
	const struct snapshot_list *list;

	leak_some(s);
	snapshot = stream_snapshot(s);
	list = &snapshot->processes[0]->devices[0]->leaks;
	assert_int_equal(list->sum.buffers, 6);
	assert_int_equal(list->num_groups, 4);
	assert_int_equal(list->groups[0].size_class, 21); /* the most bytes first */
	assert_int_equal(list->groups[1].size_class, 20);
	assert_int_equal(list->groups[2].type, TT_TYPE_L1);
	assert_int_equal(list->groups[3].size_class, 12);
	assert_int_equal(list->groups[3].sum.buffers, 3);
	assert_int_equal(list->groups[3].sum.size, 4096 + 4000 + 4096);
	assert_int_equal(list->groups[3].oldest_ns / SECOND, 6);
	snapshot__free(snapshot);
}

static void rows_come_largest_first_and_oldest_first(void **state)
{
	struct stream *s = *state;
	struct snapshot *snapshot;
	const struct snapshot_list *list;

	leak_some(s);
	snapshot = stream_snapshot(s);
	list = &snapshot->processes[0]->devices[0]->leaks;
	assert_int_equal(list->num_largest, 6);
	for (__u32 i = 1; i < 6; i++) {
		assert_true(list->largest[i - 1].buffer.footprint >=
			    list->largest[i].buffer.footprint);
		assert_true(list->oldest[i - 1].age_ns > list->oldest[i].age_ns);
	}
	assert_int_equal(list->largest[0].buffer.size, 2 * MIB);
	assert_int_equal(list->oldest[0].buffer.address, 0);
	snapshot__free(snapshot);
}

static void no_more_rows_are_kept_than_can_be_shown_but_all_are_counted(void **state)
{
	struct stream *s = *state;
	struct snapshot *snapshot;
	const struct snapshot_list *list;

	stream_begin(s, &python, 1);
	for (__u32 i = 0; i < 500; i++) {
		struct object o =
			stream_object(0x5000 + i * 0x100, 0x10000 * i, 12 * 32 * (1 + i * 7 % 500));

		stream_alloc(s, &python, &o);
	}
	snapshot = stream_snapshot(s);
	list = &snapshot->processes[0]->devices[0]->live;
	assert_int_equal(list->sum.buffers, 500);
	assert_int_equal(list->num_largest, SNAPSHOT_ROWS);
	for (__u32 i = 0; i < SNAPSHOT_ROWS; i++) {
		assert_int_equal(list->largest[i].buffer.size, 12 * 32 * (500 - i));
		assert_int_equal(list->oldest[i].buffer.address, 0x10000 * i);
	}
	snapshot__free(snapshot);
}

static void a_filter_hides_rows_and_says_how_many_but_totals_stay_true(void **state)
{
	struct stream *s = *state;
	struct filter filter = { .types = 1 << TT_TYPE_DRAM, .min_size = 5000 };
	struct snapshot *snapshot;
	const struct snapshot_device *device;
	__u64 bytes;

	leak_some(s);
	snapshot = filtered(s, &filter);
	device = snapshot->processes[0]->devices[0];
	assert_int_equal(device->leaks.sum.buffers, 2);
	assert_int_equal(device->leaks.hidden.buffers, 4);
	assert_int_equal(device->leaked_all.buffers, 6);
	assert_int_equal(snapshot__leaks(snapshot, &bytes), 2);
	assert_int_equal(bytes, 2 * device->leaks.sum.bytes);
	assert_int_equal(snapshot->leaks_hidden.buffers, 4);
	assert_true(device->usage.type[TT_TYPE_L1].peak > 0);
	snapshot__free(snapshot);
}

static void an_age_is_counted_to_the_verdict(void **state)
{
	struct stream *s = *state;
	struct filter filter = { .min_age_ns = 3 * SECOND };
	struct snapshot *snapshot;

	leak_some(s);
	s->ts_ns += 100 * SECOND;
	snapshot = filtered(s, &filter);
	assert_int_equal(snapshot->leaks.buffers, 4);
	snapshot__free(snapshot);
}

static void devices_and_commands_that_are_not_wanted_are_left_out(void **state)
{
	static const __u32 one[] = { 1 }, seven[] = { 7 };
	struct stream *s = *state;
	struct filter filter = { .chips = one, .num_chips = 1, .comm = "python" };
	struct snapshot *snapshot;

	leak_some(s);
	snapshot = filtered(s, &filter);
	assert_int_equal(snapshot->leaks.buffers, 6);
	snapshot__free(snapshot);
	filter.chips = seven;
	snapshot = filtered(s, &filter);
	assert_int_equal(snapshot->processes[0]->num_devices, 0);
	assert_int_equal(snapshot->leaks.buffers, 0);
	assert_int_equal(snapshot->leaks_hidden.buffers, 6);
	snapshot__free(snapshot);
	filter.comm = "other";
	snapshot = filtered(s, &filter);
	assert_int_equal(snapshot->num_processes, 0);
	assert_int_equal(snapshot->num_hidden, 1);
	assert_int_equal(snapshot->leaks_hidden.buffers, 6);
	assert_int_equal(snapshot->leaks_hidden.bytes % 2, 0);
	snapshot__free(snapshot);
}

static void totals_alone_hold_the_same_sums_without_rows(void **state)
{
	struct stream *s = *state;
	struct snapshot *totals, *full;

	leak_some(s);
	full = stream_snapshot(s);
	assert_int_equal(snapshot__take_totals(s->ledger, NULL, s->ts_ns, &totals), 0);
	assert_int_equal(totals->leaks.buffers, full->leaks.buffers);
	assert_int_equal(totals->leaks.bytes, full->leaks.bytes);
	assert_memory_equal(&totals->processes[0]->devices[0]->usage,
			    &full->processes[0]->devices[0]->usage, sizeof(struct usage));
	assert_int_equal(totals->processes[0]->devices[0]->leaks.num_largest, 0);
	snapshot__free(totals);
	snapshot__free(full);
}

static void the_snapshot_does_not_change_with_the_ledger(void **state)
{
	struct stream *s = *state;
	struct snapshot *snapshot;
	struct object o = stream_object(0x5000, 0x100, 12 * 32);

	stream_begin(s, &python, 4);
	stream_alloc(s, &python, &o);
	snapshot = stream_snapshot(s);
	stream_release(s, &python, &o);
	stream_exit(s, &python, 0);
	ledger__free(s->ledger);
	s->ledger = NULL;
	assert_int_equal(snapshot->processes[0]->devices[0]->usage.sum.live, 12 * 32);
	assert_int_equal(snapshot->processes[0]->devices[0]->pub.chips[3], 3);
	assert_string_equal(snapshot->processes[0]->pub.comm, "python");
	assert_int_equal(snapshot->processes[0]->devices[0]->live.largest[0].buffer.address, 0x100);
	snapshot__free(snapshot);
}

static void coverage_tells_probes_hits_records_and_losses(void **state)
{
	struct stream *s = *state;
	struct tt_counters counters = { 0 };
	struct snapshot *snapshot;

	stream_begin(s, &python, 1);
	counters.hits[TT_PROBE_MESH_OPEN] = 1;
	counters.lost[TT_RECORD_ALLOC] = 4;
	stream_counters(s, &counters);
	snapshot = stream_snapshot(s);
	assert_int_equal(snapshot->coverage.num_libraries, 1);
	assert_string_equal(snapshot->coverage.libraries[0].path, "/venv/lib/libtt_metal.so");
	assert_int_equal(snapshot->coverage.probes_wanted, 20);
	assert_int_equal(snapshot->coverage.probes_attached, 20);
	assert_true(snapshot->coverage.has_hits);
	assert_int_equal(snapshot->coverage.hits[TT_PROBE_MESH_OPEN], 1);
	assert_int_equal(snapshot->coverage.records, 4);
	assert_int_equal(snapshot->coverage.lost, 4);
	assert_int_equal(snapshot->coverage.lost_kinds[TT_RECORD_ALLOC], 4);
	assert_false(snapshot__complete(snapshot));
	snapshot__free(snapshot);
}

static void nothing_at_all_is_not_the_same_as_no_leaks(void **state)
{
	struct stream *s = *state;
	struct tt_counters counters = { 0 };
	struct snapshot *snapshot = stream_snapshot(s);

	assert_false(snapshot__saw_activity(snapshot));
	assert_true(snapshot__complete(snapshot));
	snapshot__free(snapshot);
	counters.hits[TT_PROBE_CLEAR] = 1;
	stream_counters(s, &counters);
	snapshot = stream_snapshot(s);
	assert_true(snapshot__saw_activity(snapshot));
	snapshot__free(snapshot);
}

static void size_classes_are_powers_of_two(void **state)
{
	(void)state;
	assert_int_equal(snapshot__size_class(0), 0);
	assert_int_equal(snapshot__size_class(1), 0);
	assert_int_equal(snapshot__size_class(2), 1);
	assert_int_equal(snapshot__size_class(3), 2);
	assert_int_equal(snapshot__size_class(4096), 12);
	assert_int_equal(snapshot__size_class(4097), 13);
	assert_int_equal(snapshot__size_class(~0ull), 64);
}

static void rows_of_the_same_size_stay_in_the_order_of_their_birth(void **state)
{
	struct stream *s = *state;
	struct snapshot *snapshot;
	const struct snapshot_list *list;

	stream_begin(s, &python, 1);
	for (__u32 i = 0; i < 100; i++) {
		struct object o = stream_object(0x5000 + i * 0x100, 0x10000 * i, 12 * 32);

		stream_alloc(s, &python, &o);
	}
	snapshot = stream_snapshot(s);
	list = &snapshot->processes[0]->devices[0]->live;
	for (__u32 i = 0; i < SNAPSHOT_ROWS; i++)
		assert_int_equal(list->largest[i].buffer.address, 0x10000 * i);
	snapshot__free(snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		stream_test(leaks_are_grouped_by_type_and_size_class),
		stream_test(rows_come_largest_first_and_oldest_first),
		stream_test(no_more_rows_are_kept_than_can_be_shown_but_all_are_counted),
		stream_test(a_filter_hides_rows_and_says_how_many_but_totals_stay_true),
		stream_test(an_age_is_counted_to_the_verdict),
		stream_test(devices_and_commands_that_are_not_wanted_are_left_out),
		stream_test(totals_alone_hold_the_same_sums_without_rows),
		stream_test(the_snapshot_does_not_change_with_the_ledger),
		stream_test(coverage_tells_probes_hits_records_and_losses),
		stream_test(nothing_at_all_is_not_the_same_as_no_leaks),
		stream_test(size_classes_are_powers_of_two),
		stream_test(rows_of_the_same_size_stay_in_the_order_of_their_birth),
	};

	return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}
