/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Stacks, from the copies that BPF makes of them: has them unwound and named, hands up what they
 * are under a number, and tells the BPF side by which words it knows them again, so that a stack
 * is copied once and not with each allocation.
 */
#ifndef TTTRACE_STACK_TAKER_H
#define TTTRACE_STACK_TAKER_H

#include <stddef.h>
#include <sys/types.h>
#include <linux/types.h>

#include "stack_names.h"
#include "tttrace_config.h"
#include "tttrace_record.h"

struct loader;
struct stack_taker;

/* @depth: frames that are kept of a stack at most. Returns 0 or -ENOMEM. */
int stack_taker__new(struct loader *loader, size_t depth, stack_record_fn on_record, void *ctx,
		     struct stack_taker **ret_taker);
void stack_taker__free(struct stack_taker *taker);

/*
 * Takes a record of kind TT_RECORD_STACK_COPY, of @size bytes, and hands up those of kinds
 * TT_RECORD_FRAME, TT_RECORD_STACK and TT_RECORD_STACK_TAKEN that say what it is; or the copy
 * itself, if it is broken or there is no memory.
 */
void stack_taker__take(struct stack_taker *taker, const void *record, size_t size);

/* Takes note of a record of kind TT_RECORD_PYTHON_CODE, of @size bytes; of one that is cut, none.
 */
void stack_taker__take_code(struct stack_taker *taker, const void *record, size_t size);

/* @pid may allocate soon: the BPF side learns where its interpreter of Python is, if it has one. */
void stack_taker__meet(struct stack_taker *taker, pid_t pid);

/*
 * Reads what the stacks of @pid, which was met, will be unwound and named by: some 50 ms, so that
 * not too many of them have to be copied until the first is known.
 */
void stack_taker__prepare(struct stack_taker *taker, pid_t pid);

/* @pid has mapped something: where its code lies is to be read again. */
void stack_taker__forget_mappings(struct stack_taker *taker, pid_t pid);

/* The process of @rec has ended, or called exec: its stacks mean nothing any more. */
void stack_taker__end_process(struct stack_taker *taker, const struct tt_record *rec);

#endif
