// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Blocks that no buffer owns: what a census finds of them, and what becomes of them. */
#include <errno.h>

#include "counting.h"

static const struct actor python = { 100, 100, 5, 0 };
/* as the user side knows a process that has not been hit yet */
static const struct actor unhit = { 100, 100, 0, 0 };

enum {
	KIB = 1024,
};

static void tell_doubtful(struct stream *s, const struct actor *a, __u64 device, __u64 address,
			  enum tt_orphan_doubt doubt)
{
	struct tt_record_census_orphan rec = {
		.h = written(s, a, TT_RECORD_CENSUS_ORPHAN),
		.allocator = HEAP,
		.device = device,
		.address = address,
		.per_bank = KIB,
		.type = TT_TYPE_DRAM,
		.doubt = doubt,
	};

	stream_apply(s, &rec, sizeof(rec));
	assert_int_equal(s->err, 0);
}

static void tell_orphan(struct stream *s, const struct actor *a, __u64 device, __u64 address)
{
	tell_doubtful(s, a, device, address, TT_ORPHAN_SURE);
}

/* A whole look at @o and at an orphan; or at either, where the other is NULL, or 0. */
static void look_at(struct stream *s, const struct actor *a, const struct object *o, __u64 orphan)
{
	phase(s, a, TT_CENSUS_BEGIN, 0);
	if (o)
		tell(s, a, o);
	if (orphan)
		tell_orphan(s, a, MESH, orphan);
	phase_with(s, a, TT_CENSUS_END, 0, ALL_TYPES);
}

static void attach_late(struct stream *s, const struct object *o, __u64 orphan)
{
	begin_late(s, &python);
	look_at(s, &unhit, o, orphan);
	phase(s, &unhit, TT_CENSUS_SETTLED, TT_CENSUS_ATTACH);
}

static void what_no_buffer_owns_is_held(void **state)
{
	struct stream *s = *state;
	struct object o = object(1);
	const struct event_buffer *found;
	struct snapshot *snap;

	attach_late(s, &o, 0x9000);
	found = &stream_last(s, EVENT_ALLOC)->buffer;
	assert_true(found->is_orphan);
	assert_int_equal(found->address, 0x9000);
	assert_int_equal(found->footprint, 12 * KIB);
	assert_int_equal(stream_live(s), 2 * 12 * KIB);
	assert_int_equal(last_census(s)->num_buffers, 1);
	assert_int_equal(last_census(s)->orphans, 1);
	assert_int_equal(last_census(s)->orphan_bytes, 12 * KIB);
	assert_int_equal(last_census(s)->bytes, 2 * 12 * KIB);
	assert_int_equal(last_census(s)->types, ALL_TYPES);
	snap = stream_snapshot(s);
	assert_int_equal(snap->processes[0]->devices[0]->orphans.buffers, 1);
	assert_int_equal(snap->processes[0]->devices[0]->spaces[0].held, 2 * KIB);
	assert_true(snapshot__complete(snap));
	snapshot__free(snap);
}

static void it_is_a_leak_when_its_device_is_closed(void **state)
{
	struct stream *s = *state;
	struct snapshot *snap;

	attach_late(s, NULL, 0x9000);
	stream_close(s, &python, 1);
	assert_int_equal(stream_count(s, EVENT_LEAK), 1);
	assert_non_null(strstr(stream_last(s, EVENT_LEAK)->why, "no buffer owns"));
	snap = stream_snapshot(s);
	assert_int_equal(snap->processes[0]->devices[0]->orphans.buffers, 1);
	assert_int_equal(snap->leaks.bytes, 12 * KIB);
	snapshot__free(snap);
}

/* Its allocation was on the way while the free list was read. */
static void a_buffer_whose_record_comes_is_no_orphan(void **state)
{
	struct stream *s = *state;
	struct object o = object(1);

	begin_late(s, &python);
	look_at(s, &unhit, NULL, o.address);
	stream_alloc(s, &python, &o);
	phase(s, &unhit, TT_CENSUS_SETTLED, TT_CENSUS_ATTACH);
	assert_int_equal(stream_count(s, EVENT_ALLOC), 1);
	assert_false(stream_last(s, EVENT_ALLOC)->buffer.is_orphan);
	assert_int_equal(stream_live(s), 12 * KIB);
}

/* An allocator is read for the device that its buffers name; it may have served another one. */
static void where_free_lists_were_not_read_a_suppressed_buffer_stays(void **state)
{
	struct stream *s = *state;
	struct object o = object(1);

	stream_begin(s, &python, 1);
	stream_allocator(s, &python, HEAP, stream_mesh(MESH + 0x100, 1, 0, 1));
	o.device += 0x100;
	stream_alloc(s, &python, &o);
	suppress(s, &python, &o);
	phase(s, &python, TT_CENSUS_BEGIN, 0);
	phase(s, &python, TT_CENSUS_END, 0);
	phase(s, &python, TT_CENSUS_SETTLED, TT_CENSUS_AUDIT);
	assert_int_equal(last_census(s)->removed, 0);
}

/* Something gave it back that is not seen: another buffer could not have its memory otherwise. */
static void its_memory_is_counted_once_when_another_buffer_has_it(void **state)
{
	struct stream *s = *state;
	struct object o = object(1);

	attach_late(s, NULL, o.address);
	assert_int_equal(stream_live(s), 12 * KIB);
	stream_alloc(s, &python, &o);
	stream_expect_free(s, CLASS_LOST);
	assert_int_equal(stream_live(s), 12 * KIB);
	stream_release(s, &python, &o);
	assert_int_equal(stream_live(s), 0);
}

static void one_that_is_not_found_again_was_given_back(void **state)
{
	struct stream *s = *state;

	attach_late(s, NULL, 0x9000);
	look_at(s, &python, NULL, 0x9000);
	phase(s, &python, TT_CENSUS_SETTLED, TT_CENSUS_AUDIT);
	assert_int_equal(last_census(s)->removed, 0);
	assert_int_equal(last_census(s)->orphans, 1);
	/* where the free lists are not read nothing is concluded */
	phase(s, &python, TT_CENSUS_BEGIN, 0);
	phase_with(s, &python, TT_CENSUS_END, 0, 0);
	phase(s, &python, TT_CENSUS_SETTLED, TT_CENSUS_AUDIT);
	assert_int_equal(last_census(s)->removed, 0);
	assert_int_equal(last_census(s)->types, 0);
	assert_int_equal(last_census(s)->types_unread, ALL_TYPES);
	look_at(s, &python, NULL, 0);
	phase(s, &python, TT_CENSUS_SETTLED, TT_CENSUS_AUDIT);
	assert_int_equal(last_census(s)->removed, 1);
	assert_int_equal(stream_live(s), 0);
}

/* Of a free that was suppressed while it was traced the buffer is known. */
static void one_that_was_suppressed_under_our_eyes_is_no_other(void **state)
{
	struct stream *s = *state;
	struct object o = object(1);

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	stream_buffer(s, &python, TT_RECORD_FREE_BEGIN, &o);
	stream_tracked(s, &python, &o);
	/* its thread rests: it is not known yet that nothing was given back */
	look_at(s, &python, NULL, o.address);
	phase(s, &python, TT_CENSUS_SETTLED, TT_CENSUS_AUDIT);
	assert_int_equal(last_census(s)->added + last_census(s)->removed, 0);
	assert_int_equal(last_census(s)->bytes, 12 * KIB);
	stream_space(s, &python, 32);
	stream_expect_free(s, CLASS_SUPPRESSED);
	look_at(s, &python, NULL, o.address);
	phase(s, &python, TT_CENSUS_SETTLED, TT_CENSUS_AUDIT);
	assert_int_equal(last_census(s)->added + last_census(s)->removed, 0);
	assert_int_equal(last_census(s)->num_buffers, 0);
	assert_int_equal(last_census(s)->orphans, 1);
	assert_int_equal(last_census(s)->bytes, 12 * KIB);
	assert_int_equal(stream_live(s), 12 * KIB);
}

/* No record named the allocator, and no buffer the device. */
static void without_a_device_the_result_is_not_complete(void **state)
{
	struct stream *s = *state;
	struct tt_record_process rec = {
		.h = written(s, &python, TT_RECORD_PROCESS_START),
		.flags = TT_PROCESS_BEFORE_ATTACH,
		.comm = "python",
	};
	struct snapshot *snap;

	stream_apply(s, &rec, sizeof(rec));
	phase(s, &unhit, TT_CENSUS_BEGIN, 0);
	tell_orphan(s, &unhit, 0, 0x9000);
	phase(s, &unhit, TT_CENSUS_END, 0);
	phase(s, &unhit, TT_CENSUS_SETTLED, TT_CENSUS_ATTACH);
	assert_false(last_census(s)->whole);
	snap = stream_snapshot(s);
	assert_int_equal(snap->num_processes, 1);
	assert_false(snapshot__complete(snap));
	snapshot__free(snap);
}

/* A chip's own allocator marks what a mesh has taken. */
static void what_a_mesh_holds_is_no_orphan_of_its_chip(void **state)
{
	struct stream *s = *state;
	struct object o = object(1);
	struct tt_record_census_orphan rec = {
		.allocator = HEAP + 0x100,
		.device = MESH + 0x100,
		.address = o.address,
		.per_bank = KIB,
		.type = TT_TYPE_DRAM,
	};

	attach_late(s, &o, 0);
	stream_allocator(s, &python, HEAP + 0x100, stream_chip(MESH + 0x100, 0));
	rec.h = written(s, &python, TT_RECORD_CENSUS_ORPHAN);
	stream_apply(s, &rec, sizeof(rec));
	assert_int_equal(s->err, 0);
	phase(s, &python, TT_CENSUS_SETTLED, TT_CENSUS_AUDIT);
	assert_int_equal(last_census(s)->orphans, 0);
	/* another address is its own */
	rec.address += 0x100000;
	phase(s, &python, TT_CENSUS_BEGIN, 0);
	stream_apply(s, &rec, sizeof(rec));
	phase(s, &python, TT_CENSUS_SETTLED, TT_CENSUS_AUDIT);
	assert_int_equal(last_census(s)->orphans, 1);
}

/* What the free list says is right. */
static void a_footprint_that_differs_is_put_right(void **state)
{
	struct stream *s = *state;
	struct object o = object(1), larger = o;

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	assert_int_equal(stream_live(s), 12 * KIB);
	larger.size *= 2; /* what it occupies follows from it */
	look_at(s, &python, &larger, 0);
	phase(s, &python, TT_CENSUS_SETTLED, TT_CENSUS_AUDIT);
	assert_int_equal(last_census(s)->resized, 1);
	assert_int_equal(stream_live(s), 24 * KIB);
}

/* Its block is in the free list, and was not a moment before, or the parent has the like. */
static void a_suppressed_free_keeps_its_row_where_its_block_is_in_doubt(void **state)
{
	struct stream *s = *state;
	struct object o = object(1);

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	suppress(s, &python, &o);
	for (int doubt = TT_ORPHAN_FRESH; doubt <= TT_ORPHAN_INHERITED; doubt++) {
		phase(s, &python, TT_CENSUS_BEGIN, 0);
		tell_doubtful(s, &python, MESH, o.address, (enum tt_orphan_doubt)doubt);
		phase_with(s, &python, TT_CENSUS_END, 0, ALL_TYPES);
		phase(s, &python, TT_CENSUS_SETTLED, TT_CENSUS_AUDIT);
		assert_int_equal(last_census(s)->removed, 0);
		assert_true(last_census(s)->whole);
		assert_int_equal(stream_live(s), 12 * KIB);
	}
}

static void what_is_in_doubt_is_no_orphan_of_a_row_that_is_not_known(void **state)
{
	struct stream *s = *state;
	struct snapshot *snapshot;

	begin_late(s, &python);
	phase(s, &unhit, TT_CENSUS_BEGIN, 0);
	tell_doubtful(s, &unhit, MESH, 0x100, TT_ORPHAN_FRESH);
	tell_doubtful(s, &unhit, MESH, 0x800, TT_ORPHAN_INHERITED);
	tell_doubtful(s, &unhit, MESH + 0x100, 0x800, TT_ORPHAN_INHERITED);
	phase_with(s, &unhit, TT_CENSUS_END, 0, ALL_TYPES);
	phase(s, &unhit, TT_CENSUS_SETTLED, TT_CENSUS_ATTACH);
	assert_true(last_census(s)->whole);
	assert_int_equal(stream_live(s), 0);
	snapshot = stream_snapshot(s);
	assert_int_equal(snapshot->coverage.may_be_own, 2);
	snapshot__free(snapshot);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, stream_setup, stream_teardown)
	const struct CMUnitTest tests[] = {
		stream_test(a_suppressed_free_keeps_its_row_where_its_block_is_in_doubt),
		stream_test(what_is_in_doubt_is_no_orphan_of_a_row_that_is_not_known),
		T(what_no_buffer_owns_is_held),
		T(it_is_a_leak_when_its_device_is_closed),
		T(a_buffer_whose_record_comes_is_no_orphan),
		T(where_free_lists_were_not_read_a_suppressed_buffer_stays),
		T(its_memory_is_counted_once_when_another_buffer_has_it),
		T(one_that_is_not_found_again_was_given_back),
		T(one_that_was_suppressed_under_our_eyes_is_no_other),
		T(without_a_device_the_result_is_not_complete),
		T(what_a_mesh_holds_is_no_orphan_of_its_chip),
		T(a_footprint_that_differs_is_put_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
