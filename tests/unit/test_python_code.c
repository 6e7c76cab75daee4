// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Copies of code objects of Python: what is in them, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stack/python_code.h"
#include "stack/python_version.h"

enum {
	PRINT = 77,
	NAME_AT = 0x10000, /* where these were in the process */
	FILE_AT = 0x20000,
	LINES_AT = 0x30000,
	FIRST_LINE = 40,
	LINES_MAX = 64,
};

/* A copy of a function of CPython 3.12, with a table of one line for all of its instructions. */
struct copy {
	struct tt_record_python_code rec;
	__u8 lines[LINES_MAX];
};

static struct python python(void)
{
	struct python known = { .major = 3, .minor = 12 };

	known.version = python_version__find(3, 12);
	assert_non_null(known.version);
	return known;
}

static void put_word(__u8 *object, __u16 at, __u64 word)
{
	memcpy(object + at, &word, sizeof(word));
}

/* A str of ASCII; returns its size. */
static __u32 put_text(const struct python *known, __u8 *object, const char *text)
{
	put_word(object, 16, strlen(text));
	put_word(object, 32, 1 << 2 | 1 << 5 | 1 << 6); /* of one byte each, compact, ASCII */
	memcpy(object + known->version->ascii, text, strlen(text));
	return TT_PYTHON_TEXT_HEAD + (__u32)strlen(text);
}

static void make(struct copy *copy)
{
	/* PY_CODE_LOCATION_INFO_NONE would be 15: this is NO_COLUMNS (13), 8 units, 2 lines on */
	static const __u8 table[] = { 0x80 | 13 << 3 | 7, 2 << 1 };
	struct python known = python();

	memset(copy, 0, sizeof(*copy));
	copy->rec.print = PRINT;
	put_word(copy->rec.code, known.version->name, NAME_AT);
	put_word(copy->rec.code, known.version->file, FILE_AT);
	put_word(copy->rec.code, known.version->lines, LINES_AT);
	put_word(copy->rec.code, known.version->first_line, FIRST_LINE);
	copy->rec.name_size = put_text(&known, copy->rec.name, "Model.forward");
	copy->rec.file_size = put_text(&known, copy->rec.file, "/home/me/model.py");
	put_word(copy->lines, TT_PYTHON_BYTES_LENGTH, sizeof(table));
	memcpy(copy->lines + TT_PYTHON_BYTES_DATA, table, sizeof(table));
	copy->rec.lines_size = TT_PYTHON_BYTES_DATA + sizeof(table);
}

static struct tt_python_frame frame_at(__u64 offset)
{
	struct python known = python();

	return (struct tt_python_frame){
		.code = 0x5000,
		.instruction = 0x5000 + known.version->first_instruction + offset,
		.print = PRINT,
	};
}

static void a_copy_tells_what_a_frame_is_of_when_the_process_is_gone(void **state)
{
	struct python_codes codes = {};
	struct python known = python();
	struct tt_python_frame frame = frame_at(4);
	struct python_place place;
	struct copy copy;

	(void)state;
	make(&copy);
	assert_int_equal(python_codes__add(&known, &codes, &copy.rec), 0);
	assert_int_equal(python__place(&known, &codes, NULL, &frame, &place), 0);
	assert_string_equal(place.function, "Model.forward");
	assert_string_equal(place.file, "/home/me/model.py");
	assert_int_equal(place.line, FIRST_LINE + 2);
	/* once more: it is known */
	assert_int_equal(python_codes__add(&known, &codes, &copy.rec), 0);
	python_codes__done(&codes);
}

static void what_was_not_copied_is_not_known_and_nothing_is_invented(void **state)
{
	struct python_codes codes = {};
	struct python known = python();
	struct tt_python_frame frame = frame_at(4);
	struct python_place place;
	struct copy copy;

	(void)state;
	assert_int_equal(python__place(&known, &codes, NULL, &frame, &place), -ENODATA);
	make(&copy);
	copy.rec.lines_size = 0; /* it was too large */
	assert_int_not_equal(python_codes__add(&known, &codes, &copy.rec), 0);
	make(&copy);
	copy.rec.name_size = 0;
	assert_int_not_equal(python_codes__add(&known, &codes, &copy.rec), 0);
	assert_int_equal(python__place(&known, &codes, NULL, &frame, &place), -ENODATA);
	python_codes__done(&codes);
}

/* What a process has in its memory may be anything. */
static void sizes_that_lie_lead_nowhere(void **state)
{
	struct python_codes codes = {};
	struct python known = python();
	struct copy copy;

	(void)state;
	make(&copy);
	put_word(copy.rec.name, 16, ~0ull);
	assert_int_not_equal(python_codes__add(&known, &codes, &copy.rec), 0);
	make(&copy);
	put_word(copy.rec.file, 16, 1 << 20);
	assert_int_not_equal(python_codes__add(&known, &codes, &copy.rec), 0);
	make(&copy);
	put_word(copy.lines, TT_PYTHON_BYTES_LENGTH, 1 << 19);
	assert_int_not_equal(python_codes__add(&known, &codes, &copy.rec), 0);
	make(&copy);
	copy.rec.name_size = sizeof(copy.rec.name) + 1;
	assert_int_equal(python_codes__add(&known, &codes, &copy.rec), -EBADMSG);
	make(&copy);
	put_word(copy.rec.code, known.version->name, ~0ull - 8);
	assert_int_not_equal(python_codes__add(&known, &codes, &copy.rec), 0);
	assert_null(codes.table);
	python_codes__done(&codes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_tells_what_a_frame_is_of_when_the_process_is_gone),
		cmocka_unit_test(what_was_not_copied_is_not_known_and_nothing_is_invented),
		cmocka_unit_test(sizes_that_lie_lead_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
