// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/empty.h"

#include <errno.h>

#include "target/disasm.h"
#include "tttrace_config.h"

/* What a walk from the first instruction to the last has seen so far. */
struct scan {
	const __u8 *code;
	size_t size;
	__u16 size_offset, status_offset;
	bool compared; /* the flags tell whether the size of what is at @reg is 0 */
	__u8 reg;
};

static bool is_field(const struct insn_operand *op, __u8 size, __u16 offset)
{
	return op->kind == OPERAND_MEM && op->size == size && op->base != REG_NONE &&
	       op->index == REG_NONE && op->value == offset;
}

static bool is_number(const struct insn_operand *op, __s64 number)
{
	return op->kind == OPERAND_IMM && op->value == number;
}

/* Neither of these changes the flags; all others are taken to. */
static bool keeps_flags(const struct insn *insn)
{
	return insn->kind == INSN_MOV || insn->kind == INSN_LEA || insn->kind == INSN_NOP ||
	       insn->kind == INSN_BRANCH;
}

static void note_comparison(struct scan *scan, const struct insn *insn)
{
	if (insn->kind == INSN_CMP && is_field(&insn->operand[0], 8, scan->size_offset) &&
	    is_number(&insn->operand[1], 0)) {
		scan->compared = true;
		scan->reg = insn->operand[0].base;
	} else if (!keeps_flags(insn) || insn->writes >> scan->reg & 1) {
		scan->compared = false;
	}
}

static bool is_status_store(const struct scan *scan, const struct insn *insn, __u8 *ret_reg)
{
	*ret_reg = insn->operand[0].base;
	return insn->kind == INSN_MOV && is_field(&insn->operand[0], 1, scan->status_offset) &&
	       is_number(&insn->operand[1], TT_STATUS_ALLOCATED);
}

static bool goes_on(const struct insn *insn)
{
	return insn->kind != INSN_JUMP && insn->kind != INSN_RET && insn->kind != INSN_STOP;
}

/* Is every way to the store at @at, through @reg, from a comparison that has found a size of 0? */
static bool is_only_for_empty(struct scan scan, size_t at, __u8 reg)
{
	struct insn insn;
	bool found = false, into;

	for (size_t here = 0; here < scan.size; here += insn.size) {
		if (insn__decode(scan.code + here, scan.size - here, here, &insn))
			return false;
		note_comparison(&scan, &insn);
		if (insn.kind == INSN_BRANCH || insn.kind == INSN_JUMP) {
			into = is_number(&insn.operand[0], (__s64)at);
			if (into && (insn.condition != CONDITION_EQUAL || !scan.compared ||
				     scan.reg != reg))
				return false;
			found |= into;
		}
		if (!goes_on(&insn)) {
			scan.compared = false; /* what follows is reached from elsewhere */
		} else if (here + insn.size == at) {
			if (insn.condition != CONDITION_NOT_EQUAL || !scan.compared ||
			    scan.reg != reg)
				return false;
			found = true;
		}
	}
	return found;
}

int empty__find(const __u8 *code, size_t size, __u16 size_offset, __u16 status_offset,
		struct empty_point *ret_point)
{
	const struct scan scan = {
		.code = code,
		.size = size,
		.size_offset = size_offset,
		.status_offset = status_offset,
	};
	struct insn insn;
	__u8 reg;

	for (size_t at = 0; at < size; at += insn.size) {
		if (insn__decode(code + at, size - at, at, &insn))
			break;
		if (!is_status_store(&scan, &insn, &reg) || !is_only_for_empty(scan, at, reg))
			continue;
		*ret_point = (struct empty_point){ (__u32)at, reg };
		return 0;
	}
	return -ENOENT;
}
