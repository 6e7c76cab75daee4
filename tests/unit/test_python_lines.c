// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The tables of lines of CPython. Those here were made by CPython 3.10.13 and 3.12.1 from the same
 * function, and the lines are what its code object's co_lines() says of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "stack/python_lines.h"

/* Instructions from the end of the range before it on; 0: they have no line. */
struct range {
	__u64 end;
	__u32 line;
};

static const __u8 table_310[] = {
	0x04, 0x01, 0x06, 0x02, 0x02, 0x01, 0x06, 0xff, 0x02, 0x03, 0x04, 0x01, 0x02, 0x01,
	0x06, 0xff, 0x00, 0x7f, 0x00, 0x7f, 0x04, 0x32, 0x00, 0x81, 0x00, 0x81, 0x0c, 0xd0,
	0x02, 0x01, 0x00, 0x7f, 0x00, 0x7f, 0x04, 0x2f, 0x00, 0x81, 0x00, 0x81, 0x02, 0xd0,
};
static const struct range lines_310[] = {
	{ 4, 2 },  { 10, 4 },	{ 12, 5 },  { 18, 4 },	{ 20, 7 },   { 24, 8 },	 { 26, 9 },
	{ 32, 8 }, { 36, 312 }, { 48, 10 }, { 50, 11 }, { 54, 312 }, { 56, 10 },
};

static const __u8 table_312[] = {
	0x80, 0x00, 0xd9, 0x07, 0x08, 0xf0, 0x06, 0x00, 0x1a, 0x1b, 0xf6, 0x03, 0x02, 0x10,
	0x16, 0xd8, 0x14, 0x15, 0xd9, 0x13, 0x14, 0xf2, 0x05, 0x00, 0x11, 0x12, 0xf2, 0x00,
	0x02, 0x10, 0x16, 0xf0, 0x00, 0x02, 0x09, 0x16, 0xf0, 0x06, 0x04, 0x05, 0x0d, 0xdc,
	0x08, 0x09, 0x88, 0x21, 0xdc, 0x0a, 0x0b, 0xf4, 0x03, 0x01, 0x09, 0x0d, 0xf0, 0x60,
	0x09, 0x00, 0x0c, 0x0d, 0xf9, 0xf2, 0x69, 0x09, 0x02, 0x10, 0x16, 0xf8, 0xf4, 0x0c,
	0x00, 0x0c, 0x16, 0xf2, 0x00, 0x01, 0x05, 0x0d, 0xd8, 0x08, 0x0c, 0xf0, 0x5a, 0x09,
	0x00, 0x0c, 0x0d, 0xf0, 0x5d, 0x09, 0x01, 0x05, 0x0d, 0xfa,
};
static const struct range lines_312[] = {
	{ 2, 1 },  { 6, 2 },	{ 8, 5 },    { 22, 4 },	   { 24, 5 },	{ 28, 6 },  { 42, 4 },
	{ 44, 7 }, { 56, 8 },	{ 66, 9 },   { 76, 8 },	   { 78, 312 }, { 82, 0 },  { 88, 4 },
	{ 90, 0 }, { 106, 10 }, { 108, 11 }, { 110, 312 }, { 112, 10 }, { 118, 0 },
};

typedef __u32 (*lines_fn)(const __u8 *table, size_t size, __u32 first, __u64 offset);

static void compare(lines_fn line_of, const __u8 *table, size_t size, const struct range *ranges,
		    size_t count)
{
	__u32 before = 1;
	__u64 offset = 0;

	for (size_t i = 0; i < count; i++) {
		__u32 line = ranges[i].line ? ranges[i].line : before;

		for (; offset < ranges[i].end; offset += 2)
			assert_int_equal(line_of(table, size, 1, offset), line);
		before = line;
	}
	/* the first line is only where it begins */
	assert_int_equal(line_of(table, size, 1001, 0), ranges[0].line + 1000);
}

static void each_instruction_of_3_10_has_its_line(void **state)
{
	(void)state;
	compare(python_lines__of_310, table_310, sizeof(table_310), lines_310,
		sizeof(lines_310) / sizeof(lines_310[0]));
}

static void each_instruction_of_3_11_and_later_has_its_line(void **state)
{
	(void)state;
	compare(python_lines__of_311, table_312, sizeof(table_312), lines_312,
		sizeof(lines_312) / sizeof(lines_312[0]));
}

/* Whatever the bytes are, it comes to an end within them. */
static void tables_that_are_cut_or_none_are_no_danger(void **state)
{
	__u8 noise[64];

	(void)state;
	assert_int_equal(python_lines__of_310(NULL, 0, 7, 100), 7);
	assert_int_equal(python_lines__of_311(NULL, 0, 7, 100), 7);
	for (size_t size = 0; size < sizeof(table_312); size++)
		python_lines__of_311(table_312, size, 1, ~0ull);
	for (int seed = 0; seed < 256; seed++) {
		for (size_t i = 0; i < sizeof(noise); i++)
			noise[i] = (__u8)(seed * 31 + i * seed);
		python_lines__of_310(noise, sizeof(noise), 1, ~0ull);
		python_lines__of_311(noise, sizeof(noise), 1, ~0ull);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_instruction_of_3_10_has_its_line),
		cmocka_unit_test(each_instruction_of_3_11_and_later_has_its_line),
		cmocka_unit_test(tables_that_are_cut_or_none_are_no_danger),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
