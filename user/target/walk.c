// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/walk.h"

#include <string.h>

void walk__emit(const struct walk *w, const struct decode_event *event)
{
	w->fn(event, w->ctx);
}

/* A constant table, or the slot that the dynamic linker fills with a variable's address. */
static struct value load_const(const struct walk *w, __u64 vaddr, __u8 size, bool is_signed)
{
	const struct decode_image *image = w->image;
	const char *variable;
	__u8 bytes[8] = {};
	__s64 number;

	if (size > sizeof(bytes))
		return value__unknown();
	if (image->read_const(image->ctx, vaddr, bytes, size))
		return image->slot(image->ctx, vaddr, &variable) ? value__unknown()
								 : value__result(variable);
	memcpy(&number, bytes, sizeof(number));
	return value__const(is_signed && size == 4 ? (__s32)number : number);
}

static void emit_element(const struct walk *w, const struct value *element, __u8 size)
{
	struct decode_event event = { .kind = DECODE_ELEMENT, .value = *element, .size = size };

	walk__emit(w, &event);
}

static struct value load(const struct walk *w, const struct value *address, __u8 size,
			 bool is_signed)
{
	const struct decode_given *given = w->request->given;
	struct value v;

	if (address->kind == VALUE_STACK)
		return cpu__load_stack(&w->cpu, address->number);
	if (address->kind == VALUE_CONST)
		return load_const(w, (__u64)address->number, size, is_signed);
	if (address->kind == VALUE_ELEMENT)
		emit_element(w, address, size);
	v = value__load(address);
	if (given && value__equal(&v, &given->place))
		return value__const(given->number);
	return v;
}

static struct value read_signed(const struct walk *w, const struct insn_operand *op, bool is_signed)
{
	struct value address;

	switch (op->kind) {
	case OPERAND_REG:
		return w->cpu.reg[op->reg];
	case OPERAND_IMM:
		return value__const(op->size == 4 ? (__s32)op->value : op->value);
	case OPERAND_MEM:
		address = cpu__address(&w->cpu, op);
		return load(w, &address, op->size, is_signed);
	default:
		return value__unknown();
	}
}

struct value walk__read(const struct walk *w, const struct insn_operand *op)
{
	return read_signed(w, op, false);
}

static void write_operand(struct walk *w, const struct insn_operand *op, const struct value *v)
{
	struct decode_event event = { .kind = DECODE_STORED, .value = *v, .size = op->size };

	if (op->kind == OPERAND_REG) {
		cpu__write_reg(&w->cpu, op, v);
	} else if (op->kind == OPERAND_MEM) {
		event.other = cpu__address(&w->cpu, op);
		if (event.other.kind == VALUE_STACK)
			cpu__store_stack(&w->cpu, event.other.number, op->size, v);
		else
			walk__emit(w, &event);
	}
}

static void step_mov(struct walk *w, const struct insn *insn)
{
	struct value v = read_signed(w, &insn->operand[1], insn->sign_extends);

	write_operand(w, &insn->operand[0], &v);
}

static void step_lea(struct walk *w, const struct insn *insn)
{
	struct value v = cpu__address(&w->cpu, &insn->operand[1]);

	write_operand(w, &insn->operand[0], &v);
}

static void step_add(struct walk *w, const struct insn *insn)
{
	struct value a = walk__read(w, &insn->operand[0]);
	struct value b = walk__read(w, &insn->operand[1]);
	struct value sum = value__add(&a, &b);

	write_operand(w, &insn->operand[0], &sum);
}

static void step_sub(struct walk *w, const struct insn *insn)
{
	struct value a = walk__read(w, &insn->operand[0]);
	struct value b = walk__read(w, &insn->operand[1]);
	struct value difference = value__sub(&a, &b);
	struct decode_event event = {
		.kind = DECODE_SUBTRACTED, .value = b, .other = a, .size = insn->operand[1].size
	};

	walk__emit(w, &event);
	write_operand(w, &insn->operand[0], &difference);
}

/* and rsp, -32 aligns the stack: slots keep their distances. Other results are not needed. */
static void step_and(struct walk *w, const struct insn *insn)
{
	if (insn->operand[0].kind == OPERAND_REG && insn->operand[0].reg != REG_RSP)
		cpu__forget_regs(&w->cpu, insn->writes);
}

static void step_xor(struct walk *w, const struct insn *insn)
{
	const struct insn_operand *a = &insn->operand[0], *b = &insn->operand[1];
	struct value zero = value__const(0);

	cpu__forget_regs(&w->cpu, insn->writes);
	if (a->kind == OPERAND_REG && b->kind == OPERAND_REG && a->reg == b->reg)
		write_operand(w, a, &zero);
}

/* (end - begin) >> 4 counts the elements of a vector: they have 16 bytes. */
static void step_shift(struct walk *w, const struct insn *insn)
{
	struct decode_event event = { .kind = DECODE_SPAN };
	__s64 bits = insn->operand[1].value;

	event.value = walk__read(w, &insn->operand[0]);
	cpu__forget_regs(&w->cpu, insn->writes);
	if (event.value.kind != VALUE_SPAN || insn->operand[1].kind != OPERAND_IMM || bits < 0 ||
	    bits > 7)
		return;
	event.value.kind = VALUE_PATH;
	event.size = (__u8)(1u << bits);
	walk__emit(w, &event);
}

static void step_div(struct walk *w, const struct insn *insn)
{
	struct decode_event event = { .kind = DECODE_DIVIDED_BY, .size = insn->operand[0].size };

	event.value = walk__read(w, &insn->operand[0]);
	walk__emit(w, &event);
	cpu__forget_regs(&w->cpu, insn->writes);
}

/* The variable at @address, by its name: the linker knew where it is, or the code asked a slot. */
static struct value find_variable(const struct walk *w, const struct value *address)
{
	const struct decode_image *image = w->image;
	const char *name;

	if (address->kind == VALUE_RESULT)
		return *address;
	if (address->kind != VALUE_CONST ||
	    image->variable(image->ctx, (__u64)address->number, &name))
		return value__unknown();
	return value__result(name);
}

/* lock xadd [variable], rax: rax gets what the variable held. */
static void step_xadd(struct walk *w, const struct insn *insn)
{
	struct value address = cpu__address(&w->cpu, &insn->operand[0]), held;

	cpu__forget_regs(&w->cpu, insn->writes);
	if (insn->operand[0].kind != OPERAND_MEM)
		return;
	held = find_variable(w, &address);
	write_operand(w, &insn->operand[1], &held);
}

static void compare(struct walk *w, const struct value *left, const struct value *right, __u8 size)
{
	struct decode_event event = {
		.kind = DECODE_COMPARED, .value = *left, .other = *right, .size = size
	};

	walk__emit(w, &event);
	w->cpu.left = *left;
	w->cpu.right = *right;
	w->cpu.compared_size = size;
	w->cpu.compared = true;
}

static void step_cmp(struct walk *w, const struct insn *insn)
{
	struct value left = walk__read(w, &insn->operand[0]);
	struct value right = walk__read(w, &insn->operand[1]);

	compare(w, &left, &right, insn->operand[0].size);
}

/* test rax, rax compares with 0; other masks say nothing that is needed. */
static void step_test(struct walk *w, const struct insn *insn)
{
	const struct insn_operand *a = &insn->operand[0], *b = &insn->operand[1];
	struct value left = walk__read(w, a), zero = value__const(0);

	w->cpu.compared = false;
	if (a->kind == OPERAND_REG && b->kind == OPERAND_REG && a->reg == b->reg)
		compare(w, &left, &zero, a->size);
}

static void step_push(struct walk *w, const struct insn *insn)
{
	struct value v = walk__read(w, &insn->operand[0]);
	struct value *sp = &w->cpu.reg[REG_RSP], eight = value__const(8);

	*sp = value__sub(sp, &eight);
	if (sp->kind == VALUE_STACK)
		cpu__store_stack(&w->cpu, sp->number, 8, &v);
}

static void step_pop(struct walk *w, const struct insn *insn)
{
	struct value *sp = &w->cpu.reg[REG_RSP], v, eight = value__const(8);

	v = load(w, sp, 8, false);
	*sp = value__add(sp, &eight);
	write_operand(w, &insn->operand[0], &v);
}

static void step_nothing(struct walk *w, const struct insn *insn)
{
	(void)w;
	(void)insn;
}

/* Anything else: what it writes is no longer known. */
static void step_other(struct walk *w, const struct insn *insn)
{
	cpu__forget_regs(&w->cpu, insn->writes);
	if (insn->num_operands && insn->operand[0].kind == OPERAND_MEM) {
		struct value v = value__unknown();

		write_operand(w, &insn->operand[0], &v);
	}
}

static const struct {
	void (*step)(struct walk *w, const struct insn *insn);
	bool keeps_flags; /* or sets those of cpu.compared itself */
} steps[] = {
	[INSN_OTHER] = { step_other, false },  [INSN_NOP] = { step_nothing, true },
	[INSN_ENDBR] = { step_nothing, true }, [INSN_PUSH] = { step_push, true },
	[INSN_POP] = { step_pop, true },       [INSN_MOV] = { step_mov, true },
	[INSN_LEA] = { step_lea, true },       [INSN_ADD] = { step_add, false },
	[INSN_SUB] = { step_sub, false },      [INSN_AND] = { step_and, false },
	[INSN_XOR] = { step_xor, false },      [INSN_SHIFT] = { step_shift, false },
	[INSN_DIV] = { step_div, false },      [INSN_XADD] = { step_xadd, false },
	[INSN_CMP] = { step_cmp, true },       [INSN_TEST] = { step_test, true },
	[INSN_SET] = { step_other, true },
};

void walk__step(struct walk *w, const struct insn *insn)
{
	if (!steps[insn->kind].keeps_flags)
		w->cpu.compared = false;
	steps[insn->kind].step(w, insn);
}
