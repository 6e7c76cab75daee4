/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Stacks and their frames get numbers: the same code the same one, in whatever process. What a
 * number means is told once, by records of kinds TT_RECORD_FRAME and TT_RECORD_STACK.
 */
#ifndef TTTRACE_STACK_NAMES_H
#define TTTRACE_STACK_NAMES_H

#include "stack/unwind.h"

struct stack_names;
struct numbered_stack;

/* A function in Python. */
struct python_function;

/* A frame as it is shown: of machine code, or of Python. */
struct named_frame {
	struct image *image;			/* of machine code: see struct stack_frame … */
	const struct python_function *function; /* … of Python */
	__u64 place;				/* vaddr, or line */
};

typedef void (*stack_record_fn)(void *ctx, const void *record, size_t size);

/* Returns 0 or -ENOMEM. */
int stack_names__new(stack_record_fn on_record, void *ctx, struct stack_names **ret_names);
void stack_names__free(struct stack_names *names);

/* The function @name of the file @file; NULL: no memory. It lives as long as @names. */
const struct python_function *stack_names__python(struct stack_names *names, const char *file,
						  const char *name);

/* Gives a stack a number. Nothing is told yet. Returns 0 or -ENOMEM. */
int stack_names__number(struct stack_names *names, const struct named_frame *frames, size_t count,
			enum tt_stack_end end, struct numbered_stack **ret_stack);
__u32 numbered_stack__number(const struct numbered_stack *stack);

/* Tells what @stack is, which is of these frames, if it was not told before. */
void stack_names__tell(struct stack_names *names, struct numbered_stack *stack,
		       const struct named_frame *frames, size_t count);

#endif
