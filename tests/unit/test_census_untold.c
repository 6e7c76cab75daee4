// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* What ends between the rows of a census and its settling: it is told first. */
#include "counting.h"

static const struct actor python = { 100, 100, 5, 0 };
/* as the user side knows a process that has not been hit yet */
static const struct actor unhit = { 100, 100, 0, 0 };

/* Until the census is settled nobody was told of it; and another Buffer has its place by then. */
static void what_was_found_keeps_its_memory_when_its_free_is_suppressed(void **state)
{
	struct stream *s = *state;
	struct object first = object(1), next = object(1);

	next.id = first.id + 1;
	next.address += 0x8000;
	begin_late(s, &python);
	read_all(s, &unhit, &first, 1);
	suppress(s, &python, &first);
	assert_int_equal(stream_count(s, EVENT_ALLOC), 1);
	stream_alloc(s, &python, &next);
	phase(s, &unhit, TT_CENSUS_SETTLED, TT_CENSUS_ATTACH);
	assert_int_equal(stream_count(s, EVENT_ALLOC), 2);
	assert_int_equal(held(s), 2);
}

/* In a process that is attached to, before the census of that is settled. */
static void what_goes_in_bulk_is_told_of_before(void **state)
{
	struct stream *s = *state;
	struct object objects[] = { object(1), object(2) };

	begin_late(s, &python);
	read_all(s, &unhit, objects, 2);
	stream_bulk(s, &python, TT_PROBE_DEALLOCATE_BUFFERS, HEAP);
	assert_int_equal(stream_count(s, EVENT_ALLOC), 2);
	assert_int_equal(stream_last(s, EVENT_ALLOC)->ev.class, CLASS_PRE_ATTACH);
	assert_int_equal(stream_last(s, EVENT_BULK_FREE)->ev.num_buffers, 2);
	assert_true(stream_last(s, EVENT_ALLOC) < stream_last(s, EVENT_BULK_FREE));
	phase(s, &unhit, TT_CENSUS_SETTLED, TT_CENSUS_ATTACH);
	assert_int_equal(stream_count(s, EVENT_ALLOC), 2);
	assert_int_equal(held(s), 0);
}

static void what_is_allocated_after_a_bulk_free_did_not_go_with_it(void **state)
{
	struct stream *s = *state;
	struct object before = object(1), own = object(2), after = object(3);

	before.id = 1;
	own.id = 2;
	after.id = 3;
	begin_late(s, &python);
	read_all(s, &unhit, (struct object[]){ before, after }, 2);
	stream_alloc(s, &python, &own);
	stream_bulk(s, &python, TT_PROBE_DEALLOCATE_BUFFERS, HEAP);
	assert_int_equal(stream_last(s, EVENT_BULK_FREE)->ev.num_buffers, 2);
	stream_alloc(s, &python, &after);
	phase(s, &unhit, TT_CENSUS_SETTLED, TT_CENSUS_ATTACH);
	assert_int_equal(stream_count(s, EVENT_ALLOC), 3);
	assert_int_equal(held(s), 1);
}

static void what_leaks_is_told_of_before(void **state)
{
	struct stream *s = *state;
	struct object o = object(1);

	begin_late(s, &python);
	read_all(s, &unhit, &o, 1);
	stream_close(s, &python, 1);
	assert_int_equal(stream_count(s, EVENT_LEAK), 1);
	assert_int_equal(stream_count(s, EVENT_ALLOC), 1);
	assert_true(stream_last(s, EVENT_ALLOC) < stream_last(s, EVENT_LEAK));
}

/* An audit reads it after the closing has begun, and before its memory is taken back. */
static void a_device_that_closes_is_no_other_one(void **state)
{
	struct stream *s = *state;
	struct tt_record_allocator rec = { .allocator = HEAP,
					   .device = stream_mesh(MESH, 0, 0, 1) };
	struct object o = object(1);
	struct snapshot *snapshot;

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	stream_device(s, &python, TT_PROBE_MESH_CLOSE, stream_mesh(MESH, 0, 0, 1));
	rec.h = written(s, &python, TT_RECORD_ALLOCATOR);
	stream_apply(s, &rec, sizeof(rec));
	read_all(s, &python, &o, 1);
	stream_bulk(s, &python, TT_PROBE_DEALLOCATE_BUFFERS, HEAP);
	phase(s, &python, TT_CENSUS_SETTLED, TT_CENSUS_AUDIT);
	assert_int_equal(stream_count(s, EVENT_LEAK), 1);
	assert_int_equal(stream_last(s, EVENT_BULK_FREE)->ev.num_buffers, 1);
	assert_int_equal(held(s), 0);
	snapshot = stream_snapshot(s);
	assert_int_equal(snapshot->processes[0]->num_devices, 2); /* the mesh, and its chip */
	snapshot__free(snapshot);
}

/* What its free left of a Buffer before the attach may look like one, until another has its place.
 */
static void what_was_found_keeps_its_memory_when_another_has_its_place(void **state)
{
	struct stream *s = *state;
	struct object first = object(1), next = object(1);

	next.id = first.id + 1;
	next.address += 0x8000;
	begin_late(s, &python);
	read_all(s, &unhit, &first, 1);
	phase(s, &unhit, TT_CENSUS_SETTLED, TT_CENSUS_ATTACH);
	stream_alloc(s, &python, &next);
	stream_expect_free(s, CLASS_SUPPRESSED);
	assert_int_equal(ledger__stats(s->ledger)->reused_live, 0);
	assert_int_equal(held(s), 2);
	stream_release(s, &python, &next);
	assert_int_equal(held(s), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		stream_test(what_was_found_keeps_its_memory_when_its_free_is_suppressed),
		stream_test(what_goes_in_bulk_is_told_of_before),
		stream_test(what_is_allocated_after_a_bulk_free_did_not_go_with_it),
		stream_test(what_leaks_is_told_of_before),
		stream_test(what_was_found_keeps_its_memory_when_another_has_its_place),
		stream_test(a_device_that_closes_is_no_other_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
