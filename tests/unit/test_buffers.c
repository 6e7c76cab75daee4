// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The slab of buffers, its lists and its index; and sums of usage. */
#include "stream.h"

#include "core/buffers.h"
#include "core/usage.h"

static void entries_are_zeroed_even_when_used_again(void **state)
{
	struct buffers b;
	__u32 nr, again;

	(void)state;
	buffers__init(&b);
	assert_int_equal(buffers__take(&b, &nr), 0);
	memset(buffers__at(&b, nr), 0xff, sizeof(struct buffer));
	buffers__release(&b, nr);
	assert_int_equal(buffers__take(&b, &again), 0);
	assert_int_equal(nr, again);
	assert_int_equal(buffers__at(&b, nr)->size, 0);
	assert_int_equal(buffers__at(&b, nr)->flags, 0);
	buffers__done(&b);
}

static void entries_stay_where_they_are_while_the_table_grows(void **state)
{
	enum {
		COUNT = 3 * BUFFERS_PER_CHUNK
	};
	struct buffer *first;
	struct buffers b;
	__u32 nr;

	(void)state;
	buffers__init(&b);
	assert_int_equal(buffers__take(&b, &nr), 0);
	first = buffers__at(&b, nr);
	for (__u32 i = 1; i < COUNT; i++) {
		__u32 other;

		assert_int_equal(buffers__take(&b, &other), 0);
		assert_int_not_equal(other, nr);
	}
	assert_ptr_equal(buffers__at(&b, nr), first);
	assert_int_equal(b.num_used, COUNT);
	assert_int_equal(b.num_chunks, 3);
	buffers__done(&b);
}

static void a_list_keeps_its_order_when_head_middle_and_tail_go(void **state)
{
	struct buffer_list list;
	struct buffers b;
	__u32 nr[5];

	(void)state;
	buffers__init(&b);
	buffer_list__init(&list);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(buffers__take(&b, &nr[i]), 0);
		buffer_list__append(&list, &b, nr[i]);
	}
	buffer_list__remove(&list, &b, nr[0]);
	buffer_list__remove(&list, &b, nr[2]);
	buffer_list__remove(&list, &b, nr[4]);
	assert_int_equal(list.head, nr[1]);
	assert_int_equal(buffers__at(&b, nr[1])->next, nr[3]);
	assert_int_equal(list.tail, nr[3]);
	assert_int_equal(list.count, 2);
	buffer_list__remove(&list, &b, nr[1]);
	buffer_list__remove(&list, &b, nr[3]);
	assert_int_equal(list.head, BUFFER_NONE);
	assert_int_equal(list.tail, BUFFER_NONE);
	buffers__done(&b);
}

static void the_index_finds_replaces_and_forgets(void **state)
{
	struct buffer_index index = { 0 };

	(void)state;
	assert_int_equal(buffer_index__find(&index, 0), BUFFER_NONE);
	assert_int_equal(buffer_index__put(&index, 0, 0), 0);
	assert_int_equal(buffer_index__put(&index, ~0ull, 7), 0);
	assert_int_equal(buffer_index__find(&index, 0), 0);
	assert_int_equal(buffer_index__find(&index, ~0ull), 7);
	assert_int_equal(buffer_index__put(&index, ~0ull, 8), 0);
	assert_int_equal(buffer_index__find(&index, ~0ull), 8);
	buffer_index__remove(&index, ~0ull);
	buffer_index__remove(&index, 12345);
	assert_int_equal(buffer_index__find(&index, ~0ull), BUFFER_NONE);
	buffer_index__done(&index);
	assert_int_equal(buffer_index__find(&index, 0), BUFFER_NONE);
}

static void the_peak_of_the_sum_is_not_the_sum_of_the_peaks(void **state)
{
	struct usage usage = { 0 };

	(void)state;
	usage__add(&usage, TT_TYPE_DRAM, 100, 90);
	usage__sub(&usage, TT_TYPE_DRAM, 100, 90);
	usage__add(&usage, TT_TYPE_L1, 60, 50);
	assert_int_equal(usage.type[TT_TYPE_DRAM].peak, 100);
	assert_int_equal(usage.type[TT_TYPE_DRAM].live, 0);
	assert_int_equal(usage.type[TT_TYPE_L1].peak, 60);
	assert_int_equal(usage.sum.peak, 100);
	assert_int_equal(usage.sum.peak_size, 90);
	assert_int_equal(usage.sum.live, 60);
	assert_int_equal(usage.sum.buffers, 1);
}

static void memory_of_an_unknown_type_is_in_the_sum_only(void **state)
{
	struct usage usage = { 0 };

	(void)state;
	usage__add(&usage, TT_TYPE_COUNT, 100, 90);
	for (int i = 0; i < TT_TYPE_COUNT; i++)
		assert_int_equal(usage.type[i].peak_buffers, 0);
	assert_int_equal(usage.sum.live, 100);
	usage__sub(&usage, TT_TYPE_COUNT, 100, 90);
	assert_int_equal(usage.sum.buffers, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_are_zeroed_even_when_used_again),
		cmocka_unit_test(entries_stay_where_they_are_while_the_table_grows),
		cmocka_unit_test(a_list_keeps_its_order_when_head_middle_and_tail_go),
		cmocka_unit_test(the_index_finds_replaces_and_forgets),
		cmocka_unit_test(the_peak_of_the_sum_is_not_the_sum_of_the_peaks),
		cmocka_unit_test(memory_of_an_unknown_type_is_in_the_sum_only),
	};

	return cmocka_run_group_tests_name("buffers", tests, NULL, NULL);
}
