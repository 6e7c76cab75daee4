// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Registers are resolved late: that the caller's rbp lies in a certain word is noted, but the word
 * is read only if something is found by means of it. So the words that are told are those that
 * matter, and what a function happened to keep in its registers does not make a stack a new one.
 */
#include "stack/unwind.h"

#include <errno.h>
#include <string.h>

struct reg {
	bool known;
	bool initial; /* as it was at the begin, and not used yet */
	bool saved;   /* in the word at .at, and not read yet */
	__u64 at;
	__u64 value;
};

/* A frame on the way, and where all goes. */
struct walk {
	const struct stack_copy *copy;
	struct unwinding *out;
	struct reg regs[TT_STACK_REGS];
	bool cut; /* a word beyond the copy was needed */
};

static int read_word(void *ctx, __u64 addr, __u64 *ret_value)
{
	struct walk *walk = ctx;
	const struct stack_copy *copy = walk->copy;
	__u64 offset = addr - copy->regs[TT_STACK_RSP];

	if (addr < copy->regs[TT_STACK_RSP])
		return -EFAULT;
	if (offset > copy->size || copy->size - offset < sizeof(*ret_value) ||
	    walk->out->num_words == UNWIND_WORDS_MAX) {
		walk->cut = true;
		return -EFAULT;
	}
	memcpy(ret_value, (const char *)copy->bytes + offset, sizeof(*ret_value));
	walk->out->words[walk->out->num_words++] = (struct stack_word){ addr, *ret_value };
	return 0;
}

static int resolve(void *ctx, enum tt_stack_reg nr, __u64 *ret_value)
{
	struct walk *walk = ctx;
	struct reg *reg = &walk->regs[nr];
	int err;

	if (!reg->known)
		return -ENODATA;
	if (reg->saved) {
		err = read_word(walk, reg->at, &reg->value);
		if (err)
			return err;
		reg->saved = false;
	}
	if (reg->initial)
		walk->out->regs_used |= 1u << nr;
	*ret_value = reg->value;
	return 0;
}

static int find_cfa(struct walk *walk, const struct frame_rule *rule, __u64 *ret_cfa)
{
	const struct frame_reader reader = { resolve, read_word, walk };
	int err;

	if (rule->cfa_base == TT_STACK_REGS)
		return frame_expr__eval(rule->cfa, &reader, 0, ret_cfa);
	err = resolve(walk, rule->cfa_base, ret_cfa);
	if (!err)
		*ret_cfa += rule->cfa_offset;
	return err;
}

static void step_reg(struct walk *walk, const struct frame_place *place, __u64 cfa,
		     const struct reg *before, struct reg *reg)
{
	const struct frame_reader reader = { resolve, read_word, walk };

	switch (place->kind) {
	case PLACE_UNKNOWN:
		reg->known = false;
		break;
	case PLACE_SAME:
		break;
	case PLACE_AT_CFA:
		*reg = (struct reg){ .known = true, .saved = true, .at = cfa + place->offset };
		break;
	case PLACE_CFA:
		*reg = (struct reg){ .known = true, .value = cfa + place->offset };
		break;
	case PLACE_REGISTER:
		*reg = before[place->offset];
		break;
	case PLACE_AT:
		*reg = (struct reg){ .saved = true };
		reg->known = !frame_expr__eval(place->expr, &reader, cfa, &reg->at);
		break;
	case PLACE_VALUE:
		*reg = (struct reg){};
		reg->known = !frame_expr__eval(place->expr, &reader, cfa, &reg->value);
		break;
	}
}

/* From a frame to its caller. */
static enum tt_stack_end step(struct walk *walk, const struct frame_rule *rule, __u64 *ret_pc)
{
	struct reg next[TT_STACK_REGS];
	__u64 cfa, sp;

	if (find_cfa(walk, rule, &cfa))
		return walk->cut ? TT_STACK_CUT : TT_STACK_BROKEN;
	/* expressions are about the registers of this frame: the caller's come aside first */
	memcpy(next, walk->regs, sizeof(next));
	for (int reg = 0; reg < TT_STACK_REGS; reg++)
		step_reg(walk, &rule->place[reg], cfa, walk->regs, &next[reg]);
	memcpy(walk->regs, next, sizeof(next));
	if (resolve(walk, TT_STACK_RIP, ret_pc) || resolve(walk, TT_STACK_RSP, &sp))
		return walk->cut ? TT_STACK_CUT : TT_STACK_BROKEN;
	/* the caller's frame lies above, or this would never end */
	return sp > walk->copy->regs[TT_STACK_RSP] ? TT_STACK_COMPLETE : TT_STACK_BROKEN;
}

static void begin(struct walk *walk)
{
	for (int reg = 0; reg < TT_STACK_REGS; reg++)
		walk->regs[reg] = (struct reg){
			.known = true,
			.initial = reg != TT_STACK_RSP && reg != TT_STACK_RIP,
			.value = walk->copy->regs[reg],
		};
}

static enum tt_stack_end walk_up(struct walk *walk, struct address_space *space, size_t depth)
{
	__u64 pc = walk->copy->regs[TT_STACK_RIP];
	struct unwinding *out = walk->out;
	const struct frame_rule *rule;
	bool called = false; /* pc is where a call returns to, which may be behind its function */
	struct stack_frame *frame;
	enum tt_stack_end end;

	while (out->num_frames < depth) {
		frame = &out->frames[out->num_frames];
		if (address_space__find(space, pc - called, &frame->image, &frame->vaddr))
			return TT_STACK_NO_CODE;
		out->num_frames++;
		rule = image__rule(frame->image, frame->vaddr);
		if (!rule)
			return TT_STACK_NO_RULE;
		if (rule->place[TT_STACK_RIP].kind == PLACE_UNKNOWN)
			return TT_STACK_COMPLETE;
		end = step(walk, rule, &pc);
		if (end != TT_STACK_COMPLETE || !pc)
			return end;
		called = !rule->is_signal;
	}
	return TT_STACK_DEEP;
}

void unwind__stack(struct address_space *space, const struct stack_copy *copy, size_t depth,
		   struct unwinding *ret_unwinding)
{
	struct walk walk = { .copy = copy, .out = ret_unwinding };

	ret_unwinding->num_frames = 0;
	ret_unwinding->num_words = 0;
	ret_unwinding->regs_used = 0;
	begin(&walk);
	ret_unwinding->end = walk_up(&walk, space, depth);
}
