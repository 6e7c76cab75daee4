/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The free lists of an allocator: which block each buffer of a look occupies, and which blocks are
 * taken that no buffer owns. Private to the census*.c.
 */
#ifndef TTTRACE_CENSUS_BLOCKS_H
#define TTTRACE_CENSUS_BLOCKS_H

#include "target/census_look.h"

/* The first free list of each type of an allocator, as it was before its buffers were read. */
struct census_tables {
	struct block_table *of[TT_TYPE_COUNT]; /* NULL: it was not to be had */
};

/*
 * To be freed by census_tables__done() in any case. Returns 0; -EAGAIN: a free list changed while
 * it was read; -ENOMEM; -ESRCH, -EPERM.
 */
int census_tables__read(const struct object_space *space, __u64 allocator,
			struct census_tables *ret_tables);
void census_tables__done(struct census_tables *tables);

/*
 * Fills in per_bank and is_freed of the buffers of @look, which have been judged, its orphans, and
 * whether it has_lists.
 * A type whose free lists cannot be read is in look->types_unread, and that is no error. Buffers
 * and blocks are not of one moment: a buffer may be freed, and its place another's, before the free
 * list is read. So what it occupies is known where @before has the same block. Returns 0; -EAGAIN:
 * a free list changed while it was read; -ENOMEM; -ESRCH, -EPERM.
 */
int census_blocks__measure(const struct object_space *space, __u64 allocator,
			   const struct census_tables *before, struct census_look *look);

/*
 * Those orphans of @look are sure whose block was taken in @earlier, too: by nobody, or by a buffer
 * whose free a graph capture has suppressed since. What @earlier could not read is unread.
 */
void census_blocks__confirm(const struct object_space *space, struct census_look *look,
			    const struct census_look *earlier);

/*
 * Those orphans of @look may be inherited that are in @parents, too; or whose block a buffer has
 * there that is not younger than @youngest: then the child has freed under a capture what it has
 * inherited.
 */
void census_blocks__disown(const struct object_space *space, struct census_look *look,
			   const struct census_look *parents, __u64 youngest);

#endif
