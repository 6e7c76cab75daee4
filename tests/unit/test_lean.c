// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Lean mode: of a free only its end is seen, and of an allocation only the finished Buffer. */
#include "counting.h"

#include "target/probe_set.h"

static const struct actor python = { 100, 100, 5, 0 };

static struct object usual(void)
{
	return stream_object(0x5000, 0x100, 12 * 1024);
}

static void begin(struct stream *s)
{
	stream_library_of(s, TT_MODE_LEAN, 1ull << TT_PROBE_TRACK_ALLOCATE);
	stream_begin(s, &python, 1);
}

static void lean_alloc(struct stream *s, const struct object *o, __u64 per_bank)
{
	struct tt_record h = stream_header(s, &python, TT_RECORD_ALLOC, TT_PROBE_TRACK_ALLOCATE);
	struct tt_record_buffer rec = stream_buffer_record(h, o);

	rec.space.per_bank = per_bank;
	stream_apply(s, &rec, sizeof(rec));
}

static void lean_free(struct stream *s, const struct object *o)
{
	stream_buffer(s, &python, TT_RECORD_FREE, o);
}

static void expect_live(const struct stream *s, __u64 buffers, __u64 bytes)
{
	struct snapshot *snapshot = stream_snapshot(s);

	assert_int_equal(snapshot->processes[0]->devices[0]->live_kinds[KIND_OWNING], buffers);
	assert_true(snapshot->coverage.complete);
	snapshot__free(snapshot);
	assert_int_equal(stream_live(s), bytes);
}

static void an_allocation_and_its_free_are_two_records(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	begin(s);
	lean_alloc(s, &o, 2048);
	assert_int_equal(stream_last(s, EVENT_ALLOC)->buffer.footprint, 12 * 2048);
	expect_live(s, 1, 12 * 2048);
	lean_free(s, &o);
	stream_expect_free(s, CLASS_MATCHED);
	assert_int_equal(stream_last(s, EVENT_FREE)->buffer.footprint, 12 * 2048);
	expect_live(s, 0, 0);
}

static void a_footprint_that_could_not_be_looked_up_is_counted_as_unknown(void **state)
{
	struct stream *s = *state;
	struct object o = usual();
	struct snapshot *snapshot;

	begin(s);
	lean_alloc(s, &o, 0);
	assert_false(stream_last(s, EVENT_ALLOC)->buffer.has_footprint);
	snapshot = stream_snapshot(s);
	assert_int_equal(snapshot->coverage.footprint_unknown, 1);
	snapshot__free(snapshot);
}

static void a_buffer_whose_free_was_suppressed_stays_live_when_its_pointer_comes_back(void **state)
{
	struct stream *s = *state;
	struct object o = usual(), next = stream_object(0x5000, 0x900, 12 * 32);

	next.id = 99;
	begin(s);
	lean_alloc(s, &o, 1024);
	lean_alloc(s, &next, 32);
	stream_expect_free(s, CLASS_SUPPRESSED);
	expect_live(s, 2, 12 * 1056);
	lean_free(s, &next);
	stream_expect_free(s, CLASS_MATCHED);
	expect_live(s, 1, 12 * 1024);
	stream_close(s, &python, 1);
	assert_int_equal(stream_count(s, EVENT_LEAK), 1);
}

/* A census has found it, and is not settled yet. */
static void a_buffer_that_was_found_stays_live_as_well(void **state)
{
	const struct actor unhit = { 100, 100, 0, 0 };
	struct stream *s = *state;
	struct object o = usual(), next = stream_object(0x5000, 0x900, 12 * 32);

	next.id = o.id + 1;
	stream_library_of(s, TT_MODE_LEAN, 1ull << TT_PROBE_TRACK_ALLOCATE);
	begin_late(s, &python);
	read_all(s, &unhit, &o, 1);
	lean_alloc(s, &next, 32);
	stream_expect_free(s, CLASS_SUPPRESSED);
	phase(s, &unhit, TT_CENSUS_SETTLED, TT_CENSUS_ATTACH);
	expect_live(s, 2, 12 * 1056);
}

static void a_lost_free_is_no_suppressed_one(void **state)
{
	struct stream *s = *state;
	struct object o = usual();
	struct snapshot *snapshot;

	begin(s);
	lean_alloc(s, &o, 1024);
	stream_lose(s, &python);
	losing_counted(s, &python, TT_RECORD_FREE, 1);
	o.id = 99;
	lean_alloc(s, &o, 1024);
	snapshot = stream_snapshot(s);
	assert_int_equal(snapshot->coverage.reused_lost, 1);
	assert_false(snapshot->coverage.complete);
	snapshot__free(snapshot);
	assert_int_equal(stream_live(s), 12 * 1024);
}

static void a_buffer_of_a_graph_capture_is_left_out(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	o.hooked = true;
	begin(s);
	lean_alloc(s, &o, 0);
	lean_alloc(s, &o, 0);
	assert_int_equal(stream_count(s, EVENT_ALLOC), 0);
	expect_live(s, 0, 0);
}

static void a_free_tells_what_it_frees_where_no_allocation_was_seen(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_library_of(s, TT_MODE_LEAN, 1ull << TT_PROBE_TRACK_ALLOCATE);
	stream_process(s, &python, TT_RECORD_PROCESS_START, "python", TT_PROCESS_BEFORE_ATTACH, 0,
		       NULL);
	lean_free(s, &o);
	stream_expect_free(s, CLASS_PRE_ATTACH);
	assert_int_equal(stream_last(s, EVENT_FREE)->buffer.size, 12 * 1024);
	assert_int_equal(stream_last(s, EVENT_FREE)->buffer.id, 0x500);
}

static void a_free_after_a_bulk_free_is_said_to_be_one(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	begin(s);
	lean_alloc(s, &o, 1024);
	stream_bulk(s, &python, TT_PROBE_DEALLOCATE_BUFFERS, HEAP);
	lean_free(s, &o);
	stream_expect_free(s, CLASS_BULK_FREED);
}

static struct tt_layout whole_layout(void)
{
	struct tt_layout layout = {};

	for (int i = 0; i < TT_FIELD_COUNT; i++)
		layout.field[i].len = 1;
	layout.vtable_device = 0x10;
	layout.vtable_mesh = 0x20;
	return layout;
}

/* Of a build that has all of them. */
static __u64 set_of(enum tt_mode mode, bool views, const struct tt_layout *layout)
{
	return probe_set__of(mode, views, layout, (1ull << TT_PROBE_COUNT) - 1);
}

static void lean_takes_a_third_probe_only_where_the_free_list_cannot_be_read(void **state)
{
	struct tt_layout layout = whole_layout();
	__u64 set = set_of(TT_MODE_LEAN, true, &layout);

	(void)state;
	assert_true(probe_set__has(set, TT_PROBE_TRACK_ALLOCATE));
	assert_true(probe_set__has(set, TT_PROBE_DEALLOCATE_BUFFER));
	assert_true(probe_set__has(set, TT_PROBE_DEALLOCATE_BUFFERS));
	assert_false(probe_set__has(set, TT_PROBE_FREE_LIST_ALLOCATE));
	assert_false(probe_set__has(set, TT_PROBE_BUFFER_CREATE_AT));
	layout.field[TT_FIELD_FL_TAKEN].len = 0;
	set = set_of(TT_MODE_LEAN, true, &layout);
	assert_true(probe_set__has(set, TT_PROBE_FREE_LIST_ALLOCATE));
}

static void views_are_probed_when_they_are_asked_for_or_all_are(void **state)
{
	struct tt_layout layout = whole_layout();

	(void)state;
	assert_false(
		probe_set__has(set_of(TT_MODE_DEFAULT, false, &layout), TT_PROBE_BUFFER_CREATE_AT));
	assert_true(
		probe_set__has(set_of(TT_MODE_DEFAULT, true, &layout), TT_PROBE_BUFFER_CREATE_AT));
	assert_int_equal(set_of(TT_MODE_ALL, false, &layout) | 1ull << TT_PROBE_CREATE_EMPTY,
			 (1ull << TT_PROBE_COUNT) - 1);
}

static void what_no_ordinary_buffer_passes_is_probed_in_place_of_what_all_pass(void **state)
{
	struct tt_layout layout = whole_layout();
	__u64 set = set_of(TT_MODE_DEFAULT, false, &layout);

	(void)state;
	assert_true(probe_set__has(set, TT_PROBE_CREATE_EMPTY));
	assert_false(probe_set__has(set, TT_PROBE_BUFFER_CREATE));
	set = probe_set__of(TT_MODE_DEFAULT, false, &layout, 1 << TT_PROBE_BUFFER_CREATE);
	assert_false(probe_set__has(set, TT_PROBE_CREATE_EMPTY));
	assert_true(probe_set__has(set, TT_PROBE_BUFFER_CREATE));
}

static void track_deallocate_is_probed_where_the_state_of_a_device_cannot_be_read(void **state)
{
	struct tt_layout layout = whole_layout();

	(void)state;
	assert_false(
		probe_set__has(set_of(TT_MODE_DEFAULT, false, &layout), TT_PROBE_TRACK_DEALLOCATE));
	layout.field[TT_FIELD_MESH_INITIALIZED].len = 0;
	assert_true(
		probe_set__has(set_of(TT_MODE_DEFAULT, false, &layout), TT_PROBE_TRACK_DEALLOCATE));
	layout = whole_layout();
	layout.vtable_mesh = 0;
	assert_true(
		probe_set__has(set_of(TT_MODE_DEFAULT, false, &layout), TT_PROBE_TRACK_DEALLOCATE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		stream_test(an_allocation_and_its_free_are_two_records),
		stream_test(a_footprint_that_could_not_be_looked_up_is_counted_as_unknown),
		stream_test(
			a_buffer_whose_free_was_suppressed_stays_live_when_its_pointer_comes_back),
		stream_test(a_buffer_that_was_found_stays_live_as_well),
		stream_test(a_lost_free_is_no_suppressed_one),
		stream_test(a_buffer_of_a_graph_capture_is_left_out),
		stream_test(a_free_tells_what_it_frees_where_no_allocation_was_seen),
		stream_test(a_free_after_a_bulk_free_is_said_to_be_one),
		cmocka_unit_test(lean_takes_a_third_probe_only_where_the_free_list_cannot_be_read),
		cmocka_unit_test(views_are_probed_when_they_are_asked_for_or_all_are),
		cmocka_unit_test(
			what_no_ordinary_buffer_passes_is_probed_in_place_of_what_all_pass),
		cmocka_unit_test(
			track_deallocate_is_probed_where_the_state_of_a_device_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
