/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What a stack says of whom memory is for: the operation that was called, and what the runtime made
 * of it. By the names of functions, as 0.60 to 0.81 have them; a name that changes leaves the
 * operation out, or makes an owner `other`, and invents none. Pure.
 */
#ifndef TTTRACE_ORIGIN_H
#define TTTRACE_ORIGIN_H

#include "core/buffers.h"
#include "core/event.h"

/*
 * The operation: of the calls that were made by the innermost code of Python, or by the program,
 * the outermost one of a public function of ttnn or tt::tt_metal, without what its templates were
 * made with. Writes its name into @buf, cut at @size - 1 bytes. Returns the number of its frame;
 * STACK_NO_FRAME: there is none, and the name is empty.
 */
__u32 origin__operation(const struct event_stack *stack, char *buf, size_t size);

/* OWNER_UNKNOWN: nothing tells it, and the stack was not seen as far as what would. */
enum owner origin__owner(const struct event_stack *stack);

/*
 * What makes the program that the memory is for, if that goes into the program cache: its class,
 * "ttnn::prim::UntilizeWithHaloProgramFactory". Writes it into @buf, cut at @size - 1 bytes; empty
 * if there is none.
 */
void origin__factory(const struct event_stack *stack, char *buf, size_t size);

/* Would @stack show that what it has allocated is held by the program cache? NULL: it is not known.
 */
static inline bool origin__is_told(const struct event_stack *stack)
{
	return stack && (stack->end == TT_STACK_COMPLETE || stack->end == TT_STACK_NO_PYTHON);
}

/* Of what is of @type (enum tt_buffer_type) by @stack; NULL: it is not known. */
static inline enum owner owner__of(__u32 type, const struct event_stack *stack)
{
	if (type == TT_TYPE_TRACE)
		return OWNER_TRACE;
	return stack ? stack->owner : OWNER_UNKNOWN;
}

/* Of one buffer, for which its kind and its pages speak where the stack is not known. */
enum owner owner__of_buffer(const struct buffer *buffer, const struct event_stack *stack);

#endif
