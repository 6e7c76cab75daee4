// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "stack_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/table.h"
#include "target/symbols.h"
#include "written.h"

enum {
	TEXT_MAX = 4096, /* bytes of a name that are handed up */
	WORDS_MAX = UNWIND_FRAMES_MAX + 1,
};

struct python_function {
	UT_hash_handle hh;
	const char *file; /* behind the name, in text[] */
	char text[];	  /* the key: name, 0, file */
};

struct frame_key {
	const void *of; /* image, or function in Python */
	__u64 place;
};

struct numbered_frame {
	struct frame_key key;
	__u32 number;
	bool told;
	UT_hash_handle hh;
};

struct numbered_stack {
	__u32 number;
	__u32 num_frames;
	bool told;
	UT_hash_handle hh;
	__u32 words[]; /* the key: the numbers of its frames, and how it ended */
};

struct stack_names {
	stack_record_fn on_record;
	void *ctx;
	struct python_function *functions;
	struct numbered_frame *frames;
	struct numbered_stack *stacks;
	__u32 num_frames;
	__u32 num_stacks;
};

int stack_names__new(stack_record_fn on_record, void *ctx, struct stack_names **ret_names)
{
	struct stack_names *names = calloc(1, sizeof(*names));

	if (!names)
		return -ENOMEM;
	names->on_record = on_record;
	names->ctx = ctx;
	*ret_names = names;
	return 0;
}

void stack_names__free(struct stack_names *names)
{
	struct python_function *function, *next_function;
	struct numbered_frame *frame, *next_frame;
	struct numbered_stack *stack, *next_stack;

	if (!names)
		return;
	HASH_ITER (hh, names->functions, function, next_function) {
		HASH_DEL(names->functions, function);
		free(function);
	}
	HASH_ITER (hh, names->frames, frame, next_frame) {
		HASH_DEL(names->frames, frame);
		free(frame);
	}
	HASH_ITER (hh, names->stacks, stack, next_stack) {
		HASH_DEL(names->stacks, stack);
		free(stack);
	}
	free(names);
}

const struct python_function *stack_names__python(struct stack_names *names, const char *file,
						  const char *name)
{
	size_t name_size = strlen(name) + 1, size = name_size + strlen(file) + 1;
	struct python_function *function, *known;

	function = calloc(1, sizeof(*function) + size);
	if (!function)
		return NULL;
	memcpy(function->text, name, name_size);
	memcpy(function->text + name_size, file, size - name_size);
	function->file = function->text + name_size;
	HASH_FIND(hh, names->functions, function->text, size, known);
	if (known) {
		free(function);
		return known;
	}
	HASH_ADD_KEYPTR(hh, names->functions, function->text, size, function);
	if (table__has(function))
		return function;
	free(function);
	return NULL;
}

/* --- numbers --------------------------------------------------------------------------------- */

static int meet_frame(struct stack_names *names, const struct named_frame *frame,
		      struct numbered_frame **ret_known)
{
	struct frame_key key = {
		.of = frame->function ? (const void *)frame->function : (const void *)frame->image,
		.place = frame->place,
	};
	struct numbered_frame *known;

	HASH_FIND(hh, names->frames, &key, sizeof(key), known);
	if (!known) {
		known = calloc(1, sizeof(*known));
		if (!known)
			return -ENOMEM;
		known->key = key;
		known->number = names->num_frames;
		HASH_ADD(hh, names->frames, key, sizeof(known->key), known);
		if (!table__has(known)) {
			free(known);
			return -ENOMEM;
		}
		names->num_frames++;
	}
	*ret_known = known;
	return 0;
}

static int add_stack(struct stack_names *names, const __u32 *words, size_t count,
		     struct numbered_stack **ret_stack)
{
	struct numbered_stack *stack = calloc(1, sizeof(*stack) + count * sizeof(*words));

	if (!stack)
		return -ENOMEM;
	stack->num_frames = (__u32)count - 1;
	stack->number = names->num_stacks + 1;
	memcpy(stack->words, words, count * sizeof(*words));
	HASH_ADD_KEYPTR(hh, names->stacks, stack->words, count * sizeof(*words), stack);
	if (!table__has(stack)) {
		free(stack);
		return -ENOMEM;
	}
	names->num_stacks++;
	*ret_stack = stack;
	return 0;
}

int stack_names__number(struct stack_names *names, const struct named_frame *frames, size_t count,
			enum tt_stack_end end, struct numbered_stack **ret_stack)
{
	struct numbered_frame *frame;
	struct numbered_stack *stack;
	__u32 words[WORDS_MAX];
	int err = 0;

	for (size_t i = 0; !err && i < count; i++) {
		err = meet_frame(names, &frames[i], &frame);
		if (!err)
			words[i] = frame->number;
	}
	if (err)
		return err;
	words[count++] = end;
	HASH_FIND(hh, names->stacks, words, count * sizeof(words[0]), stack);
	if (!stack)
		err = add_stack(names, words, count, &stack);
	if (!err)
		*ret_stack = stack;
	return err;
}

__u32 numbered_stack__number(const struct numbered_stack *stack)
{
	return stack->number;
}

/* --- what they mean -------------------------------------------------------------------------- */

/* As much of @from as there is room for, without the 0 at its end. */
static __u16 put_text(char *text, const char *from)
{
	size_t len = from ? strnlen(from, TEXT_MAX) : 0;

	for (size_t i = 0; i < len; i++)
		text[i] = from[i];
	return (__u16)len;
}

static void tell_frame(struct stack_names *names, const struct named_frame *frame, __u32 number)
{
	struct {
		struct tt_record_frame rec;
		char text[2 * TEXT_MAX];
	} told = { .rec = { .h = written__head(TT_RECORD_FRAME, 0), .frame = number } };
	_cleanup_free_ char *mangled = NULL, *name = NULL;
	const char *function = NULL, *file;

	if (frame->function) {
		function = frame->function->text;
		file = frame->function->file;
		told.rec.line = (__u32)frame->place;
	} else {
		file = image__name(frame->image);
		told.rec.vaddr = frame->place;
		if (!image__function(frame->image, frame->place, &mangled, &told.rec.offset))
			name = symbol__demangle_name(mangled);
		function = name;
	}
	told.rec.function_len = put_text(told.rec.text, function);
	told.rec.image_len = put_text(told.rec.text + told.rec.function_len, file);
	names->on_record(names->ctx, &told,
			 sizeof(told.rec) + told.rec.function_len + told.rec.image_len);
}

static void tell_stack(struct stack_names *names, const struct numbered_stack *stack)
{
	struct {
		struct tt_record_stack rec;
		__u32 frames[UNWIND_FRAMES_MAX];
	} told = { .rec = { .h = written__head(TT_RECORD_STACK, 0),
			    .stack = stack->number,
			    .end = stack->words[stack->num_frames],
			    .num_frames = stack->num_frames } };

	memcpy(told.rec.frames, stack->words, stack->num_frames * sizeof(__u32));
	names->on_record(names->ctx, &told, sizeof(told.rec) + stack->num_frames * sizeof(__u32));
}

void stack_names__tell(struct stack_names *names, struct numbered_stack *stack,
		       const struct named_frame *frames, size_t count)
{
	struct numbered_frame *frame;

	if (stack->told)
		return;
	for (size_t i = 0; i < count; i++) {
		if (meet_frame(names, &frames[i], &frame) || frame->told)
			continue;
		frame->told = true;
		tell_frame(names, &frames[i], frame->number);
	}
	stack->told = true;
	tell_stack(names, stack);
}
