/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Chooses the instruction of a function at which a uprobe costs least. Bytes in, offset out; it
 * may use disasm.
 *
 * A uprobe replaces an instruction by a breakpoint. What stood there is then either emulated by
 * the kernel (about 1 us a hit) or executed out of line with single-stepping (15 us in a virtual
 * machine). As read in arch/x86/kernel/uprobes.c of Linux 5.15 to 6.18, the kernel emulates
 * - push of a general register: push_setup_xol_ops(), after 4.14, by commit e7ed9d9bd037
 *   ("uprobes/x86: Emulate push insns for uprobe on x86");
 * - a one-byte nop: branch_setup_xol_ops(). With a prefix of 0x66 older kernels refuse to probe
 *   it, so that is never chosen;
 * - a longer nop (0f 1f /0): branch_setup_xol_ops() too, but in newer kernels only; older ones
 *   single-step it;
 * - jumps, and calls: not at a place where arguments would still be where the ABI puts them.
 *
 * So the probe goes to the first such instruction, if none of the registers that carry arguments
 * has been written before it, and if control cannot come back to it without a new call: else the
 * function would be counted twice. Otherwise it goes to the function's first instruction.
 */
#ifndef TTTRACE_PROLOGUE_H
#define TTTRACE_PROLOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

struct prologue {
	__u32 offset; /* of the chosen instruction, bytes from the function's begin */
	__u32 size;   /* of the instruction, bytes */
	bool emulated;
};

/* @code: the whole function if possible, @size bytes. -EINVAL: it begins with no instruction. */
int prologue__choose(const __u8 *code, size_t size, struct prologue *ret_prologue);

#endif
