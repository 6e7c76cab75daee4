// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Which of several Buffers that lead to one body has it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "target/census_owners.h"
#include "target/memory.h"

enum {
	NUM = 3
};

/* As std::make_shared<Buffer>() makes it. */
struct shared {
	__u64 vtable;
	__u32 uses, weak;
	__u64 body;
};

struct scene {
	struct shared shared[NUM];
	struct tt_layout layout;
	struct object_space space;
	struct memory *memory;
	struct census_look look;
};

/* All of them lead to the same body, and are referenced. */
static struct scene *new_scene(void)
{
	struct scene *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->layout.field[TT_FIELD_DEVICE] = (struct tt_path){ .len = 2 };
	assert_int_equal(memory__open(getpid(), &s->memory), 0);
	s->space = (struct object_space){ s->memory, &s->layout, 0 };
	s->look.num_buffers = NUM;
	s->look.buffers = calloc(NUM, sizeof(*s->look.buffers));
	assert_non_null(s->look.buffers);
	for (int i = 0; i < NUM; i++) {
		s->shared[i] = (struct shared){ 0x7f0012345678, 1, 2, 0x8000 };
		s->look.buffers[i].buffer = (__u64)&s->shared[i].body;
		s->look.buffers[i].body_at = s->shared[i].body;
	}
	return s;
}

/* Who has the body: a bit each. */
static unsigned int mark(struct scene *s)
{
	unsigned int owners = 0;

	assert_int_equal(census_owners__mark(&s->space, &s->look), 0);
	for (int i = 0; i < NUM; i++)
		if (!(s->look.buffers[i].faults & TT_FAULT_OBJECT))
			owners |= 1u << i;
	memory__free(s->memory);
	census_look__done(&s->look);
	free(s);
	return owners;
}

static void free_by_key(struct shared *shared)
{
	shared->vtable = 0x55d00000aaaa ^ 0x5;
	shared->uses = 0x9b0c2f11;
	shared->weak = 0x6ad09c3e;
}

/* Into a list of free chunks: the link back lies over the counts. */
static void free_by_links(struct shared *shared)
{
	shared->uses = 0x12345678;
	shared->weak = 0x7f10;
}

static void what_was_freed_does_not_have_the_body(void **state)
{
	struct scene *s = new_scene();

	(void)state;
	free_by_key(&s->shared[0]);
	free_by_links(&s->shared[2]);
	assert_int_equal(mark(s), 1 << 1);
}

static void one_at_most_has_it(void **state)
{
	struct scene *s = new_scene();

	(void)state;
	assert_int_equal(mark(s), 1 << 0);
	s = new_scene();
	for (int i = 0; i < NUM; i++)
		free_by_links(&s->shared[i]);
	assert_int_equal(mark(s), 1 << 0);
}

static void bodies_apart_are_let_alone(void **state)
{
	struct scene *s = new_scene();

	(void)state;
	free_by_key(&s->shared[0]);
	free_by_key(&s->shared[1]);
	s->look.buffers[0].body_at = 0x9000;
	assert_int_equal(mark(s), 1 << 0 | 1 << 2);
	s = new_scene();
	for (int i = 0; i < NUM; i++)
		s->look.buffers[i].body_at = 0; /* they cannot be read */
	assert_int_equal(mark(s), (1 << NUM) - 1);
	s = new_scene();
	s->layout.field[TT_FIELD_DEVICE].len = 1; /* a Buffer and its body are one */
	assert_int_equal(mark(s), (1 << NUM) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_freed_does_not_have_the_body),
		cmocka_unit_test(one_at_most_has_it),
		cmocka_unit_test(bodies_apart_are_let_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
