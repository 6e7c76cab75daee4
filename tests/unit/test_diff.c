// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* What has changed between two traces: what is taken for the same, what is added up, and the words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "core/diff.h"
#include "report/json_diff.h"
#include "report/text_diff.h"

#define MODEL "/home/a/model.py"
#define LIB   "/venv/ttnn/_ttnncpp.so"

static const struct event_frame add = { "ttnn::add", LIB, 0, 0x100, 4 };
static const struct event_frame rebuilt = { "ttnn::add", "/other/_ttnncpp.so", 0, 0x900, 8 };
static const struct event_frame mul = { "ttnn::mul", LIB, 0, 0x200, 4 };
static const struct event_frame nameless = { NULL, LIB, 0, 0x300, 0 };
static const struct event_frame elsewhere = { NULL, LIB, 0, 0x301, 0 };
static const struct event_frame forward = { "forward", MODEL, 5, 0, 0 };
static const struct event_frame moved = { "forward", "/home/b/model.py", 17, 0, 0 };

static int set_up(void **state)
{
	struct diff *diff;

	assert_int_equal(diff__new(&diff), 0);
	*state = diff;
	return 0;
}

static int tear_down(void **state)
{
	diff__free(*state);
	return 0;
}

static int tell(struct diff *diff, enum diff_side side, __u64 number, __u32 num,
		const struct event_frame *const *frames)
{
	struct event_stack *stack = calloc(1, sizeof(*stack) + num * sizeof(stack->frames[0]));
	int err;

	assert_non_null(stack);
	stack->num_frames = num;
	memcpy(stack->frames, frames, num * sizeof(stack->frames[0]));
	err = diff__add_stack(diff, side, number, stack);
	free(stack);
	return err;
}

static void tell_two(struct diff *diff, enum diff_side side, __u64 number,
		     const struct event_frame *inner, const struct event_frame *outer)
{
	const struct event_frame *frames[] = { inner, outer };

	assert_int_equal(tell(diff, side, number, 2, frames), 0);
}

static struct diff_site site_of(__u64 stack, const char *op, __u64 leaked, __u64 buffers)
{
	return (struct diff_site){
		.type = TT_TYPE_DRAM,
		.op = op,
		.owner = "tensor",
		.has_stack = stack,
		.stack = stack,
		.chips = 1,
		.sums.of[DIFF_LEAKED] = { leaked, buffers },
		.sums.of[DIFF_PEAK] = { 2 * leaked, buffers },
	};
}

static void leak(struct diff *diff, enum diff_side side, __u64 stack, const char *op, __u64 bytes)
{
	struct diff_site site = site_of(stack, op, bytes, 1);

	assert_int_equal(diff__add_site(diff, side, &site), 0);
}

static struct diff_view *view_of(const struct diff *diff)
{
	struct diff_view *view;

	assert_int_equal(diff__view(diff, DIFF_LEAKED, &view), 0);
	return view;
}

static void expect_changes(const struct diff *diff, __u32 groups, __u32 ops)
{
	struct diff_view *view = view_of(diff);

	assert_int_equal(view->num_groups, groups);
	assert_int_equal(view->num_ops, ops);
	diff_view__free(view);
}

static void what_is_the_same_has_not_changed(void **state)
{
	for (int side = 0; side < DIFF_SIDE_COUNT; side++) {
		tell_two(*state, side, 7, &add, &forward);
		leak(*state, side, 7, "ttnn::add", 64);
	}
	expect_changes(*state, 0, 0);
}

static void a_rebuilt_library_and_a_moved_line_are_the_same_place(void **state)
{
	tell_two(*state, DIFF_OLD, 7, &add, &forward);
	tell_two(*state, DIFF_NEW, 9, &rebuilt, &moved);
	leak(*state, DIFF_OLD, 7, "ttnn::add", 64);
	leak(*state, DIFF_NEW, 9, "ttnn::add", 64);
	expect_changes(*state, 0, 0);
}

static void what_is_shown_of_a_place_is_as_it_is_in_the_new_trace(void **state)
{
	struct diff_view *view;

	tell_two(*state, DIFF_OLD, 7, &add, &forward);
	tell_two(*state, DIFF_NEW, 9, &rebuilt, &moved);
	leak(*state, DIFF_OLD, 7, "ttnn::add", 64);
	leak(*state, DIFF_NEW, 9, "ttnn::sum", 65);
	view = view_of(*state);
	assert_int_equal(view->num_groups, 1);
	assert_int_equal(view->groups[0]->stack->frames[1]->line, 17);
	assert_string_equal(view->groups[0]->stack->frames[1]->image, "/home/b/model.py");
	assert_string_equal(view->groups[0]->op->op, "ttnn::sum");
	diff_view__free(view);
}

static void functions_that_are_not_known_are_told_apart_by_their_address(void **state)
{
	tell_two(*state, DIFF_OLD, 1, &nameless, &forward);
	tell_two(*state, DIFF_NEW, 1, &elsewhere, &forward);
	leak(*state, DIFF_OLD, 1, NULL, 64);
	leak(*state, DIFF_NEW, 1, NULL, 64);
	expect_changes(*state, 2, 0);
}

static void another_frame_more_or_less_is_another_place(void **state)
{
	const struct event_frame *one[] = { &add };

	tell_two(*state, DIFF_OLD, 1, &add, &add);
	assert_int_equal(tell(*state, DIFF_NEW, 1, 1, one), 0);
	leak(*state, DIFF_OLD, 1, "ttnn::add", 64);
	leak(*state, DIFF_NEW, 1, "ttnn::add", 64);
	expect_changes(*state, 2, 0);
}

static void types_are_told_apart(void **state)
{
	struct diff_site site = site_of(1, "ttnn::add", 64, 1);

	tell_two(*state, DIFF_OLD, 1, &add, &forward);
	tell_two(*state, DIFF_NEW, 1, &add, &forward);
	assert_int_equal(diff__add_site(*state, DIFF_OLD, &site), 0);
	site.type = TT_TYPE_L1;
	assert_int_equal(diff__add_site(*state, DIFF_NEW, &site), 0);
	expect_changes(*state, 2, 2);
}

static void processes_and_devices_are_added_up(void **state)
{
	struct diff_site site = site_of(1, "ttnn::add", 100, 2);
	struct diff_view *view;

	tell_two(*state, DIFF_NEW, 1, &add, &forward);
	assert_int_equal(diff__add_site(*state, DIFF_NEW, &site), 0);
	site.chips = 8;
	assert_int_equal(diff__add_site(*state, DIFF_NEW, &site), 0);
	view = view_of(*state);
	assert_int_equal(view->num_groups, 1);
	assert_int_equal(view->groups[0]->sums[DIFF_NEW].of[DIFF_LEAKED].bytes, 900);
	assert_int_equal(view->groups[0]->sums[DIFF_NEW].of[DIFF_LEAKED].buffers, 4);
	assert_int_equal(view->groups[0]->sums[DIFF_OLD].of[DIFF_LEAKED].bytes, 0);
	assert_int_equal(view->total[DIFF_NEW].bytes, 900);
	assert_true(diff_view__has_more(view));
	diff_view__free(view);
}

static void without_a_stack_operation_and_owner_are_the_place(void **state)
{
	leak(*state, DIFF_OLD, 0, "ttnn::add", 64);
	leak(*state, DIFF_NEW, 0, "ttnn::add", 64);
	leak(*state, DIFF_NEW, 0, NULL, 64);
	leak(*state, DIFF_NEW, 0, "", 64);
	expect_changes(*state, 1, 1);
}

static void the_largest_change_comes_first_whatever_its_sign(void **state)
{
	struct diff_view *view;

	tell_two(*state, DIFF_OLD, 1, &add, &forward);
	tell_two(*state, DIFF_NEW, 1, &mul, &forward);
	tell_two(*state, DIFF_NEW, 2, &nameless, &forward);
	leak(*state, DIFF_OLD, 1, "ttnn::add", 1000);
	leak(*state, DIFF_NEW, 1, "ttnn::mul", 10);
	leak(*state, DIFF_NEW, 2, "ttnn::neg", 10);
	view = view_of(*state);
	assert_string_equal(view->groups[0]->op->op, "ttnn::add");
	assert_string_equal(view->groups[1]->op->op, "ttnn::mul");
	assert_string_equal(view->groups[2]->op->op, "ttnn::neg");
	assert_string_equal(view->ops[0]->op, "ttnn::add");
	assert_false(diff_view__has_more(view));
	diff_view__free(view);
}

static void of_as_many_bytes_more_buffers_are_more(void **state)
{
	struct diff_site site = site_of(0, NULL, 64, 1);
	struct diff_view *view;

	assert_int_equal(diff__add_site(*state, DIFF_OLD, &site), 0);
	site.sums.of[DIFF_LEAKED].buffers = 2;
	assert_int_equal(diff__add_site(*state, DIFF_NEW, &site), 0);
	view = view_of(*state);
	assert_int_equal(view->num_groups, 1);
	assert_true(diff_view__has_more(view));
	diff_view__free(view);
}

static void what_is_compared_is_leaks_then_what_is_live_then_the_peak(void **state)
{
	struct diff_site site = { .type = TT_TYPE_L1, .chips = 1 };

	assert_int_equal(diff__default_measure(*state), DIFF_PEAK);
	site.sums.of[DIFF_LIVE].buffers = 1;
	assert_int_equal(diff__add_site(*state, DIFF_NEW, &site), 0);
	assert_int_equal(diff__default_measure(*state), DIFF_LIVE);
	site.sums.of[DIFF_LEAKED].bytes = 1;
	assert_int_equal(diff__add_site(*state, DIFF_OLD, &site), 0);
	assert_int_equal(diff__default_measure(*state), DIFF_LEAKED);
}

static void stacks_have_one_number_each_on_their_side(void **state)
{
	const struct event_frame *frames[] = { &add };
	struct diff_site site = site_of(2, NULL, 64, 1);

	assert_int_equal(tell(*state, DIFF_OLD, 1, 1, frames), 0);
	assert_int_equal(tell(*state, DIFF_OLD, 1, 1, frames), -EEXIST);
	assert_int_equal(tell(*state, DIFF_NEW, 1, 1, frames), 0);
	assert_int_equal(tell(*state, DIFF_NEW, 2, 0, frames), 0);
	assert_int_equal(diff__add_site(*state, DIFF_OLD, &site), -ENOENT);
	assert_int_equal(diff__add_site(*state, DIFF_NEW, &site), 0);
}

static void sums_that_do_not_fit_are_an_error(void **state)
{
	struct diff_site site = site_of(0, NULL, INT64_MAX, 1);
	struct diff_view *view;

	assert_int_equal(diff__add_site(*state, DIFF_OLD, &site), -ERANGE);
	site.sums.of[DIFF_PEAK].bytes = 0;
	diff__free(*state);
	set_up(state);
	assert_int_equal(diff__add_site(*state, DIFF_NEW, &site), 0);
	view = view_of(*state);
	assert_true(diff__change(&view->total[DIFF_OLD], &view->total[DIFF_NEW]).bytes ==
		    INT64_MAX);
	diff_view__free(view);
	assert_int_equal(diff__add_site(*state, DIFF_NEW, &site), -ERANGE);
	site.chips = UINT64_MAX;
	assert_int_equal(diff__add_site(*state, DIFF_OLD, &site), -ERANGE);
}

static char *text_of(const struct diff *diff, enum diff_measure measure, __u32 top)
{
	struct text_diff_opts opts = { "old", "new", top, false };
	struct diff_view *view;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(diff__view(diff, measure, &view), 0);
	text_diff__write(out, view, &opts);
	diff_view__free(view);
	fclose(out);
	return text;
}

#define HEAD                                                                                                 \
	"== diff ========================================================================================\n" \
	"old: old\n"                                                                                         \
	"new: new\n"

static void people_read_what_has_changed_and_where(void **state)
{
	char *text;

	tell_two(*state, DIFF_OLD, 1, &mul, &forward);
	tell_two(*state, DIFF_NEW, 1, &add, &moved);
	leak(*state, DIFF_OLD, 1, "ttnn::mul", 100);
	leak(*state, DIFF_NEW, 1, "ttnn::add", 73728);
	leak(*state, DIFF_NEW, 1, "ttnn::add", 73728);
	leak(*state, DIFF_NEW, 0, NULL, 0);
	text = text_of(*state, DIFF_LEAKED, 2);
	assert_string_equal(
		text, HEAD
		"compared: what is leaked, in bytes on all devices together\n"
		"\n"
		"by operation:\n"
		"          change           old           new  buffers  type      owner     operation\n"
		"         +147456             0        147456       +2  DRAM      tensor    ttnn::add\n"
		"            -100           100             0       -1  DRAM      tensor    ttnn::mul\n"
		"  ... and 1 more (-T shows others)\n"
		"\n"
		"allocated by:\n"
		"      +147456 bytes (144.0 KiB) of DRAM, +2 buffers: 0 -> 147456\n"
		"          ttnn::add  [_ttnncpp.so]\n"
		"          forward  [/home/b/model.py:17]\n"
		"      -100 bytes (100 B) of DRAM, -1 buffer: 100 -> 0\n"
		"          ttnn::mul  [_ttnncpp.so]\n"
		"          forward  [/home/a/model.py:5]\n"
		"      ... and 1 more (-T shows others)\n"
		"\n"
		"DIFF: tttrace: 147356 bytes more leaked in 2 buffers\n");
	free(text);
}

static void expect_verdict(const struct diff *diff, enum diff_measure measure, const char *verdict)
{
	char *text = text_of(diff, measure, 10);
	size_t len = strlen(verdict);

	assert_true(strlen(text) > len);
	assert_string_equal(text + strlen(text) - len, verdict);
	free(text);
}

static void one_line_says_all(void **state)
{
	struct diff_site site = site_of(0, "a", 64, 3);

	expect_verdict(*state, DIFF_LIVE,
		       "\n\nDIFF: tttrace: no change: 0 bytes live in 0 buffers\n");
	assert_int_equal(diff__add_site(*state, DIFF_OLD, &site), 0);
	expect_verdict(*state, DIFF_LEAKED, "\nDIFF: tttrace: 64 bytes less leaked in 3 buffers\n");
	site = site_of(0, "b", 64, 3);
	assert_int_equal(diff__add_site(*state, DIFF_NEW, &site), 0);
	expect_verdict(*state, DIFF_LEAKED,
		       "\nDIFF: tttrace: no change in all, but from place to place\n");
	site = site_of(0, "b", 64, 0);
	assert_int_equal(diff__add_site(*state, DIFF_NEW, &site), 0);
	expect_verdict(*state, DIFF_PEAK,
		       "\nDIFF: tttrace: 128 bytes more at the peak in as many buffers\n");
	site = site_of(0, "a", 0, 1);
	assert_int_equal(diff__add_site(*state, DIFF_OLD, &site), 0);
	expect_verdict(*state, DIFF_LEAKED,
		       "\nDIFF: tttrace: 64 bytes more leaked in 1 buffer fewer\n");
	site = site_of(0, "a", 64, 0);
	assert_int_equal(diff__add_site(*state, DIFF_OLD, &site), 0);
	expect_verdict(*state, DIFF_LEAKED,
		       "\nDIFF: tttrace: as many bytes leaked in 1 buffer fewer\n");
}

static void no_line_is_wider_than_100_columns(void **state)
{
	static const struct event_frame strange = { "\x1b[2Jx\n", "/a/\xff.so", 0, 1, 2 };
	char *text, *line, *rest;
	char name[2000];
	struct diff_site site = site_of(0, name, 1000000000000, 12345);

	for (size_t i = 0; i + 1 < sizeof(name); i++)
		name[i] = "\xc3\xa4"[i % 2];
	name[sizeof(name) - 1] = '\0';
	tell_two(*state, DIFF_NEW, 1, &strange, &strange);
	leak(*state, DIFF_NEW, 1, "a\tb\x1b", 64);
	site.type = TT_TYPE_SYSTEM_MEMORY;
	site.owner = name;
	assert_int_equal(diff__add_site(*state, DIFF_OLD, &site), 0);
	text = rest = text_of(*state, DIFF_LEAKED, 10);
	assert_null(strchr(text, '\x1b'));
	assert_null(strchr(text, '\t'));
	for (int i = 0; (line = strsep(&rest, "\n")) && i < 9; i++) {
		int width = 0;

		for (; *line; line++)
			width += (*line & 0xc0) != 0x80;
		assert_in_range(width, 0, 100);
	}
	free(text);
}

static void json_has_a_line_for_each_change_and_one_for_all(void **state)
{
	struct diff_view *view;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	tell_two(*state, DIFF_OLD, 1, &add, &forward);
	leak(*state, DIFF_OLD, 1, "ttnn::add", 64);
	leak(*state, DIFF_NEW, 0, NULL, 10);
	view = view_of(*state);
	assert_int_equal(json_diff__write(out, view, "a", "b", 5), 0);
	diff_view__free(view);
	fclose(out);
	assert_string_equal(
		text,
		"{\"event\":\"diff\",\"ts_ns\":5,\"type\":\"DRAM\",\"op\":\"ttnn::add\","
		"\"owner\":\"tensor\",\"by\":\"leaked\",\"old\":64,\"new\":0,\"change\":-64,"
		"\"old_buffers\":1,\"new_buffers\":0,\"stack_end\":\"complete\",\"stack\":["
		"{\"function\":\"ttnn::add\",\"offset\":4,\"image\":\"/venv/ttnn/_ttnncpp.so\","
		"\"vaddr\":\"0x100\"},{\"function\":\"forward\",\"file\":\"/home/a/model.py\","
		"\"line\":5}]}\n"
		"{\"event\":\"diff\",\"ts_ns\":5,\"type\":\"DRAM\",\"owner\":\"tensor\","
		"\"by\":\"leaked\",\"old\":0,\"new\":10,\"change\":10,\"old_buffers\":0,"
		"\"new_buffers\":1}\n"
		"{\"event\":\"diff_summary\",\"ts_ns\":5,\"old_file\":\"a\",\"new_file\":\"b\","
		"\"by\":\"leaked\",\"old\":64,\"new\":10,\"change\":-54,\"old_buffers\":1,"
		"\"new_buffers\":1,\"stacks_changed\":2,\"has_more\":false}\n");
	free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_the_same_has_not_changed),
		TEST(a_rebuilt_library_and_a_moved_line_are_the_same_place),
		TEST(what_is_shown_of_a_place_is_as_it_is_in_the_new_trace),
		TEST(functions_that_are_not_known_are_told_apart_by_their_address),
		TEST(another_frame_more_or_less_is_another_place),
		TEST(types_are_told_apart),
		TEST(processes_and_devices_are_added_up),
		TEST(without_a_stack_operation_and_owner_are_the_place),
		TEST(the_largest_change_comes_first_whatever_its_sign),
		TEST(of_as_many_bytes_more_buffers_are_more),
		TEST(what_is_compared_is_leaks_then_what_is_live_then_the_peak),
		TEST(stacks_have_one_number_each_on_their_side),
		TEST(sums_that_do_not_fit_are_an_error),
		TEST(people_read_what_has_changed_and_where),
		TEST(one_line_says_all),
		TEST(no_line_is_wider_than_100_columns),
		TEST(json_has_a_line_for_each_change_and_one_for_all),
	};

	return cmocka_run_group_tests_name("diff", tests, NULL, NULL);
}
