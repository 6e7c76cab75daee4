// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/probe_set.h"

#define BIT(probe) (1ull << (probe))

static const __u64 everything = BIT(TT_PROBE_COUNT) - 1;

/* They make no record: their hits are counted, and that is all. */
static const __u64 only_counted = BIT(TT_PROBE_ALLOCATE_IMPL) | BIT(TT_PROBE_HOOK_ALLOCATE) |
				  BIT(TT_PROBE_HOOK_DEALLOCATE) | BIT(TT_PROBE_ALLOCATE_BUFFER);

/* Two for each buffer; the rest comes with devices, or frees in bulk. */
static const __u64 lean =
	BIT(TT_PROBE_TRACK_ALLOCATE) | BIT(TT_PROBE_DEALLOCATE_BUFFER) |
	BIT(TT_PROBE_DEALLOCATE_BUFFERS) | BIT(TT_PROBE_CLEAR) | BIT(TT_PROBE_OVERRIDE_STATE) |
	BIT(TT_PROBE_ALLOCATOR_DESTROY) | BIT(TT_PROBE_DEVICE_OPEN) | BIT(TT_PROBE_DEVICE_CLOSE) |
	BIT(TT_PROBE_MESH_OPEN) | BIT(TT_PROBE_MESH_CLOSE) | BIT(TT_PROBE_MESH_CLOSING);

_Static_assert(TT_PROBE_COUNT < 64, "a set is a number of 64 bits");

/* Does @field lie in the part of a free list that is read in one? */
static bool is_in_head(const struct tt_layout *layout, enum tt_field field)
{
	const struct tt_path *first = &layout->field[TT_FIELD_FL_SIZE],
			     *path = &layout->field[field];
	int at = path->off[0] - first->off[0];

	return first->len == 1 && path->len == 1 && at >= 0 && at % 8 == 0 &&
	       at <= TT_FREE_LIST_SIZE - 8;
}

/* Can what is taken be looked up in the free list, when track_allocate is entered? */
static bool can_look_up(const struct tt_layout *layout)
{
	return is_in_head(layout, TT_FIELD_FL_BASE) && is_in_head(layout, TT_FIELD_FL_ADDRESSES) &&
	       is_in_head(layout, TT_FIELD_FL_SIZES) && layout->field[TT_FIELD_FL_TAKEN].len &&
	       layout->field[TT_FIELD_FREE_LIST].len && layout->field[TT_FIELD_ADDRESS].len;
}

/* Can the state of a Buffer's device be read at the attempt to free it? */
static bool can_tell_state(const struct tt_layout *layout)
{
	return layout->field[TT_FIELD_DEVICE].len &&
	       layout->field[TT_FIELD_DEVICE_INITIALIZED].len &&
	       layout->field[TT_FIELD_MESH_INITIALIZED].len && layout->vtable_device &&
	       layout->vtable_mesh;
}

static __u64 needless(bool views, const struct tt_layout *layout, __u64 found)
{
	__u64 set = only_counted;

	set |= found & BIT(TT_PROBE_CREATE_EMPTY) ? BIT(TT_PROBE_BUFFER_CREATE)
						  : BIT(TT_PROBE_CREATE_EMPTY);
	set |= can_tell_state(layout) ? BIT(TT_PROBE_TRACK_DEALLOCATE) : 0;
	return set | (views ? 0 : BIT(TT_PROBE_BUFFER_CREATE_AT));
}

__u64 probe_set__of(enum tt_mode mode, bool views, const struct tt_layout *layout, __u64 found)
{
	switch (mode) {
	case TT_MODE_LEAN:
		return can_look_up(layout) ? lean : lean | BIT(TT_PROBE_FREE_LIST_ALLOCATE);
	case TT_MODE_ALL:
		return everything & ~BIT(TT_PROBE_CREATE_EMPTY); /* in BUFFER_CREATE */
	default:
		return everything & ~needless(views, layout, found);
	}
}
