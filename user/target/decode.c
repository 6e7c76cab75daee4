// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/decode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "target/walk.h"

#define array_size(a) (sizeof(a) / sizeof((a)[0]))

enum {
	MAX_FUNCTION_SIZE = 32 * 1024, /* bytes; what lies beyond is not looked at */
	MAX_STEPS = 20000,	       /* instructions of one request, all functions together */
	MAX_VISITS = 3,		       /* of one instruction */
	MAX_FORKS = 64,		       /* ways that wait to be gone */
	MAX_DEPTH = 3,		       /* functions that are followed into each other */
	MAX_INLINE_SIZE = 64,	       /* bytes of a function that is followed unasked: getters */
};

/* Functions that do not come back. The instruction that follows belongs to another way. */
static const char *const no_return[] = {
	"_ZN2tt6assert", /* tt_throw, all its instances */
	"_ZSt20__throw_system_errori",
	"_ZSt17__throw_bad_allocv",
	"_ZSt20__throw_length_errorPKc",
	"_ZSt9terminatev",
	"__cxa_throw",
	"__cxa_rethrow",
	"__clang_call_terminate",
	"__stack_chk_fail",
	"_Unwind_Resume",
	"abort",
};

static bool begins_with(const char *s, const char *prefix)
{
	return s && prefix && strncmp(s, prefix, strlen(prefix)) == 0;
}

static bool is_no_return(const char *name)
{
	for (size_t i = 0; i < array_size(no_return); i++)
		if (begins_with(name, no_return[i]))
			return true;
	return false;
}

/* What a function that was followed returns, if all its ways agree. */
struct returned {
	bool any, disagree;
	struct value value;
};

static void collect_returned(const struct decode_event *event, void *ctx)
{
	struct returned *r = ctx;

	if (event->kind != DECODE_RETURNED)
		return;
	if (r->any && !value__equal(&r->value, &event->value))
		r->disagree = true;
	r->any = true;
	r->value = event->value;
}

static int walk_function(struct walk *w);

/* Executes @f with the registers of @w at this moment. */
static int follow(const struct walk *w, const struct decode_function *f, decode_event_fn fn,
		  void *ctx)
{
	struct walk inner = {
		.image = w->image,
		.request = w->request,
		.fn = fn,
		.ctx = ctx,
		.depth = w->depth + 1,
		.steps = w->steps,
		.function = f,
		.cpu = w->cpu,
	};

	/* Its own stack begins here, and of ours it knows nothing. */
	for (int i = 0; i < REG_COUNT; i++)
		if (inner.cpu.reg[i].kind == VALUE_STACK)
			inner.cpu.reg[i] = value__unknown();
	inner.cpu.reg[REG_RSP].kind = VALUE_STACK;
	inner.cpu.num_slots = 0;
	return walk_function(&inner);
}

static bool is_followed(const struct walk *w, const struct decode_function *f)
{
	return f->vaddr && w->depth < MAX_DEPTH &&
	       (f->size <= MAX_INLINE_SIZE || begins_with(f->name, w->request->into));
}

/*
 * A constant counts only if it may be what was asked for: a build in which hook_allocate() always
 * returns false is no reason not to look at what would come after true.
 */
static bool tells_result(const struct walk *w, const struct returned *r)
{
	if (!r->any || r->disagree)
		return false;
	return r->value.kind == VALUE_PATH || (r->value.kind == VALUE_CONST && w->request->given);
}

/* Finds out whom a call or jump goes to, and reports it. */
static void report_call(const struct walk *w, const struct insn *insn,
			struct decode_function *ret_callee)
{
	const struct insn_operand *op = &insn->operand[0];
	struct decode_event event = { .kind = DECODE_CALLED };
	struct value table;

	*ret_callee = (struct decode_function){};
	if (op->kind == OPERAND_IMM)
		w->image->resolve(w->image->ctx, (__u64)op->value, ret_callee);
	if (op->kind == OPERAND_MEM && op->base != REG_NONE) {
		table = w->cpu.reg[op->base];
		event.is_virtual = table.kind == VALUE_PATH && table.len;
	}
	event.callee = ret_callee->name;
	for (int i = 0; i < CPU_REG_ARGS; i++)
		event.arg[i] = cpu__arg(&w->cpu, i);
	walk__emit(w, &event);
}

/* Returns whether control comes back. */
static bool step_call(struct walk *w, const struct insn *insn)
{
	struct returned returned = {};
	struct decode_function callee;
	struct value result;

	report_call(w, insn, &callee);
	if (is_no_return(callee.name))
		return false;
	result = value__result(callee.name);
	if (is_followed(w, &callee)) {
		bool reports = begins_with(callee.name, w->request->into);

		follow(w, &callee, reports ? w->fn : collect_returned,
		       reports ? w->ctx : &returned);
		if (tells_result(w, &returned))
			result = returned.value;
	}
	cpu__after_call(&w->cpu, &result);
	return true;
}

static bool is_inside(const struct walk *w, __u64 vaddr)
{
	return vaddr - w->function->vaddr < w->size;
}

/*
 * A jump out of the function is a call whose result is ours. Where that is not known it is reported
 * all the same, or what the function's other ways return would look like all that it returns.
 */
static void tail_call(const struct walk *w, const struct insn *insn)
{
	struct decode_event returned = { .kind = DECODE_RETURNED };
	struct decode_function callee;

	report_call(w, insn, &callee);
	if (is_no_return(callee.name))
		return;
	if (is_followed(w, &callee) && !follow(w, &callee, w->fn, w->ctx))
		return;
	returned.value = value__result(callee.name);
	walk__emit(w, &returned);
}

/* Returns whether control goes on in this function, at w->vaddr. */
static bool step_jump(struct walk *w, const struct insn *insn)
{
	struct value target = walk__read(w, &insn->operand[0]);

	if (target.kind == VALUE_CONST && is_inside(w, (__u64)target.number)) {
		w->vaddr = (__u64)target.number;
		return true;
	}
	tail_call(w, insn);
	return false;
}

/* Keeps the other way of a branch for later; without memory it is not gone. */
static void add_fork(struct walk *w, __u64 vaddr)
{
	if (w->num_forks == w->room) {
		int room = w->room ? 2 * w->room : 4;
		struct fork *forks = NULL;

		if (room <= MAX_FORKS)
			forks = realloc(w->forks, (size_t)room * sizeof(*forks));
		if (!forks)
			return;
		w->forks = forks;
		w->room = room;
	}
	w->forks[w->num_forks++] = (struct fork){ vaddr, w->cpu };
}

static void step_branch(struct walk *w, const struct insn *insn)
{
	int holds = cpu__condition(&w->cpu, insn->condition);
	__u64 target = (__u64)insn->operand[0].value;

	if (!is_inside(w, target)) {
		if (holds)
			tail_call(w, insn);
	} else if (holds == 1) {
		w->vaddr = target;
	} else if (holds < 0) {
		add_fork(w, target);
	}
}

/* Executes one instruction. Returns whether this way goes on. */
static bool step_any(struct walk *w)
{
	struct decode_event returned = { .kind = DECODE_RETURNED };
	size_t at = w->vaddr - w->function->vaddr;
	struct insn insn;

	if (!is_inside(w, w->vaddr) || w->visits[at] == MAX_VISITS || !*w->steps ||
	    insn__decode(w->code + at, w->size - at, w->vaddr, &insn))
		return false;
	w->visits[at]++;
	--*w->steps;
	w->vaddr += insn.size;
	switch (insn.kind) {
	case INSN_RET:
		returned.value = w->cpu.reg[REG_RAX];
		walk__emit(w, &returned);
		return false;
	case INSN_STOP:
		return false;
	case INSN_JUMP:
		return step_jump(w, &insn);
	case INSN_CALL:
		return step_call(w, &insn);
	case INSN_BRANCH:
		step_branch(w, &insn);
		return true;
	default:
		walk__step(w, &insn);
		return true;
	}
}

/* Goes one way to its end after the other. */
static void walk_all(struct walk *w)
{
	w->vaddr = w->function->vaddr;
	for (;;) {
		while (step_any(w))
			;
		if (!w->num_forks)
			return;
		w->num_forks--;
		w->vaddr = w->forks[w->num_forks].vaddr;
		w->cpu = w->forks[w->num_forks].cpu;
	}
}

static int walk_function(struct walk *w)
{
	_cleanup_free_ __u8 *code = NULL, *visits = NULL;

	w->size = w->function->size < MAX_FUNCTION_SIZE ? w->function->size : MAX_FUNCTION_SIZE;
	w->code = code = malloc(w->size + 1);
	w->visits = visits = calloc(1, w->size + 1);
	if (!code || !visits)
		return -ENOMEM;
	if (w->image->read(w->image->ctx, w->function->vaddr, code, w->size))
		return -ENOEXEC;
	walk_all(w);
	free(w->forks);
	return 0;
}

int decode__run(const struct decode_image *image, const struct decode_request *request)
{
	const struct decode_given *given = request->given;
	int left = MAX_STEPS;
	struct walk w = {
		.image = image,
		.request = request,
		.fn = request->fn,
		.ctx = request->ctx,
		.steps = &left,
		.function = request->function,
	};

	cpu__enter(&w.cpu);
	if (given && given->place.kind == VALUE_PATH && !given->place.len)
		for (int i = 0; i < REG_COUNT; i++)
			if (value__equal(&w.cpu.reg[i], &given->place))
				w.cpu.reg[i] = value__const(given->number);
	return walk_function(&w);
}
