// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The stacks of allocations: from the records that tell them to the reports. */
#include "paper.h"
#include "stacked.h"

#include <errno.h>

/* A process, and two stacks: 1 of frames 0 and 1, 2 of frame 1 alone. */
static void begin(struct stream *s)
{
	stacked_library(s);
	stream_begin(s, &python, 1);
	tell_frame(s, 0, "ttnn::add", "/venv/ttnn/_ttnncpp.so", 0);
	tell_frame(s, 1, "", "/lib/libc.so.6", 0);
	tell_stack(s, 1, TT_STACK_COMPLETE, 2, (const __u32[]){ 0, 1 });
	tell_stack(s, 2, TT_STACK_CUT, 1, (const __u32[]){ 1 });
	assert_int_equal(s->err, 0);
}

static const struct event_stack *stack_of_last(const struct stream *s)
{
	return stream_last(s, EVENT_ALLOC)->buffer.stack;
}

static void an_allocation_has_the_stack_that_its_record_names(void **state)
{
	struct stream *s = *state;

	begin(s);
	alloc_by(s, 0x5000, 1);
	assert_non_null(stack_of_last(s));
	assert_int_equal(stack_of_last(s)->num_frames, 2);
	assert_string_equal(stack_of_last(s)->frames[0]->function, "ttnn::add");
	assert_string_equal(stack_of_last(s)->frames[0]->image, "/venv/ttnn/_ttnncpp.so");
	assert_null(stack_of_last(s)->frames[1]->function);
	assert_int_equal(stack_of_last(s)->frames[1]->vaddr, 0x1001);
	alloc_by(s, 0x6000, 2);
	assert_int_equal(stack_of_last(s)->end, TT_STACK_CUT);
}

static void a_ticket_stands_for_the_copy_that_came_before_it(void **state)
{
	struct stream *s = *state;

	begin(s);
	tell_taken(s, TT_STACK_TICKET | 7, 2);
	alloc_by(s, 0x5000, TT_STACK_TICKET | 7);
	assert_non_null(stack_of_last(s));
	assert_int_equal(stack_of_last(s)->number, 2);
}

static void a_stack_whose_copy_was_lost_is_missing_and_no_other_is_taken_for_it(void **state)
{
	struct stream *s = *state;
	struct snapshot *snapshot;

	begin(s);
	tell_taken(s, TT_STACK_TICKET | 7, 2);
	alloc_by(s, 0x5000, TT_STACK_TICKET | 8);
	assert_null(stack_of_last(s));
	alloc_by(s, 0x6000, 0);
	assert_null(stack_of_last(s));
	alloc_by(s, 0x7000, 1);
	snapshot = stream_snapshot(s);
	assert_true(snapshot->coverage.has_stacks);
	assert_int_equal(snapshot->coverage.stacks_missing, 2);
	assert_int_equal(snapshot->coverage.stacks[TT_STACK_COMPLETE], 1);
	assert_int_equal(snapshot->coverage.stacks_copied, 1);
	snapshot__free(snapshot);
}

static void what_does_not_fit_together_is_refused(void **state)
{
	struct stream *s = *state;
	struct tt_record_frame frame = { .h = { .kind = TT_RECORD_FRAME }, .function_len = 9 };
	struct tt_record_stack stack = { .h = { .kind = TT_RECORD_STACK },
					 .stack = 5,
					 .num_frames = 1ull << 62 };

	begin(s);
	stream_apply(s, &frame, sizeof(frame));
	assert_int_equal(s->err, -EBADMSG);
	stream_apply(s, &stack, sizeof(stack));
	assert_int_equal(s->err, -EBADMSG);
	tell_stack(s, 5, TT_STACK_COMPLETE, 1, (const __u32[]){ 99 });
	assert_int_equal(s->err, -EBADMSG);
	tell_stack(s, 5, TT_STACK_END_COUNT, 1, (const __u32[]){ 0 });
	assert_int_equal(s->err, -EBADMSG);
	tell_stack(s, 0, TT_STACK_COMPLETE, 1, (const __u32[]){ 0 });
	assert_int_equal(s->err, -EBADMSG);
	tell_stack(s, ~0u, TT_STACK_COMPLETE, 1, (const __u32[]){ 0 });
	assert_int_equal(s->err, -EBADMSG);
	alloc_by(s, 0x5000, 5);
	assert_null(stack_of_last(s));
}

static void leaks_are_grouped_by_stack_with_most_bytes_first(void **state)
{
	struct stream *s = *state;
	const struct snapshot_list *leaks;
	struct snapshot *snapshot;

	begin(s);
	alloc_by(s, 0x5000, 2);
	alloc_by(s, 0x10000, 1);
	alloc_by(s, 0x20000, 1);
	alloc_by(s, 0x30000, 0);
	stream_close(s, &python, 1);
	snapshot = stream_snapshot(s);
	leaks = &snapshot->processes[0]->devices[0]->leaks;
	assert_int_equal(leaks->num_stacks, 3);
	assert_int_equal(leaks->stacks[0].stack->number, 1);
	assert_int_equal(leaks->stacks[0].sum.buffers, 2);
	assert_int_equal(leaks->stacks[0].sum.bytes, 2 * 12 * 1024);
	assert_true(leaks->stacks[0].oldest_ns > 0);
	assert_int_equal(leaks->stacks[1].stack->number, 2);
	assert_null(leaks->stacks[2].stack);
	assert_int_equal(stream_last(s, EVENT_LEAK)->buffer.stack == NULL, 1);
	snapshot__free(snapshot);
}

static void the_report_shows_them_as_gdb_does(void **state)
{
	struct stream *s = *state;
	struct paper p;
	__u32 deep[40];

	begin(s);
	tell_frame(s, 2, "ttnn::launch<int, std::vector<int> >", "/venv/ttnn/_ttnncpp.so", 0);
	for (__u32 i = 0; i < 40; i++)
		deep[i] = 2;
	tell_stack(s, 3, TT_STACK_DEEP, 40, deep);
	alloc_by(s, 0x10000, 1);
	alloc_by(s, 0x20000, 2);
	alloc_by(s, 0x30000, 3);
	stream_close(s, &python, 1);
	paper_open(&p, false);
	paper_report(s, &p, NULL);
	assert_non_null(strstr(
		p.text, "    allocated by:\n"
			"      1 buffer, 12288 bytes (12.0 KiB) of DRAM, oldest 0 ms, other\n"
			"          ttnn::add  [_ttnncpp.so]\n"
			"          [libc.so.6+0x1001]\n"
			"      1 buffer, 12288 bytes (12.0 KiB) of DRAM, oldest 0 ms\n"
			"          [libc.so.6+0x1001]\n"
			"          ... longer than what is copied\n"));
	/* its operation is the outermost call: what that calls is left out */
	assert_non_null(strstr(p.text, "          ttnn::launch<…>  [_ttnncpp.so]\n"
				       "          ... 39 frames more (-v shows all)\n"
				       "          ... deeper than --stack-depth\n"));
	assert_non_null(strstr(p.text, "  stacks: 1 of 3 complete, 1 longer than what is copied, "
				       "1 deeper than --stack-depth\n"));
	paper_close(&p);
}

static void a_failed_allocation_is_told_by_the_code_that_asked_and_the_code_that_holds(void **state)
{
	struct object big = stream_object(0x90000, 0, 64ull << 30);
	struct stream *s = *state;
	struct paper p;

	stacked_begin(s, 1);
	alloc_by(s, 0x10000, BY_ADD);
	alloc_by(s, 0x20000, BY_ADD);
	paper_open(&p, false);
	paper_attach(s, &p);
	big.status = TT_STATUS_REQUESTED;
	stream_space(s, &python, (1ull << 30) - 64);
	free_by(s, &big, BY_MATMUL);
	assert_int_equal(sink_text.flush(p.sink), 0);
	assert_non_null(strstr(p.text,
			       "    held by\n"
			       "              2048 bytes in each bank: 2 buffers, tensor of "
			       "ttnn::add at forward [model.py:8] from main [model.py:20]\n"
			       "    asked for by\n"
			       "      ttnn::matmul  [_ttnncpp.so]\n"
			       "      forward  [/home/me/model.py:9]\n"
			       "      main  [/home/me/model.py:20]\n"
			       "      ... 4 frames more (-v shows all)\n"));
	paper_close(&p);
}

static void an_odd_free_is_told_by_who_freed_and_who_allocated_a_harmless_one_is_not(void **state)
{
	struct stream *s = *state;
	struct object o, gone;
	struct paper p;

	stacked_begin(s, 1);
	o = alloc_by(s, 0x10000, BY_ADD);
	gone = alloc_by(s, 0x20000, BY_ADD);
	stream_bulk(s, &python, TT_PROBE_DEALLOCATE_BUFFERS, HEAP);
	paper_open(&p, false);
	paper_attach(s, &p);
	free_by(s, &o, BY_MATMUL);
	stream_tracked(s, &python, &o);
	stream_done(s, &python, &o);
	gone.status = TT_STATUS_DEALLOCATED;
	free_by(s, &gone, BY_MATMUL);
	assert_int_equal(sink_text.flush(p.sink), 0);
	assert_non_null(strstr(p.text, "    freed by\n"
				       "      ttnn::matmul  [_ttnncpp.so]\n"
				       "      forward  [/home/me/model.py:9]\n"));
	assert_non_null(strstr(p.text, "    allocated by\n"
				       "      ttnn::add  [_ttnncpp.so]\n"
				       "      forward  [/home/me/model.py:8]\n"));
	assert_null(strstr(strstr(p.text, "freed by") + 1, "freed by"));
	assert_non_null(strstr(p.text, "it had been deallocated before\n"));
	paper_close(&p);
}

static void verbose_shows_all_frames_and_what_templates_were_made_with(void **state)
{
	struct stream *s = *state;
	struct paper p;

	stacked_begin(s, 1);
	tell_frame(s, 20, "ttnn::launch<int, std::vector<int> >", "/venv/ttnn/_ttnncpp.so", 0);
	tell_stack(s, 9, TT_STACK_COMPLETE, 4, (const __u32[]){ 0, 20, 9, 6 });
	alloc_by(s, 0x10000, 9);
	stream_close(s, &python, 1);
	paper_open(&p, true);
	paper_report(s, &p, NULL);
	assert_non_null(strstr(
		p.text, "          tt::tt_metal::GraphTracker::track_allocate  [libtt_metal.so]\n"
			"          ttnn::launch<int, std::vector<int> >  [_ttnncpp.so]\n"
			"          FastOperation.__call__  [/venv/ttnn/decorators.py:650]\n"
			"          main  [/home/me/model.py:20]\n"));
	assert_null(strstr(p.text, "frames more"));
	paper_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		stream_test(an_allocation_has_the_stack_that_its_record_names),
		stream_test(a_ticket_stands_for_the_copy_that_came_before_it),
		stream_test(a_stack_whose_copy_was_lost_is_missing_and_no_other_is_taken_for_it),
		stream_test(what_does_not_fit_together_is_refused),
		stream_test(leaks_are_grouped_by_stack_with_most_bytes_first),
		stream_test(the_report_shows_them_as_gdb_does),
		stream_test(
			a_failed_allocation_is_told_by_the_code_that_asked_and_the_code_that_holds),
		stream_test(
			an_odd_free_is_told_by_who_freed_and_who_allocated_a_harmless_one_is_not),
		stream_test(verbose_shows_all_frames_and_what_templates_were_made_with),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
