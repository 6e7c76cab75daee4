// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Memory that goes without a call per buffer, and the frees that come too late. */
#include "stream.h"

static const struct actor python = { 100, 100, 5, 0 };

static struct object usual(void)
{
	return stream_object(0x5000, 0x100, 12 * 1024);
}

static void attempt(struct stream *s, const struct actor *a, const struct object *o)
{
	stream_buffer(s, a, TT_RECORD_FREE_BEGIN, o);
}

static void a_free_after_a_bulk_free_is_bulk_freed_and_names_the_culprit(void **state)
{
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	stream_bulk(s, &python, TT_PROBE_DEALLOCATE_BUFFERS, HEAP);
	assert_int_equal(stream_last(s, EVENT_BULK_FREE)->ev.num_buffers, 1);
	assert_int_equal(stream_last(s, EVENT_BULK_FREE)->ev.bytes, 12 * 1024);
	assert_int_equal(stream_live(s), 0);
	stream_release(s, &python, &o);
	stream_expect_free(s, CLASS_BULK_FREED);
	assert_non_null(strstr(stream_last(s, EVENT_FREE)->ev.why, "deallocate_buffers()"));
	assert_null(strstr(stream_last(s, EVENT_FREE)->ev.why, "GAVE"));
}

static void each_kind_of_bulk_free_is_told_by_its_name(void **state)
{
	static const struct {
		__u8 probe;
		const char *words;
	} kinds[] = {
		{ TT_PROBE_DEALLOCATE_BUFFERS, "deallocate_buffers()" },
		{ TT_PROBE_CLEAR, "clear()" },
		{ TT_PROBE_OVERRIDE_STATE, "override_state()" },
		{ TT_PROBE_ALLOCATOR_DESTROY, "end of its allocator" },
	};
	struct stream *s = *state;
	struct object o = usual();

	stream_begin(s, &python, 1);
	for (int i = 0; i < 4; i++) {
		stream_allocator(s, &python, HEAP, stream_mesh(MESH, 0, 0, 1));
		stream_alloc(s, &python, &o);
		stream_bulk(s, &python, kinds[i].probe, HEAP);
		assert_non_null(strstr(stream_last(s, EVENT_BULK_FREE)->ev.why, kinds[i].words));
		stream_release(s, &python, &o);
		stream_expect_free(s, CLASS_BULK_FREED);
		assert_non_null(strstr(stream_last(s, EVENT_FREE)->ev.why, kinds[i].words));
	}
	assert_int_equal(stream_count(s, EVENT_BULK_FREE), 4);
}

static void a_bulk_free_of_nothing_is_not_told(void **state)
{
	struct stream *s = *state;

	stream_begin(s, &python, 1);
	stream_bulk(s, &python, TT_PROBE_CLEAR, HEAP);
	stream_bulk(s, &python, TT_PROBE_CLEAR, 0x7777);
	assert_int_equal(stream_count(s, EVENT_BULK_FREE), 0);
}

static void a_bulk_free_leaves_other_allocators_and_hooked_buffers_alone(void **state)
{
	struct stream *s = *state;
	struct object o = usual(), hooked = stream_object(0x6000, 0, 4096);

	stream_begin(s, &python, 1);
	stream_allocator(s, &python, 0xb000, stream_mesh(MESH, 0, 0, 1));
	stream_alloc(s, &python, &o);
	hooked.hooked = 1;
	stream_alloc(s, &python, &hooked);
	stream_bulk(s, &python, TT_PROBE_DEALLOCATE_BUFFERS, 0xb000);
	assert_int_equal(stream_live(s), 12 * 1024);
	stream_bulk(s, &python, TT_PROBE_DEALLOCATE_BUFFERS, HEAP);
	assert_int_equal(stream_last(s, EVENT_BULK_FREE)->ev.num_buffers, 1);
	attempt(s, &python, &hooked);
	stream_expect_free(s, CLASS_HOOKED);
}

static void a_late_free_that_hits_another_live_buffer_shouts_and_names_it(void **state)
{
	struct stream *s = *state;
	struct object o = usual(), victim = stream_object(0x6000, 0x100, 12 * 512);
	struct snapshot *snapshot;
	const char *why;

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	stream_bulk(s, &python, TT_PROBE_DEALLOCATE_BUFFERS, HEAP);
	stream_alloc(s, &python, &victim);
	stream_release(s, &python, &o);
	stream_expect_free(s, CLASS_BULK_FREED);
	why = stream_last(s, EVENT_FREE)->ev.why;
	assert_non_null(strstr(why, "GAVE AWAY THE MEMORY"));
	assert_non_null(strstr(why, "BUFFER 256 (id 1536, 6144 bytes)"));
	assert_int_equal(stream_live(s), 0); /* as the allocator sees it */
	snapshot = stream_snapshot(s);
	assert_int_equal(snapshot->processes[0]->devices[0]->live.num_largest, 1);
	assert_true(snapshot->processes[0]->devices[0]->live.largest[0].victim);
	snapshot__free(snapshot);
}

static void the_free_of_a_victim_is_matched_but_says_what_happened(void **state)
{
	struct stream *s = *state;
	struct object o = usual(), victim = stream_object(0x6000, 0x100, 12 * 512);
	struct object third = stream_object(0x7000, 0x100, 12 * 256);

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	stream_bulk(s, &python, TT_PROBE_DEALLOCATE_BUFFERS, HEAP);
	stream_alloc(s, &python, &victim);
	stream_release(s, &python, &o);
	stream_alloc(s, &python, &third);
	stream_release(s, &python, &victim);
	stream_expect_free(s, CLASS_MATCHED);
	assert_non_null(strstr(stream_last(s, EVENT_FREE)->ev.why, "BUFFER 256 (id 1792"));
	assert_int_equal(stream_live(s), 0);
	stream_release(s, &python, &third);
	stream_expect_free(s, CLASS_MATCHED);
	assert_int_equal(stream_live(s), 0);
}

static void the_same_address_in_another_type_of_memory_is_no_victim(void **state)
{
	struct stream *s = *state;
	struct object o = usual(), l1 = stream_object(0x6000, 0x100, 64 * 32);

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	stream_bulk(s, &python, TT_PROBE_DEALLOCATE_BUFFERS, HEAP);
	l1.type = TT_TYPE_L1;
	stream_alloc(s, &python, &l1);
	stream_release(s, &python, &o);
	stream_expect_free(s, CLASS_BULK_FREED);
	assert_null(strstr(stream_last(s, EVENT_FREE)->ev.why, "GAVE"));
	assert_int_equal(stream_live(s), 64 * 32);
}

static void victims_are_found_among_buffers_that_come_and_go_later(void **state)
{
	struct stream *s = *state;
	struct object old[3], o;

	stream_begin(s, &python, 1);
	for (int i = 0; i < 3; i++) {
		old[i] = stream_object(0x5000 + 0x100 * i, 0x1000 * (i + 1), 12 * 32);
		stream_alloc(s, &python, &old[i]);
	}
	stream_bulk(s, &python, TT_PROBE_CLEAR, HEAP);
	stream_release(s, &python, &old[0]);
	assert_null(strstr(stream_last(s, EVENT_FREE)->ev.why, "GAVE"));
	o = stream_object(0x9000, 0x2000, 12 * 32);
	stream_alloc(s, &python, &o);
	stream_release(s, &python, &o);
	stream_release(s, &python, &old[1]);
	assert_null(strstr(stream_last(s, EVENT_FREE)->ev.why, "GAVE"));
	o.address = 0x3000;
	stream_alloc(s, &python, &o);
	stream_release(s, &python, &old[2]);
	assert_non_null(strstr(stream_last(s, EVENT_FREE)->ev.why, "GAVE"));
}

static void a_new_buffer_at_the_pointer_of_one_that_was_freed_in_bulk_is_new(void **state)
{
	struct stream *s = *state;
	struct object o = usual(), p = usual();

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	stream_bulk(s, &python, TT_PROBE_CLEAR, HEAP);
	p.id = 99;
	stream_alloc(s, &python, &p);
	stream_release(s, &python, &p);
	stream_expect_free(s, CLASS_MATCHED);
	assert_int_equal(ledger__stats(s->ledger)->reused_live, 0);
}

/* More than the ledger remembers (1 << 18): the oldest go. */
static void a_late_free_of_a_buffer_that_had_to_be_forgotten_is_still_bulk_freed(void **state)
{
	enum {
		MANY = (1 << 18) + 100
	};
	struct stream *s = *state;
	struct object o;

	stream_begin(s, &python, 1);
	for (__u32 i = 0; i < MANY; i++) {
		o = stream_object(0x100000 + i * 0x100ull, i * 32ull, 12 * 32);
		s->num_seen = 0;
		stream_alloc(s, &python, &o);
	}
	stream_bulk(s, &python, TT_PROBE_DEALLOCATE_BUFFERS, HEAP);
	assert_int_equal(stream_last(s, EVENT_BULK_FREE)->ev.num_buffers, MANY);
	assert_int_equal(ledger__stats(s->ledger)->forgotten, 100);
	o = stream_object(0x100000, 0, 12 * 32);
	stream_release(s, &python, &o);
	stream_expect_free(s, CLASS_BULK_FREED);
	assert_null(strstr(stream_last(s, EVENT_FREE)->ev.why, "deallocate_buffers"));
	o = stream_object(0x100000 + 100 * 0x100ull, 3200, 12 * 32);
	stream_release(s, &python, &o);
	stream_expect_free(s, CLASS_BULK_FREED);
	assert_non_null(strstr(stream_last(s, EVENT_FREE)->ev.why, "deallocate_buffers"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		stream_test(a_free_after_a_bulk_free_is_bulk_freed_and_names_the_culprit),
		stream_test(each_kind_of_bulk_free_is_told_by_its_name),
		stream_test(a_bulk_free_of_nothing_is_not_told),
		stream_test(a_bulk_free_leaves_other_allocators_and_hooked_buffers_alone),
		stream_test(a_late_free_that_hits_another_live_buffer_shouts_and_names_it),
		stream_test(the_free_of_a_victim_is_matched_but_says_what_happened),
		stream_test(the_same_address_in_another_type_of_memory_is_no_victim),
		stream_test(victims_are_found_among_buffers_that_come_and_go_later),
		stream_test(a_new_buffer_at_the_pointer_of_one_that_was_freed_in_bulk_is_new),
		stream_test(a_late_free_of_a_buffer_that_had_to_be_forgotten_is_still_bulk_freed),
	};

	return cmocka_run_group_tests_name("bulk", tests, NULL, NULL);
}
