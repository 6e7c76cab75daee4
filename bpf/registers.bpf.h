/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The registers of the probed thread, by the machine's own numbers. What is said here is of x86_64.
 */
#ifndef TTTRACE_REGISTERS_BPF_H
#define TTTRACE_REGISTERS_BPF_H

/*
 * Assembly, for the compiler would compute where in @ctx to read, and the verifier wants to see
 * that as a number.
 */
#define LOAD_REGISTER(ctx, name)                                                                   \
	({                                                                                         \
		__u64 value;                                                                       \
		asm volatile("%0 = *(u64 *)(%1 + %2)"                                              \
			     : "=r"(value)                                                         \
			     : "r"(ctx), "i"(offsetof(struct pt_regs, name)));                     \
		value;                                                                             \
	})

/* Integer argument @n of the probed function, 0 being the first (System V: rdi). */
static __always_inline __u64 argument(const struct hit *hit, __u32 n)
{
	switch (n) {
	case 0:
		return LOAD_REGISTER(hit->regs, di);
	case 1:
		return LOAD_REGISTER(hit->regs, si);
	case 2:
		return LOAD_REGISTER(hit->regs, dx);
	case 3:
		return LOAD_REGISTER(hit->regs, cx);
	case 4:
		return LOAD_REGISTER(hit->regs, r8);
	case 5:
		return LOAD_REGISTER(hit->regs, r9);
	default:
		return 0;
	}
}

/* A general register by the machine's number: as ModRM and REX encode it. */
static __always_inline __u64 read_register(const struct pt_regs *ctx, __u32 number)
{
	switch (number) {
	case 0:
		return LOAD_REGISTER(ctx, ax);
	case 1:
		return LOAD_REGISTER(ctx, cx);
	case 2:
		return LOAD_REGISTER(ctx, dx);
	case 3:
		return LOAD_REGISTER(ctx, bx);
	case 4:
		return LOAD_REGISTER(ctx, sp);
	case 5:
		return LOAD_REGISTER(ctx, bp);
	case 6:
		return LOAD_REGISTER(ctx, si);
	case 7:
		return LOAD_REGISTER(ctx, di);
	case 8:
		return LOAD_REGISTER(ctx, r8);
	case 9:
		return LOAD_REGISTER(ctx, r9);
	case 10:
		return LOAD_REGISTER(ctx, r10);
	case 11:
		return LOAD_REGISTER(ctx, r11);
	case 12:
		return LOAD_REGISTER(ctx, r12);
	case 13:
		return LOAD_REGISTER(ctx, r13);
	case 14:
		return LOAD_REGISTER(ctx, r14);
	default:
		return LOAD_REGISTER(ctx, r15);
	}
}

#endif
