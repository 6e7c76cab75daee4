// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* A library that is probed by two names: each hit comes as two records, and counts once. */
#include "stream.h"

static const struct actor python = { 100, 100, 5, 0 };
static const struct actor thread = { 100, 101, 5, 1 };

enum {
	OTHER = 1 /* the other number of the library */
};

/* The same library, by another name. */
static void tell_second(struct stream *s)
{
	struct tt_record_library library = {
		.h = { .kind = TT_RECORD_LIBRARY, .probe = TT_PROBE_COUNT, .layout = OTHER },
		.probes_wanted = 20,
		.probes_attached = 20,
		.map = stream_layout(),
		.path = "/other/libtt_metal.so",
	};

	stream_apply(s, &library, sizeof(library));
}

/* What the last hit told, as the link number @layout has it. */
static void pass_twice(struct stream *s, struct tt_record_buffer rec, __u16 layout)
{
	stream_apply(s, &rec, sizeof(rec));
	rec.h.seq++;
	s->seq[rec.h.cpu]++;
	rec.h.layout = layout;
	stream_apply(s, &rec, sizeof(rec));
}

static struct tt_record_buffer alloc_record(struct stream *s, const struct actor *a,
					    const struct object *o)
{
	stream_space(s, a, stream_per_bank(o));
	return stream_buffer_record(stream_header(s, a, TT_RECORD_ALLOC, TT_PROBE_TRACK_ALLOCATE),
				    o);
}

static void note_second(void *ctx, __u16 layout)
{
	__u16 *noted = ctx;

	*noted = layout;
}

static void a_hit_that_comes_by_two_links_counts_once(void **state)
{
	struct stream *s = *state;
	struct object a = stream_object(0x5000, 0x100, 12 * 1024);
	struct object b = stream_object(0x6000, 0x4000, 12 * 1024);
	struct snapshot *snapshot;
	__u16 noted = 0;

	stream_begin(s, &python, 1);
	tell_second(s);
	assert_false(ledger__each_second(s->ledger, note_second, &noted));
	pass_twice(s, alloc_record(s, &python, &a), OTHER);
	pass_twice(s, alloc_record(s, &thread, &b), OTHER);
	assert_int_equal(stream_count(s, EVENT_ALLOC), 2);
	assert_int_equal(stream_live(s), 2 * 12 * 1024);
	assert_true(ledger__each_second(s->ledger, note_second, &noted));
	assert_int_equal(noted, OTHER);
	assert_false(ledger__each_second(s->ledger, note_second, &noted)); /* once */
	snapshot = stream_snapshot(s);
	assert_int_equal(snapshot->coverage.twice, 2);
	assert_int_equal(snapshot->coverage.num_libraries, 1);
	assert_true(snapshot->coverage.complete);
	snapshot__free(snapshot);
}

/* The same Buffer again, as it is after a free: each of them is seen by both. */
static void what_happens_twice_counts_twice(void **state)
{
	struct stream *s = *state;
	struct object o = stream_object(0x5000, 0x100, 12 * 1024);
	struct tt_record_buffer rec;

	stream_begin(s, &python, 1);
	tell_second(s);
	for (int i = 0; i < 3; i++) {
		pass_twice(s, alloc_record(s, &python, &o), OTHER);
		rec = stream_buffer_record(
			stream_header(s, &python, TT_RECORD_FREE_BEGIN, TT_PROBE_DEALLOCATE_IMPL),
			&o);
		pass_twice(s, rec, OTHER);
		o.id++;
	}
	assert_int_equal(stream_count(s, EVENT_ALLOC), 3);
	assert_int_equal(ledger__stats(s->ledger)->twice, 6);
}

/* Both would be taken away otherwise. */
static void where_one_record_of_a_hit_was_lost_one_library_is_left(void **state)
{
	struct stream *s = *state;
	struct object o = stream_object(0x5000, 0x100, 12 * 1024);
	struct tt_record_buffer rec;
	__u16 noted = 7;

	stream_begin(s, &python, 1);
	tell_second(s);
	pass_twice(s, alloc_record(s, &python, &o), OTHER);
	assert_true(ledger__each_second(s->ledger, note_second, &noted));
	assert_int_equal(noted, OTHER);
	rec = stream_buffer_record(
		stream_header(s, &python, TT_RECORD_ALLOC, TT_PROBE_TRACK_ALLOCATE), &o);
	rec.buffer = 0x7000;
	rec.h.layout = OTHER;
	stream_apply(s, &rec, sizeof(rec)); /* that of the first was lost */
	pass_twice(s, rec, 0);
	assert_false(ledger__each_second(s->ledger, note_second, &noted));
	assert_int_equal(noted, OTHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		stream_test(a_hit_that_comes_by_two_links_counts_once),
		stream_test(what_happens_twice_counts_twice),
		stream_test(where_one_record_of_a_hit_was_lost_one_library_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
