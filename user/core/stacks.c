// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "core/stacks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/origin.h"
#include "lib/array.h"

enum {
	NUMBERS_MAX = 1 << 24, /* frames, and stacks; a number beyond is a mistake */
	OP_SIZE = 256,	       /* of the name of an operation; a longer one is cut */
};

static struct event_frame *copy_frame(const struct tt_record_frame *rec)
{
	struct event_frame *frame;
	char *text;

	/* both names lie behind it, each with a 0 at its end */
	frame = malloc(sizeof(*frame) + rec->function_len + rec->image_len + 2);
	if (!frame)
		return NULL;
	text = (char *)(frame + 1);
	memcpy(text, rec->text, rec->function_len);
	text[rec->function_len] = '\0';
	memcpy(text + rec->function_len + 1, rec->text + rec->function_len, rec->image_len);
	text[rec->function_len + 1 + rec->image_len] = '\0';
	*frame = (struct event_frame){
		.function = rec->function_len ? text : NULL,
		.image = text + rec->function_len + 1,
		.line = rec->line,
		.vaddr = rec->vaddr,
		.offset = rec->offset,
	};
	return frame;
}

int stacks__add_frame(struct stacks *stacks, const struct tt_record_frame *rec, size_t size)
{
	struct event_frame **frames;

	if (size - sizeof(*rec) < (size_t)rec->function_len + rec->image_len ||
	    rec->frame >= NUMBERS_MAX)
		return -EBADMSG;
	frames = array__reach(stacks->frames, rec->frame, sizeof(*frames), &stacks->num_frames);
	if (!frames)
		return -ENOMEM;
	stacks->frames = frames;
	if (frames[rec->frame])
		return 0; /* stacks point to it */
	frames[rec->frame] = copy_frame(rec);
	return frames[rec->frame] ? 0 : -ENOMEM;
}

/* Its frames; @stack is as large as @rec wants it. */
static int copy_frames(const struct stacks *stacks, const struct tt_record_stack *rec,
		       struct event_stack *stack)
{
	stack->number = rec->stack;
	stack->end = rec->end;
	stack->num_frames = (__u32)rec->num_frames;
	for (__u32 i = 0; i < stack->num_frames; i++) {
		if (rec->frames[i] >= stacks->num_frames || !stacks->frames[rec->frames[i]])
			return -EBADMSG;
		stack->frames[i] = stacks->frames[rec->frames[i]];
	}
	return 0;
}

/* Both names lie behind the frames. */
static int copy_stack(const struct stacks *stacks, const struct tt_record_stack *rec,
		      struct event_stack **ret_stack)
{
	size_t frames_size = rec->num_frames * sizeof((*ret_stack)->frames[0]), op_size,
	       factory_size;
	char op[OP_SIZE], factory[OP_SIZE], *names;
	struct event_stack *stack, *fitted;
	int err;

	stack = malloc(sizeof(*stack) + frames_size + sizeof(op) + sizeof(factory));
	if (!stack)
		return -ENOMEM;
	err = copy_frames(stacks, rec, stack);
	if (err) {
		free(stack);
		return err;
	}
	stack->op_frame = origin__operation(stack, op, sizeof(op));
	stack->owner = origin__owner(stack);
	origin__factory(stack, factory, sizeof(factory));
	op_size = strlen(op) + 1;
	factory_size = strlen(factory) + 1;
	fitted = realloc(stack, sizeof(*stack) + frames_size + op_size + factory_size);
	stack = fitted ? fitted : stack;
	names = (char *)stack + sizeof(*stack) + frames_size;
	stack->op = op[0] ? memcpy(names, op, op_size) : NULL;
	stack->factory = factory[0] ? memcpy(names + op_size, factory, factory_size) : NULL;
	*ret_stack = stack;
	return 0;
}

int stacks__add(struct stacks *stacks, const struct tt_record_stack *rec, size_t size)
{
	struct event_stack **table;

	if ((size - sizeof(*rec)) / sizeof(rec->frames[0]) < rec->num_frames ||
	    rec->end >= TT_STACK_END_COUNT || !rec->stack || rec->stack >= NUMBERS_MAX)
		return -EBADMSG;
	table = array__reach(stacks->stacks, rec->stack, sizeof(*table), &stacks->num_stacks);
	if (!table)
		return -ENOMEM;
	stacks->stacks = table;
	return table[rec->stack] ? 0 : copy_stack(stacks, rec, &table[rec->stack]);
}

const struct event_stack *stacks__find(const struct stacks *stacks, __u32 number)
{
	return number < stacks->num_stacks ? stacks->stacks[number] : NULL;
}

void stacks__done(struct stacks *stacks)
{
	for (__u32 i = 0; i < stacks->num_stacks; i++)
		free(stacks->stacks[i]);
	for (__u32 i = 0; i < stacks->num_frames; i++)
		free(stacks->frames[i]);
	free(stacks->stacks);
	free(stacks->frames);
}
