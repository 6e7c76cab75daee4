// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "stack_taker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "known_stacks.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/table.h"
#include "stack/python_code.h"
#include "stack/python_loop.h"
#include "stack/unwind.h"
#include "stack_names.h"
#include "target/proc.h"
#include "trace/loader.h"

enum {
	PROCESSES_MIN = 16,
};

struct traced_process {
	__u32 tgid;
	__u64 start_ns;
	__u32 generation;
	__u64 met_ns;
	__u64 ticks; /* as of proc__start() when it was met; 0: not by stack_taker__meet() */
	struct address_space *space;
	struct memory *memory; /* NULL: not opened yet */
	struct python python;  /* its interpreter, if it has one that is known */
	struct python_codes codes;
	bool has_python;
	bool has_none; /* of what it maps, nothing is an interpreter that is known */
	bool has_gone; /* as the last sweep saw */
	struct known_stacks known;
	UT_hash_handle hh;
};

struct stack_taker {
	struct loader *loader;
	size_t depth;
	stack_record_fn on_record;
	void *ctx;
	struct images *images;
	struct traced_process *processes; /* by tgid */
	unsigned int processes_max;	  /* beyond it, they are swept */
	struct stack_names *names;
	struct python_loop loop;
	bool warned; /* of a version of Python that is not known */
	/* of the stack at hand */
	struct unwinding unwinding;
	struct named_frame frames[UNWIND_FRAMES_MAX];
	size_t num_frames;
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
		.processes_max = PROCESSES_MIN,
	};
	if (images__new(&taker->images) || stack_names__new(on_record, ctx, &taker->names)) {
		stack_taker__free(taker);
		return -ENOMEM;
	}
	*ret_taker = taker;
	return 0;
}

/* --- processes ------------------------------------------------------------------------------- */

static void free_process(struct stack_taker *taker, struct traced_process *process)
{
	HASH_DEL(taker->processes, process);
	known_stacks__forget(&process->known, taker->loader);
	python_codes__done(&process->codes);
	memory__free(process->memory);
	address_space__free(process->space);
	free(process);
}

/*
 * Of one that never had memory no end is told. Whoever has gone by one sweep is freed at the next:
 * by then its last stacks were taken.
 */
static void sweep(struct stack_taker *taker)
{
	struct traced_process *process, *next;

	HASH_ITER (hh, taker->processes, process, next) {
		if (process->has_gone)
			free_process(taker, process);
		else
			process->has_gone = !proc__exists((pid_t)process->tgid);
	}
	taker->processes_max = PROCESSES_MIN + 2 * HASH_COUNT(taker->processes);
}

static struct traced_process *add_process(struct stack_taker *taker, __u32 tgid, __u64 ts_ns)
{
	struct traced_process *process;

	if (HASH_COUNT(taker->processes) >= taker->processes_max)
		sweep(taker);
	process = calloc(1, sizeof(*process));
	if (!process)
		return NULL;
	process->tgid = tgid;
	process->met_ns = ts_ns;
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

static bool is_of(const struct traced_process *process, const struct tt_record *h, __u32 generation)
{
	return process->start_ns == h->start_ns && process->generation == generation;
}

/* NULL: no memory. */
static struct traced_process *meet_process(struct stack_taker *taker, const struct tt_record *h,
					   __u32 generation)
{
	struct traced_process *process = find_process(taker, h->tgid);

	/* one that was prepared, and has not shown yet who it is */
	if (process && process->start_ns && !is_of(process, h, generation)) {
		free_process(taker, process);
		process = NULL;
	}
	if (!process)
		process = add_process(taker, h->tgid, h->ts_ns);
	if (process) {
		process->start_ns = h->start_ns;
		process->generation = generation;
	}
	return process;
}

void stack_taker__end_process(struct stack_taker *taker, const struct tt_record *rec)
{
	struct traced_process *process = find_process(taker, rec->tgid);

	if (!process)
		return;
	/* what was met since then is another one: records take their time */
	if (process->start_ns ? process->start_ns == rec->start_ns : process->met_ns <= rec->ts_ns)
		free_process(taker, process);
}

void stack_taker__forget_mappings(struct stack_taker *taker, pid_t pid)
{
	struct traced_process *process = find_process(taker, (__u32)pid);

	if (!process)
		return;
	address_space__forget(process->space);
	process->has_none = false;
	/* what the same addresses mean may be something else now */
	known_stacks__forget(&process->known, taker->loader);
}

/* --- Python ---------------------------------------------------------------------------------- */

static void warn_of_version(struct stack_taker *taker, const struct python *python)
{
	if (!taker->warned)
		pr_warn("this tttrace does not know where Python %u.%u%s keeps its frames: stacks "
			"show the functions of the interpreter instead",
			python->major, python->minor, python->free_threaded ? "t" : "");
	taker->warned = true;
}

static int look_for_python(void *ctx, struct image *image, __u64 bias)
{
	struct traced_process *process = ctx;
	int err = python__find(image, bias, process->memory, &process->python);

	if (err == -ENOENT)
		return 0;
	return err ? err : 1;
}

static int open_memory(struct traced_process *process)
{
	return process->memory ? 0 : memory__open((pid_t)process->tgid, &process->memory);
}

/* Finds the interpreter of @process, and tells the BPF side; it may not have begun yet. */
static void find_python(struct stack_taker *taker, struct traced_process *process)
{
	int found;

	if (process->has_python || process->has_none)
		return;
	if (open_memory(process))
		return;
	found = address_space__each(process->space, look_for_python, process);
	if (found == -ENOTSUP)
		warn_of_version(taker, &process->python);
	process->has_none = !found || found == -ENOTSUP;
	process->has_python = found == 1;
	if (process->has_python) {
		loader__know_python(taker->loader, process->tgid, &process->python.layout);
		return;
	}
	memory__free(process->memory);
	process->memory = NULL;
}

/* What @frame, of machine code, is of the interpreter's loop. */
static enum python_part part_of(struct stack_taker *taker, const struct traced_process *process,
				const struct stack_frame *frame)
{
	if (!process->has_python || frame->image != process->python.image)
		return PYTHON_OTHER;
	return python_loop__part(&taker->loop, frame->image, frame->vaddr);
}

/* What follows a copy: its frames of Python, … */
static const struct tt_python_frame *frames_of(const struct tt_record_stack_copy *copy)
{
	return (const void *)(copy + 1);
}

/* … and its stack. */
static const void *stack_of(const struct tt_record_stack_copy *copy)
{
	return frames_of(copy) + copy->num_python;
}

/* Is all of it in the @size bytes of the record? */
static bool is_whole(const struct tt_record_stack_copy *copy, size_t size)
{
	size_t frames;

	if (size < sizeof(*copy) || copy->num_python > TT_PYTHON_MAX)
		return false;
	frames = copy->num_python * sizeof(struct tt_python_frame);
	return frames <= size - sizeof(*copy) && copy->size <= size - sizeof(*copy) - frames;
}

/* The frames of Python of a copy, as far as they are used. */
struct python_frames {
	const struct tt_record_stack_copy *copy;
	__u32 next;
};

static int add_python(struct stack_taker *taker, struct traced_process *process,
		      const struct tt_python_frame *frame)
{
	struct python_place place;
	const struct python_function *function;

	open_memory(process);
	if (python__place(&process->python, &process->codes, process->memory, frame, &place))
		return -ENODATA;
	function = stack_names__python(taker->names, place.file, place.function);
	if (!function)
		return -ENOMEM;
	if (taker->num_frames < UNWIND_FRAMES_MAX)
		taker->frames[taker->num_frames++] =
			(struct named_frame){ .function = function, .place = place.line };
	return 0;
}

/* Those that one call of the interpreter's loop is in. -ENODATA: they are not all there. */
static int add_call(struct stack_taker *taker, struct traced_process *process,
		    struct python_frames *python)
{
	enum python_step step = PYTHON_SAME;
	int err = 0, failed;

	while (step == PYTHON_SAME) {
		const struct tt_python_frame *frame = frames_of(python->copy) + python->next;

		if (python->next == python->copy->num_python)
			return -ENODATA;
		python->next++;
		step = python__step(&process->python, frame);
		failed = step != PYTHON_NONE ? add_python(taker, process, frame) : 0;
		err = err ? err : failed;
	}
	return err;
}

/*
 * The frames as they are shown: in place of the interpreter's loop those of Python. Returns how the
 * stack ended.
 */
static enum tt_stack_end merge(struct stack_taker *taker, struct traced_process *process,
			       const struct tt_record_stack_copy *copy)
{
	const struct unwinding *unwinding = &taker->unwinding;
	struct python_frames python = { .copy = copy };
	enum tt_stack_end end = unwinding->end;

	taker->num_frames = 0;
	if (process->memory)
		memory__forget(process->memory);
	for (size_t i = 0; i < unwinding->num_frames; i++) {
		const struct stack_frame *frame = &unwinding->frames[i];
		enum python_part part = part_of(taker, process, frame);

		if (part == PYTHON_INNER)
			continue;
		if (part == PYTHON_LOOP) {
			if (!add_call(taker, process, &python))
				continue;
			end = copy->python_more ? TT_STACK_DEEP : TT_STACK_NO_PYTHON;
		}
		if (taker->num_frames < UNWIND_FRAMES_MAX)
			taker->frames[taker->num_frames++] =
				(struct named_frame){ .image = frame->image,
						      .place = frame->vaddr };
	}
	if (end == TT_STACK_COMPLETE && python.next < copy->num_python)
		end = TT_STACK_NO_PYTHON;
	return end;
}

void stack_taker__meet(struct stack_taker *taker, pid_t pid)
{
	struct traced_process *process = find_process(taker, (__u32)pid);
	__u64 ticks = proc__start(pid);

	/* one that never had memory may have had the same PID before */
	if (process && !process->start_ns && ticks && process->ticks != ticks) {
		free_process(taker, process);
		process = NULL;
	}
	if (!process)
		process = add_process(taker, (__u32)pid, clock__now_ns());
	if (!process)
		return;
	process->ticks = ticks;
	find_python(taker, process);
}

void stack_taker__prepare(struct stack_taker *taker, pid_t pid)
{
	struct traced_process *process = find_process(taker, (__u32)pid);

	if (process)
		address_space__prepare(process->space);
}

/* --- a copy ---------------------------------------------------------------------------------- */

/*
 * The BPF side comes first: until it knows the stack it copies it again and again, and to read the
 * names of a large file takes some milliseconds.
 */
static int take_copy(struct stack_taker *taker, const struct tt_record_stack_copy *rec,
		     __u32 *ret_number)
{
	struct stack_copy copy = { .bytes = stack_of(rec), .size = rec->size };
	struct traced_process *process = meet_process(taker, &rec->h, rec->generation);
	struct numbered_stack *stack;
	enum tt_stack_end end;

	if (!process)
		return -ENOMEM;
	memcpy(copy.regs, rec->regs, sizeof(copy.regs));
	unwind__stack(process->space, &copy, taker->depth, &taker->unwinding);
	find_python(taker, process);
	end = merge(taker, process, rec);
	if (stack_names__number(taker->names, taker->frames, taker->num_frames, end, &stack))
		return -ENOMEM;
	*ret_number = numbered_stack__number(stack);
	known_stacks__add(&process->known, taker->loader, rec, &taker->unwinding, end, *ret_number);
	stack_names__tell(taker->names, stack, taker->frames, taker->num_frames);
	return 0;
}

void stack_taker__take(struct stack_taker *taker, const void *record, size_t size)
{
	const struct tt_record_stack_copy *rec = record;
	struct tt_record_stack_taken taken = {};

	if (!is_whole(rec, size) || take_copy(taker, rec, &taken.stack))
		return taker->on_record(taker->ctx, record, size);
	taken.h = rec->h;
	taken.h.kind = TT_RECORD_STACK_TAKEN;
	taken.ticket = rec->ticket;
	taker->on_record(taker->ctx, &taken, sizeof(taken));
}

void stack_taker__take_code(struct stack_taker *taker, const void *record, size_t size)
{
	const struct tt_record_python_code *rec = record;
	struct traced_process *process;

	if (size < sizeof(*rec) || rec->lines_size > size - sizeof(*rec))
		return;
	process = meet_process(taker, &rec->h, rec->generation);
	if (!process)
		return;
	find_python(taker, process);
	/* what is not taken is read where it is, when it is asked for */
	if (process->has_python)
		python_codes__add(&process->python, &process->codes, rec);
}

void stack_taker__free(struct stack_taker *taker)
{
	struct traced_process *process, *next_process;

	if (!taker)
		return;
	HASH_ITER (hh, taker->processes, process, next_process)
		free_process(taker, process);
	stack_names__free(taker->names);
	python_loop__done(&taker->loop);
	images__free(taker->images);
	free(taker);
}
