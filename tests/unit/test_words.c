// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The small pieces of text that the sinks share. */
#include "stream.h"

#include "report/words.h"

static void chips_are_written_as_ranges(void **state)
{
	static const __u32 mixed[] = { 0, 1, 2, 3, 8, 10, 11 }, one[] = { 5 };
	struct event_device device = { .mesh_id = TT_NO_MESH };
	char buf[WORDS_PLACE_SIZE];

	(void)state;
	assert_string_equal(words__chips(buf, mixed, 7), "0-3,8,10-11");
	assert_string_equal(words__chips(buf, one, 1), "5");
	assert_string_equal(words__chips(buf, NULL, 0), "");
	assert_string_equal(words__place(buf, NULL), "an unknown device");
	assert_string_equal(words__place(buf, &device), "an unknown device");
	device.mesh_id = 4;
	assert_string_equal(words__place(buf, &device), "mesh 4 (chips unknown)");
	device.chips = mixed;
	device.num_chips = 4;
	device.chips_cut = true;
	assert_string_equal(words__place(buf, &device), "devices 0-3 and more");
}

static void the_worst_list_of_chips_fits(void **state)
{
	struct event_device device = { .num_chips = TT_MAX_CHIPS };
	char buf[WORDS_PLACE_SIZE];
	__u32 chips[TT_MAX_CHIPS];

	(void)state;
	for (__u32 i = 0; i < TT_MAX_CHIPS; i++)
		chips[i] = 4000000000u + 2 * i;
	device.chips = chips;
	words__place(buf, &device);
	assert_non_null(strstr(buf, ",4000000126"));
}

static void sizes_and_ages_are_rounded_for_people(void **state)
{
	char buf[WORDS_SIZE];

	(void)state;
	assert_string_equal(words__bytes(buf, 0), "0 B");
	assert_string_equal(words__bytes(buf, 1023), "1023 B");
	assert_string_equal(words__bytes(buf, 1536), "1.5 KiB");
	assert_string_equal(words__bytes(buf, 314572800), "300.0 MiB");
	assert_string_equal(words__bytes(buf, ~0ull), "16.0 EiB");
	assert_string_equal(words__age(buf, 999999999), "999 ms");
	assert_string_equal(words__age(buf, 12345678901), "12.3 s");
	assert_string_equal(words__age(buf, 245 * SECOND), "4 min 05 s");
	assert_string_equal(words__age(buf, 10920 * SECOND), "3 h 02 min");
	assert_string_equal(words__least_age(buf, 245 * SECOND, false), "4 min 05 s");
	assert_string_equal(words__least_age(buf, 245 * SECOND, true), "> 4 min 05 s");
	assert_string_equal(words__least_age(buf, 0, true), "?");
	assert_string_equal(words__size_class(buf, 0), "0-1 B");
	assert_string_equal(words__size_class(buf, 1), "1-2 B");
	assert_string_equal(words__size_class(buf, 11), "1-2 KiB");
	assert_string_equal(words__size_class(buf, 10), "512-1024 B");
	assert_string_equal(words__size_class(buf, 27), "64-128 MiB");
	assert_string_equal(words__size_class(buf, 64), "8-16 EiB");
}

static void names_are_cleaned_of_what_a_terminal_would_obey(void **state)
{
	static const char *const obeyed[] = {
		"\xc2\x85", "\xc2\x9b", "\u061c", "\u200e", "\u200f",
		"\u2028",   "\u2029",	"\u202a", "\u2066", "\u2069"
	};
	char buf[64], small[5];

	(void)state;
	assert_string_equal(words__clean(buf, sizeof(buf), "python"), "python");
	assert_string_equal(words__clean(buf, sizeof(buf), "a\x1b[31mb\n"), "a\ufffd[31mb\ufffd");
	assert_string_equal(words__clean(buf, sizeof(buf), "\xff\xfe"), "\ufffd\ufffd");
	/* from right to left, and a line's end that is none of ASCII */
	assert_string_equal(words__clean(buf, sizeof(buf), "\u202e"), "\ufffd\ufffd\ufffd");
	for (size_t i = 0; i < sizeof(obeyed) / sizeof(obeyed[0]); i++)
		assert_memory_equal(words__clean(buf, sizeof(buf), obeyed[i]), "\ufffd", 3);
	assert_string_equal(words__clean(buf, sizeof(buf), "\u2027\u202f"), "\u2027\u202f");
	assert_string_equal(words__clean(buf, sizeof(buf), "caf\xc3\xa9"), "caf\xc3\xa9");
	assert_string_equal(words__clean(buf, sizeof(buf), "caf\xc3"), "caf\ufffd");
	assert_string_equal(words__clean(buf, sizeof(buf), "\xc0\xaf"), "\ufffd\ufffd");
	assert_string_equal(words__clean(buf, sizeof(buf), "\xed\xa0\x80"),
			    "\ufffd\ufffd\ufffd"); /* half of a surrogate pair */
	assert_string_equal(words__clean(buf, sizeof(buf), "\xf0\x9f\x90\x8d"), "\xf0\x9f\x90\x8d");
	assert_string_equal(words__clean(small, sizeof(small), "ab\xc3\xa9\xc3\xa9"), "ab\xc3\xa9");
	assert_string_equal(words__clean(small, sizeof(small), "abc\xc3\xa9"), "abc");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chips_are_written_as_ranges),
		cmocka_unit_test(the_worst_list_of_chips_fits),
		cmocka_unit_test(sizes_and_ages_are_rounded_for_people),
		cmocka_unit_test(names_are_cleaned_of_what_a_terminal_would_obey),
	};

	return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
