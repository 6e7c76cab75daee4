/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The state of decode's abstract machine: what is known of registers, of stack slots and of the
 * last comparison. Copied as a whole where control forks. It may use value and disasm.
 */
#ifndef TTTRACE_CPU_H
#define TTTRACE_CPU_H

#include "target/disasm.h"
#include "target/value.h"

enum {
	CPU_REG_ARGS = 6,   /* integer arguments that the ABI passes in registers */
	CPU_MAX_SLOTS = 48, /* known stack slots; what is stored beyond is forgotten */
};

struct cpu_slot {
	__s64 at; /* from rsp at the function's entry, bytes */
	__u8 size;
	struct value value;
};

struct cpu {
	struct value reg[REG_COUNT];
	struct cpu_slot slot[CPU_MAX_SLOTS];
	int num_slots;
	/* The last comparison, as long as its flags hold. */
	bool compared;
	struct value left, right;
	__u8 compared_size;
};

/* The state at a function's first instruction, under the System V ABI. */
void cpu__enter(struct cpu *m);

struct value cpu__arg(const struct cpu *m, int arg);

/* The address that an OPERAND_MEM means. */
struct value cpu__address(const struct cpu *m, const struct insn_operand *op);

void cpu__write_reg(struct cpu *m, const struct insn_operand *op, const struct value *value);

/* What lies at @at on the stack; an argument that was passed there; or unknown. */
struct value cpu__load_stack(const struct cpu *m, __s64 at);
void cpu__store_stack(struct cpu *m, __s64 at, __u8 size, const struct value *value);

/* Forgets what a call may change, and puts what it returned into rax. */
void cpu__after_call(struct cpu *m, const struct value *result);

/* Forgets the registers in the set @writes (bit n: register n). */
void cpu__forget_regs(struct cpu *m, __u16 writes);

/* 1, 0: the condition holds, or does not; -1: it depends. */
int cpu__condition(const struct cpu *m, enum insn_condition condition);

#endif
