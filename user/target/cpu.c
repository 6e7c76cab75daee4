// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/cpu.h"

#include <stdint.h>

/* System V ABI, x86_64, 3.2.3: integer arguments, in order. */
static const __u8 argument_reg[CPU_REG_ARGS] = {
	REG_RDI, REG_RSI, REG_RDX, REG_RCX, REG_R8, REG_R9
};

enum {
	MAX_STACK_ARGS_SIZE = 256
}; /* bytes above the return address */

/* Likewise: what a function need not preserve. */
static const __u16 caller_saved = 1 << REG_RAX | 1 << REG_RCX | 1 << REG_RDX | 1 << REG_RSI |
				  1 << REG_RDI | 1 << REG_R8 | 1 << REG_R9 | 1 << REG_R10 |
				  1 << REG_R11;

void cpu__enter(struct cpu *m)
{
	*m = (struct cpu){};
	m->reg[REG_RSP].kind = VALUE_STACK;
	for (int i = 0; i < CPU_REG_ARGS; i++)
		m->reg[argument_reg[i]] = value__arg(i);
}

struct value cpu__arg(const struct cpu *m, int arg)
{
	return m->reg[argument_reg[arg]];
}

static struct value register_or_zero(const struct cpu *m, __u8 reg)
{
	return reg == REG_NONE ? value__const(0) : m->reg[reg];
}

struct value cpu__address(const struct cpu *m, const struct insn_operand *op)
{
	struct value base = register_or_zero(m, op->base), index = register_or_zero(m, op->index);

	return value__address(&base, &index, op->scale, op->value);
}

void cpu__write_reg(struct cpu *m, const struct insn_operand *op, const struct value *value)
{
	struct value v = *value;

	/* A write of 4 bytes clears the upper half; one of 1 or 2 leaves a mixture. */
	if (op->size < 4)
		v = value__unknown();
	else if (op->size == 4 && v.kind == VALUE_CONST)
		v.number = (__u32)v.number;
	m->reg[op->reg] = v;
}

struct value cpu__load_stack(const struct cpu *m, __s64 at)
{
	for (int i = 0; i < m->num_slots; i++)
		if (m->slot[i].at == at)
			return m->slot[i].value;
	/* Above the return address: the seventh argument and those that follow. */
	if (at >= 8 && at % 8 == 0 && at < MAX_STACK_ARGS_SIZE)
		return value__arg(CPU_REG_ARGS + (int)(at / 8) - 1);
	return value__unknown();
}

static void forget_slots(struct cpu *m, __s64 from, __s64 to)
{
	int kept = 0;

	for (int i = 0; i < m->num_slots; i++) {
		const struct cpu_slot *s = &m->slot[i];

		if (s->at + s->size <= from || s->at >= to)
			m->slot[kept++] = *s;
	}
	m->num_slots = kept;
}

void cpu__store_stack(struct cpu *m, __s64 at, __u8 size, const struct value *value)
{
	if (at < INT32_MIN || at > INT32_MAX)
		return;
	forget_slots(m, at, at + size);
	/* An unknown one is kept too where it hides an argument. */
	if (m->num_slots < CPU_MAX_SLOTS && (value->kind != VALUE_UNKNOWN || at >= 8))
		m->slot[m->num_slots++] = (struct cpu_slot){ at, size, *value };
}

void cpu__after_call(struct cpu *m, const struct value *result)
{
	/* An object on the stack that was passed by address: everything upwards may be part of it.
	 */
	for (int i = 0; i < CPU_REG_ARGS; i++) {
		struct value v = cpu__arg(m, i);

		if (v.kind == VALUE_STACK && v.number > INT32_MIN && v.number < 0)
			forget_slots(m, v.number, 0);
	}
	cpu__forget_regs(m, caller_saved);
	m->reg[REG_RAX] = *result;
	m->compared = false;
}

void cpu__forget_regs(struct cpu *m, __u16 writes)
{
	for (int i = 0; i < REG_COUNT; i++)
		if (writes & 1u << i)
			m->reg[i] = value__unknown();
}

static __u64 cut_to(__s64 number, __u8 size)
{
	return size >= 8 ? (__u64)number : (__u64)number & ((1ull << 8 * size) - 1);
}

int cpu__condition(const struct cpu *m, enum insn_condition condition)
{
	__u64 left, right;

	if (!m->compared || m->left.kind != VALUE_CONST || m->right.kind != VALUE_CONST)
		return -1;
	left = cut_to(m->left.number, m->compared_size);
	right = cut_to(m->right.number, m->compared_size);
	switch (condition) {
	case CONDITION_EQUAL:
		return left == right;
	case CONDITION_NOT_EQUAL:
		return left != right;
	case CONDITION_BELOW:
		return left < right;
	case CONDITION_NOT_BELOW:
		return left >= right;
	case CONDITION_ABOVE:
		return left > right;
	case CONDITION_NOT_ABOVE:
		return left <= right;
	default:
		return -1;
	}
}
