/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What a forked process has of its parent: a copy of each allocator, with all that it held at the
 * fork. What both hold is the parent's; the rest the child has allocated itself. Private to the
 * census*.c.
 *
 * Buffers are numbered in the order of their allocations, so what is older than anything that both
 * hold is from before the fork, though the parent has freed it since. If the parent frees the
 * youngest ones, these are taken for the child's own.
 */
#ifndef TTTRACE_CENSUS_PARENT_H
#define TTTRACE_CENSUS_PARENT_H

#include "target/census_look.h"

/*
 * Marks the buffers of @look, of the child's @allocator, that @parent (a process) has too, and
 * takes out such orphans. @space: of the child, where the library lies as in the parent. Returns 0;
 * -EAGAIN: the parent's could not be read as a whole; -ENOMEM. That the parent has ended, or may
 * not be read, is no error: then all is the child's.
 */
int census_parent__mark(pid_t parent, const struct object_space *space, __u64 allocator,
			struct census_look *look);

#endif
