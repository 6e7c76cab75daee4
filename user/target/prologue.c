// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/prologue.h"

#include <errno.h>

#include "target/disasm.h"

enum {
	MAX_PROLOGUE_INSNS = 24
};

/* rdi, rsi, rdx, rcx, r8, r9: where the System V ABI passes integers and pointers. */
static const __u16 argument_registers =
	1 << REG_RDI | 1 << REG_RSI | 1 << REG_RDX | 1 << REG_RCX | 1 << REG_R8 | 1 << REG_R9;

static bool leaves_straight_line(const struct insn *insn)
{
	return insn->kind == INSN_JUMP || insn->kind == INSN_BRANCH || insn->kind == INSN_CALL ||
	       insn->kind == INSN_RET || insn->kind == INSN_STOP;
}

/* push of a register: 50+r, or 41 50+r; a push of memory or of a constant is single-stepped. */
static bool is_emulated_push(const __u8 *code, const struct insn *insn)
{
	if (insn->size == 2 && code[0] == 0x41)
		code++;
	else if (insn->size != 1)
		return false;
	return insn->kind == INSN_PUSH && (*code & 0xf8) == 0x50;
}

static bool is_emulated_nop(const __u8 *code, const struct insn *insn)
{
	if (insn->kind != INSN_NOP)
		return false;
	return (insn->size == 1 && code[0] == 0x90) ||
	       (insn->size >= 3 && code[0] == 0x0f && code[1] == 0x1f);
}

/* Does any jump of the function lead back to @offset or to before it? Then it could be a loop. */
static bool is_jumped_back_to(const __u8 *code, size_t size, __u32 offset)
{
	struct insn insn;

	for (size_t at = 0; at < size && !insn__decode(code + at, size - at, at, &insn);
	     at += insn.size) {
		bool jumps = insn.kind == INSN_JUMP || insn.kind == INSN_BRANCH;

		if (jumps && insn.operand[0].kind == OPERAND_IMM && insn.operand[0].value >= 0 &&
		    insn.operand[0].value <= (__s64)offset)
			return true;
	}
	return false;
}

int prologue__choose(const __u8 *code, size_t size, struct prologue *ret_prologue)
{
	struct insn insn;
	__u32 at = 0;

	if (insn__decode(code, size, 0, &insn))
		return -EINVAL;
	*ret_prologue = (struct prologue){ .size = insn.size };
	for (int i = 0; i < MAX_PROLOGUE_INSNS; i++, at += insn.size) {
		if (insn__decode(code + at, size - at, at, &insn) || leaves_straight_line(&insn))
			break;
		if (is_emulated_push(code + at, &insn) || is_emulated_nop(code + at, &insn)) {
			if (!is_jumped_back_to(code, size, at))
				*ret_prologue = (struct prologue){ at, insn.size, true };
			break;
		}
		if (insn.writes & argument_registers)
			break;
	}
	return 0;
}
