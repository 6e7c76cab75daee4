/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The one place that knows the disassembler (Zydis) and the machine's instructions. It turns bytes
 * into struct insn, which says only what prologue and decode ask for. A leaf: no files, no
 * symbols, no allocation.
 */
#ifndef TTTRACE_DISASM_H
#define TTTRACE_DISASM_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

/* The general registers, with the machine's own numbers. */
enum insn_reg {
	REG_RAX,
	REG_RCX,
	REG_RDX,
	REG_RBX,
	REG_RSP,
	REG_RBP,
	REG_RSI,
	REG_RDI,
	REG_R8,
	REG_R9,
	REG_R10,
	REG_R11,
	REG_R12,
	REG_R13,
	REG_R14,
	REG_R15,
	REG_COUNT,
	REG_NONE = REG_COUNT,
};

enum insn_kind {
	INSN_OTHER, /* anything else; see `writes` */
	INSN_NOP,   /* all forms */
	INSN_ENDBR,
	INSN_PUSH,
	INSN_POP,
	INSN_MOV, /* also movzx, movsx, movsxd, movabs; of vectors: the operand is OTHER */
	INSN_LEA,
	INSN_ADD,
	INSN_SUB,
	INSN_AND,
	INSN_XOR,
	INSN_SHIFT, /* right: sar, shr */
	INSN_DIV,   /* unsigned */
	INSN_XADD,
	INSN_CMP,
	INSN_TEST,
	INSN_SET,    /* setcc */
	INSN_JUMP,   /* unconditional */
	INSN_BRANCH, /* conditional */
	INSN_CALL,
	INSN_RET,
	INSN_STOP, /* ud2, hlt, int3: control does not go on */
};

enum insn_operand_kind {
	OPERAND_OTHER, /* a vector register, thread-local memory, … */
	OPERAND_REG,
	OPERAND_IMM,
	OPERAND_MEM,
};

struct insn_operand {
	enum insn_operand_kind kind;
	__u8 size; /* bytes that are read or written */
	__u8 reg;  /* OPERAND_REG: enum insn_reg */
	__u8 base; /* OPERAND_MEM: base + index * scale + value; REG_NONE: without */
	__u8 index;
	__u8 scale;
	__s64 value; /* OPERAND_IMM: the value, or where a jump goes; OPERAND_MEM: displacement */
};

/* Conditions that are told apart; all are of unsigned numbers. */
enum insn_condition {
	CONDITION_OTHER,
	CONDITION_EQUAL,
	CONDITION_NOT_EQUAL,
	CONDITION_BELOW,
	CONDITION_NOT_BELOW,
	CONDITION_ABOVE,
	CONDITION_NOT_ABOVE,
};

enum {
	INSN_MAX_OPERANDS = 3,
	INSN_MAX_SIZE = 15
};

struct insn {
	__u64 vaddr;
	__u8 size; /* bytes */
	enum insn_kind kind;
	enum insn_condition condition; /* INSN_BRANCH */
	bool sign_extends;	       /* INSN_MOV: movsx, movsxd */
	__u8 num_operands;	       /* explicit ones; the first is the destination */
	struct insn_operand operand[INSN_MAX_OPERANDS];
	__u16 writes; /* bit n: general register n is written, implicitly too */
};

/* Decodes what stands at @bytes for the address @vaddr. -EINVAL: no instruction, or cut off. */
int insn__decode(const __u8 *bytes, size_t size, __u64 vaddr, struct insn *ret_insn);

/* "rdi"; "" for REG_NONE and what is no register. */
const char *insn__register_name(__u8 reg);

/* Writes it as text to @buf, e.g. "push rbp"; an empty string where there is no instruction. */
void insn__format(const __u8 *bytes, size_t size, __u64 vaddr, char *buf, size_t buf_size);

#endif
