// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/disasm.h"

#include <errno.h>

#include <Zydis/Zydis.h>

#define array_size(a) (sizeof(a) / sizeof((a)[0]))

/*
 * Debian 12 and Ubuntu 24.04 have Zydis 4, Ubuntu 22.04 has 3.2: there the operands are a part of
 * the instruction, and the decoder is told the width of addresses instead of the stack.
 */
struct zydis_insn {
	ZydisDecodedInstruction insn;
#ifdef ZYDIS_MAX_OPERAND_COUNT_VISIBLE
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
#endif
};

#ifdef ZYDIS_MAX_OPERAND_COUNT_VISIBLE

static bool decode_bytes(const __u8 *bytes, size_t size, struct zydis_insn *z)
{
	ZydisDecoder decoder;

	return ZYAN_SUCCESS(ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64,
					     ZYDIS_STACK_WIDTH_64)) &&
	       ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, bytes, size, &z->insn, z->operands));
}

static const ZydisDecodedOperand *zydis_operands(const struct zydis_insn *z)
{
	return z->operands;
}

static bool format_insn(const ZydisFormatter *formatter, const struct zydis_insn *z, __u64 vaddr,
			char *buf, size_t size)
{
	return ZYAN_SUCCESS(ZydisFormatterFormatInstruction(formatter, &z->insn, z->operands,
							    z->insn.operand_count_visible, buf,
							    size, vaddr, NULL));
}

#else

static bool decode_bytes(const __u8 *bytes, size_t size, struct zydis_insn *z)
{
	ZydisDecoder decoder;

	return ZYAN_SUCCESS(ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64,
					     ZYDIS_ADDRESS_WIDTH_64)) &&
	       ZYAN_SUCCESS(ZydisDecoderDecodeBuffer(&decoder, bytes, size, &z->insn));
}

static const ZydisDecodedOperand *zydis_operands(const struct zydis_insn *z)
{
	return z->insn.operands;
}

static bool format_insn(const ZydisFormatter *formatter, const struct zydis_insn *z, __u64 vaddr,
			char *buf, size_t size)
{
	return ZYAN_SUCCESS(ZydisFormatterFormatInstruction(formatter, &z->insn, buf, size, vaddr));
}

#endif

/* Mnemonics that are told apart; the rest goes by category, or is INSN_OTHER. */
static const struct {
	ZydisMnemonic mnemonic;
	enum insn_kind kind;
} kinds[] = {
	{ ZYDIS_MNEMONIC_ENDBR64, INSN_ENDBR }, { ZYDIS_MNEMONIC_MOV, INSN_MOV },
	{ ZYDIS_MNEMONIC_MOVZX, INSN_MOV },	{ ZYDIS_MNEMONIC_MOVSX, INSN_MOV },
	{ ZYDIS_MNEMONIC_MOVSXD, INSN_MOV },	{ ZYDIS_MNEMONIC_MOVUPS, INSN_MOV },
	{ ZYDIS_MNEMONIC_MOVAPS, INSN_MOV },	{ ZYDIS_MNEMONIC_MOVDQU, INSN_MOV },
	{ ZYDIS_MNEMONIC_MOVDQA, INSN_MOV },	{ ZYDIS_MNEMONIC_MOVQ, INSN_MOV },
	{ ZYDIS_MNEMONIC_VMOVUPS, INSN_MOV },	{ ZYDIS_MNEMONIC_VMOVAPS, INSN_MOV },
	{ ZYDIS_MNEMONIC_VMOVDQU, INSN_MOV },	{ ZYDIS_MNEMONIC_VMOVDQA, INSN_MOV },
	{ ZYDIS_MNEMONIC_VMOVQ, INSN_MOV },	{ ZYDIS_MNEMONIC_LEA, INSN_LEA },
	{ ZYDIS_MNEMONIC_ADD, INSN_ADD },	{ ZYDIS_MNEMONIC_SUB, INSN_SUB },
	{ ZYDIS_MNEMONIC_AND, INSN_AND },	{ ZYDIS_MNEMONIC_XOR, INSN_XOR },
	{ ZYDIS_MNEMONIC_SAR, INSN_SHIFT },	{ ZYDIS_MNEMONIC_SHR, INSN_SHIFT },
	{ ZYDIS_MNEMONIC_DIV, INSN_DIV },	{ ZYDIS_MNEMONIC_XADD, INSN_XADD },
	{ ZYDIS_MNEMONIC_CMP, INSN_CMP },	{ ZYDIS_MNEMONIC_TEST, INSN_TEST },
	{ ZYDIS_MNEMONIC_UD2, INSN_STOP },	{ ZYDIS_MNEMONIC_HLT, INSN_STOP },
	{ ZYDIS_MNEMONIC_INT3, INSN_STOP },
};

static enum insn_kind kind_of_mnemonic(ZydisMnemonic mnemonic)
{
	for (size_t i = 0; i < array_size(kinds); i++)
		if (kinds[i].mnemonic == mnemonic)
			return kinds[i].kind;
	return INSN_OTHER;
}

static enum insn_condition condition_of(ZydisMnemonic mnemonic)
{
	switch (mnemonic) {
	case ZYDIS_MNEMONIC_JZ:
		return CONDITION_EQUAL;
	case ZYDIS_MNEMONIC_JNZ:
		return CONDITION_NOT_EQUAL;
	case ZYDIS_MNEMONIC_JB:
		return CONDITION_BELOW;
	case ZYDIS_MNEMONIC_JNB:
		return CONDITION_NOT_BELOW;
	case ZYDIS_MNEMONIC_JNBE:
		return CONDITION_ABOVE;
	case ZYDIS_MNEMONIC_JBE:
		return CONDITION_NOT_ABOVE;
	default:
		return CONDITION_OTHER;
	}
}

static enum insn_kind kind_of(const ZydisDecodedInstruction *insn)
{
	switch (insn->meta.category) {
	case ZYDIS_CATEGORY_NOP:
	case ZYDIS_CATEGORY_WIDENOP:
		return INSN_NOP;
	case ZYDIS_CATEGORY_PUSH:
		return INSN_PUSH;
	case ZYDIS_CATEGORY_POP:
		return INSN_POP;
	case ZYDIS_CATEGORY_SETCC:
		return INSN_SET;
	case ZYDIS_CATEGORY_UNCOND_BR:
		return INSN_JUMP;
	case ZYDIS_CATEGORY_COND_BR:
		return INSN_BRANCH;
	case ZYDIS_CATEGORY_CALL:
		return INSN_CALL;
	case ZYDIS_CATEGORY_RET:
		return INSN_RET;
	default:
		return kind_of_mnemonic(insn->mnemonic);
	}
}

/* Number of the general register that @reg is a part of; REG_NONE for others. */
static __u8 general_register(ZydisRegister reg)
{
	ZydisRegister full = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);

	if (ZydisRegisterGetClass(full) != ZYDIS_REGCLASS_GPR64)
		return REG_NONE;
	return (__u8)ZydisRegisterGetId(full);
}

static void translate_mem(const struct zydis_insn *z, const ZydisDecodedOperand *from, __u64 vaddr,
			  struct insn_operand *to)
{
	to->kind = OPERAND_MEM;
	to->base = REG_NONE;
	to->index = REG_NONE;
	to->scale = from->mem.scale;
	to->value = from->mem.disp.value;
	/* %fs: is thread-local storage: its base is in no register. */
	if (from->mem.segment == ZYDIS_REGISTER_FS || from->mem.segment == ZYDIS_REGISTER_GS)
		to->kind = OPERAND_OTHER;
	else if (from->mem.base == ZYDIS_REGISTER_RIP)
		to->value += (__s64)(vaddr + z->insn.length);
	else if (from->mem.base != ZYDIS_REGISTER_NONE)
		to->base = general_register(from->mem.base);
	if (from->mem.index != ZYDIS_REGISTER_NONE)
		to->index = general_register(from->mem.index);
}

static void translate_operand(const struct zydis_insn *z, const ZydisDecodedOperand *from,
			      __u64 vaddr, struct insn_operand *to)
{
	to->size = (__u8)(from->size / 8);
	switch (from->type) {
	case ZYDIS_OPERAND_TYPE_REGISTER:
		to->reg = general_register(from->reg.value);
		to->kind = to->reg == REG_NONE ? OPERAND_OTHER : OPERAND_REG;
		break;
	case ZYDIS_OPERAND_TYPE_IMMEDIATE:
		to->kind = OPERAND_IMM;
		to->value = from->imm.value.s;
		if (from->imm.is_relative)
			to->value += (__s64)(vaddr + z->insn.length);
		break;
	case ZYDIS_OPERAND_TYPE_MEMORY:
		translate_mem(z, from, vaddr, to);
		break;
	default:
		break;
	}
}

static __u16 written_register(const ZydisDecodedOperand *op)
{
	if (op->type != ZYDIS_OPERAND_TYPE_REGISTER ||
	    !(op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) ||
	    general_register(op->reg.value) == REG_NONE)
		return 0;
	return (__u16)(1u << general_register(op->reg.value));
}

int insn__decode(const __u8 *bytes, size_t size, __u64 vaddr, struct insn *ret_insn)
{
	const ZydisDecodedOperand *operands;
	struct zydis_insn z;

	if (!decode_bytes(bytes, size, &z))
		return -EINVAL;
	operands = zydis_operands(&z);
	*ret_insn = (struct insn){
		.vaddr = vaddr,
		.size = z.insn.length,
		.kind = kind_of(&z.insn),
		.condition = condition_of(z.insn.mnemonic),
		.sign_extends = z.insn.mnemonic == ZYDIS_MNEMONIC_MOVSX ||
				z.insn.mnemonic == ZYDIS_MNEMONIC_MOVSXD,
	};
	for (int i = 0; i < z.insn.operand_count; i++) {
		ret_insn->writes |= written_register(&operands[i]);
		if (operands[i].visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN ||
		    ret_insn->num_operands == INSN_MAX_OPERANDS)
			continue;
		translate_operand(&z, &operands[i], vaddr,
				  &ret_insn->operand[ret_insn->num_operands++]);
	}
	return 0;
}

void insn__format(const __u8 *bytes, size_t size, __u64 vaddr, char *buf, size_t buf_size)
{
	ZydisFormatter formatter;
	struct zydis_insn z;

	buf[0] = '\0';
	if (!decode_bytes(bytes, size, &z) ||
	    !ZYAN_SUCCESS(ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL)) ||
	    !format_insn(&formatter, &z, vaddr, buf, buf_size))
		buf[0] = '\0';
}

const char *insn__register_name(__u8 reg)
{
	return reg < REG_COUNT
		       ? ZydisRegisterGetString(ZydisRegisterEncode(ZYDIS_REGCLASS_GPR64, reg))
		       : "";
}
