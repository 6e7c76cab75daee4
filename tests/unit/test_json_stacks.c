// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Stacks in JSON: told once, named by number; leaks in groups; sites. */
#include "lines.h"
#include "stacked.h"

static int count_of(const struct lines *l, const char *name)
{
	int count = 0;

	for (int i = 0; i < l->count; i++)
		count += !strcmp(get_string(l->at[i], "event"), name);
	return count;
}

static int place_of(const struct lines *l, const char *name)
{
	for (int i = 0; i < l->count; i++)
		if (!strcmp(get_string(l->at[i], "event"), name))
			return i;
	fail_msg("no line of event \"%s\"", name);
	return 0;
}

static void a_stack_is_told_once_before_the_first_line_that_names_it(void **state)
{
	struct json_object *stack, *frame;
	struct stream *s = *state;
	struct lines l;

	stacked_begin(s, 1);
	lines_open(&l, s);
	alloc_by(s, 0x10000, BY_ADD);
	alloc_by(s, 0x20000, BY_ADD);
	alloc_by(s, 0x30000, BY_MAIN);
	lines_read(&l);
	assert_int_equal(count_of(&l, "stack"), 2);
	assert_int_equal(place_of(&l, "stack"), 0);
	assert_int_equal(place_of(&l, "alloc"), 1);
	assert_int_equal(get_number(nth(&l, "alloc", 1), "stack_id"), BY_ADD);
	assert_string_equal(get_string(nth(&l, "alloc", 1), "op"), "ttnn::add");
	assert_string_equal(get_string(nth(&l, "alloc", 1), "owner"), "tensor");
	assert_false(has(nth(&l, "alloc", 1), "stack"));
	assert_false(has(nth(&l, "alloc", 2), "op"));
	assert_false(has(nth(&l, "alloc", 2), "owner")); /* it was cut before what would tell it */
	stack = nth(&l, "stack", 0);
	assert_int_equal(get_number(stack, "stack_id"), BY_ADD);
	assert_string_equal(get_string(stack, "stack_end"), "complete");
	assert_int_equal(json_object_array_length(get(stack, "stack")), 7);
	frame = json_object_array_get_idx(get(stack, "stack"), 4);
	assert_string_equal(get_string(frame, "function"), "forward");
	assert_string_equal(get_string(frame, "file"), "/home/me/model.py");
	assert_int_equal(get_number(frame, "line"), 8);
	assert_string_equal(get_string(nth(&l, "stack", 1), "stack_end"), "cut");
	lines_close(&l);
}

static void leaks_of_one_stack_are_one_line_with_the_buffers_in_it(void **state)
{
	struct json_object *leak, *member;
	struct stream *s = *state;
	struct lines l;

	stacked_begin(s, 2);
	lines_open(&l, s);
	alloc_by(s, 0x10000, BY_ADD);
	alloc_by(s, 0x20000, BY_MATMUL);
	alloc_by(s, 0x30000, BY_ADD);
	stream_close(s, &python, 2);
	lines_read(&l);
	assert_int_equal(count_of(&l, "leak"), 2);
	leak = nth(&l, "leak", 0);
	assert_int_equal(get_number(leak, "buffers"), 2);
	assert_int_equal(get_number(leak, "size"), 2 * 12 * 1024);
	assert_int_equal(get_number(leak, "footprint"), 2 * 12 * 1024);
	assert_int_equal(json_object_array_length(get(leak, "devices")), 2);
	assert_int_equal(json_object_array_length(get(leak, "stack")), 7);
	assert_string_equal(get_string(leak, "op"), "ttnn::add");
	assert_int_equal(json_object_array_length(get(leak, "members")), 2);
	member = json_object_array_get_idx(get(leak, "members"), 1);
	assert_int_equal(get_number(member, "address"), 0x30000);
	assert_int_equal(get_number(member, "size"), 12 * 1024);
	assert_true(get_number(leak, "alloc_ts_ns") < get_number(member, "alloc_ts_ns"));
	leak = nth(&l, "leak", 1);
	assert_int_equal(get_number(leak, "buffers"), 1);
	assert_int_equal(get_number(leak, "address"), 0x20000);
	assert_false(has(leak, "members"));
	/* before what comes after them */
	assert_true(place_of(&l, "leak") < place_of(&l, "device_close"));
	lines_close(&l);
}

static void leaks_whose_stack_is_not_known_are_told_one_by_one(void **state)
{
	struct stream *s = *state;
	struct lines l;

	stacked_begin(s, 1);
	lines_open(&l, s);
	alloc_by(s, 0x10000, 0);
	alloc_by(s, 0x20000, 0);
	stream_close(s, &python, 1);
	lines_read(&l);
	assert_int_equal(count_of(&l, "leak"), 2);
	assert_int_equal(get_number(nth(&l, "leak", 1), "address"), 0x20000);
	lines_close(&l);
}

static void leaks_for_another_reason_are_another_group(void **state)
{
	struct stream *s = *state;
	struct object o;
	struct lines l;

	stacked_begin(s, 1);
	lines_open(&l, s);
	alloc_by(s, 0x10000, BY_ADD);
	o = alloc_by(s, 0x20000, BY_ADD);
	stream_buffer(s, &python, TT_RECORD_FREE_BEGIN,
		      &o); /* and nothing comes of it: suppressed */
	stream_tracked(s, &python, &o);
	stream_close(s, &python, 1);
	lines_read(&l);
	assert_int_equal(count_of(&l, "leak"), 2);
	assert_string_not_equal(get_string(nth(&l, "leak", 0), "why"),
				get_string(nth(&l, "leak", 1), "why"));
	lines_close(&l);
}

static void a_group_of_very_many_tells_how_many_it_leaves_out(void **state)
{
	struct stream *s = *state;
	struct json_object *leak;
	struct lines l;

	stacked_begin(s, 1);
	for (__u64 i = 1; i <= 1003; i++)
		alloc_by(s, 0x10000 * i, BY_ADD);
	lines_open(&l, s);
	stream_close(s, &python, 1);
	lines_read(&l);
	leak = nth(&l, "leak", 0);
	assert_int_equal(get_number(leak, "buffers"), 1003);
	assert_int_equal(get_number(leak, "size"), 1003 * 12 * 1024);
	assert_int_equal(json_object_array_length(get(leak, "members")), 1000);
	assert_int_equal(get_number(leak, "members_left_out"), 3);
	lines_close(&l);
}

static void what_is_freed_oddly_names_who_freed_it_and_who_allocated_it(void **state)
{
	struct json_object *freed;
	struct stream *s = *state;
	struct object o;
	struct lines l;

	stacked_begin(s, 1);
	lines_open(&l, s);
	o = alloc_by(s, 0x10000, BY_ADD);
	stream_bulk(s, &python, TT_PROBE_DEALLOCATE_BUFFERS, HEAP);
	free_by(s, &o, BY_MATMUL);
	stream_tracked(s, &python, &o);
	stream_done(s, &python, &o);
	lines_read(&l);
	freed = nth(&l, "free", 0);
	assert_string_equal(get_string(freed, "class"), "bulk_freed");
	assert_int_equal(get_number(freed, "freed_by"), BY_MATMUL);
	assert_int_equal(get_number(freed, "stack_id"), BY_ADD);
	assert_int_equal(count_of(&l, "stack"), 2);
	lines_close(&l);
}

static void a_failed_allocation_says_by_what_code_and_who_holds_the_rest(void **state)
{
	struct object big = stream_object(0x90000, 0, 64ull << 30);
	struct json_object *failed, *held;
	struct stream *s = *state;
	struct lines l;

	stacked_begin(s, 1);
	lines_open(&l, s);
	alloc_by(s, 0x10000, BY_ADD);
	alloc_by(s, 0x20000, BY_ADD);
	alloc_by(s, 0x30000, BY_BINARY);
	big.status = TT_STATUS_REQUESTED;
	stream_space(s, &python, 512 << 20);
	free_by(s, &big, BY_MATMUL);
	lines_read(&l);
	failed = nth(&l, "alloc_failed", 0);
	assert_string_equal(get_string(failed, "op"), "ttnn::matmul");
	assert_int_equal(json_object_array_length(get(failed, "stack")), 7);
	assert_int_equal(json_object_array_length(get(failed, "held_by")), 2);
	held = json_object_array_get_idx(get(failed, "held_by"), 0);
	assert_int_equal(get_number(held, "stack_id"), BY_ADD);
	assert_int_equal(get_number(held, "buffers"), 2);
	assert_int_equal(get_number(held, "per_bank"), 2 * 1024);
	held = json_object_array_get_idx(get(failed, "held_by"), 1);
	assert_string_equal(get_string(held, "owner"), "kernel_binary");
	lines_close(&l);
}

static void the_report_has_a_line_for_each_site(void **state)
{
	struct stream *s = *state;
	struct json_object *site, *device;
	struct object o;
	struct lines l;

	stacked_begin(s, 2);
	alloc_by(s, 0x10000, BY_ADD);
	o = alloc_by(s, 0x20000, BY_MATMUL);
	stream_release(s, &python, &o);
	lines_open(&l, s);
	write_report(s, &l);
	lines_read(&l);
	assert_int_equal(count_of(&l, "stack"), 2);
	assert_int_equal(count_of(&l, "site"), 2);
	site = nth(&l, "site", 1);
	assert_int_equal(get_number(site, "stack_id"), BY_MATMUL);
	assert_string_equal(get_string(site, "type"), "DRAM");
	assert_int_equal(get_number(site, "live"), 0);
	assert_int_equal(get_number(site, "at_peak"), 12 * 1024);
	assert_int_equal(get_number(site, "allocations"), 1);
	assert_int_equal(get_number(site, "temporary"), 1);
	assert_string_equal(get_string(l.at[l.count - 1], "event"), "summary");
	device = json_object_array_get_idx(
		get(json_object_array_get_idx(get(l.at[l.count - 1], "processes"), 0), "devices"),
		0);
	assert_int_equal(get_number(get(get(device, "owners"), "tensor"), "allocations"), 2);
	assert_int_equal(get_number(get(get(device, "owners"), "tensor"), "live_buffers"), 1);
	lines_close(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		stream_test(a_stack_is_told_once_before_the_first_line_that_names_it),
		stream_test(leaks_of_one_stack_are_one_line_with_the_buffers_in_it),
		stream_test(leaks_whose_stack_is_not_known_are_told_one_by_one),
		stream_test(leaks_for_another_reason_are_another_group),
		stream_test(a_group_of_very_many_tells_how_many_it_leaves_out),
		stream_test(what_is_freed_oddly_names_who_freed_it_and_who_allocated_it),
		stream_test(a_failed_allocation_says_by_what_code_and_who_holds_the_rest),
		stream_test(the_report_has_a_line_for_each_site),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
