// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* By what code memory was allocated: what is live, what was at the peak, what was freed at once. */
#include "counting.h"
#include "paper.h"
#include "stacked.h"

enum {
	BYTES = 12 * 1024, /* of a buffer of alloc_by() */
};

static int count_lines(const char *text, const char *begin)
{
	int count = 0;

	while ((text = strstr(text, begin))) {
		count++;
		text += strlen(begin);
	}
	return count;
}

static const struct snapshot_device *device_of(const struct snapshot *snapshot)
{
	return snapshot->processes[0]->devices[0];
}

/* NULL: there is none. */
static const struct snapshot_site *find_site(const struct snapshot *snapshot, __u32 stack)
{
	const struct snapshot_device *device = device_of(snapshot);

	for (__u32 i = 0; i < device->num_sites; i++)
		if ((device->sites[i].stack ? device->sites[i].stack->number : 0) == stack)
			return &device->sites[i];
	return NULL;
}

static void expect(const struct stream *s, __u32 stack, __u64 live, __u64 at_peak, __u64 allocated)
{
	struct snapshot *snapshot = stream_snapshot(s);
	const struct snapshot_site *site = find_site(snapshot, stack);

	assert_non_null(site);
	assert_int_equal(site->live.buffers, live);
	assert_int_equal(site->live.bytes, live * BYTES);
	assert_int_equal(site->at_peak.buffers, at_peak);
	assert_int_equal(site->at_peak.bytes, at_peak * BYTES);
	assert_int_equal(site->allocated.buffers, allocated);
	assert_int_equal(site->allocated.bytes, allocated * BYTES);
	snapshot__free(snapshot);
}

static void what_was_live_at_the_peak_is_known_when_that_is_long_past(void **state)
{
	struct stream *s = *state;
	struct object a, b, c;

	stacked_begin(s, 1);
	a = alloc_by(s, 0x10000, BY_ADD);
	b = alloc_by(s, 0x20000, BY_MATMUL);
	expect(s, BY_ADD, 1, 1, 1);
	c = alloc_by(s, 0x30000, BY_ADD); /* the peak: two, and one */
	stream_release(s, &python, &b);
	stream_release(s, &python, &a);
	expect(s, BY_ADD, 1, 2, 2);
	expect(s, BY_MATMUL, 0, 1, 1);
	b = alloc_by(s, 0x40000, BY_BINARY); /* as high as two is no new peak */
	expect(s, BY_BINARY, 1, 0, 1);
	expect(s, BY_ADD, 1, 2, 2);
	alloc_by(s, 0x50000, BY_BINARY);
	alloc_by(s, 0x60000, BY_BINARY); /* a higher one */
	expect(s, BY_ADD, 1, 1, 2);
	expect(s, BY_MATMUL, 0, 0, 1);
	expect(s, BY_BINARY, 3, 3, 3);
	stream_release(s, &python, &c);
	stream_release(s, &python, &b);
	expect(s, BY_ADD, 0, 1, 2);
	expect(s, BY_BINARY, 2, 3, 3);
}

static void each_type_of_memory_has_a_peak_of_its_own(void **state)
{
	struct stream *s = *state;
	struct object l1 = stream_object(0x10000, 0x10000, 64 * 1024), dram;
	struct snapshot *snapshot;
	const struct snapshot_device *device;

	stacked_begin(s, 1);
	l1.type = TT_TYPE_L1;
	alloc_object(s, &l1, BY_ADD);
	stream_release(s, &python, &l1);
	dram = alloc_by(s, 0x20000, BY_ADD);
	stream_release(s, &python, &dram);
	snapshot = stream_snapshot(s);
	device = device_of(snapshot);
	assert_int_equal(device->num_sites, 2);
	assert_int_equal(device->sites[0].type, TT_TYPE_DRAM);
	assert_int_equal(device->sites[0].at_peak.bytes, BYTES);
	assert_int_equal(device->sites[1].type, TT_TYPE_L1);
	assert_int_equal(device->sites[1].at_peak.bytes, 64 * 1024);
	snapshot__free(snapshot);
}

static void a_buffer_whose_stack_is_not_known_is_in_a_site_all_the_same(void **state)
{
	struct stream *s = *state;

	stacked_begin(s, 1);
	alloc_by(s, 0x10000, 0);
	alloc_by(s, 0x20000, TT_STACK_TICKET | 5); /* its copy was lost */
	expect(s, 0, 2, 2, 2);
}

/* A census may see it before its record comes: then it goes over to the site of its stack, … */
static void what_a_census_saw_first_is_part_of_the_peak_all_the_same(void **state)
{
	struct object o = stream_object(0x10000, 0x10000, BYTES);
	struct stream *s = *state;
	struct snapshot *snapshot;

	stacked_begin(s, 1);
	look(s, &python, &o, 1);
	alloc_object(s, &o, BY_ADD);
	snapshot = stream_snapshot(s);
	/* … and leaves nothing behind */
	assert_int_equal(device_of(snapshot)->num_sites, 1);
	assert_int_equal(find_site(snapshot, BY_ADD)->live.bytes, BYTES);
	assert_int_equal(find_site(snapshot, BY_ADD)->allocated.buffers, 1);
	assert_int_equal(find_site(snapshot, BY_ADD)->at_peak.bytes, BYTES);
	snapshot__free(snapshot);
}

/* Was it there at the peak? Its site has changed since then, and does not know. */
static void a_part_of_the_peak_that_is_nobodys_is_told_of(void **state)
{
	struct object o[2] = { stream_object(0x10000, 0x10000, BYTES),
			       stream_object(0x20000, 0x20000, BYTES) };
	struct stream *s = *state;
	struct snapshot *snapshot;
	__u64 at_peak = 0;

	stacked_begin(s, 1);
	look(s, &python, o, 2);
	stream_release(s, &python, &o[0]);
	alloc_object(s, &o[1], BY_ADD);
	snapshot = stream_snapshot(s);
	assert_int_equal(find_site(snapshot, BY_ADD)->live.bytes, BYTES);
	assert_int_equal(find_site(snapshot, BY_ADD)->at_peak.bytes, 0);
	for (__u32 i = 0; i < device_of(snapshot)->num_sites; i++)
		at_peak += device_of(snapshot)->sites[i].at_peak.bytes;
	assert_int_equal(at_peak, 2 * BYTES);
	snapshot__free(snapshot);
}

static void where_stacks_are_not_wanted_there_are_no_sites(void **state)
{
	struct stream *s = *state;
	struct snapshot *snapshot;

	stream_begin(s, &python, 1);
	alloc_by(s, 0x10000, 0);
	snapshot = stream_snapshot(s);
	assert_int_equal(device_of(snapshot)->num_sites, 0);
	snapshot__free(snapshot);
}

static void what_is_freed_before_the_next_allocation_is_temporary(void **state)
{
	struct stream *s = *state;
	struct snapshot *snapshot;
	struct object a, b;

	stacked_begin(s, 1);
	for (int i = 0; i < 5; i++) {
		a = alloc_by(s, 0x10000, BY_ADD);
		stream_release(s, &python, &a);
	}
	a = alloc_by(s, 0x10000, BY_ADD);
	b = alloc_by(s, 0x20000, BY_MATMUL);
	stream_release(s, &python, &a); /* another one came in between */
	stream_release(s, &python, &b);
	alloc_by(s, 0x30000, BY_MATMUL);
	stream_close(s, &python, 1); /* no free of its own */
	snapshot = stream_snapshot(s);
	assert_int_equal(find_site(snapshot, BY_ADD)->temporary, 5);
	assert_int_equal(find_site(snapshot, BY_ADD)->allocated.buffers, 6);
	assert_int_equal(find_site(snapshot, BY_MATMUL)->temporary, 1);
	snapshot__free(snapshot);
}

static void what_leaked_is_told_of_its_site(void **state)
{
	struct stream *s = *state;
	struct snapshot *snapshot;

	stacked_begin(s, 2);
	alloc_by(s, 0x10000, BY_ADD);
	alloc_by(s, 0x20000, BY_ADD);
	stream_close(s, &python, 2);
	snapshot = stream_snapshot(s);
	assert_int_equal(find_site(snapshot, BY_ADD)->leaked.buffers, 2);
	assert_int_equal(find_site(snapshot, BY_ADD)->leaked.bytes, 2 * BYTES);
	assert_int_equal(find_site(snapshot, BY_ADD)->live.buffers, 0);
	assert_int_equal(device_of(snapshot)->owners[OWNER_TENSOR].leaked.buffers, 2);
	snapshot__free(snapshot);
}

/* So many that lives are folded: the peak is that of the highest. */
static void of_lives_of_a_device_that_are_shown_as_one_the_sites_are_added(void **state)
{
	const int lives = 3 * DEVICES_MIN;
	__u64 allocated = 0, at_peak = 0;
	struct stream *s = *state;
	struct snapshot *snapshot;

	stacked_begin(s, 1);
	for (int life = 0; life < lives; life++) {
		struct object o[3];
		int num = life == 5 ? 3 : 1;

		stream_allocator(s, &python, HEAP, stream_mesh(MESH, 0, 0, 1));
		for (int i = 0; i < num; i++)
			o[i] = alloc_by(s, 0x10000 + i * 0x10000, BY_ADD);
		for (int i = 0; i < num; i++)
			stream_release(s, &python, &o[i]);
		stream_close(s, &python, 1);
		stream_device(s, &python, TT_PROBE_MESH_OPEN, stream_mesh(MESH, 0, 0, 1));
	}
	snapshot = stream_snapshot(s);
	for (__u32 i = 0; i < snapshot->processes[0]->num_devices; i++) {
		const struct snapshot_device *device = snapshot->processes[0]->devices[i];

		for (__u32 j = 0; j < device->num_sites; j++) {
			allocated += device->sites[j].allocated.buffers;
			if (at_peak < device->sites[j].at_peak.buffers)
				at_peak = device->sites[j].at_peak.buffers;
			assert_int_equal(device->sites[j].at_peak.bytes,
					 device->usage.type[TT_TYPE_DRAM].peak);
		}
	}
	assert_true(snapshot->processes[0]->num_devices < (__u32)lives);
	assert_int_equal(allocated, lives + 2);
	assert_int_equal(at_peak, 3);
	snapshot__free(snapshot);
}

static void the_report_says_what_the_peak_was_made_of_and_what_was_freed_at_once(void **state)
{
	struct stream *s = *state;
	struct object o;
	struct paper p;

	stacked_begin(s, 1);
	alloc_by(s, 0x10000, BY_MATMUL);
	for (int i = 0; i < 12; i++) {
		o = alloc_by(s, 0x20000, BY_ADD);
		stream_release(s, &python, &o);
	}
	alloc_by(s, 0x30000, BY_BINARY);
	paper_open(&p, false);
	paper_report(s, &p, NULL);
	assert_non_null(strstr(
		p.text,
		"    at the peak of DRAM:\n"
		"               12288 bytes (12.0 KiB), 1 buffer: "
		"tensor of ttnn::add at forward [model.py:8] from main [model.py:20]\n"
		"               12288 bytes (12.0 KiB), 1 buffer: "
		"tensor of ttnn::matmul at forward [model.py:9] from main [model.py:20]\n"
		"    temporary: 12 of 14 allocations were freed before the next one\n"
		"      12 of 12: ttnn::add at forward [model.py:8] from main [model.py:20]\n"
		"    allocated for: tensor 13 buffers, 156.0 KiB; kernel_binary 1 buffer, 12.0 KiB\n"));
	paper_close(&p);
}

/* How many stacks the report shows at the peak, and of temporary allocations. */
static void expect_shown(const struct stream *s, __u32 top_peak, int at_peak, int temporary)
{
	struct paper p;

	paper_open_with(&p, (struct sink_opts){ .top = 10, .top_peak = top_peak });
	paper_report(s, &p, NULL);
	assert_int_equal(count_lines(p.text, "               12288 bytes (12.0 KiB), 1 buffer: "),
			 at_peak);
	assert_int_equal(count_lines(p.text, "      12 of 13: "), temporary);
	if (at_peak < 4)
		assert_non_null(strstr(p.text, " other stacks (-T 4 shows all)\n"));
	else
		assert_null(strstr(p.text, " other stacks"));
	paper_close(&p);
}

static void as_many_stacks_are_shown_of_the_peak_as_were_asked_for(void **state)
{
	struct stream *s = *state;
	struct object o;

	stacked_begin(s, 1);
	for (__u32 stack = BY_ADD; stack <= BY_MAIN; stack++) {
		for (int i = 0; i < 12; i++) {
			o = alloc_by(s, 0x90000, stack);
			stream_release(s, &python, &o);
		}
		alloc_by(s, 0x10000 * stack, stack);
	}
	expect_shown(s, 0, 3, 3);
	expect_shown(s, 2, 2, 2);
	expect_shown(s, 4, 4, 4);
}

static void expect_held(const struct stream *s, __u64 buffers, __u64 leaks)
{
	struct snapshot *snapshot = stream_snapshot(s);
	const struct snapshot_device *device = device_of(snapshot);

	assert_int_equal(device->held_all.buffers, buffers);
	assert_int_equal(device->held_all.bytes, buffers * BYTES);
	assert_int_equal(device->held.sum.buffers, buffers);
	assert_int_equal(device->held.sum.bytes, buffers * BYTES);
	assert_int_equal(snapshot__leaks(snapshot, NULL), leaks);
	snapshot__free(snapshot);
}

static void what_the_program_cache_holds_is_the_runtimes_own(void **state)
{
	struct stream *s = *state;
	struct object cleared;

	stacked_begin(s, 1);
	alloc_by(s, 0x10000, BY_ADD);
	alloc_by(s, 0x20000, BY_CACHED);
	cleared = alloc_by(s, 0x30000, BY_CACHED);
	expect_held(s, 2, 0); /* while the process runs */
	stream_release(s, &python, &cleared);
	stream_expect_free(s, CLASS_MATCHED);
	expect_held(s, 1, 0);
	stream_close(s, &python, 1);
	expect_held(s, 1, 1);
	assert_int_equal(stream_count(s, EVENT_LEAK), 1);
	stream_bulk(s, &python, TT_PROBE_DEALLOCATE_BUFFERS, HEAP);
	stream_exit(s, &python, 0);
	expect_held(s, 1, 1); /* told of when it is long gone */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		stream_test(what_was_live_at_the_peak_is_known_when_that_is_long_past),
		stream_test(each_type_of_memory_has_a_peak_of_its_own),
		stream_test(a_buffer_whose_stack_is_not_known_is_in_a_site_all_the_same),
		stream_test(what_a_census_saw_first_is_part_of_the_peak_all_the_same),
		stream_test(a_part_of_the_peak_that_is_nobodys_is_told_of),
		stream_test(where_stacks_are_not_wanted_there_are_no_sites),
		stream_test(what_is_freed_before_the_next_allocation_is_temporary),
		stream_test(what_leaked_is_told_of_its_site),
		stream_test(of_lives_of_a_device_that_are_shown_as_one_the_sites_are_added),
		stream_test(the_report_says_what_the_peak_was_made_of_and_what_was_freed_at_once),
		stream_test(as_many_stacks_are_shown_of_the_peak_as_were_asked_for),
		stream_test(what_the_program_cache_holds_is_the_runtimes_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
