// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The instruction of Buffer::create that only an empty buffer passes: found, or not certain. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "target/disasm.h"
#include "target/empty.h"

enum {
	SIZE_AT = 8,
	STATUS_AT = 0x38
};

#define find(ret, ...)                                                                             \
	({                                                                                         \
		const __u8 code[] = { __VA_ARGS__ };                                               \
		empty__find(code, sizeof(code), SIZE_AT, STATUS_AT, ret);                          \
	})

#define assert_found(at, in, ...)                                                                  \
	do {                                                                                       \
		struct empty_point p;                                                              \
		assert_int_equal(find(&p, __VA_ARGS__), 0);                                        \
		assert_int_equal(p.offset, at);                                                    \
		assert_int_equal(p.reg, in);                                                       \
	} while (0)

#define assert_none(...)                                                                           \
	do {                                                                                       \
		struct empty_point p;                                                              \
		assert_int_equal(find(&p, __VA_ARGS__), -ENOENT);                                  \
	} while (0)

#define CMP_SIZE_RDI_0	0x48, 0x83, 0x7f, 0x08, 0x00 /* cmp qword ptr [rdi+8], 0 */
#define CMP_SIZE_RSI_0	0x48, 0x83, 0x7e, 0x08, 0x00
#define CMP_SIZE_RDI_1	0x48, 0x83, 0x7f, 0x08, 0x01
#define CMP_OTHER_RDI_0 0x48, 0x83, 0x7f, 0x10, 0x00
#define MOV_STATUS_RDI	0xc6, 0x47, 0x38, 0x01 /* mov byte ptr [rdi+0x38], 1 */
#define MOV_STATUS_R12	0x41, 0xc6, 0x44, 0x24, 0x38, 0x01
#define MOV_STATUS_2	0xc6, 0x47, 0x38, 0x02
#define MOV_RBX_RSP	0x48, 0x8b, 0x1c, 0x24
#define MOV_RDI_RSP	0x48, 0x8b, 0x3c, 0x24
#define TEST_RDI	0x48, 0x85, 0xff
#define CALL		0xe8, 0, 0, 0, 0
#define JE(n)		0x74, (n)
#define JNE(n)		0x75, (n)
#define JMP(n)		0xeb, (n)
#define RET		0xc3

static void a_jump_leads_there(void **state)
{
	(void)state;
	assert_found(13, REG_RDI, CMP_SIZE_RDI_0, JE(6), CALL, RET, MOV_STATUS_RDI, RET);
	/* 0.80.0: what does not change the flags may stand in between */
	assert_found(17, REG_RDI, CMP_SIZE_RDI_0, MOV_RBX_RSP, JE(6), CALL, RET, MOV_STATUS_RDI,
		     RET);
}

static void control_falls_through_to_it(void **state)
{
	(void)state;
	assert_found(7, REG_RDI, CMP_SIZE_RDI_0, JNE(5), MOV_STATUS_RDI, RET, CALL, RET);
	assert_found(8, REG_R12, 0x49, 0x83, 0x7c, 0x24, 0x08, 0x00, JNE(7), MOV_STATUS_R12, RET,
		     CALL, RET);
}

/* 0.78.0: the comparison stands there twice. */
static void both_at_once(void **state)
{
	(void)state;
	assert_found(7, REG_RDI, CMP_SIZE_RDI_0, JNE(5), MOV_STATUS_RDI, RET, CMP_SIZE_RDI_0,
		     JE(0xf4), CALL, RET);
}

static void another_way_leads_there(void **state)
{
	(void)state;
	/* from a jump without a condition, from another condition, from above */
	assert_none(CMP_SIZE_RDI_0, JE(7), CALL, JMP(0), MOV_STATUS_RDI, RET);
	assert_none(TEST_RDI, JE(13), CMP_SIZE_RDI_0, JE(6), CALL, RET, MOV_STATUS_RDI, RET);
	assert_none(CMP_SIZE_RDI_0, JE(5), CALL, MOV_STATUS_RDI, RET);
	assert_none(MOV_STATUS_RDI, RET);
	/* with the condition reversed */
	assert_none(CMP_SIZE_RDI_0, JNE(6), CALL, RET, MOV_STATUS_RDI, RET);
	assert_none(CMP_SIZE_RDI_0, JE(5), MOV_STATUS_RDI, RET, CALL, RET);
}

static void something_else_is_compared(void **state)
{
	(void)state;
	assert_none(CMP_SIZE_RDI_1, JE(6), CALL, RET, MOV_STATUS_RDI, RET);
	assert_none(CMP_OTHER_RDI_0, JE(6), CALL, RET, MOV_STATUS_RDI, RET);
	assert_none(CMP_SIZE_RSI_0, JE(6), CALL, RET, MOV_STATUS_RDI, RET);
	/* the flags are those of another instruction, or the register has another value */
	assert_none(CMP_SIZE_RDI_0, TEST_RDI, JE(6), CALL, RET, MOV_STATUS_RDI, RET);
	assert_none(CMP_SIZE_RDI_0, MOV_RDI_RSP, JE(6), CALL, RET, MOV_STATUS_RDI, RET);
	assert_none(CMP_SIZE_RDI_0, RET, JE(6), CALL, RET, MOV_STATUS_RDI, RET);
}

static void something_else_is_stored(void **state)
{
	(void)state;
	assert_none(CMP_SIZE_RDI_0, JE(6), CALL, RET, MOV_STATUS_2, RET);
	assert_none(CMP_SIZE_RDI_0, JE(6), CALL, RET, RET);
}

static void code_that_is_none_has_none(void **state)
{
	struct empty_point p;

	(void)state;
	assert_none(0x06);
	assert_none(CMP_SIZE_RDI_0, JE(6), CALL, RET, MOV_STATUS_RDI, 0x06);
	assert_none(CMP_SIZE_RDI_0, JE(6), CALL, RET, 0xc6, 0x47);
	assert_int_equal(empty__find(NULL, 0, SIZE_AT, STATUS_AT, &p), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_jump_leads_there),
		cmocka_unit_test(control_falls_through_to_it),
		cmocka_unit_test(both_at_once),
		cmocka_unit_test(another_way_leads_there),
		cmocka_unit_test(something_else_is_compared),
		cmocka_unit_test(something_else_is_stored),
		cmocka_unit_test(code_that_is_none_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
