// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* What of the truth a user wants to see. */
#include "stream.h"

#include "core/filter.h"

static const __u32 chips_0_3[] = { 0, 1, 2, 3 };
static const struct event_device mesh = { .is_mesh = true, .num_chips = 4, .chips = chips_0_3 };
static const struct event_process python = { 1, 1, "python" };

static struct event alloc_event(const struct event_buffer *buffer)
{
	return (struct event){
		.kind = EVENT_ALLOC,
		.process = &python,
		.device = &mesh,
		.buffer = buffer,
	};
}

static void an_empty_filter_lets_everything_pass(void **state)
{
	struct event_buffer buffer = { .type = TT_TYPE_COUNT };
	struct event ev = alloc_event(&buffer);
	struct filter filter = { 0 };

	(void)state;
	assert_true(filter__event(&filter, &ev));
	ev.device = NULL;
	assert_true(filter__event(&filter, &ev));
	assert_true(filter__age(&filter, 0));
}

static void a_mesh_passes_if_one_of_its_chips_does(void **state)
{
	static const __u32 two_and_nine[] = { 9, 2 }, nine[] = { 9 };
	struct filter filter = { .chips = two_and_nine, .num_chips = 2 };

	(void)state;
	assert_true(filter__device(&filter, &mesh));
	filter = (struct filter){ .chips = nine, .num_chips = 1 };
	assert_false(filter__device(&filter, &mesh));
	assert_false(filter__device(&filter, NULL));
}

static void types_and_sizes_are_limited_on_both_sides(void **state)
{
	struct filter filter = {
		.types = 1 << TT_TYPE_L1,
		.min_size = 10,
		.max_size = 20,
	};

	(void)state;
	assert_true(filter__buffer(&filter, TT_TYPE_L1, 10));
	assert_true(filter__buffer(&filter, TT_TYPE_L1, 20));
	assert_false(filter__buffer(&filter, TT_TYPE_L1, 9));
	assert_false(filter__buffer(&filter, TT_TYPE_L1, 21));
	assert_false(filter__buffer(&filter, TT_TYPE_DRAM, 15));
	assert_false(filter__buffer(&filter, TT_TYPE_COUNT, 15));
}

static void a_command_name_is_compared_as_far_as_the_kernel_keeps_it(void **state)
{
	struct filter filter = { .comm = "a-very-long-command-name" };

	(void)state;
	assert_true(filter__comm(&filter, "a-very-long-com"));
	assert_false(filter__comm(&filter, "a-very-long"));
	filter.comm = "python";
	assert_true(filter__comm(&filter, "python"));
	assert_false(filter__comm(&filter, "python3"));
}

static void events_that_are_of_no_buffer_are_not_hidden_by_type_or_size(void **state)
{
	struct filter filter = { .types = 1 << TT_TYPE_L1, .min_size = 10 };
	struct event ev = { .kind = EVENT_PROCESS_START, .process = &python };

	(void)state;
	assert_true(filter__event(&filter, &ev));
	ev = (struct event){ .kind = EVENT_LOST };
	filter.comm = "other";
	assert_true(filter__event(&filter, &ev));
}

static void each_part_of_a_filter_can_hide_an_event(void **state)
{
	static const __u32 nine[] = { 9 };
	struct event_buffer buffer = { .type = TT_TYPE_DRAM, .size = 100 };
	struct event ev = alloc_event(&buffer);
	struct filter filter = { .comm = "other" };

	(void)state;
	assert_false(filter__event(&filter, &ev));
	filter = (struct filter){ .chips = nine, .num_chips = 1 };
	assert_false(filter__event(&filter, &ev));
	filter = (struct filter){ .max_size = 99 };
	assert_false(filter__event(&filter, &ev));
	filter = (struct filter){ .min_age_ns = SECOND };
	assert_true(filter__event(&filter, &ev)); /* an allocation has no age … */
	ev.kind = EVENT_LEAK;			  /* … but a leak has */
	buffer.alloc_ts_ns = SECOND;
	ev.ts_ns = 2 * SECOND;
	assert_true(filter__event(&filter, &ev));
	ev.ts_ns--;
	assert_false(filter__event(&filter, &ev));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_filter_lets_everything_pass),
		cmocka_unit_test(a_mesh_passes_if_one_of_its_chips_does),
		cmocka_unit_test(types_and_sizes_are_limited_on_both_sides),
		cmocka_unit_test(a_command_name_is_compared_as_far_as_the_kernel_keeps_it),
		cmocka_unit_test(events_that_are_of_no_buffer_are_not_hidden_by_type_or_size),
		cmocka_unit_test(each_part_of_a_filter_can_hide_an_event),
	};

	return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
