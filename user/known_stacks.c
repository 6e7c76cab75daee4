// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "known_stacks.h"

#include <stdlib.h>
#include <string.h>

#include "lib/table.h"
#include "stack/unwind.h"
#include "trace/loader.h"

enum {
	/* bytes of a key that are the same for all ways */
	KEY_SIZE = offsetof(struct tt_known_key, way),
};

/* Ways to know a stack again. */
struct known_way {
	struct tt_known_key key; /* .way: the next to be used; found by all before it */
	__u32 num_ways;
	UT_hash_handle hh;
};

/*
 * Will the stack be cut at the same place the next time? Not where that was for what could not be
 * read: it may be there then.
 */
static bool is_cut_by_accident(const struct tt_record_stack_copy *copy,
			       const struct unwinding *unwinding)
{
	return unwinding->end == TT_STACK_CUT && copy->size < TT_STACK_MAX;
}

static bool fill(const struct tt_record_stack_copy *copy, const struct unwinding *unwinding,
		 enum tt_stack_end end, __u32 number, struct tt_known_stack *ret_stack)
{
	__u64 sp = copy->regs[TT_STACK_RSP], offset, depth = 0;

	if (is_cut_by_accident(copy, unwinding) || end == TT_STACK_NO_PYTHON ||
	    unwinding->num_words > TT_STACK_WORDS)
		return false;
	memset(ret_stack, 0, sizeof(*ret_stack));
	for (size_t i = 0; i < unwinding->num_words; i++) {
		offset = unwinding->words[i].addr - sp;
		if (offset > TT_STACK_MAX - sizeof(__u64) || offset % sizeof(__u64))
			return false;
		if (depth < offset + sizeof(__u64))
			depth = offset + sizeof(__u64);
		ret_stack->offset[i] = (__u16)offset;
		ret_stack->print += tt_print__mix(0, unwinding->words[i].value, offset);
	}
	ret_stack->print += tt_print__mix(0, number, TT_STACK_NUMBER);
	ret_stack->stack = number;
	ret_stack->depth = (__u32)depth;
	ret_stack->num_words = (__u32)unwinding->num_words;
	ret_stack->regs_used = unwinding->regs_used | 1u << TT_STACK_RIP;
	memcpy(ret_stack->regs, copy->regs, sizeof(ret_stack->regs));
	return true;
}

/* The ways for stacks like @copy. NULL: no memory. */
static struct known_way *ways_of(struct known_stacks *known,
				 const struct tt_record_stack_copy *copy)
{
	const struct tt_known_key key = {
		.sp = copy->regs[TT_STACK_RSP],
		.start_ns = copy->h.start_ns,
		.tgid = copy->h.tgid,
		.generation = copy->generation,
		.python = copy->python_hash,
	};
	struct known_way *way;

	HASH_FIND(hh, known->ways, &key, KEY_SIZE, way);
	if (way)
		return way;
	way = calloc(1, sizeof(*way));
	if (!way)
		return NULL;
	way->key = key;
	HASH_ADD(hh, known->ways, key, KEY_SIZE, way);
	if (table__has(way))
		return way;
	free(way);
	return NULL;
}

void known_stacks__add(struct known_stacks *known, const struct loader *loader,
		       const struct tt_record_stack_copy *copy, const struct unwinding *unwinding,
		       enum tt_stack_end end, __u32 number)
{
	struct tt_known_stack stack;
	struct known_way *way;

	if (!fill(copy, unwinding, end, number, &stack))
		return;
	way = ways_of(known, copy);
	if (!way || loader__know_stack(loader, &way->key, &stack))
		return;
	if (way->num_ways < TT_STACK_WAYS)
		way->num_ways++;
	way->key.way = (way->key.way + 1) % TT_STACK_WAYS;
}

void known_stacks__forget(struct known_stacks *known, const struct loader *loader)
{
	struct known_way *way, *next;

	HASH_ITER (hh, known->ways, way, next) {
		struct tt_known_key key = way->key;

		for (key.way = 0; key.way < way->num_ways; key.way++)
			loader__forget_stack(loader, &key);
		HASH_DEL(known->ways, way);
		free(way);
	}
}
