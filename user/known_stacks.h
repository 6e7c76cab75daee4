/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * By which words the BPF side knows the stacks of one process again, so that a stack is copied once
 * and not with each allocation.
 */
#ifndef TTTRACE_KNOWN_STACKS_H
#define TTTRACE_KNOWN_STACKS_H

#include <linux/types.h>

#include "tttrace_config.h"
#include "tttrace_record.h"

struct loader;
struct unwinding;

/* All 0: none is known. */
struct known_stacks {
	struct known_way
		*ways; /* those with the same stack pointer and frames of Python together */
};

/*
 * What @copy is a copy of, as it was unwound and merged to @end, is known as stack @number from
 * here on. What cannot be entered is copied again the next time: dearer, and as right.
 */
void known_stacks__add(struct known_stacks *known, const struct loader *loader,
		       const struct tt_record_stack_copy *copy, const struct unwinding *unwinding,
		       enum tt_stack_end end, __u32 number);

void known_stacks__forget(struct known_stacks *known, const struct loader *loader);

#endif
