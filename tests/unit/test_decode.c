// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Facts out of code: functions as compilers make them, executed with descriptions for numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "assembly.h"
#include "target/decode.h"

/* Declares f and f_end, and lets f consist of @body. */
#define CODE(f, body)                                                                              \
	extern const char f[], f##_end[];                                                          \
	FUNCTION(#f, body "\n" #f "_end:")

CODE(getter, "mov rax, [rdi+0x10]; mov rax, [rax+8]; ret");
CODE(getter_with_frame, "push rbp; mov rbp, rsp; mov eax, [rdi+0x20]; pop rbp; ret");
CODE(getter_under_lock,
     "push rbx; mov rbx, rdi; lea rdi, [rdi+8]; call leaf_lock; mov rax, [rbx+0x148]; pop rbx; ret");
CODE(getter_that_checks, "mov rax, [rdi+0x70]; test rax, rax; je 1f; ret; 1: push rax; ud2");
CODE(two_ways, "test esi, esi; je 1f; mov eax, [rdi+4]; ret; 1: mov eax, [rdi+8]; ret");
CODE(computed, "mov rax, [rdi+8]; mov rcx, [rdi+16]; imul rax, rcx; ret");
CODE(constructor,
     "mov [rdi+0x10], rsi; mov dword ptr [rdi+0x20], r8d; movzx eax, byte ptr [rsp+0x18];"
     "mov [rdi+0x2b], al; mov word ptr [rdi+0x48], 0; ret");
CODE(stack_arguments, "push rbp; push rbx; sub rsp, 0x18; movzx eax, byte ptr [rsp+0x40];"
		      "mov [rdi+0x2b], al; add rsp, 0x18; pop rbx; pop rbp; ret");
CODE(spilled, "sub rsp, 0x18; mov [rsp+8], rdi; xor edi, edi; call leaf_lock; mov rcx, [rsp+8];"
	      "mov eax, [rcx+0x58]; add rsp, 0x18; ret");
CODE(clobbered, "sub rsp, 0x18; mov [rsp+8], rdi; lea rdi, [rsp+8]; call leaf_lock;"
		"mov rcx, [rsp+8]; mov eax, [rcx+0x58]; add rsp, 0x18; ret");
CODE(compared, "cmp byte ptr [rdi+0x48], 1; sete al; ret");
CODE(range_checked, "mov eax, [rdi+0x24]; add eax, -2; cmp eax, 3; ja 1f; 1: ret");
CODE(divided, "mov rax, rsi; xor edx, edx; mov rcx, [rdi+0x20]; div rcx; ret");
CODE(counted, "mov rdx, [rdi+0x118]; mov rcx, [rdi+0x110]; sub rdx, rcx; sar rdx, 4; ret");
CODE(not_counted, "mov rdx, [rdi+0x120]; mov rcx, [rdi+0x110]; sub rdx, rcx; sar rdx, 4; ret");
CODE(by_table,
     "mov eax, [rsi]; cmp rax, 4; ja 1f; lea rcx, [rip+table]; mov rax, [rcx+rax*8];"
     "mov rax, [rdi+rax]; mov eax, [rax+0x20]; ret; 1: ud2; table: .quad 0x30, 0x38, 0, 0x40");
CODE(by_jump_table,
     "mov eax, [rsi]; lea rcx, [rip+2f]; movsxd rax, dword ptr [rcx+rax*4]; add rax, rcx;"
     "jmp rax; 1: mov rax, [rdi+0x30]; ret; 3: mov rax, [rdi+0x38]; ret; 2: .long 1b-2b, 3b-2b");
CODE(by_comparison, "mov eax, [rsi]; test eax, eax; je 1f; cmp eax, 3; je 2f; ud2;"
		    "1: mov rax, [rdi+0x30]; ret; 2: mov rax, [rdi+0x40]; ret");
CODE(virtual_call, "mov rdi, [rdi+0x18]; mov rax, [rdi]; jmp [rax+0x30]");
CODE(calls_getter, "push rbx; call getter; mov rax, [rax+0x18]; pop rbx; ret");
CODE(always_false, "xor eax, eax; ret");
CODE(asks_a_constant, "push rbx; mov rbx, rdi; call always_false; test al, al; je 1f;"
		      "mov byte ptr [rbx+0x49], 1; 1: pop rbx; ret");
/* Two ways out: a constant, and what another function returns. */
CODE(false_or_jump, "test rsi, rsi; je 1f; jmp leaf_lock; 1: xor eax, eax; ret");
CODE(asks_two_ways, "push rbx; mov rbx, rdi; call false_or_jump; test al, al; je 1f;"
		    "mov byte ptr [rbx+0x49], 1; 1: pop rbx; ret");
CODE(jumps_to_getter, "jmp getter");
CODE(calls_by_jump, "push rbx; call jumps_to_getter; mov rax, [rax+0x18]; pop rbx; ret");
CODE(never_or_getter, "test rsi, rsi; je 1f; jmp [rip+nowhere]; 1: mov rax, [rdi+0x10]; ret");
CODE(asks_never, "push rbx; call never_or_getter; mov rax, [rax+8]; pop rbx; ret");
CODE(nowhere, ".quad 0");
CODE(fails_or_getter, "test rsi, rsi; je 1f; jmp abort_here; 1: mov rax, [rdi+0x10]; ret");
CODE(asks_failing, "push rbx; call fails_or_getter; mov rax, [rax+8]; pop rbx; ret");
CODE(abort_here, ".skip 80, 0x90; ud2");
CODE(takes_number,
     "mov edx, 1; mov rax, rdx; lock xadd [rip+next_number], rax; mov [rdi+0x18], rax;"
     "ret");
CODE(next_number, ".quad 0");
CODE(endless, "1: mov eax, [rdi]; jmp 1b");
CODE(branching, "\n.rept 40\nje 1f; nop; 1: jne 2f; nop; 2:\n.endr\nret");
CODE(deep, "mov rax, [rdi]; mov rax, [rax]; mov rax, [rax]; mov rax, [rax]; mov rax, [rax]; ret");
CODE(runaway, "push rax; lea rsp, [rsp+rax]; pop rsp; add rsp, [rdi]; pop rax; ret");
CODE(leaf_lock, ".skip 80, 0x90; mov eax, 7; ret");

#define EVENTS 64

struct heard {
	struct decode_event event[EVENTS];
	int count;
};

static void hear(const struct decode_event *event, void *ctx)
{
	struct heard *h = ctx;

	if (h->count < EVENTS)
		h->event[h->count++] = *event;
}

/* The program's own memory is the image. */
static int read_memory(void *ctx, __u64 vaddr, void *buf, size_t size)
{
	(void)ctx;
	memcpy(buf, (const void *)vaddr, size);
	return 0;
}

static int read_table(void *ctx, __u64 vaddr, void *buf, size_t size)
{
	__u64 begin = (__u64)by_table, end = (__u64)by_comparison;

	return vaddr >= begin && vaddr + size <= end ? read_memory(ctx, vaddr, buf, size) : -ENOENT;
}

static int no_slot(void *ctx, __u64 vaddr, const char **ret_name)
{
	(void)ctx, (void)vaddr, (void)ret_name;
	return -ENOENT;
}

/* Functions that leave by a jump. */
static int resolve_jumping(__u64 vaddr, struct decode_function *ret)
{
	if (vaddr == (__u64)false_or_jump)
		*ret = (struct decode_function){ "false_or_jump", vaddr,
						 false_or_jump_end - false_or_jump };
	else if (vaddr == (__u64)jumps_to_getter)
		*ret = (struct decode_function){ "jumps_to_getter", vaddr,
						 jumps_to_getter_end - jumps_to_getter };
	else if (vaddr == (__u64)never_or_getter)
		*ret = (struct decode_function){ "never_or_getter", vaddr,
						 never_or_getter_end - never_or_getter };
	else if (vaddr == (__u64)fails_or_getter)
		*ret = (struct decode_function){ "fails_or_getter", vaddr,
						 fails_or_getter_end - fails_or_getter };
	else if (vaddr == (__u64)abort_here)
		*ret = (struct decode_function){ "abort", vaddr, abort_here_end - abort_here };
	else
		return -ENOENT;
	return 0;
}

static int resolve(void *ctx, __u64 vaddr, struct decode_function *ret)
{
	(void)ctx;
	if (vaddr == (__u64)getter)
		*ret = (struct decode_function){ "getter", vaddr, getter_end - getter };
	else if (vaddr == (__u64)always_false)
		*ret = (struct decode_function){ "always_false", vaddr, 3 };
	else if (vaddr == (__u64)leaf_lock)
		*ret = (struct decode_function){ "leaf_lock", vaddr, leaf_lock_end - leaf_lock };
	else
		return resolve_jumping(vaddr, ret);
	return 0;
}

static int find_variable(void *ctx, __u64 vaddr, const char **ret_name)
{
	(void)ctx;
	*ret_name = "next_number";
	return vaddr == (__u64)next_number ? 0 : -ENOENT;
}

static struct heard run(const char *begin, const char *end, const struct decode_given *given)
{
	static const struct decode_image image = { NULL,    read_memory,   read_table,
						   no_slot, find_variable, resolve };
	struct decode_function f = { "f", (__u64)begin, (size_t)(end - begin) };
	struct heard heard = {};
	struct decode_request request = { &f, given, NULL, hear, &heard };

	assert_int_equal(decode__run(&image, &request), 0);
	return heard;
}

#define RUN(f) run(f, f##_end, NULL)

/* "arg0 10 8" for *(*(argument 0 + 0x10) + 8); "arg0 10 +4" with something added. */
static const char *say(const struct value *v)
{
	static char text[64];
	int used = 0;

	switch (v->kind) {
	case VALUE_UNKNOWN:
		return "unknown";
	case VALUE_CONST:
		snprintf(text, sizeof(text), "const %lld", v->number);
		return text;
	case VALUE_STACK:
		return "stack";
	case VALUE_RESULT:
		return "result";
	default:
		used = snprintf(text, sizeof(text), "arg%d", v->arg);
	}
	for (int i = 0; i < v->len; i++)
		used += snprintf(text + used, sizeof(text) - (size_t)used, " %x",
				 (unsigned int)v->off[i]);
	if (v->number)
		snprintf(text + used, sizeof(text) - (size_t)used, " %+lld", v->number);
	return text;
}

static const struct decode_event *nth(const struct heard *h, enum decode_event_kind kind, int n)
{
	for (int i = 0; i < h->count; i++)
		if (h->event[i].kind == kind && n-- == 0)
			return &h->event[i];
	fail_msg("no such event");
	return NULL;
}

#define assert_returns(f, what)                                                                    \
	do {                                                                                       \
		struct heard h = RUN(f);                                                           \
		assert_string_equal(say(&nth(&h, DECODE_RETURNED, 0)->value), what);               \
	} while (0)

static void a_getter_returns_what_it_has_dereferenced(void **state)
{
	(void)state;
	assert_returns(getter, "arg0 10 8");
	assert_returns(getter_with_frame, "arg0 20");
	assert_returns(getter_under_lock, "arg0 148");
	assert_returns(getter_that_checks, "arg0 70");
}

static void both_ways_of_a_branch_are_gone(void **state)
{
	struct heard h = RUN(two_ways);

	(void)state;
	assert_string_equal(say(&nth(&h, DECODE_RETURNED, 0)->value), "arg0 4");
	assert_string_equal(say(&nth(&h, DECODE_RETURNED, 1)->value), "arg0 8");
}

static void a_result_that_is_computed_is_unknown(void **state)
{
	(void)state;
	assert_returns(computed, "unknown");
}

static void a_constructor_tells_where_its_arguments_go(void **state)
{
	struct heard h = RUN(constructor);

	(void)state;
	assert_string_equal(say(&nth(&h, DECODE_STORED, 0)->value), "arg1");
	assert_string_equal(say(&nth(&h, DECODE_STORED, 0)->other), "arg0 +16");
	assert_string_equal(say(&nth(&h, DECODE_STORED, 1)->value), "arg4");
	assert_int_equal(nth(&h, DECODE_STORED, 1)->size, 4);
	assert_string_equal(say(&nth(&h, DECODE_STORED, 2)->value), "arg8");
	assert_string_equal(say(&nth(&h, DECODE_STORED, 3)->value), "const 0");
}

static void arguments_on_the_stack_are_found_behind_what_was_pushed(void **state)
{
	struct heard h = RUN(stack_arguments);

	(void)state;
	assert_string_equal(say(&nth(&h, DECODE_STORED, 0)->value), "arg8");
	assert_string_equal(say(&nth(&h, DECODE_STORED, 0)->other), "arg0 +43");
}

static void a_spilled_register_comes_back_unless_its_slot_was_handed_out(void **state)
{
	(void)state;
	assert_returns(spilled, "arg0 58");
	assert_returns(clobbered, "unknown");
}

static void comparisons_say_with_what(void **state)
{
	struct heard h = RUN(compared);

	(void)state;
	assert_string_equal(say(&nth(&h, DECODE_COMPARED, 0)->value), "arg0 48");
	assert_int_equal(nth(&h, DECODE_COMPARED, 0)->size, 1);
	assert_int_equal(nth(&h, DECODE_COMPARED, 0)->other.number, 1);
	h = RUN(range_checked);
	assert_string_equal(say(&nth(&h, DECODE_COMPARED, 0)->value), "arg0 24 -2");
}

static void divisors_and_vectors_are_seen(void **state)
{
	struct heard h = RUN(divided);

	(void)state;
	assert_string_equal(say(&nth(&h, DECODE_DIVIDED_BY, 0)->value), "arg0 20");
	h = RUN(counted);
	assert_string_equal(say(&nth(&h, DECODE_SPAN, 0)->value), "arg0 110");
	assert_int_equal(nth(&h, DECODE_SPAN, 0)->size, 16);
	h = RUN(not_counted);
	for (int i = 0; i < h.count; i++)
		assert_int_not_equal(h.event[i].kind, DECODE_SPAN);
}

static void what_is_given_selects_the_way(void **state)
{
	struct decode_given given = { .place = value__arg(1) };
	struct heard h;

	(void)state;
	given.place.len = 1; /* *(argument 1) */
	given.number = 3;
	h = run(by_table, by_table_end, &given);
	assert_string_equal(say(&nth(&h, DECODE_RETURNED, 0)->value), "arg0 40 20");
	h = run(by_comparison, by_comparison_end, &given);
	assert_string_equal(say(&nth(&h, DECODE_RETURNED, 0)->value), "arg0 40");
	given.number = 1;
	h = run(by_jump_table, by_jump_table_end, &given);
	assert_string_equal(say(&nth(&h, DECODE_RETURNED, 0)->value), "arg0 38");
	given.number = 1 << 20; /* far behind the table */
	h = run(by_jump_table, by_jump_table_end, &given);
	assert_string_equal(say(&nth(&h, DECODE_RETURNED, 0)->value), "result");
}

static void a_call_tells_its_arguments_and_getters_are_seen_through(void **state)
{
	struct heard h = RUN(virtual_call);

	(void)state;
	assert_true(nth(&h, DECODE_CALLED, 0)->is_virtual);
	assert_string_equal(say(&nth(&h, DECODE_CALLED, 0)->arg[0]), "arg0 18");
	h = RUN(calls_getter);
	assert_string_equal(nth(&h, DECODE_CALLED, 0)->callee, "getter");
	assert_string_equal(say(&nth(&h, DECODE_RETURNED, 0)->value), "arg0 10 8 18");
}

static void a_constant_answer_does_not_close_the_other_way(void **state)
{
	struct heard h = RUN(asks_a_constant);

	(void)state;
	assert_string_equal(say(&nth(&h, DECODE_STORED, 0)->other), "arg0 +73");
}

/* false is not all that it returns: what comes after true is looked at, whatever is given. */
static void a_function_that_leaves_by_a_jump_may_return_anything(void **state)
{
	struct decode_given given = { .place = value__arg(2) };
	struct heard h = run(asks_two_ways, asks_two_ways_end, &given);

	(void)state;
	assert_string_equal(say(&nth(&h, DECODE_STORED, 0)->other), "arg0 +73");
	assert_returns(asks_never, "unknown");
}

static void a_jump_to_a_getter_is_seen_through(void **state)
{
	(void)state;
	assert_returns(calls_by_jump, "arg0 10 8 18");
}

static void a_jump_that_never_comes_back_returns_nothing(void **state)
{
	(void)state;
	assert_returns(asks_failing, "arg0 10 8");
}

static void a_variable_is_known_by_its_address(void **state)
{
	struct heard h = RUN(takes_number);

	(void)state;
	assert_int_equal(nth(&h, DECODE_STORED, 0)->value.kind, VALUE_RESULT);
	assert_string_equal(nth(&h, DECODE_STORED, 0)->value.source, "next_number");
}

static void loops_and_many_branches_come_to_an_end(void **state)
{
	struct heard h = RUN(endless);

	(void)state;
	assert_int_equal(h.count, 0);
	h = RUN(branching);
	assert_true(h.count > 0);
	assert_returns(deep, "unknown");
	RUN(runaway);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_getter_returns_what_it_has_dereferenced),
		cmocka_unit_test(both_ways_of_a_branch_are_gone),
		cmocka_unit_test(a_result_that_is_computed_is_unknown),
		cmocka_unit_test(a_constructor_tells_where_its_arguments_go),
		cmocka_unit_test(arguments_on_the_stack_are_found_behind_what_was_pushed),
		cmocka_unit_test(a_spilled_register_comes_back_unless_its_slot_was_handed_out),
		cmocka_unit_test(comparisons_say_with_what),
		cmocka_unit_test(divisors_and_vectors_are_seen),
		cmocka_unit_test(what_is_given_selects_the_way),
		cmocka_unit_test(a_call_tells_its_arguments_and_getters_are_seen_through),
		cmocka_unit_test(a_constant_answer_does_not_close_the_other_way),
		cmocka_unit_test(a_function_that_leaves_by_a_jump_may_return_anything),
		cmocka_unit_test(a_jump_to_a_getter_is_seen_through),
		cmocka_unit_test(a_jump_that_never_comes_back_returns_nothing),
		cmocka_unit_test(a_variable_is_known_by_its_address),
		cmocka_unit_test(loops_and_many_branches_come_to_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
