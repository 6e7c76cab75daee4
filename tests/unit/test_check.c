// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* What `tttrace --check` prints of a library, here of one made up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "lib/cleanup.h"
#include "report/check.h"

static char hostile_path[] = "/lib/a\033b.so";
static char hostile[] = "tt::tt_metal::Buffer::\033[2Jcreate(int)\n";

/* A library in which all is missing but one probe and one field. */
enum {
	TS_NS = 1234567
};

static struct library *make_library(struct library_probe *probe)
{
	static struct library lib;

	lib = (struct library){
		.name = hostile_path, .probes = probe, .num_probes = 1, .generation = 3
	};
	*probe = (struct library_probe){
		.probe = TT_PROBE_BUFFER_CREATE,
		.symbol = hostile,
		.name = hostile,
		.insn_offset = 4,
		.insn = "push rbp",
		.emulated = true,
	};
	for (int i = 0; i < TT_PROBE_COUNT; i++)
		lib.probe_state[i] = i == TT_PROBE_BUFFER_CREATE ? PROBE_FOUND : PROBE_MISSING;
	lib.probe_state[TT_PROBE_MESH_CLOSE] = PROBE_COVERED;
	lib.probe_state[TT_PROBE_CLEAR] = PROBE_AMBIGUOUS;
	lib.fields[TT_FIELD_SIZE].found = true;
	memset(lib.fields[TT_FIELD_SIZE].how, 'x', sizeof(lib.fields[0].how) - 1);
	lib.layout.field[TT_FIELD_SIZE] = (struct tt_path){ .len = 2, .off = { 16, 8 } };
	return &lib;
}

static char *print(bool json)
{
	struct library_probe probe;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(check__library(out, json, TS_NS, make_library(&probe)), 0);
	fclose(out);
	return text;
}

static void text_holds_no_control_characters(void **state)
{
	_cleanup_free_ char *text = print(false);

	(void)state;
	for (const char *c = text; *c; c++)
		assert_true(*c == '\n' || (unsigned char)*c >= ' ');
}

static void text_says_what_is_found_and_what_is_lost(void **state)
{
	_cleanup_free_ char *text = print(false);

	(void)state;
	assert_non_null(strstr(text, "10 8 "));
	assert_non_null(strstr(text, "emulated"));
	assert_non_null(strstr(text, "nothing works"));
	assert_non_null(strstr(text, "(several functions fit)"));
	assert_null(strstr(text, "a close by the program")); /* covered: nothing is lost */
}

static void text_fits_100_columns(void **state)
{
	_cleanup_free_ char *text = print(false);
	char *rest = text, *line;

	(void)state;
	while ((line = strsep(&rest, "\n")))
		if (!strstr(line, "xxx")) /* a word that is longer */
			assert_true(strlen(line) <= 100);
}

static void every_line_of_json_is_an_object_of_the_check(void **state)
{
	_cleanup_free_ char *text = print(true);
	char *rest = text, *line;
	int lines = 0;

	(void)state;
	for (; (line = strsep(&rest, "\n")) && *line; lines++) {
		struct json_object *object = json_tokener_parse(line);

		assert_non_null(object);
		assert_string_equal(json_object_get_string(json_object_object_get(object, "event")),
				    "check");
		assert_non_null(json_object_object_get(object, "item"));
		assert_int_equal(json_object_get_int64(json_object_object_get(object, "ts_ns")),
				 TS_NS);
		json_object_put(object);
	}
	/* the library, each probe's symbol, the fields, and the one probe */
	assert_int_equal(lines, 1 + TT_PROBE_COUNT + TT_FIELD_COUNT + 1);
}

static void json_gives_paths_as_numbers(void **state)
{
	_cleanup_free_ char *text = print(true);

	(void)state;
	assert_non_null(strstr(text, "\"name\":\"size_\",\"found\":true,\"path\":[16,8]"));
	assert_non_null(strstr(text, "\"name\":\"id_\",\"found\":false,\"path\":[]"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_holds_no_control_characters),
		cmocka_unit_test(text_says_what_is_found_and_what_is_lost),
		cmocka_unit_test(text_fits_100_columns),
		cmocka_unit_test(every_line_of_json_is_an_object_of_the_check),
		cmocka_unit_test(json_gives_paths_as_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
