// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Which instruction of a function is probed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "target/prologue.h"

#define choose(ret, ...)                                                                           \
	({                                                                                         \
		const __u8 code[] = { __VA_ARGS__ };                                               \
		prologue__choose(code, sizeof(code), ret);                                         \
	})

#define assert_chosen(at, is_emulated, ...)                                                        \
	do {                                                                                       \
		struct prologue p;                                                                 \
		assert_int_equal(choose(&p, __VA_ARGS__), 0);                                      \
		assert_int_equal(p.offset, at);                                                    \
		assert_int_equal(p.emulated, is_emulated);                                         \
	} while (0)

#define ENDBR64	       0xf3, 0x0f, 0x1e, 0xfa
#define PUSH_RBP       0x55
#define PUSH_R15       0x41, 0x57
#define SUB_RSP_24     0x48, 0x83, 0xec, 0x18
#define MOV_RBX_RDI    0x48, 0x89, 0xfb
#define MOV_RDI_RSI    0x48, 0x89, 0xf7
#define MOV_EAX_RDI_18 0x8b, 0x47, 0x18
#define RET	       0xc3

static void a_push_at_the_begin_is_taken(void **state)
{
	(void)state;
	assert_chosen(0, true, PUSH_RBP, RET);
	assert_chosen(0, true, PUSH_R15, RET);
}

static void what_comes_before_the_push_is_passed_over(void **state)
{
	(void)state;
	assert_chosen(4, true, ENDBR64, PUSH_RBP, RET);
	assert_chosen(4, true, SUB_RSP_24, PUSH_RBP, RET);
	assert_chosen(3, true, MOV_RBX_RDI, PUSH_R15, RET);
}

static void nops_that_the_kernel_emulates_are_taken(void **state)
{
	(void)state;
	assert_chosen(0, true, 0x90, RET);
	assert_chosen(0, true, 0x0f, 0x1f, 0x44, 0x00, 0x00, RET); /* 5 bytes */
	assert_chosen(4, true, ENDBR64, 0x0f, 0x1f, 0x40, 0x00, RET);
}

static void a_nop_that_kernels_refuse_to_probe_is_passed_over(void **state)
{
	(void)state;
	assert_chosen(2, true, 0x66, 0x90, PUSH_RBP, RET);
}

static void a_push_behind_a_written_argument_is_not_taken(void **state)
{
	(void)state;
	assert_chosen(0, false, MOV_RDI_RSI, PUSH_RBP, RET);
	assert_chosen(0, false, 0x31, 0xc9 /* xor ecx, ecx */, PUSH_RBP, RET);
	assert_chosen(0, false, 0x0f, 0xa2 /* cpuid: ecx, edx */, PUSH_RBP, RET);
	assert_chosen(0, false, 0x5e /* pop rsi */, PUSH_RBP, RET);
}

static void a_push_behind_a_jump_is_not_taken(void **state)
{
	(void)state;
	assert_chosen(0, false, 0x48, 0x85, 0xff /* test rdi, rdi */, 0x74, 0x01, PUSH_RBP, RET);
	assert_chosen(0, false, 0xe8, 0, 0, 0, 0, PUSH_RBP, RET);
	assert_chosen(0, false, RET, PUSH_RBP);
}

static void a_push_of_anything_but_a_register_is_not_taken(void **state)
{
	(void)state;
	assert_chosen(0, false, 0x6a, 0x01 /* push 1 */, RET);
	assert_chosen(0, false, 0xff, 0x37 /* push [rdi] */, RET);
	assert_chosen(0, false, 0x66, 0x55 /* push bp */, RET);
	assert_chosen(0, false, 0x48, 0x55 /* push rbp, with a prefix that is not 41 */, RET);
}

static void a_push_in_a_loop_is_not_taken(void **state)
{
	(void)state;
	/* nop; dec esi; jnz to the nop */
	assert_chosen(0, false, MOV_EAX_RDI_18, 0x90, 0xff, 0xce, 0x75, 0xfb, RET);
	/* a jump forward does not matter */
	assert_chosen(0, true, PUSH_RBP, 0x75, 0x01, 0x90, RET);
}

static void a_getter_is_probed_at_its_begin(void **state)
{
	(void)state;
	assert_chosen(0, false, MOV_EAX_RDI_18, RET);
}

static void bytes_that_are_no_instruction_are_refused(void **state)
{
	struct prologue p;

	(void)state;
	assert_int_equal(prologue__choose((const __u8 *)"", 0, &p), -EINVAL);
	assert_int_equal(choose(&p, 0x06), -EINVAL);	   /* not in 64-bit mode */
	assert_int_equal(choose(&p, 0x48, 0x8b), -EINVAL); /* cut off */
	assert_chosen(0, false, 0x48, 0x89, 0xc3, 0x06);   /* good, then bad */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_push_at_the_begin_is_taken),
		cmocka_unit_test(what_comes_before_the_push_is_passed_over),
		cmocka_unit_test(nops_that_the_kernel_emulates_are_taken),
		cmocka_unit_test(a_nop_that_kernels_refuse_to_probe_is_passed_over),
		cmocka_unit_test(a_push_behind_a_written_argument_is_not_taken),
		cmocka_unit_test(a_push_behind_a_jump_is_not_taken),
		cmocka_unit_test(a_push_of_anything_but_a_register_is_not_taken),
		cmocka_unit_test(a_push_in_a_loop_is_not_taken),
		cmocka_unit_test(a_getter_is_probed_at_its_begin),
		cmocka_unit_test(bytes_that_are_no_instruction_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
