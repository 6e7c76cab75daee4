/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Circular buffers, and dataflow buffers, which take their place in newer programs: L1 that a
 * program takes on the cores it runs on, without a Buffer. The runtime places them once for each
 * program, not at each of its launches, so that none of this is on the way of a program that comes
 * out of the cache.
 */
#ifndef TTTRACE_CIRCULAR_BPF_H
#define TTTRACE_CIRCULAR_BPF_H

/* CoreRange of tt_metal/api/tt-metalium/core_coord.hpp: two CoreCoord, a pair of size_t each. */
struct core_range {
	__u64 start_x, start_y;
	__u64 end_x, end_y;
};

enum {
	RANGES_MAX = TT_MAX_CORES * TT_MAX_CORES /* one for each core */
};

/* Which chip is it, if it is one? A mesh is found by its pointer on the user side. */
static __always_inline __u32 read_chip(const struct hit *hit, const struct tt_layout *layout,
				       __u64 device, __u32 *ret_chip)
{
	__u32 kind = device_kind(layout, device, load_bias(hit));

	*ret_chip = TT_NO_CHIP;
	if (kind == TT_DEVICE_CHIP && read_field(layout, TT_FIELD_CHIP_ID, device, ret_chip, 4))
		*ret_chip = TT_NO_CHIP;
	return kind;
}

static __always_inline int read_range(__u64 at, struct tt_core_range *range)
{
	struct core_range r;

	if (bpf_probe_read_user(&r, sizeof(r), (void *)at))
		return -1;
	if (r.start_x > r.end_x || r.start_y > r.end_y || r.end_x >= TT_MAX_CORES ||
	    r.end_y >= TT_MAX_CORES)
		return -1;
	range->start_x = r.start_x;
	range->start_y = r.start_y;
	range->end_x = r.end_x;
	range->end_y = r.end_y;
	return 0;
}

/* The cores of the CoreRangeSet at @set. Nothing is believed that cannot be one. */
static __always_inline int read_ranges(const struct tt_layout *layout, __u64 set,
				       struct tt_record_circular *rec)
{
	__u64 vector[2], bytes;

	if (layout->range_stride != sizeof(struct core_range) ||
	    read_field(layout, TT_FIELD_CORE_RANGES, set, vector, sizeof(vector)))
		return -1;
	bytes = vector[1] - vector[0];
	if (vector[1] < vector[0] || bytes % sizeof(struct core_range) ||
	    bytes > RANGES_MAX * sizeof(struct core_range))
		return -1;
	rec->num_ranges = bytes / sizeof(struct core_range);
	for (__u32 i = 0; i < TT_MAX_RANGES; i++) {
		if (i >= rec->num_ranges)
			return 0;
		if (read_range(vector[0] + i * sizeof(struct core_range), &rec->ranges[i]))
			return -1;
	}
	return 0;
}

/* track_allocate_cb(cores, address, size, globally allocated, device), behind `this`. */
static __noinline void on_circular(const struct hit *hit, const struct tt_layout *layout)
{
	struct tt_record_circular *rec = emit_begin(hit, TT_RECORD_CIRCULAR, sizeof(*rec));
	__u32 chip;

	if (!rec)
		return;
	rec->address = argument(hit, 2);
	rec->size = argument(hit, 3);
	rec->globally_allocated =
		argument(hit, 4) & 0xff ? 1 : 0; /* a bool: the rest is anything */
	rec->device = argument(hit, 5);
	rec->device_kind = read_chip(hit, layout, rec->device, &chip);
	rec->chip = chip;
	if (read_ranges(layout, argument(hit, 1), rec))
		rec->h.faults |= TT_FAULT_RANGES;
	emit_end(hit, rec, sizeof(*rec));
}

/*
 * CircularBufferAllocator::mark_address(address, size, base): called for dataflow buffers only,
 * for circular buffers it is inlined (0.60 to 0.81).
 */
static __noinline void on_mark(const struct hit *hit, const struct tt_layout *layout)
{
	struct tt_record_circular *rec = emit_begin(hit, TT_RECORD_CIRCULAR, sizeof(*rec));
	__u64 regions;

	if (!rec)
		return;
	rec->address = argument(hit, 1);
	rec->size = argument(hit, 2);
	rec->chip = TT_NO_CHIP;
	rec->num_ranges = 1;
	regions = field_address(layout, TT_FIELD_L1_REGIONS, argument(hit, 0));
	if (!regions || read_range(regions - sizeof(struct core_range), &rec->ranges[0]))
		rec->h.faults |= TT_FAULT_RANGES;
	emit_end(hit, rec, sizeof(*rec));
}

static __noinline void on_program(const struct hit *hit, const struct tt_layout *layout)
{
	struct tt_record_program *rec = emit_begin(hit, TT_RECORD_PROGRAM, sizeof(*rec));
	__u32 arg = hit->cookie.arg, chip;

	if (!rec)
		return;
	rec->device = argument(hit, arg);
	rec->device_kind = read_chip(hit, layout, rec->device, &chip);
	rec->chip = chip;
	emit_end(hit, rec, sizeof(*rec));
}

#endif
