// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * What is known of a version of CPython, against what its interpreters say of themselves: the first
 * words of _PyRuntime, as they stand in the files of Debian's 3.14.10, and of 3.13.0.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "stack/python.h"
#include "stack/python_version.h"

enum {
	COOKIE,
	FREE_THREADED = 2,
	COMPARED = 15, /* words that have to be as they are known */
};

#define XDEBUGPY 0x7970677562656478

static const __u64 own_of_313[PYTHON_OWN_WORDS] = {
	XDEBUGPY, 0x30d00f0, 0,	   283320, 608,	 632,  194968, 7272, 7264, 7344, 7400, 7656, 7640,
	7648,	  16,	     7752, 0,	   7768, 7760, 304,    0,    8,	   16,	 72,   152,  160,
	232,	  32,	     80,   8,	   0,	 56,   72,     70,   208,  112,	 120,  128,  136,
	68,	  52,	     96,   104,	   200,	 16,   8,      416,  24,   88,	 168,  32,   24,
	16,	  40,	     24,   16,	   48,	 32,   40,     24,   16,   32,	 16,   24,   40,
	16,	  32,	     64,   32,	   16,	 40,   240,    200,
};

static const __u64 own_of_314[PYTHON_OWN_WORDS] = {
	XDEBUGPY, 0x30e0af0, 0,	   316616, 784,	 808, 225864, 7280, 7272, 7344, 7360, 7408,
	7688,	  7672,	     7680, 16,	   7784, 0,   7800,   7792, 7992, 0,	832,  0,
	8,	  16,	     72,   152,	   160,	 232, 32,     88,   8,	  0,	56,   80,
	74,	  64,	     0,	   216,	   112,	 120, 128,    136,  68,	  52,	96,   104,
	208,	  0,	     16,   8,	   416,	 24,  88,     168,  40,	  32,	16,   40,
	24,	  16,	     200,  24,	   40,	 32,  48,     32,   40,	  24,	16,   32,
	16,	  24,	     40,   16,	   32,	 64,  32,     16,   40,
};

/* Of how many of @own is it noticed that it is another? */
static int count_compared(const struct python_version *version, const __u64 *own)
{
	__u64 other[PYTHON_OWN_WORDS];
	int count = 0;

	for (size_t i = 0; i < PYTHON_OWN_WORDS; i++) {
		memcpy(other, own, sizeof(other));
		other[i] += 8;
		count += !python_version__agrees(version, other);
	}
	return count;
}

static void what_is_known_is_what_the_interpreter_says(void **state)
{
	(void)state;
	assert_true(python_version__agrees(python_version__find(3, 13), own_of_313));
	assert_true(python_version__agrees(python_version__find(3, 14), own_of_314));
	assert_false(python_version__agrees(python_version__find(3, 13), own_of_314));
	assert_false(python_version__agrees(python_version__find(3, 14), own_of_313));
}

static void one_that_keeps_anything_elsewhere_is_not_taken_for_it(void **state)
{
	(void)state;
	assert_int_equal(count_compared(python_version__find(3, 13), own_of_313), COMPARED);
	assert_int_equal(count_compared(python_version__find(3, 14), own_of_314), COMPARED);
}

static void an_interpreter_without_the_gil_is_noticed(void **state)
{
	__u64 own[PYTHON_OWN_WORDS];

	(void)state;
	memcpy(own, own_of_314, sizeof(own));
	assert_false(python_version__is_free_threaded(own));
	own[FREE_THREADED] = 1;
	assert_true(python_version__is_free_threaded(own));
	assert_false(python_version__agrees(python_version__find(3, 14), own));
	/* what does not begin with the cookie says nothing */
	own[COOKIE]++;
	assert_false(python_version__is_free_threaded(own));
}

static void a_version_that_is_not_in_the_table_is_not_known(void **state)
{
	(void)state;
	assert_null(python_version__find(3, 9));
	assert_null(python_version__find(3, 15));
	assert_null(python_version__find(4, 14));
}

static enum python_step step_of(unsigned int minor, __u64 owner)
{
	struct python python = { .major = 3, .minor = minor };
	struct tt_python_frame frame = { .instruction = owner << TT_PYTHON_OWNER_SHIFT | 0x1000 };

	return python__step(&python, &frame);
}

/* enum _frameowner: of a thread, a generator, a frame object; then those that are none of Python */
static void a_call_of_the_loop_ends_where_a_frame_is_none_of_python(void **state)
{
	(void)state;
	for (__u64 owner = 0; owner < 3; owner++)
		assert_int_equal(step_of(14, owner), PYTHON_SAME);
	assert_int_equal(step_of(13, 3), PYTHON_NONE);
	assert_int_equal(step_of(14, 3), PYTHON_NONE);
	assert_int_equal(step_of(14, 4), PYTHON_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_known_is_what_the_interpreter_says),
		cmocka_unit_test(one_that_keeps_anything_elsewhere_is_not_taken_for_it),
		cmocka_unit_test(an_interpreter_without_the_gil_is_noticed),
		cmocka_unit_test(a_version_that_is_not_in_the_table_is_not_known),
		cmocka_unit_test(a_call_of_the_loop_ends_where_a_frame_is_none_of_python),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
