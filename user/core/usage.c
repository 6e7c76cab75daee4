// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "core/usage.h"

static void raise_to(__u64 *peak, __u64 value)
{
	if (*peak < value)
		*peak = value;
}

static void add_cell(struct usage_cell *cell, __u64 footprint, __u64 size)
{
	cell->live += footprint;
	cell->size += size;
	cell->buffers++;
	raise_to(&cell->peak, cell->live);
	raise_to(&cell->peak_size, cell->size);
	raise_to(&cell->peak_buffers, cell->buffers);
}

static void sub_cell(struct usage_cell *cell, __u64 footprint, __u64 size)
{
	cell->live -= footprint;
	cell->size -= size;
	cell->buffers--;
}

void usage__add(struct usage *usage, __u32 type, __u64 footprint, __u64 size)
{
	if (type < TT_TYPE_COUNT)
		add_cell(&usage->type[type], footprint, size);
	add_cell(&usage->sum, footprint, size);
}

void usage__sub(struct usage *usage, __u32 type, __u64 footprint, __u64 size)
{
	if (type < TT_TYPE_COUNT)
		sub_cell(&usage->type[type], footprint, size);
	sub_cell(&usage->sum, footprint, size);
}

static void fold_cell(struct usage_cell *cell, const struct usage_cell *other)
{
	cell->live += other->live;
	cell->size += other->size;
	cell->buffers += other->buffers;
	raise_to(&cell->peak, other->peak);
	raise_to(&cell->peak_size, other->peak_size);
	raise_to(&cell->peak_buffers, other->peak_buffers);
}

void usage__fold(struct usage *usage, const struct usage *other)
{
	for (int i = 0; i < TT_TYPE_COUNT; i++)
		fold_cell(&usage->type[i], &other->type[i]);
	fold_cell(&usage->sum, &other->sum);
}
