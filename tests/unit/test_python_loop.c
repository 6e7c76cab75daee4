// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Which code is the loop of an interpreter: of this very program, which is given one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "stack/address_space.h"
#include "stack/python_loop.h"

/*
 * A loop of which a part lies apart from it, as gcc and BOLT split it, between others without a
 * name: one that ends with a call that does not return, and one that ends as the loop.
 */
__asm__(".pushsection .text.test_python_loop, \"ax\"\n"
	".globl _PyEval_EvalFrameDefault\n"
	".type _PyEval_EvalFrameDefault, @function\n"
	"_PyEval_EvalFrameDefault:\n"
	".cfi_startproc\n"
	"	test	%edi, %edi\n"
	"	jne	.Lpart\n"
	".Lback:\n"
	"	ret\n"
	".cfi_endproc\n"
	".size _PyEval_EvalFrameDefault, .-_PyEval_EvalFrameDefault\n"
	".type _TAIL_CALL_LOAD_ATTR, @function\n"
	"_TAIL_CALL_LOAD_ATTR:\n"
	".cfi_startproc\n"
	"	nop\n"
	"	ret\n"
	".cfi_endproc\n"
	".size _TAIL_CALL_LOAD_ATTR, .-_TAIL_CALL_LOAD_ATTR\n"
	".Lstops:\n"
	".cfi_startproc\n"
	"	nop\n"
	"	call	abort@plt\n"
	".cfi_endproc\n"
	".Lpart:\n"
	".cfi_startproc\n"
	"	nop\n"
	"	call	abort@plt\n"
	"	test	%eax, %eax\n"
	"	jne	.Lback\n"
	"	ud2\n"
	".cfi_endproc\n"
	".Lends:\n"
	".cfi_startproc\n"
	"	nop\n"
	"	jmp	_PyEval_EvalFrameDefault\n"
	".cfi_endproc\n"
	".popsection\n"
	".pushsection .data.rel.ro, \"aw\"\n"
	".balign 8\n"
	"places: .quad _PyEval_EvalFrameDefault, _TAIL_CALL_LOAD_ATTR, .Lstops, .Lpart, .Lends\n"
	".popsection\n");

enum place {
	LOOP,
	TAIL_CALL,
	STOPS,
	PART,
	ENDS,
};

extern const __u64 places[];

static struct images *images;
static struct address_space *space;

static int set_up(void **state)
{
	(void)state;
	return images__new(&images) || address_space__new(images, getpid(), &space);
}

static int tear_down(void **state)
{
	(void)state;
	address_space__free(space);
	images__free(images);
	return 0;
}

static enum python_part part_at(struct python_loop *loop, __u64 addr)
{
	struct image *image;
	__u64 vaddr;

	assert_int_equal(address_space__find(space, addr, &image, &vaddr), 0);
	return python_loop__part(loop, image, vaddr);
}

static void what_was_split_off_the_loop_is_of_the_loop_and_nothing_else_is(void **state)
{
	struct python_loop loop = {};

	(void)state;
	for (int asked = 0; asked < 2; asked++) { /* the second time it is known */
		assert_int_equal(part_at(&loop, places[LOOP]), PYTHON_LOOP);
		assert_int_equal(part_at(&loop, places[PART]), PYTHON_LOOP);
		assert_int_equal(part_at(&loop, places[PART] + 1), PYTHON_LOOP);
		assert_int_equal(part_at(&loop, places[STOPS]), PYTHON_OTHER);
		assert_int_equal(part_at(&loop, places[ENDS]), PYTHON_OTHER);
		assert_int_equal(part_at(&loop, (__u64)set_up), PYTHON_OTHER);
	}
	python_loop__done(&loop);
}

static void what_is_between_the_loop_and_those_it_calls_is_told_apart(void **state)
{
	struct python_loop loop = {};

	(void)state;
	assert_int_equal(part_at(&loop, places[TAIL_CALL]), PYTHON_INNER);
	python_loop__done(&loop);
	assert_int_equal(python_loop__part_named("_PyEval_EvalFrameDefault"), PYTHON_LOOP);
	assert_int_equal(python_loop__part_named("_PyEval_EvalFrameDefault.cold"), PYTHON_LOOP);
	assert_int_equal(python_loop__part_named("_PyEval_EvalFrame"), PYTHON_OTHER);
	assert_int_equal(python_loop__part_named("_TAIL_CALL_CALL"), PYTHON_INNER);
	assert_int_equal(python_loop__part_named("PyObject_Call"), PYTHON_OTHER);
}

static void code_that_was_split_off_has_the_name_of_the_whole(void **state)
{
	struct image *image;
	__u64 vaddr;
	char *name;

	(void)state;
	assert_int_equal(address_space__find(space, places[PART], &image, &vaddr), 0);
	assert_int_equal(python_loop__whole(image, vaddr, &name), 0);
	assert_string_equal(name, "_PyEval_EvalFrameDefault");
	free(name);
	assert_int_equal(python_loop__whole(image, 1, &name), -ENOENT);
	assert_int_equal(python_loop__whole(image, ~0ull, &name), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_split_off_the_loop_is_of_the_loop_and_nothing_else_is),
		cmocka_unit_test(what_is_between_the_loop_and_those_it_calls_is_told_apart),
		cmocka_unit_test(code_that_was_split_off_has_the_name_of_the_whole),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
