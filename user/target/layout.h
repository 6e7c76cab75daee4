/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Establishes where the fields of the runtime's objects lie, from the library's own code. It may
 * use elf, symbols, decode and witness; it neither logs nor prints.
 *
 * Every field has witnesses: functions whose code must touch it, since the source says so (a
 * getter returns it, the constructor stores an argument in it, deallocate_impl() compares it with
 * ALLOCATED …). Each of them gives the set of paths that fit what it is known to do. The field is
 * where all sets agree, if that is exactly one path. If they have none in common the field is
 * absent ("disagreement"), and so it is if they leave more than one ("ambiguous"), or if all there
 * is is one weak witness ("compared with 1"): a wrong offset would be worse than none. A witness
 * that the library does not have, or that has seen nothing, has no say. Nothing is known here of
 * versions.
 */
#ifndef TTTRACE_LAYOUT_H
#define TTTRACE_LAYOUT_H

#include <stdbool.h>
#include <linux/types.h>

#include "tttrace_config.h"
#include "target/elf.h"
#include "target/symbols.h"

/* How a field of enum tt_field was established, or why it was not. */
struct library_field {
	bool found;
	int num_witnesses; /* that agreed */
	char how[256]; /* e.g. "returned by Buffer::size; argument 2 of BufferImpl::BufferImpl" */
};

/* Fills both; absent fields have len 0. Returns 0, or -ENOMEM. */
int layout__decode(struct elf_file *file, const struct symbols *symbols,
		   struct tt_layout *ret_layout, struct library_field fields[TT_FIELD_COUNT]);

/*
 * Makes the invariant of struct tt_layout true: sets body_start, and makes those fields of a
 * Buffer absent that do not lie in the body with the others. layout__decode() has called it.
 */
void layout__seal(struct tt_layout *layout, struct library_field fields[TT_FIELD_COUNT]);

#endif
