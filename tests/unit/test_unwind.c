// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Stacks of this very program, unwound from a copy. The oracle is the unwinder of libgcc. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <alloca.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include "stack/unwind.h"

#define plain __attribute__((noinline, noclone, no_sanitize("address", "undefined")))

enum {
	COPY_SIZE = 256 << 10,
	TRACE_MAX = 512,
};

/* A stack as it was at one moment, and what libgcc said of it. */
struct taken {
	struct stack_copy copy;
	char bytes[COPY_SIZE];
	__u64 trace[TRACE_MAX]; /* where each frame goes on */
	int num_trace;
};

static struct taken taken;
static struct images *images;
static struct address_space *space;
static struct unwinding got, again;

/* The end of the stack that @at is in: up to there it may be read. */
plain static size_t stack_left(const char *at)
{
	pthread_attr_t attr;
	size_t size;
	void *low;

	pthread_getattr_np(pthread_self(), &attr);
	pthread_attr_getstack(&attr, &low, &size);
	pthread_attr_destroy(&attr);
	return (size_t)((char *)low + size - at);
}

plain static void copy_bytes(char *to, const char *from, size_t size)
{
	for (volatile size_t i = 0; i < size; i++)
		to[i] = from[i];
}

static _Unwind_Reason_Code keep_frame(struct _Unwind_Context *context, void *unused)
{
	__u64 pc = _Unwind_GetIP(context);

	(void)unused;
	/* behind the outermost frame there is one of address 0 */
	if (pc && taken.num_trace < TRACE_MAX)
		taken.trace[taken.num_trace++] = pc;
	return _URC_NO_REASON;
}

plain static void take_stack(void)
{
	static const int numbers[TT_STACK_REGS] = {
		[TT_STACK_RBX] = REG_RBX, [TT_STACK_RBP] = REG_RBP, [TT_STACK_RSP] = REG_RSP,
		[TT_STACK_R12] = REG_R12, [TT_STACK_R13] = REG_R13, [TT_STACK_R14] = REG_R14,
		[TT_STACK_R15] = REG_R15, [TT_STACK_RIP] = REG_RIP,
	};
	ucontext_t now;
	size_t left;

	getcontext(&now);
	for (int reg = 0; reg < TT_STACK_REGS; reg++)
		taken.copy.regs[reg] = now.uc_mcontext.gregs[numbers[reg]];
	left = stack_left((char *)taken.copy.regs[TT_STACK_RSP]);
	taken.copy.size = left < COPY_SIZE ? left : COPY_SIZE;
	taken.copy.bytes = taken.bytes;
	copy_bytes(taken.bytes, (char *)taken.copy.regs[TT_STACK_RSP], taken.copy.size);
	taken.num_trace = 0;
	_Unwind_Backtrace(keep_frame, NULL);
}

/* Where libgcc says that @frame goes on. */
static __u64 place_of(size_t frame)
{
	struct image *image;
	__u64 vaddr;

	assert_int_equal(address_space__find(space, taken.trace[frame], &image, &vaddr), 0);
	assert_ptr_equal(image, got.frames[frame].image);
	return vaddr;
}

/*
 * As many frames as libgcc found, at the same places; the first is where the copy was made.
 * Ours are told by the call that goes on there, or, in @interrupted of them, by what is to be done
 * next.
 */
static void assert_same_frames(size_t interrupted)
{
	size_t exact = 0;

	assert_int_equal(got.num_frames, taken.num_trace);
	for (size_t i = 1; i < got.num_frames; i++) {
		if (got.frames[i].vaddr == place_of(i))
			exact++;
		else
			assert_int_equal(got.frames[i].vaddr, place_of(i) - 1);
	}
	assert_int_equal(exact, interrupted);
}

static void unwind(void)
{
	unwind__stack(space, &taken.copy, UNWIND_FRAMES_MAX, &got);
}

/* What was said to matter is all that matters. */
static void assert_words_suffice(void)
{
	struct stack_copy bare = taken.copy;
	char *bytes = malloc(taken.copy.size);

	assert_non_null(bytes);
	memset(bytes, 0xa5, taken.copy.size);
	for (size_t i = 0; i < got.num_words; i++)
		memcpy(bytes + (got.words[i].addr - taken.copy.regs[TT_STACK_RSP]),
		       &got.words[i].value, sizeof(__u64));
	for (int reg = 0; reg < TT_STACK_REGS; reg++)
		if (reg != TT_STACK_RSP && reg != TT_STACK_RIP && !(got.regs_used & 1u << reg))
			bare.regs[reg] = 0xdeadbeef;
	bare.bytes = bytes;
	unwind__stack(space, &bare, UNWIND_FRAMES_MAX, &again);
	free(bytes);
	assert_int_equal(again.end, got.end);
	assert_int_equal(again.num_frames, got.num_frames);
	for (size_t i = 0; i < got.num_frames; i++)
		assert_int_equal(again.frames[i].vaddr, got.frames[i].vaddr);
}

/* --- ways to get there ----------------------------------------------------------------------- */

static volatile int sink;

plain static void nested(int depth)
{
	if (depth)
		nested(depth - 1);
	else
		take_stack();
	sink++;
}

/* Its frame has no fixed size: the compiler keeps a frame pointer. */
plain static void with_alloca(size_t size)
{
	char *room = alloca(size);

	room[0] = 1;
	nested(2);
	sink += room[0];
}

/* Its frame is aligned anew, so that the CFA is found by an expression. */
plain static void with_alignment(void)
{
	_Alignas(128) volatile char room[256];

	room[0] = 1;
	with_alloca(1000 + (size_t)sink % 7);
	sink += room[0];
}

static int compare(const void *a, const void *b)
{
	if (!taken.num_trace)
		with_alignment();
	return *(const int *)a - *(const int *)b;
}

static void on_signal(int signal)
{
	(void)signal;
	with_alignment();
}

static void *run_thread(void *unused)
{
	with_alignment();
	return unused;
}

/* --- tests ----------------------------------------------------------------------------------- */

static int set_up(void **state)
{
	(void)state;
	memset(&taken, 0, sizeof(taken));
	return images__new(&images) || address_space__new(images, getpid(), &space);
}

static int tear_down(void **state)
{
	(void)state;
	address_space__free(space);
	images__free(images);
	return 0;
}

static void a_stack_without_frame_pointers_is_unwound_to_its_end(void **state)
{
	(void)state;
	nested(20);
	unwind();
	assert_int_equal(got.end, TT_STACK_COMPLETE);
	assert_same_frames(0);
	assert_words_suffice();
}

static void frames_of_no_fixed_size_are_passed(void **state)
{
	(void)state;
	with_alignment();
	unwind();
	assert_int_equal(got.end, TT_STACK_COMPLETE);
	assert_same_frames(0);
	assert_words_suffice();
}

static void a_callback_from_a_library_is_unwound(void **state)
{
	int numbers[] = { 3, 1, 2 };

	(void)state;
	qsort(numbers, 3, sizeof(numbers[0]), compare);
	unwind();
	assert_int_equal(got.end, TT_STACK_COMPLETE);
	assert_same_frames(0);
	assert_words_suffice();
}

static void the_frame_of_a_signal_is_passed(void **state)
{
	(void)state;
	signal(SIGUSR1, on_signal);
	raise(SIGUSR1);
	signal(SIGUSR1, SIG_DFL);
	unwind();
	assert_int_equal(got.end, TT_STACK_COMPLETE);
	assert_same_frames(1);
	assert_words_suffice();
}

static void the_stack_of_a_thread_ends_where_the_thread_began(void **state)
{
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, run_thread, NULL), 0);
	pthread_join(thread, NULL);
	unwind();
	assert_int_equal(got.end, TT_STACK_COMPLETE);
	assert_same_frames(0);
	assert_words_suffice();
}

static void a_copy_that_is_too_short_is_told_of(void **state)
{
	size_t whole;

	(void)state;
	nested(20);
	unwind();
	whole = got.num_frames;
	taken.copy.size = 1536; /* the first frame holds a ucontext_t */
	unwind();
	assert_int_equal(got.end, TT_STACK_CUT);
	assert_true(got.num_frames > 1);
	assert_true(got.num_frames < whole);
	taken.copy.size = 0;
	unwind();
	assert_int_equal(got.end, TT_STACK_CUT);
	assert_int_equal(got.num_frames, 1);
}

static void a_recursion_beyond_the_limit_is_told_of(void **state)
{
	(void)state;
	nested(UNWIND_FRAMES_MAX + 50);
	unwind();
	assert_int_equal(got.end, TT_STACK_DEEP);
	assert_int_equal(got.num_frames, UNWIND_FRAMES_MAX);
	unwind__stack(space, &taken.copy, 5, &got);
	assert_int_equal(got.end, TT_STACK_DEEP);
	assert_int_equal(got.num_frames, 5);
}

static void a_stack_that_was_overwritten_is_no_endless_one(void **state)
{
	(void)state;
	nested(20);
	memset(taken.bytes, 0, taken.copy.size);
	unwind();
	assert_true(got.num_frames <= 2);
	memset(taken.bytes, 0xff, taken.copy.size);
	unwind();
	assert_int_equal(got.end, TT_STACK_NO_CODE);
	for (size_t i = 0; i + 8 <= taken.copy.size; i += 8)
		memcpy(taken.bytes + i, &taken.copy.regs[TT_STACK_RIP], 8);
	unwind();
	assert_true(got.end == TT_STACK_CUT || got.end == TT_STACK_DEEP ||
		    got.end == TT_STACK_BROKEN);
}

static void an_address_in_no_file_ends_it(void **state)
{
	(void)state;
	nested(1);
	taken.copy.regs[TT_STACK_RIP] = taken.copy.regs[TT_STACK_RSP];
	unwind();
	assert_int_equal(got.end, TT_STACK_NO_CODE);
	assert_int_equal(got.num_frames, 0);
}

static void frames_have_the_names_of_their_functions(void **state)
{
	__u64 offset;
	char *name;

	(void)state;
	with_alloca(100);
	unwind();
	assert_int_equal(image__function(got.frames[0].image, got.frames[0].vaddr, &name, &offset),
			 0);
	assert_string_equal(name, "take_stack");
	free(name);
	assert_int_equal(image__function(got.frames[1].image, got.frames[1].vaddr, &name, &offset),
			 0);
	assert_string_equal(name, "nested");
	assert_true(offset > 0);
	free(name);
	assert_int_equal(image__function(got.frames[4].image, got.frames[4].vaddr, &name, &offset),
			 0);
	assert_string_equal(name, "with_alloca");
	free(name);
	assert_int_equal(image__function(got.frames[0].image, 1, &name, &offset), -ENOENT);
}

int main(void)
{
#define a_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		a_test(a_stack_without_frame_pointers_is_unwound_to_its_end),
		a_test(frames_of_no_fixed_size_are_passed),
		a_test(a_callback_from_a_library_is_unwound),
		a_test(the_frame_of_a_signal_is_passed),
		a_test(the_stack_of_a_thread_ends_where_the_thread_began),
		a_test(a_copy_that_is_too_short_is_told_of),
		a_test(a_recursion_beyond_the_limit_is_told_of),
		a_test(a_stack_that_was_overwritten_is_no_endless_one),
		a_test(an_address_in_no_file_ends_it),
		a_test(frames_have_the_names_of_their_functions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
