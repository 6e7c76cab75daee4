// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Reading a result: whatever is in the file, it is read or refused, and nothing falls over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "result.h"

enum {
	TIMES = 5000
};

static const char whole[] =
	"{\"event\":\"process_start\",\"ts_ns\":1,\"pid\":7,\"tid\":7,\"comm\":\"python\"}\n"
	"{\"event\":\"stack\",\"ts_ns\":1,\"stack_id\":7,\"stack_end\":\"complete\",\"op\":\"ttnn::add\","
	"\"owner\":\"tensor\",\"stack\":[{\"function\":\"ttnn::add\",\"offset\":12,\"image\":\"/v/_ttnncpp.so\","
	"\"vaddr\":\"0x123\"},{\"image\":\"/v/b.so\",\"vaddr\":\"0xffffffffffffffff\"},"
	"{\"function\":\"forward\",\"file\":\"model.py\",\"line\":214}]}\n"
	"{\"event\":\"site\",\"ts_ns\":9,\"pid\":7,\"comm\":\"python\",\"mesh\":0,\"devices\":[0,1],"
	"\"type\":\"DRAM\",\"stack_id\":7,\"op\":\"ttnn::add\",\"owner\":\"tensor\",\"live\":1,"
	"\"live_buffers\":2,\"at_peak\":3,\"at_peak_buffers\":4,\"leaked\":5,\"leaked_buffers\":6,"
	"\"allocated\":7,\"allocations\":8,\"temporary\":9}\n"
	"{\"event\":\"site\",\"ts_ns\":9,\"pid\":7,\"type\":\"L1\",\"leaked\":1,\"leaked_buffers\":1}\n"
	"{\"event\":\"summary\",\"ts_ns\":10,\"interval\":false,\"coverage\":{\"complete\":true,"
	"\"stacks\":{\"complete\":1}}}\n";

static char path[] = "/tmp/tttrace-test-result-XXXXXX";
static int file;

static int set_up(void **state)
{
	(void)state;
	file = mkstemp(path);
	return file < 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(file);
	return unlink(path);
}

/* What it says is for the tests of the whole program. */
static int read_silently(const char *from, enum diff_side side, struct diff *diff)
{
	int err, saved = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);

	assert_int_equal(dup2(null, STDERR_FILENO), STDERR_FILENO);
	err = result__read(from, side, diff);
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	close(null);
	close(saved);
	return err;
}

static int read_into(struct diff *diff, const char *text, size_t size)
{
	assert_int_equal(ftruncate(file, 0), 0);
	assert_int_equal(pwrite(file, text, size, 0), size);
	return read_silently(path, DIFF_NEW, diff);
}

static int read_bytes(const char *text, size_t size)
{
	struct diff *diff;
	int err;

	assert_int_equal(diff__new(&diff), 0);
	err = read_into(diff, text, size);
	diff__free(diff);
	return err;
}

static int read_text(const char *text)
{
	return read_bytes(text, strlen(text));
}

/* @line between what a result has before and behind. */
static int read_line(const char *line)
{
	char *text;
	int err;

	assert_true(asprintf(&text,
			     "{\"event\":\"stack\",\"stack_id\":1,\"stack\":[]}\n%s\n"
			     "{\"event\":\"summary\",\"coverage\":{\"stacks\":{}}}\n",
			     line) > 0);
	err = read_text(text);
	free(text);
	return err;
}

static void sites_come_with_all_they_say(void **state)
{
	const struct diff_group *group;
	const struct event_frame *frame;
	struct diff_view *view;
	struct diff *diff;

	(void)state;
	assert_int_equal(diff__new(&diff), 0);
	assert_int_equal(read_into(diff, whole, strlen(whole)), 0);
	assert_int_equal(diff__view(diff, DIFF_LEAKED, &view), 0);
	assert_int_equal(view->num_groups, 2);
	group = view->groups[0];
	assert_int_equal(group->type, TT_TYPE_DRAM);
	assert_string_equal(group->op->op, "ttnn::add");
	assert_string_equal(group->op->owner, "tensor");
	for (int i = 0; i < DIFF_MEASURE_COUNT; i++) {
		static const struct diff_sum sums[] = { { 10, 6 }, { 2, 2 }, { 6, 4 }, { 14, 8 } };

		assert_int_equal(group->sums[DIFF_NEW].of[i].bytes, sums[i].bytes);
		assert_int_equal(group->sums[DIFF_NEW].of[i].buffers, sums[i].buffers);
	}
	assert_int_equal(group->stack->num_frames, 3);
	frame = group->stack->frames[0];
	assert_string_equal(frame->function, "ttnn::add");
	assert_string_equal(frame->image, "/v/_ttnncpp.so");
	assert_int_equal(frame->offset, 12);
	assert_int_equal(frame->vaddr, 0x123);
	assert_null(group->stack->frames[1]->function);
	assert_int_equal(group->stack->frames[2]->line, 214);
	assert_null(view->groups[1]->stack);
	assert_null(view->groups[1]->op->op);
	diff_view__free(view);
	diff__free(diff);
}

static void a_result_may_be_cut_anywhere_but_before_its_sites(void **state)
{
	const char *first = strstr(whole, "{\"event\":\"site\"");
	size_t with_site = (size_t)(strchr(first, '\n') - whole);

	(void)state;
	for (size_t size = 0; size <= strlen(whole); size++) {
		int err = read_bytes(whole, size);

		if (size < (size_t)(strchr(whole, '\n') - whole) && size)
			assert_int_equal(err, -EBADMSG);
		else
			assert_int_equal(err, size < with_site ? -ENODATA : 0);
	}
}

static void a_damaged_result_is_read_or_refused(void **state)
{
	static const char letters[] = "{}[]\":,0-9e.\\u\n\0\xff";
	char text[sizeof(whole)];

	(void)state;
	srand(1);
	for (int i = 0; i < TIMES; i++) {
		memcpy(text, whole, sizeof(whole));
		for (int j = rand() % 8; j >= 0; j--)
			text[rand() % strlen(whole)] = letters[rand() % (sizeof(letters) - 1)];
		read_bytes(text, rand() % sizeof(whole));
	}
}

static void what_is_no_result_is_refused(void **state)
{
	(void)state;
	assert_int_equal(read_text(""), -ENODATA);
	assert_int_equal(read_text("\n"), -ENODATA);
	assert_int_equal(read_text("hello"), -EBADMSG);
	assert_int_equal(read_text("hello\n"), -EBADMSG);
	assert_int_equal(read_text("1\n"), -EBADMSG);
	assert_int_equal(read_text("null\n"), -EBADMSG);
	assert_int_equal(read_text("[]\n"), -EBADMSG);
	assert_int_equal(read_text("{}\n"), -EBADMSG);
	assert_int_equal(read_text("{\"event\":1}\n"), -EBADMSG);
	assert_int_equal(read_text("{\n\"event\":\"site\"\n}\n"), -EBADMSG);
	assert_int_equal(read_bytes("\0\0\0\n", 4), -EBADMSG);
	assert_int_equal(read_bytes("{\"event\":\"site\"}\0\n", 18), -EBADMSG);
	assert_int_equal(read_silently("/nowhere/at/all", DIFF_OLD, NULL), -ENOENT);
	assert_int_equal(read_silently("/tmp", DIFF_OLD, NULL), -EISDIR);
}

static void wrong_values_are_refused(void **state)
{
	static const char *const lines[] = {
		"{\"event\":\"site\",\"leaked\":\"1\"}",
		"{\"event\":\"site\",\"leaked\":-1}",
		"{\"event\":\"site\",\"leaked\":1.5}",
		"{\"event\":\"site\",\"leaked\":9223372036854775807}",
		"{\"event\":\"site\",\"leaked\":99999999999999999999}",
		"{\"event\":\"site\",\"leaked\":9223372036854775806,\"devices\":[0,1]}",
		"{\"event\":\"site\",\"leaked\":[]}",
		"{\"event\":\"site\",\"devices\":{}}",
		"{\"event\":\"site\",\"type\":{}}",
		"{\"event\":\"site\",\"op\":7}",
		"{\"event\":\"site\",\"owner\":[]}",
		"{\"event\":\"site\",\"stack_id\":\"1\"}",
		"{\"event\":\"site\",\"stack_id\":2}",
		"{\"event\":\"stack\"}",
		"{\"event\":\"stack\",\"stack_id\":2}",
		"{\"event\":\"stack\",\"stack\":[]}",
		"{\"event\":\"stack\",\"stack_id\":1,\"stack\":[]}",
		"{\"event\":\"stack\",\"stack_id\":2,\"stack\":[1]}",
		"{\"event\":\"stack\",\"stack_id\":2,\"stack\":[null]}",
		"{\"event\":\"stack\",\"stack_id\":2,\"stack\":[{}]}",
		"{\"event\":\"stack\",\"stack_id\":2,\"stack\":[{\"function\":\"a\"}]}",
		"{\"event\":\"stack\",\"stack_id\":2,\"stack\":[{\"image\":7}]}",
		"{\"event\":\"stack\",\"stack_id\":2,\"stack\":[{\"image\":\"a\",\"function\":7}]}",
		"{\"event\":\"stack\",\"stack_id\":2,\"stack\":[{\"image\":\"a\",\"offset\":-7}]}",
		"{\"event\":\"stack\",\"stack_id\":2,\"stack\":[{\"image\":\"a\",\"vaddr\":7}]}",
		"{\"event\":\"stack\",\"stack_id\":2,\"stack\":[{\"image\":\"a\",\"vaddr\":\"7\"}]}",
		"{\"event\":\"stack\",\"stack_id\":2,\"stack\":[{\"image\":\"a\",\"vaddr\":\"0x\"}]}",
		"{\"event\":\"stack\",\"stack_id\":2,\"stack\":[{\"image\":\"a\",\"vaddr\":\"0x1g\"}]}",
		"{\"event\":\"stack\",\"stack_id\":2,\"stack\":[{\"file\":\"a\",\"line\":4294967296}]}",
		"{\"event\":\"stack\",\"stack_id\":2,\"stack\":[],\"stack_end\":7}",
		"{\"event\":\"summary\"}\n{\"event\":\"summary\"}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (read_line(lines[i]) != -EBADMSG)
			fail_msg("taken: %s", lines[i]);
}

static void what_a_later_version_may_add_is_taken(void **state)
{
	static const char *const lines[] = {
		"{\"event\":\"site\",\"type\":\"L7\",\"new\":{\"a\":[1]},\"stack_id\":1,\"leaked\":1}",
		"{\"event\":\"site\",\"leaked\":null,\"op\":null,\"stack_id\":null}",
		"{\"event\":\"something\",\"stack_id\":[]}",
		"{ \"ts_ns\": 1, \"event\": \"something\" }\r",
		"  ",
		"{\"event\":\"stack\",\"stack_id\":2,\"stack\":[{\"file\":\"a\"}],\"stack_end\":\"tired\"}",
		"{\"event\":\"summary\",\"interval\":true}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (read_line(lines[i]))
			fail_msg("refused: %s", lines[i]);
}

static void a_trace_without_stacks_has_nothing_to_compare(void **state)
{
	(void)state;
	assert_int_equal(read_text("{\"event\":\"summary\",\"coverage\":{\"complete\":true}}\n"),
			 -ENODATA);
	assert_int_equal(read_text("{\"event\":\"summary\",\"coverage\":[]}\n"), -ENODATA);
	assert_int_equal(read_text("{\"event\":\"summary\",\"coverage\":{\"stacks\":{}}}\n"), 0);
}

static void what_is_nested_too_deep_is_refused(void **state)
{
	char text[4097];

	(void)state;
	memset(text, '[', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(read_line(text), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sites_come_with_all_they_say),
		cmocka_unit_test(a_result_may_be_cut_anywhere_but_before_its_sites),
		cmocka_unit_test(a_damaged_result_is_read_or_refused),
		cmocka_unit_test(what_is_no_result_is_refused),
		cmocka_unit_test(wrong_values_are_refused),
		cmocka_unit_test(what_a_later_version_may_add_is_taken),
		cmocka_unit_test(a_trace_without_stacks_has_nothing_to_compare),
		cmocka_unit_test(what_is_nested_too_deep_is_refused),
	};

	return cmocka_run_group_tests_name("result", tests, set_up, tear_down);
}
