// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Folded stacks: what a flame graph is made of. */
#include "paper.h"
#include "stacked.h"

#define FORWARD	  "python;DRAM;_start;main (model.py:20);forward (model.py:"
#define DECORATED ");FastOperation.__call__ (decorators.py:650);"
#define INNER                                                                                      \
	";tt::tt_metal::tensor_impl::allocate_device_buffer;"                                      \
	"tt::tt_metal::GraphTracker::track_allocate "

/* Two live by one stack, one that was freed by another, on two chips. */
static void play(struct stream *s)
{
	struct object o;

	stacked_begin(s, 2);
	alloc_by(s, 0x10000, BY_ADD);
	alloc_by(s, 0x20000, BY_ADD);
	o = alloc_by(s, 0x30000, BY_MATMUL);
	stream_release(s, &python, &o);
}

static void expect(const struct stream *s, enum folded_what what, const char *expected)
{
	struct sink_opts opts = { .folded = what };
	struct snapshot *snapshot = stream_snapshot(s);
	struct sink *sink;
	char *text = NULL;
	size_t size;

	opts.out = open_memstream(&text, &size);
	assert_non_null(opts.out);
	assert_int_equal(sink_folded.open(&opts, &sink), 0);
	assert_int_equal(sink_folded.report(sink, snapshot), 0);
	sink_folded.close(sink);
	fclose(opts.out);
	assert_string_equal(text, expected);
	free(text);
	snapshot__free(snapshot);
}

static void bytes_are_those_of_all_chips_of_what_was_asked_for(void **state)
{
	struct stream *s = *state;

	play(s);
	expect(s, FOLDED_LIVE, FORWARD "8" DECORATED "ttnn::add" INNER "49152\n");
	expect(s, FOLDED_PEAK,
	       FORWARD "8" DECORATED "ttnn::add" INNER "49152\n" FORWARD "9" DECORATED
		       "ttnn::matmul" INNER "24576\n");
	expect(s, FOLDED_LEAKED, "");
	stream_close(s, &python, 2);
	expect(s, FOLDED_LIVE, "");
	expect(s, FOLDED_LEAKED, FORWARD "8" DECORATED "ttnn::add" INNER "49152\n");
	expect(s, FOLDED_ALLOCATED,
	       FORWARD "8" DECORATED "ttnn::add" INNER "49152\n" FORWARD "9" DECORATED
		       "ttnn::matmul" INNER "24576\n");
}

static void names_part_no_frames_and_lines_stay_lines(void **state)
{
	struct stream *s = *state;

	stacked_begin(s, 1);
	tell_frame(s, 20, "a;b\nc\x1b[2J", "/lib/x.so", 0);
	tell_frame(s, 21, "", "/lib/y;z.so", 0);
	tell_frame(s, 22, "f<int;>", "/lib/x.so", 0);
	tell_stack(s, 9, TT_STACK_COMPLETE, 3, (const __u32[]){ 20, 21, 22 });
	alloc_by(s, 0x10000, 9);
	alloc_by(s, 0x20000, 0);
	expect(s, FOLDED_LIVE,
	       "python;DRAM;f<…>;[y:z.so+0x1015];a:b\xef\xbf\xbd"
	       "c\xef\xbf\xbd[2J 12288\n"
	       "python;DRAM;[stack not known] 12288\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		stream_test(bytes_are_those_of_all_chips_of_what_was_asked_for),
		stream_test(names_part_no_frames_and_lines_stay_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
