// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/census_owners.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/cleanup.h"

enum {
	MAX_USES = 1 << 24,
	MAX_WEAK = 1 << 12, /* less than the upper half of any address has */
};

/*
 * std::make_shared() puts the control block before the object: its vtable, and two 32-bit counts,
 * of std::shared_ptr and std::weak_ptr (_Sp_counted_base of libstdc++). Where memory was freed,
 * malloc has written links or a random key over both (tcache_entry, malloc_chunk of glibc).
 */
static bool is_referenced(const struct object_space *s, __u64 buffer)
{
	__u32 counts[2];

	return !memory__read(s->memory, buffer - sizeof(counts), counts, sizeof(counts)) &&
	       counts[0] && counts[0] < MAX_USES && counts[1] && counts[1] < MAX_WEAK;
}

static int compare_bodies(const void *a, const void *b)
{
	const struct look_buffer *x = *(const struct look_buffer *const *)a;
	const struct look_buffer *y = *(const struct look_buffer *const *)b;

	if (x->body_at != y->body_at)
		return x->body_at < y->body_at ? -1 : 1;
	return x->buffer < y->buffer ? -1 : x->buffer > y->buffer;
}

static void mark(const struct object_space *s, struct look_buffer **sharing, size_t num)
{
	size_t owner = 0;

	while (owner < num && !is_referenced(s, sharing[owner]->buffer))
		owner++;
	if (owner == num)
		owner = 0;
	for (size_t i = 0; i < num; i++)
		if (i != owner)
			sharing[i]->faults |= TT_FAULT_OBJECT;
}

int census_owners__mark(const struct object_space *s, struct census_look *look)
{
	_cleanup_free_ struct look_buffer **sorted = NULL;
	size_t end;

	if (s->layout->field[TT_FIELD_DEVICE].len < 2 || !look->num_buffers)
		return 0;
	sorted = malloc(look->num_buffers * sizeof(*sorted));
	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < look->num_buffers; i++)
		sorted[i] = &look->buffers[i];
	qsort(sorted, look->num_buffers, sizeof(*sorted), compare_bodies);
	for (size_t i = 0; i < look->num_buffers; i = end) {
		for (end = i + 1; end < look->num_buffers; end++)
			if (sorted[end]->body_at != sorted[i]->body_at)
				break;
		if (end - i > 1 && sorted[i]->body_at)
			mark(s, &sorted[i], end - i);
	}
	return 0;
}
