/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The one instruction of Buffer::create that only a buffer of size 0 passes. Probed there, such
 * buffers are seen, and all the others cost nothing. Bytes in, offset out; it may use disasm.
 *
 * As read in the code of 0.60.1 to 0.81.1, create() ends with
 *
 *	cmp qword ptr [buffer + size_], 0
 *	je  empty
 *	…	allocate_impl()
 *   empty:
 *	mov byte ptr [buffer + allocation_status_], 1
 *
 * or with the two ways exchanged. It is taken only if every way to the last instruction is from
 * such a comparison.
 */
#ifndef TTTRACE_EMPTY_H
#define TTTRACE_EMPTY_H

#include <stddef.h>
#include <linux/types.h>

struct empty_point {
	__u32 offset; /* of the instruction, bytes from the function's begin */
	__u8 reg;     /* enum insn_reg: it holds the body of the Buffer there */
};

/*
 * @code: the whole function, @size bytes; @size_offset, @status_offset: of the two fields in the
 * body of a Buffer. -ENOENT: there is no such instruction, or it is not certain.
 */
int empty__find(const __u8 *code, size_t size, __u16 size_offset, __u16 status_offset,
		struct empty_point *ret_point);

#endif
