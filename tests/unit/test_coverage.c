// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Ranges that overlap: each byte counts once, held against an array of bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/coverage.h"

enum {
	SPACE = 200,
	RANGES = 40,
	STEPS = 20000,
};

static void nothing_overlaps(void **state)
{
	struct coverage c = { 0 };
	__u64 bytes;

	(void)state;
	assert_int_equal(coverage__add(&c, 100, 200, &bytes), 0);
	assert_int_equal(bytes, 100);
	assert_int_equal(coverage__add(&c, 200, 250, &bytes), 0);
	assert_int_equal(bytes, 50);
	assert_int_equal(coverage__remove(&c, 100, 200, &bytes), 0);
	assert_int_equal(bytes, 100);
	assert_int_equal(coverage__remove(&c, 200, 250, &bytes), 0);
	assert_int_equal(bytes, 50);
	assert_null(c.depths);
}

static void what_two_have_in_common_counts_once_until_both_are_gone(void **state)
{
	struct coverage c = { 0 };
	__u64 bytes;

	(void)state;
	coverage__add(&c, 100, 200, &bytes);
	coverage__add(&c, 150, 260, &bytes);
	assert_int_equal(bytes, 60);
	coverage__remove(&c, 100, 200, &bytes);
	assert_int_equal(bytes, 50);
	coverage__remove(&c, 150, 260, &bytes);
	assert_int_equal(bytes, 110);
	assert_null(c.depths);
}

static void an_empty_range_is_none(void **state)
{
	struct coverage c = { 0 };
	__u64 bytes = 1;

	(void)state;
	assert_int_equal(coverage__add(&c, 100, 100, &bytes), 0);
	assert_int_equal(bytes, 0);
	assert_null(c.depths);
}

static __u64 count(const unsigned int *depths, __u64 from, __u64 to, unsigned int depth)
{
	__u64 bytes = 0;

	for (; from < to; from++)
		bytes += depths[from] == depth;
	return bytes;
}

static void any_ranges_in_any_order(void **state)
{
	__u64 from[RANGES], to[RANGES], bytes;
	unsigned int depths[SPACE] = { 0 };
	bool there[RANGES] = { false };
	struct coverage c = { 0 };

	(void)state;
	srand(14);
	for (int step = 0; step < STEPS; step++) {
		int i = rand() % RANGES;

		if (!there[i]) {
			from[i] = rand() % (SPACE - 1);
			to[i] = from[i] + rand() % (SPACE - from[i]);
			assert_int_equal(coverage__add(&c, from[i], to[i], &bytes), 0);
			assert_int_equal(bytes, count(depths, from[i], to[i], 0));
		} else {
			assert_int_equal(coverage__remove(&c, from[i], to[i], &bytes), 0);
			assert_int_equal(bytes, count(depths, from[i], to[i], 1));
		}
		for (__u64 at = from[i]; at < to[i]; at++)
			depths[at] += there[i] ? -1 : 1;
		there[i] = !there[i];
	}
	coverage__done(&c);
	assert_null(c.depths);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_overlaps),
		cmocka_unit_test(what_two_have_in_common_counts_once_until_both_are_gone),
		cmocka_unit_test(an_empty_range_is_none),
		cmocka_unit_test(any_ranges_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
