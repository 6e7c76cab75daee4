// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/census_parent.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/cleanup.h"
#include "target/census_blocks.h"

static int compare_buffers(const void *a, const void *b)
{
	const struct look_buffer *x = a, *y = b;

	if (x->buffer != y->buffer)
		return x->buffer < y->buffer ? -1 : 1;
	return x->unique_id < y->unique_id ? -1 : x->unique_id > y->unique_id;
}

static bool has_buffer(const struct census_look *parents, const struct look_buffer *buffer)
{
	const struct look_buffer *found = bsearch(buffer, parents->buffers, parents->num_buffers,
						  sizeof(*buffer), compare_buffers);

	return found && found->is_valid;
}

/* Returns the number of the youngest buffer that both have, or 0. */
static __u64 mark_buffers(struct census_look *parents, struct census_look *look)
{
	__u64 youngest = 0;

	qsort(parents->buffers, parents->num_buffers, sizeof(*parents->buffers), compare_buffers);
	for (size_t i = 0; i < look->num_buffers; i++) {
		struct look_buffer *b = &look->buffers[i];

		b->is_inherited = b->is_valid && has_buffer(parents, b);
		if (b->is_inherited && b->unique_id > youngest)
			youngest = b->unique_id;
	}
	for (size_t i = 0; i < look->num_buffers; i++) {
		struct look_buffer *b = &look->buffers[i];

		b->is_inherited |= b->is_valid && b->unique_id && b->unique_id < youngest;
		if (!b->is_inherited || b->is_freed)
			continue;
		look->inherits = true;
		look->devices[b->device].num_buffers--;
	}
	return youngest;
}

/*
 * The number of the next buffer of either; the lower one. Both have counted on from the fork, so
 * what has a number from there on is the process's own. 0: the parent has no such library.
 */
static __u64 count_both(const struct object_space *space, const struct object_space *parents_space)
{
	const struct object_space *spaces[] = { space, parents_space };
	__u64 lower = ~0ull, next;

	for (int i = 0; i < 2; i++) {
		if (memory__read(spaces[i]->memory, spaces[i]->bias + space->layout->next_unique_id,
				 &next, sizeof(next)))
			return 0;
		lower = next < lower ? next : lower;
	}
	return lower;
}

/*
 * What is older than the youngest that both have is inherited, and what the parent has not counted
 * yet is not. In between nothing tells what the parent has allocated before the fork and freed
 * since.
 */
static void doubt_buffers(const struct object_space *space,
			  const struct object_space *parents_space, struct census_look *look)
{
	__u64 next = look->inherits ? ~0ull : 0;

	if (space->layout->next_unique_id)
		next = count_both(space, parents_space);
	for (size_t i = 0; i < look->num_buffers; i++) {
		struct look_buffer *b = &look->buffers[i];

		b->may_be_inherited =
			b->is_valid && !b->is_inherited && !b->is_freed && b->unique_id < next;
	}
}

int census_parent__mark(pid_t parent, const struct object_space *space, __u64 allocator,
			struct census_look *look)
{
	const struct census_target target = { .pid = parent };
	struct object_space parents_space = *space;
	_cleanup_(memory__free_p) struct memory *memory = NULL;
	struct census_look parents;
	int err = memory__open(parent, &memory);

	if (err)
		return err == -ENOMEM ? err : 0;
	parents_space.memory = memory;
	err = census_look__take(&parents_space, &target, allocator, true, &parents);
	if (!err) {
		census_blocks__disown(&parents_space, look, &parents, mark_buffers(&parents, look));
		err = parents.is_whole ? 0 : -EAGAIN;
	}
	/* it may have closed the device since, too */
	doubt_buffers(space, &parents_space, look);
	census_look__done(&parents);
	return err == -ENOMEM || err == -EAGAIN ? err : 0;
}
