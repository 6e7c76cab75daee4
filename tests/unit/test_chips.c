// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Bytes on a chip, where a parent mesh and its submeshes hand out the same memory. */
#include "stream.h"

#define SUB	 0x2000ull /* chips 0 and 2 of four */
#define SUB_HEAP 0xb000ull
#define ODD	 0x3000ull /* chips 1 and 3 */
#define ODD_HEAP 0xc000ull

enum {
	BANKS = 12,
};

static const struct actor python = { 100, 100, 5, 0 };

static struct tt_device mesh_of_two(__u64 object, __u32 mesh_id, __u32 first)
{
	struct tt_device device = stream_mesh(object, mesh_id, first, 2);

	device.chips[1] = first + 2;
	return device;
}

static void begin(struct stream *s)
{
	stream_begin(s, &python, 4);
	stream_device(s, &python, TT_PROBE_MESH_OPEN, mesh_of_two(SUB, 1, 0));
	stream_allocator(s, &python, SUB_HEAP, mesh_of_two(SUB, 1, 0));
	stream_device(s, &python, TT_PROBE_MESH_OPEN, mesh_of_two(ODD, 2, 1));
	stream_allocator(s, &python, ODD_HEAP, mesh_of_two(ODD, 2, 1));
}

/* @per_bank bytes in each bank. */
static struct object alloc(struct stream *s, __u64 device, __u64 pointer, __u64 address,
			   __u64 per_bank)
{
	struct object o = stream_object(pointer, address, per_bank * BANKS);

	o.device = device;
	o.allocator = device == MESH ? HEAP : device == SUB ? SUB_HEAP : ODD_HEAP;
	stream_alloc(s, &python, &o);
	return o;
}

/* In each bank of DRAM of chip @chip. */
static void expect(const struct stream *s, __u32 chip, __u64 live, __u64 peak)
{
	struct snapshot *snapshot = stream_snapshot(s);
	const struct usage *usage = snapshot_process__chip(snapshot->processes[0], chip);

	assert_int_equal(usage->type[TT_TYPE_DRAM].live, live * BANKS);
	assert_int_equal(usage->type[TT_TYPE_DRAM].peak, peak * BANKS);
	assert_int_equal(usage->sum.live, live * BANKS);
	assert_int_equal(usage->sum.peak, peak * BANKS);
	snapshot__free(snapshot);
}

static void expect_in_all(const struct stream *s, __u64 live, __u64 peak)
{
	struct snapshot *snapshot = stream_snapshot(s);
	const struct usage *usage = &snapshot->processes[0]->usage;

	assert_int_equal(usage->sum.live, live * BANKS);
	assert_int_equal(usage->sum.peak, peak * BANKS);
	snapshot__free(snapshot);
}

static void what_parent_and_submesh_have_in_common_counts_once(void **state)
{
	struct stream *s = *state;
	struct object whole, part;

	begin(s);
	whole = alloc(s, MESH, 0x10000, 0x1000, 0x1000);
	part = alloc(s, SUB, 0x20000, 0x1800, 0x1000);
	expect(s, 0, 0x1800, 0x1800);
	expect(s, 1, 0x1000, 0x1000);
	expect_in_all(s, 2 * 0x1800 + 2 * 0x1000, 2 * 0x1800 + 2 * 0x1000);
	stream_release(s, &python, &whole);
	expect(s, 0, 0x1000, 0x1800);
	expect(s, 1, 0, 0x1000);
	stream_release(s, &python, &part);
	expect(s, 0, 0, 0x1800);
	expect_in_all(s, 0, 2 * 0x1800 + 2 * 0x1000);
}

static void a_peak_is_of_what_was_covered_at_that_moment(void **state)
{
	struct stream *s = *state;
	struct object part;

	begin(s);
	alloc(s, MESH, 0x10000, 0x1000, 0x2000);
	part = alloc(s, SUB, 0x20000, 0x1000, 0x2000);
	expect(s, 2, 0x2000, 0x2000);
	stream_release(s, &python, &part);
	part = alloc(s, SUB, 0x20000, 0x8000, 0x800);
	expect(s, 2, 0x2800, 0x2800);
	stream_release(s, &python, &part);
	expect(s, 2, 0x2000, 0x2800);
}

static void submeshes_on_other_chips_have_nothing_in_common(void **state)
{
	struct stream *s = *state;

	begin(s);
	alloc(s, SUB, 0x10000, 0x1000, 0x1000);
	alloc(s, ODD, 0x20000, 0x1000, 0x1000);
	expect(s, 0, 0x1000, 0x1000);
	expect(s, 3, 0x1000, 0x1000);
	alloc(s, MESH, 0x30000, 0x1000, 0x1800);
	expect(s, 0, 0x1800, 0x1800);
	expect(s, 3, 0x1800, 0x1800);
}

static void types_of_memory_do_not_overlap(void **state)
{
	struct stream *s = *state;
	struct object l1 = stream_object(0x20000, 0x1000, 64ull * 0x1000);
	struct snapshot *snapshot;

	begin(s);
	alloc(s, MESH, 0x10000, 0x1000, 0x1000);
	l1.type = TT_TYPE_L1;
	l1.device = SUB;
	l1.allocator = SUB_HEAP;
	stream_alloc(s, &python, &l1);
	snapshot = stream_snapshot(s);
	assert_int_equal(snapshot_process__chip(snapshot->processes[0], 0)->sum.live,
			 (BANKS + 64) * 0x1000);
	snapshot__free(snapshot);
}

static void what_was_live_before_the_submesh_is_compared_as_well(void **state)
{
	struct stream *s = *state;

	stream_begin(s, &python, 4);
	alloc(s, MESH, 0x10000, 0x1000, 0x1000);
	alloc(s, MESH, 0x11000, 0x4000, 0x1000);
	stream_device(s, &python, TT_PROBE_MESH_OPEN, mesh_of_two(SUB, 1, 0));
	stream_allocator(s, &python, SUB_HEAP, mesh_of_two(SUB, 1, 0));
	alloc(s, SUB, 0x20000, 0x0, 0x5000);
	expect(s, 0, 0x5000, 0x5000);
	expect(s, 1, 0x2000, 0x2000);
}

static void a_life_that_is_over_is_no_part_of_the_next(void **state)
{
	struct stream *s = *state;

	begin(s);
	alloc(s, MESH, 0x10000, 0x1000, 0x1000);
	alloc(s, SUB, 0x20000, 0x1000, 0x1000);
	stream_device(s, &python, TT_PROBE_MESH_CLOSING, mesh_of_two(SUB, 1, 0));
	stream_bulk(s, &python, TT_PROBE_DEALLOCATE_BUFFERS, SUB_HEAP);
	stream_bulk(s, &python, TT_PROBE_ALLOCATOR_DESTROY, SUB_HEAP);
	expect(s, 0, 0x1000, 0x1000);
	stream_close(s, &python, 4);
	expect(s, 0, 0, 0x1000);
	stream_device(s, &python, TT_PROBE_MESH_OPEN, mesh_of_two(SUB, 3, 0));
	stream_allocator(s, &python, SUB_HEAP, mesh_of_two(SUB, 3, 0));
	alloc(s, SUB, 0x30000, 0x1000, 0x1800);
	expect(s, 0, 0x1800, 0x1800);
	expect(s, 1, 0, 0x1000);
}

/* What some of the banks hold, other banks do not. */
static void the_banks_of_sub_devices_are_not_those_of_the_mesh(void **state)
{
	struct stream *s = *state;
	struct object o = stream_object(0x30000, 0x1000, BANKS * 0x1000);

	begin(s);
	alloc(s, MESH, 0x10000, 0x1000, 0x1000);
	alloc(s, SUB, 0x20000, 0x1000, 0x1000);
	stream_allocator(s, &python, 0xd000, mesh_of_two(SUB, 1, 0));
	o.device = SUB;
	o.allocator = 0xd000;
	stream_alloc(s, &python, &o);
	expect(s, 0, 0x2000, 0x2000);
	stream_release(s, &python, &o);
	expect(s, 0, 0x1000, 0x2000);
}

static void meshes_are_told_of_by_their_number(void **state)
{
	struct stream *s = *state;
	struct snapshot *snapshot;
	__u32 last = 0;

	begin(s);
	alloc(s, ODD, 0x10000, 0x1000, 0x8000);
	alloc(s, MESH, 0x20000, 0x1000, 0x2000);
	alloc(s, SUB, 0x30000, 0x1000, 0x1000);
	stream_exit(s, &python, 0);
	snapshot = stream_snapshot(s);
	for (__u32 i = 0; i < 3; i++) {
		assert_int_equal(snapshot->processes[0]->devices[i]->pub.mesh_id, last++);
		assert_int_equal(snapshot->processes[0]->devices[i]->leaks.sum.buffers, 1);
	}
	snapshot__free(snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		stream_test(what_parent_and_submesh_have_in_common_counts_once),
		stream_test(a_peak_is_of_what_was_covered_at_that_moment),
		stream_test(submeshes_on_other_chips_have_nothing_in_common),
		stream_test(types_of_memory_do_not_overlap),
		stream_test(what_was_live_before_the_submesh_is_compared_as_well),
		stream_test(a_life_that_is_over_is_no_part_of_the_next),
		stream_test(the_banks_of_sub_devices_are_not_those_of_the_mesh),
		stream_test(meshes_are_told_of_by_their_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
