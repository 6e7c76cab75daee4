/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * From a copy of a thread's registers and stack to its frames. What was read of both on the way is
 * told as well: where the stack pointer, these registers and these words are the same again, the
 * frames are the same, and nobody has to unwind anything. By induction: the same address gives the
 * same rule, and the same rule on the same words the same caller.
 */
#ifndef TTTRACE_UNWIND_H
#define TTTRACE_UNWIND_H

#include "stack/address_space.h"
#include "tttrace_config.h"
#include "tttrace_record.h"

enum {
	UNWIND_FRAMES_MAX = 512,
	UNWIND_WORDS_MAX = 1024,
};

struct stack_copy {
	__u64 regs[TT_STACK_REGS]; /* the stack begins at TT_STACK_RSP */
	const void *bytes;
	size_t size; /* bytes */
};

/* One frame. */
struct stack_frame {
	struct image *image;
	__u64 vaddr; /* in the image: of the call that is going on, not of where it returns to */
};

/* A word of the stack that decided how it went on. */
struct stack_word {
	__u64 addr;
	__u64 value;
};

struct unwinding {
	struct stack_frame frames[UNWIND_FRAMES_MAX]; /* innermost first */
	size_t num_frames;
	struct stack_word words[UNWIND_WORDS_MAX];
	size_t num_words;
	__u32 regs_used; /* 1 << enum tt_stack_reg: their values at the begin decided as well */
	enum tt_stack_end end;
};

/* At most @depth frames, which must not be more than UNWIND_FRAMES_MAX. */
void unwind__stack(struct address_space *space, const struct stack_copy *copy, size_t depth,
		   struct unwinding *ret_unwinding);

#endif
