// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "stack/frame_rule.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"

enum {
	EXPR_MAX = 32,	/* operations; a signal frame has 2, an entry of a PLT 8 */
	EXPR_DEPTH = 8, /* values on the stack of an expression */
};

struct frame_expr {
	size_t count;
	Dwarf_Op ops[];
};

/* Numbers of registers in DWARF (System V ABI, AMD64 supplement, figure 3.36). */
static const int dwarf_numbers[TT_STACK_REGS] = {
	[TT_STACK_RBX] = 3,  [TT_STACK_RBP] = 6,  [TT_STACK_RSP] = 7,  [TT_STACK_R12] = 12,
	[TT_STACK_R13] = 13, [TT_STACK_R14] = 14, [TT_STACK_R15] = 15, [TT_STACK_RIP] = 16,
};

/* TT_STACK_REGS: one that is not followed. */
static enum tt_stack_reg from_dwarf(Dwarf_Word number)
{
	int reg = 0;

	while (reg < TT_STACK_REGS && (Dwarf_Word)dwarf_numbers[reg] != number)
		reg++;
	return reg;
}

/* --- expressions ----------------------------------------------------------------------------- */

static struct frame_expr *copy_expr(const Dwarf_Op *ops, size_t count)
{
	struct frame_expr *expr;

	if (count > EXPR_MAX)
		return NULL;
	expr = malloc(sizeof(*expr) + count * sizeof(*ops));
	if (!expr)
		return NULL;
	expr->count = count;
	memcpy(expr->ops, ops, count * sizeof(*ops));
	return expr;
}

/* The values of an expression that is being evaluated. */
struct values {
	__u64 at[EXPR_DEPTH];
	size_t count;
};

static int push(struct values *values, __u64 value)
{
	if (values->count == EXPR_DEPTH)
		return -EINVAL;
	values->at[values->count++] = value;
	return 0;
}

static int calculate(__u8 atom, __u64 a, __u64 b, __u64 *ret_value)
{
	switch (atom) {
	case DW_OP_plus:
		*ret_value = a + b;
		return 0;
	case DW_OP_minus:
		*ret_value = a - b;
		return 0;
	case DW_OP_and:
		*ret_value = a & b;
		return 0;
	case DW_OP_or:
		*ret_value = a | b;
		return 0;
	case DW_OP_mul:
		*ret_value = a * b;
		return 0;
	case DW_OP_shl:
		*ret_value = b < 64 ? a << b : 0;
		return 0;
	case DW_OP_shr:
		*ret_value = b < 64 ? a >> b : 0;
		return 0;
	case DW_OP_ge:
		*ret_value = (__s64)a >= (__s64)b;
		return 0;
	case DW_OP_lt:
		*ret_value = (__s64)a < (__s64)b;
		return 0;
	}
	return -EINVAL;
}

static int push_register(const struct frame_reader *reader, Dwarf_Word number, Dwarf_Word offset,
			 struct values *values)
{
	enum tt_stack_reg reg = from_dwarf(number);
	__u64 value;

	if (reg == TT_STACK_REGS || reader->reg(reader->ctx, reg, &value))
		return -EINVAL;
	return push(values, value + offset);
}

/* What has operands on the stack of values. */
static int combine(const Dwarf_Op *op, const struct frame_reader *reader, struct values *values)
{
	__u64 *top = &values->at[values->count - 1];

	if (!values->count)
		return -EINVAL;
	if (op->atom == DW_OP_deref)
		return reader->word(reader->ctx, *top, top);
	if (op->atom == DW_OP_plus_uconst) {
		*top += op->number;
		return 0;
	}
	if (values->count < 2)
		return -EINVAL;
	values->count--;
	return calculate(op->atom, top[-1], top[0], &top[-1]);
}

static int take_op(const Dwarf_Op *op, const struct frame_reader *reader, __u64 cfa,
		   struct values *values)
{
	if (op->atom >= DW_OP_lit0 && op->atom <= DW_OP_lit31)
		return push(values, op->atom - DW_OP_lit0);
	if (op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg31)
		return push_register(reader, op->atom - DW_OP_breg0, op->number, values);
	switch (op->atom) {
	case DW_OP_bregx:
		return push_register(reader, op->number, op->number2, values);
	case DW_OP_const1u:
	case DW_OP_const1s:
	case DW_OP_const2u:
	case DW_OP_const2s:
	case DW_OP_const4u:
	case DW_OP_const4s:
	case DW_OP_const8u:
	case DW_OP_const8s:
	case DW_OP_constu:
	case DW_OP_consts:
		return push(values, op->number);
	case DW_OP_call_frame_cfa:
		return push(values, cfa);
	case DW_OP_nop:
		return 0;
	}
	return combine(op, reader, values);
}

int frame_expr__eval(const struct frame_expr *expr, const struct frame_reader *reader, __u64 cfa,
		     __u64 *ret_value)
{
	struct values values = {};
	int err = 0;

	for (size_t i = 0; !err && i < expr->count; i++)
		err = take_op(&expr->ops[i], reader, cfa, &values);
	if (err || !values.count)
		return err ? err : -EINVAL;
	*ret_value = values.at[values.count - 1];
	return 0;
}

/* --- from libdw to a rule -------------------------------------------------------------------- */

static int take_cfa(Dwarf_Frame *frame, struct frame_rule *rule)
{
	enum tt_stack_reg base = TT_STACK_REGS;
	Dwarf_Op *ops;
	size_t count;

	if (dwarf_frame_cfa(frame, &ops, &count) || !count)
		return -ENOTSUP;
	if (count == 1 && ops[0].atom >= DW_OP_breg0 && ops[0].atom <= DW_OP_breg31)
		base = from_dwarf(ops[0].atom - DW_OP_breg0);
	rule->cfa_base = base;
	if (base != TT_STACK_REGS) {
		rule->cfa_offset = (__s32)ops[0].number;
		return 0;
	}
	rule->cfa = copy_expr(ops, count);
	return rule->cfa ? 0 : -ENOMEM;
}

/* DW_OP_call_frame_cfa, with an offset or without one, and at its end whatever is in @rest. */
static bool is_from_cfa(const Dwarf_Op *ops, size_t count, __s32 *ret_offset, size_t *ret_rest)
{
	bool has_offset = count > 1 && ops[1].atom == DW_OP_plus_uconst;

	if (!count || ops[0].atom != DW_OP_call_frame_cfa)
		return false;
	*ret_offset = has_offset ? (__s32)ops[1].number : 0;
	*ret_rest = count - 1 - has_offset;
	return true;
}

/* As dwarf_frame_register() of elfutils/libdw.h describes what it returns. */
static int take_place(Dwarf_Frame *frame, enum tt_stack_reg reg, struct frame_place *ret_place)
{
	Dwarf_Op simple[3], *ops = simple;
	size_t count = 0, rest;
	bool is_value;

	if (dwarf_frame_register(frame, dwarf_numbers[reg], simple, &ops, &count))
		return -ENOTSUP;
	if (!count) {
		ret_place->kind = ops ? PLACE_UNKNOWN : PLACE_SAME;
		return 0;
	}
	if (count == 1 && ops[0].atom >= DW_OP_reg0 && ops[0].atom <= DW_OP_reg31) {
		ret_place->offset = from_dwarf(ops[0].atom - DW_OP_reg0);
		ret_place->kind =
			ret_place->offset == TT_STACK_REGS ? PLACE_UNKNOWN : PLACE_REGISTER;
		return 0;
	}
	is_value = ops[count - 1].atom == DW_OP_stack_value;
	if (is_from_cfa(ops, count, &ret_place->offset, &rest) && rest == is_value) {
		ret_place->kind = is_value ? PLACE_CFA : PLACE_AT_CFA;
		return 0;
	}
	ret_place->kind = is_value ? PLACE_VALUE : PLACE_AT;
	ret_place->expr = copy_expr(ops, count - is_value);
	return ret_place->expr ? 0 : -ENOMEM;
}

static int fill_rule(Dwarf_Frame *frame, struct frame_rule *rule)
{
	int err = take_cfa(frame, rule);

	for (int reg = 0; !err && reg < TT_STACK_REGS; reg++)
		err = take_place(frame, reg, &rule->place[reg]);
	return err;
}

int frame_rule__of(Dwarf_CFI *cfi, __u64 vaddr, struct frame_rule *ret_rule)
{
	struct frame_rule rule = {};
	Dwarf_Frame *frame;
	int err;

	if (dwarf_cfi_addrframe(cfi, vaddr, &frame))
		return -ENOENT;
	if (dwarf_frame_info(frame, NULL, NULL, &rule.is_signal) != dwarf_numbers[TT_STACK_RIP])
		err = -ENOTSUP;
	else
		err = fill_rule(frame, &rule);
	free(frame);
	if (err)
		frame_rule__done(&rule);
	else
		*ret_rule = rule;
	return err;
}

void frame_rule__done(struct frame_rule *rule)
{
	free(rule->cfa);
	for (int reg = 0; reg < TT_STACK_REGS; reg++)
		free(rule->place[reg].expr);
}
