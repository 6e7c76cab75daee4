/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the stream said about stacks and their frames, by number. Owns copies of it; what it hands
 * out lives as long as it does.
 */
#ifndef TTTRACE_STACKS_H
#define TTTRACE_STACKS_H

#include <stddef.h>

#include "core/event.h"

struct stacks {
	struct event_frame **frames; /* by number; NULL: not told */
	__u32 num_frames;
	struct event_stack **stacks;
	__u32 num_stacks;
};

/* Each returns 0; -EBADMSG: it names what was not told, or is cut; -ENOMEM. */
int stacks__add_frame(struct stacks *stacks, const struct tt_record_frame *rec, size_t size);
int stacks__add(struct stacks *stacks, const struct tt_record_stack *rec, size_t size);

/* NULL: not told; 0 is the number of none. */
const struct event_stack *stacks__find(const struct stacks *stacks, __u32 number);
void stacks__done(struct stacks *stacks);

#endif
