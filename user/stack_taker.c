// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "stack_taker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/table.h"
#include "stack/unwind.h"
#include "target/symbols.h"
#include "trace/loader.h"
#include "written.h"

enum {
	TEXT_MAX = 4096, /* bytes of a function's name that are handed up */
};

/* A frame that has a number: the same code in whatever process. */
struct frame_key {
	const struct image *image;
	__u64 vaddr;
};

struct known_frame {
	struct frame_key key;
	__u32 number;
	bool told;
	UT_hash_handle hh;
};

/* A stack that has a number, by the numbers of its frames. */
struct known_stack {
	__u32 number;
	__u32 num_frames;
	bool told;
	UT_hash_handle hh;
	__u32 words[]; /* its frames, and how it ended */
};

/* Ways of BPF to know a stack of this process again. */
struct known_way {
	struct tt_known_key key; /* .way: the next to be used */
	__u32 num_ways;
	UT_hash_handle hh;
};

struct traced_process {
	__u32 tgid;
	__u64 start_ns;
	__u32 generation;
	struct address_space *space;
	struct known_way *ways; /* by stack pointer */
	UT_hash_handle hh;
};

struct stack_taker {
	struct loader *loader;
	size_t depth;
	stack_record_fn on_record;
	void *ctx;
	struct images *images;
	struct traced_process *processes; /* by tgid */
	struct known_frame *frames;
	struct known_stack *stacks;
	__u32 num_frames;
	__u32 num_stacks;
	struct unwinding unwinding; /* of the stack at hand */
};

int stack_taker__new(struct loader *loader, size_t depth, stack_record_fn on_record, void *ctx,
		     struct stack_taker **ret_taker)
{
	struct stack_taker *taker = calloc(1, sizeof(*taker));

	if (!taker)
		return -ENOMEM;
	*taker = (struct stack_taker){
		.loader = loader,
		.depth = depth < UNWIND_FRAMES_MAX ? depth : UNWIND_FRAMES_MAX,
		.on_record = on_record,
		.ctx = ctx,
	};
	if (images__new(&taker->images)) {
		free(taker);
		return -ENOMEM;
	}
	*ret_taker = taker;
	return 0;
}

/* --- processes ------------------------------------------------------------------------------- */

static void forget_way(struct stack_taker *taker, struct traced_process *process,
		       struct known_way *known)
{
	struct tt_known_key key = known->key;

	for (key.way = 0; key.way < known->num_ways; key.way++)
		loader__forget_stack(taker->loader, &key);
	HASH_DEL(process->ways, known);
	free(known);
}

static void free_process(struct stack_taker *taker, struct traced_process *process)
{
	struct known_way *known, *next;

	HASH_DEL(taker->processes, process);
	HASH_ITER (hh, process->ways, known, next)
		forget_way(taker, process, known);
	address_space__free(process->space);
	free(process);
}

static struct traced_process *add_process(struct stack_taker *taker, __u32 tgid)
{
	struct traced_process *process = calloc(1, sizeof(*process));

	if (!process)
		return NULL;
	process->tgid = tgid;
	if (address_space__new(taker->images, (pid_t)process->tgid, &process->space)) {
		free(process);
		return NULL;
	}
	HASH_ADD(hh, taker->processes, tgid, sizeof(process->tgid), process);
	if (table__has(process))
		return process;
	address_space__free(process->space);
	free(process);
	return NULL;
}

static struct traced_process *find_process(struct stack_taker *taker, __u32 tgid)
{
	struct traced_process *process;

	HASH_FIND(hh, taker->processes, &tgid, sizeof(tgid), process);
	return process;
}

static bool is_of(const struct traced_process *process, const struct tt_record_stack_copy *copy)
{
	return process->start_ns == copy->h.start_ns && process->generation == copy->generation;
}

/* NULL: no memory. */
static struct traced_process *meet_process(struct stack_taker *taker,
					   const struct tt_record_stack_copy *copy)
{
	struct traced_process *process = find_process(taker, copy->h.tgid);

	/* one that was prepared, and has not shown yet who it is */
	if (process && process->start_ns && !is_of(process, copy)) {
		free_process(taker, process);
		process = NULL;
	}
	if (!process)
		process = add_process(taker, copy->h.tgid);
	if (process) {
		process->start_ns = copy->h.start_ns;
		process->generation = copy->generation;
	}
	return process;
}

void stack_taker__prepare(struct stack_taker *taker, pid_t pid)
{
	struct traced_process *process = find_process(taker, (__u32)pid);

	if (process)
		return;
	process = add_process(taker, (__u32)pid);
	if (process)
		address_space__prepare(process->space);
}

void stack_taker__end_process(struct stack_taker *taker, const struct tt_record *rec)
{
	struct traced_process *process = find_process(taker, rec->tgid);

	if (process)
		free_process(taker, process);
}

void stack_taker__forget_mappings(struct stack_taker *taker, pid_t pid)
{
	struct traced_process *process = find_process(taker, (__u32)pid);

	struct known_way *known, *next;

	if (!process)
		return;
	address_space__forget(process->space);
	/* what the same addresses mean may be something else now */
	HASH_ITER (hh, process->ways, known, next)
		forget_way(taker, process, known);
}

/* --- frames and stacks get numbers ----------------------------------------------------------- */

/* As much of @from as there is room for, without the 0 at its end. */
static __u16 put_text(char *text, const char *from)
{
	size_t len = from ? strnlen(from, TEXT_MAX) : 0;

	for (size_t i = 0; i < len; i++)
		text[i] = from[i];
	return (__u16)len;
}

static void tell_frame(struct stack_taker *taker, const struct stack_frame *frame, __u32 number)
{
	struct {
		struct tt_record_frame rec;
		char text[2 * TEXT_MAX];
	} told = { .rec = { .h = written__head(TT_RECORD_FRAME, 0),
			    .frame = number,
			    .vaddr = frame->vaddr } };
	_cleanup_free_ char *mangled = NULL, *name = NULL;
	__u64 offset;

	if (!image__function(frame->image, frame->vaddr, &mangled, &offset)) {
		name = symbol__demangle_name(mangled);
		told.rec.offset = offset;
	}
	told.rec.function_len = put_text(told.rec.text, name);
	told.rec.image_len =
		put_text(told.rec.text + told.rec.function_len, image__name(frame->image));
	taker->on_record(taker->ctx, &told,
			 sizeof(told.rec) + told.rec.function_len + told.rec.image_len);
}

static int meet_frame(struct stack_taker *taker, const struct stack_frame *frame,
		      struct known_frame **ret_known)
{
	struct frame_key key = { frame->image, frame->vaddr };
	struct known_frame *known;

	HASH_FIND(hh, taker->frames, &key, sizeof(key), known);
	if (!known) {
		known = calloc(1, sizeof(*known));
		if (!known)
			return -ENOMEM;
		known->key = key;
		known->number = taker->num_frames;
		HASH_ADD(hh, taker->frames, key, sizeof(known->key), known);
		if (!table__has(known)) {
			free(known);
			return -ENOMEM;
		}
		taker->num_frames++;
	}
	*ret_known = known;
	return 0;
}

static void tell_stack(struct stack_taker *taker, const struct known_stack *stack)
{
	struct {
		struct tt_record_stack rec;
		__u32 frames[UNWIND_FRAMES_MAX];
	} told = { .rec = { .h = written__head(TT_RECORD_STACK, 0),
			    .stack = stack->number,
			    .end = stack->words[stack->num_frames],
			    .num_frames = stack->num_frames } };

	memcpy(told.rec.frames, stack->words, stack->num_frames * sizeof(__u32));
	taker->on_record(taker->ctx, &told, sizeof(told.rec) + stack->num_frames * sizeof(__u32));
}

static int add_stack(struct stack_taker *taker, const __u32 *words, size_t count,
		     struct known_stack **ret_stack)
{
	struct known_stack *stack = calloc(1, sizeof(*stack) + count * sizeof(*words));

	if (!stack)
		return -ENOMEM;
	stack->num_frames = (__u32)count - 1;
	memcpy(stack->words, words, count * sizeof(*words));
	HASH_ADD_KEYPTR(hh, taker->stacks, stack->words, count * sizeof(*words), stack);
	if (!table__has(stack)) {
		free(stack);
		return -ENOMEM;
	}
	stack->number = ++taker->num_stacks;
	*ret_stack = stack;
	return 0;
}

/* That of what was unwound last. Returns 0 or -ENOMEM. */
static int meet_stack(struct stack_taker *taker, struct known_stack **ret_stack)
{
	const struct unwinding *unwinding = &taker->unwinding;
	__u32 words[UNWIND_FRAMES_MAX + 1];
	size_t count = unwinding->num_frames;
	struct known_frame *frame;
	struct known_stack *stack;
	int err = 0;

	for (size_t i = 0; !err && i < count; i++) {
		err = meet_frame(taker, &unwinding->frames[i], &frame);
		if (!err)
			words[i] = frame->number;
	}
	if (err)
		return err;
	words[count++] = unwinding->end;
	HASH_FIND(hh, taker->stacks, words, count * sizeof(words[0]), stack);
	if (!stack)
		err = add_stack(taker, words, count, &stack);
	if (!err)
		*ret_stack = stack;
	return err;
}

/* What of it was not told yet. */
static void tell(struct stack_taker *taker, struct known_stack *stack)
{
	const struct unwinding *unwinding = &taker->unwinding;
	struct known_frame *frame;

	if (stack->told)
		return;
	for (size_t i = 0; i < unwinding->num_frames; i++) {
		if (meet_frame(taker, &unwinding->frames[i], &frame) || frame->told)
			continue;
		frame->told = true;
		tell_frame(taker, &unwinding->frames[i], frame->number);
	}
	stack->told = true;
	tell_stack(taker, stack);
}

/* --- so that BPF knows them again ------------------------------------------------------------ */

static bool fill_known(const struct unwinding *unwinding, const __u64 *regs, __u32 number,
		       struct tt_known_stack *ret_known)
{
	__u64 sp = regs[TT_STACK_RSP], offset, depth = 0;

	/* one that was cut may go on another way the next time */
	if (unwinding->end == TT_STACK_CUT || unwinding->num_words > TT_STACK_WORDS)
		return false;
	memset(ret_known, 0, sizeof(*ret_known));
	for (size_t i = 0; i < unwinding->num_words; i++) {
		offset = unwinding->words[i].addr - sp;
		if (offset > TT_STACK_MAX - sizeof(__u64) || offset % sizeof(__u64))
			return false;
		if (depth < offset + sizeof(__u64))
			depth = offset + sizeof(__u64);
		ret_known->offset[i] = (__u16)offset;
		ret_known->value[i] = unwinding->words[i].value;
	}
	ret_known->stack = number;
	ret_known->depth = (__u32)depth;
	ret_known->num_words = (__u32)unwinding->num_words;
	ret_known->regs_used = unwinding->regs_used | 1u << TT_STACK_RIP;
	memcpy(ret_known->regs, regs, sizeof(ret_known->regs));
	return true;
}

static struct known_way *find_way(struct traced_process *process,
				  const struct tt_record_stack_copy *copy)
{
	__u64 sp = copy->regs[TT_STACK_RSP];
	struct known_way *known;

	HASH_FIND(hh, process->ways, &sp, sizeof(sp), known);
	if (known)
		return known;
	known = calloc(1, sizeof(*known));
	if (!known)
		return NULL;
	known->key = (struct tt_known_key){
		.sp = sp,
		.start_ns = process->start_ns,
		.tgid = process->tgid,
		.generation = process->generation,
	};
	HASH_ADD(hh, process->ways, key.sp, sizeof(known->key.sp), known);
	if (table__has(known))
		return known;
	free(known);
	return NULL;
}

/* What cannot be entered is copied again the next time: dearer, and as right. */
static void make_known(struct stack_taker *taker, struct traced_process *process,
		       const struct tt_record_stack_copy *copy, __u32 number)
{
	struct tt_known_stack stack;
	struct known_way *known;

	if (!fill_known(&taker->unwinding, copy->regs, number, &stack))
		return;
	known = find_way(process, copy);
	if (!known || loader__know_stack(taker->loader, &known->key, &stack))
		return;
	if (known->num_ways < TT_STACK_WAYS)
		known->num_ways++;
	known->key.way = (known->key.way + 1) % TT_STACK_WAYS;
}

/* --- a copy ---------------------------------------------------------------------------------- */

/*
 * The BPF side comes first: until it knows the stack it copies it again and again, and to read the
 * names of a large file takes some milliseconds.
 */
static int take_copy(struct stack_taker *taker, const struct tt_record_stack_copy *rec,
		     __u32 *ret_number)
{
	struct stack_copy copy = { .bytes = rec + 1, .size = rec->size };
	struct traced_process *process = meet_process(taker, rec);
	struct known_stack *stack;

	if (!process)
		return -ENOMEM;
	memcpy(copy.regs, rec->regs, sizeof(copy.regs));
	unwind__stack(process->space, &copy, taker->depth, &taker->unwinding);
	if (meet_stack(taker, &stack))
		return -ENOMEM;
	make_known(taker, process, rec, stack->number);
	tell(taker, stack);
	*ret_number = stack->number;
	return 0;
}

void stack_taker__take(struct stack_taker *taker, const void *record, size_t size)
{
	const struct tt_record_stack_copy *rec = record;
	struct tt_record_stack_taken taken = {};

	if (size < sizeof(*rec) || rec->size > size - sizeof(*rec) ||
	    take_copy(taker, rec, &taken.stack))
		return taker->on_record(taker->ctx, record, size);
	taken.h = rec->h;
	taken.h.kind = TT_RECORD_STACK_TAKEN;
	taken.ticket = rec->ticket;
	taker->on_record(taker->ctx, &taken, sizeof(taken));
}

void stack_taker__free(struct stack_taker *taker)
{
	struct traced_process *process, *next_process;
	struct known_frame *frame, *next_frame;
	struct known_stack *stack, *next_stack;

	if (!taker)
		return;
	HASH_ITER (hh, taker->processes, process, next_process)
		free_process(taker, process);
	HASH_ITER (hh, taker->frames, frame, next_frame) {
		HASH_DEL(taker->frames, frame);
		free(frame);
	}
	HASH_ITER (hh, taker->stacks, stack, next_stack) {
		HASH_DEL(taker->stacks, stack);
		free(stack);
	}
	images__free(taker->images);
	free(taker);
}
