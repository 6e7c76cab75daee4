/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * How to step from a frame to its caller, as the .eh_frame of a file says it for one address: where
 * the frame begins (its CFA), and where its caller's registers are. Taken out of libdw once for an
 * address and kept, for libdw interprets the call frame information anew each time.
 *
 * Only the registers that can ever be needed are followed: those that a function hands back to its
 * caller as they were, among them the base of every CFA (System V ABI, AMD64 supplement, 3.2.1).
 */
#ifndef TTTRACE_FRAME_RULE_H
#define TTTRACE_FRAME_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <elfutils/libdw.h>
#include <linux/types.h>

#include "tttrace_config.h"

/* Where the caller's value of a register is. */
enum frame_place_kind {
	PLACE_UNKNOWN,	/* nowhere; of TT_STACK_RIP: this frame is the outermost */
	PLACE_SAME,	/* in the register */
	PLACE_AT_CFA,	/* in memory, at the CFA + offset */
	PLACE_CFA,	/* it is the CFA + offset */
	PLACE_REGISTER, /* in the register whose number is the offset */
	PLACE_AT,	/* in memory, at the address that the expression gives */
	PLACE_VALUE,	/* the value of the expression */
};

/* A DWARF expression; the words of a frame are read through @read. */
struct frame_expr;

struct frame_place {
	enum frame_place_kind kind;
	__s32 offset;
	struct frame_expr *expr;
};

struct frame_rule {
	enum tt_stack_reg cfa_base; /* TT_STACK_REGS: what cfa says */
	__s32 cfa_offset;
	struct frame_expr *cfa;
	bool is_signal; /* the caller was interrupted, it made no call */
	struct frame_place place[TT_STACK_REGS];
};

/* The registers of the frame, and its memory. */
struct frame_reader {
	int (*reg)(void *ctx, enum tt_stack_reg reg, __u64 *ret_value);
	int (*word)(void *ctx, __u64 addr, __u64 *ret_value);
	void *ctx;
};

/*
 * The rule for @vaddr, an address of the file that @cfi is of. Returns 0; -ENOENT: the file says
 * nothing of it; -ENOTSUP: by means that are not followed; -ENOMEM. Nothing has to be freed but
 * on success.
 */
int frame_rule__of(Dwarf_CFI *cfi, __u64 vaddr, struct frame_rule *ret_rule);
void frame_rule__done(struct frame_rule *rule);

/* @cfa: what the expression begins with; 0 where it is the CFA itself that is sought. -EINVAL … */
int frame_expr__eval(const struct frame_expr *expr, const struct frame_reader *reader, __u64 cfa,
		     __u64 *ret_value);

#endif
