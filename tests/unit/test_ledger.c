// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The ledger: allocations, what they occupy, and whose they are. */
#include "stream.h"

#include <errno.h>

static const struct actor python = { 100, 100, 5, 0 };

static const struct seen *last_alloc(const struct stream *s)
{
	return stream_last(s, EVENT_ALLOC);
}
static void an_allocation_tells_all_that_is_known_of_the_buffer(void **state)
{
	struct stream *s = *state;
	struct object o = stream_object(0x5000, 2560032, 100 * MIB);
	const struct seen *seen;

	stream_begin(s, &python, 8);
	o.layout = TT_LAYOUT_BLOCK_SHARDED;
	stream_alloc(s, &python, &o);
	seen = last_alloc(s);
	assert_int_equal(seen->process.pid, 100);
	assert_string_equal(seen->process.comm, "python");
	assert_int_equal(seen->ev.tid, 100);
	assert_int_equal(seen->device.num_chips, 8);
	assert_int_equal(seen->chips[7], 7);
	assert_true(seen->device.is_mesh);
	assert_int_equal(seen->buffer.buffer, 0x5000);
	assert_int_equal(seen->buffer.id, 0x500);
	assert_true(seen->buffer.has_id);
	assert_int_equal(seen->buffer.address, 2560032);
	assert_int_equal(seen->buffer.size, 100 * MIB);
	assert_int_equal(seen->buffer.footprint, stream_per_bank(&o) * 12);
	assert_int_equal(seen->buffer.num_banks, 12);
	assert_int_equal(seen->buffer.layout, TT_LAYOUT_BLOCK_SHARDED);
	assert_int_equal(seen->buffer.page_size, 2048);
	assert_int_equal(seen->buffer.kind, KIND_OWNING);
	assert_int_equal(seen->buffer.allocator, HEAP);
	assert_null(seen->ev.why);
}
static void the_footprint_is_bytes_per_bank_times_banks_of_the_type(void **state)
{
	struct stream *s = *state;
	struct object o = stream_object(0x5000, 0x100, 1000);

	stream_begin(s, &python, 1);
	stream_space(s, &python, 96);
	stream_buffer(s, &python, TT_RECORD_ALLOC, &o);
	assert_int_equal(last_alloc(s)->buffer.footprint, 96 * 12);
	o = stream_object(0x6000, 0x200, 1000);
	o.type = TT_TYPE_L1;
	stream_space(s, &python, 32);
	stream_buffer(s, &python, TT_RECORD_ALLOC, &o);
	assert_int_equal(last_alloc(s)->buffer.footprint, 32 * 64);
	assert_int_equal(stream_live(s), 96 * 12 + 32 * 64);
}
static void of_several_requests_to_the_free_list_the_last_one_counts(void **state)
{
	struct stream *s = *state;
	struct object o = stream_object(0x5000, 0x100, 1000);

	stream_begin(s, &python, 1);
	stream_space(s, &python, 1 << 20);
	stream_space(s, &python, 96);
	stream_buffer(s, &python, TT_RECORD_ALLOC, &o);
	assert_int_equal(last_alloc(s)->buffer.footprint, 96 * 12);
}
static void a_request_is_used_for_one_allocation_only(void **state)
{
	struct stream *s = *state;
	struct object o = stream_object(0x5000, 0x100, 1000), p = stream_object(0x6000, 0x200, 10);

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	stream_buffer(s, &python, TT_RECORD_ALLOC, &p);
	assert_false(last_alloc(s)->buffer.has_footprint);
	assert_int_equal(ledger__stats(s->ledger)->footprint_unknown, 1);
}
static void a_request_smaller_than_the_buffer_is_not_its_own(void **state)
{
	struct stream *s = *state;
	struct object o = stream_object(0x5000, 0x100, MIB);

	stream_begin(s, &python, 1);
	stream_space(s, &python, 32);
	stream_buffer(s, &python, TT_RECORD_ALLOC, &o);
	assert_false(last_alloc(s)->buffer.has_footprint);
}
static void without_the_number_of_banks_there_is_no_footprint(void **state)
{
	struct stream *s = *state;
	struct object o = stream_object(0x5000, 0x100, MIB);

	stream_start(s, &python);
	stream_alloc(s, &python, &o);
	assert_false(last_alloc(s)->buffer.has_footprint);
	assert_int_equal(last_alloc(s)->device.num_chips, 0);
	assert_int_equal(s->err, 0);
}
static void requests_of_other_threads_do_not_mix(void **state)
{
	struct stream *s = *state;
	struct actor other = { 100, 101, 5, 1 };
	struct object o = stream_object(0x5000, 0x100, 1000),
		      p = stream_object(0x6000, 0x200, 1000);

	stream_begin(s, &python, 1);
	stream_space(s, &python, 96);
	stream_space(s, &other, 128);
	stream_buffer(s, &python, TT_RECORD_ALLOC, &o);
	assert_int_equal(last_alloc(s)->buffer.footprint, 96 * 12);
	stream_buffer(s, &other, TT_RECORD_ALLOC, &p);
	assert_int_equal(last_alloc(s)->buffer.footprint, 128 * 12);
	assert_int_equal(last_alloc(s)->ev.tid, 101);
}
static void a_hooked_buffer_takes_no_memory_and_is_no_lack_of_knowledge(void **state)
{
	struct stream *s = *state;
	struct object o = stream_object(0x5000, 0, MIB);

	stream_begin(s, &python, 1);
	o.hooked = 1;
	stream_alloc(s, &python, &o);
	assert_int_equal(last_alloc(s)->buffer.kind, KIND_HOOKED);
	assert_false(last_alloc(s)->buffer.has_footprint);
	assert_int_equal(stream_live(s), 0);
	assert_int_equal(ledger__stats(s->ledger)->footprint_unknown, 0);
}
static void what_is_allocated_while_the_device_opens_is_the_runtimes_own(void **state)
{
	struct stream *s = *state;
	struct object o = stream_object(0x5000, 0x100, MIB);

	stream_begin(s, &python, 1);
	o.device_state = TT_STATE_OPENING;
	stream_alloc(s, &python, &o);
	assert_int_equal(last_alloc(s)->buffer.kind, KIND_SYSTEM);
	assert_true(stream_live(s) >= MIB);
}
static void empty_buffers_and_views_are_told_and_hold_nothing(void **state)
{
	struct stream *s = *state;
	struct tt_record_create rec = { .device = MESH, .page_size = 32, .type = TT_TYPE_L1 };

	stream_begin(s, &python, 1);
	rec.h = stream_header(s, &python, TT_RECORD_ZERO_SIZE, TT_PROBE_BUFFER_CREATE);
	stream_apply(s, &rec, sizeof(rec));
	assert_int_equal(last_alloc(s)->buffer.kind, KIND_ZERO_SIZE);
	assert_int_equal(last_alloc(s)->buffer.type, TT_TYPE_L1);
	rec.h = stream_header(s, &python, TT_RECORD_VIEW, TT_PROBE_BUFFER_CREATE_AT);
	rec.address = 77;
	rec.size = 4096;
	stream_apply(s, &rec, sizeof(rec));
	assert_int_equal(last_alloc(s)->buffer.kind, KIND_VIEW);
	assert_int_equal(last_alloc(s)->buffer.address, 77);
	assert_int_equal(stream_live(s), 0);
}
static void the_same_address_in_two_allocators_is_two_buffers(void **state)
{
	struct stream *s = *state;
	struct object o = stream_object(0x5000, 0x100, MIB), p = stream_object(0x6000, 0x100, MIB);
	struct snapshot *snapshot;

	stream_begin(s, &python, 2);
	stream_device(s, &python, TT_PROBE_MESH_OPEN, stream_mesh(0x2000, 1, 0, 1));
	stream_allocator(s, &python, 0xb000, stream_mesh(0x2000, 1, 0, 1));
	p.device = 0x2000;
	p.allocator = 0xb000;
	stream_alloc(s, &python, &o);
	stream_alloc(s, &python, &p);
	stream_release(s, &python, &o);
	stream_expect_free(s, CLASS_MATCHED);
	snapshot = stream_snapshot(s);
	assert_int_equal(snapshot->processes[0]->num_devices, 4);
	assert_int_equal(snapshot->processes[0]->devices[0]->usage.sum.buffers, 0);
	assert_int_equal(snapshot->processes[0]->devices[1]->usage.sum.buffers, 1);
	snapshot__free(snapshot);
}
static void the_same_pointer_in_two_processes_is_two_buffers(void **state)
{
	struct stream *s = *state;
	struct actor other = { 200, 200, 6, 1 };
	struct object o = stream_object(0x5000, 0x100, MIB);

	stream_begin(s, &python, 1);
	stream_begin(s, &other, 1);
	stream_alloc(s, &python, &o);
	stream_alloc(s, &other, &o);
	stream_release(s, &python, &o);
	stream_expect_free(s, CLASS_MATCHED);
	assert_int_equal(stream_last(s, EVENT_FREE)->process.pid, 100);
	stream_release(s, &other, &o);
	stream_expect_free(s, CLASS_MATCHED);
	assert_int_equal(stream_last(s, EVENT_FREE)->process.pid, 200);
}
static void a_pointer_that_is_used_again_after_a_free_is_a_new_buffer(void **state)
{
	struct stream *s = *state;
	struct object o = stream_object(0x5000, 0x100, MIB),
		      p = stream_object(0x5000, 0x200, 2 * MIB);

	stream_begin(s, &python, 1);
	p.id = 77;
	for (int i = 0; i < 3; i++) {
		stream_alloc(s, &python, &o);
		stream_release(s, &python, &o);
		stream_alloc(s, &python, &p);
		stream_release(s, &python, &p);
		assert_int_equal(stream_last(s, EVENT_FREE)->buffer.size, 2 * MIB);
	}
	assert_int_equal(stream_count_class(s, CLASS_MATCHED), 6);
	assert_int_equal(stream_live(s), 0);
	assert_int_equal(ledger__stats(s->ledger)->reused_live, 0);
}
static void a_buffer_where_another_one_is_live_replaces_it_and_is_counted(void **state)
{
	struct stream *s = *state;
	struct object o = stream_object(0x5000, 0x100, MIB),
		      p = stream_object(0x5000, 0x200, 12 * 32);

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	stream_alloc(s, &python, &p);
	assert_int_equal(stream_live(s), 12 * 32);
	assert_int_equal(ledger__stats(s->ledger)->reused_live, 1);
}
static void a_mesh_buffer_counts_once_on_each_of_its_chips(void **state)
{
	struct stream *s = *state;
	struct object o = stream_object(0x5000, 0x100, 12 * 1024);
	struct object p = stream_object(0x6000, 0x1000, 12 * 32);
	struct snapshot *snapshot;
	const struct snapshot_process *process;

	stream_begin(s, &python, 4);
	stream_device(s, &python, TT_PROBE_MESH_OPEN, stream_mesh(0x2000, 1, 2, 2));
	stream_allocator(s, &python, 0xb000, stream_mesh(0x2000, 1, 2, 2));
	p.device = 0x2000;
	p.allocator = 0xb000;
	stream_alloc(s, &python, &o);
	stream_alloc(s, &python, &p);
	snapshot = stream_snapshot(s);
	process = snapshot->processes[0];
	assert_int_equal(process->num_chips, 4);
	assert_int_equal(snapshot_process__chip(process, 0)->sum.live, 12 * 1024);
	assert_int_equal(snapshot_process__chip(process, 3)->sum.live, 12 * 1024 + 12 * 32);
	assert_null(snapshot_process__chip(process, 4));
	assert_int_equal(process->usage.sum.live, 4 * 12 * 1024 + 2 * 12 * 32);
	snapshot__free(snapshot);
	stream_release(s, &python, &o);
	snapshot = stream_snapshot(s);
	process = snapshot->processes[0];
	assert_int_equal(snapshot_process__chip(process, 0)->sum.live, 0);
	assert_int_equal(snapshot_process__chip(process, 3)->sum.live, 12 * 32);
	assert_int_equal(snapshot_process__chip(process, 3)->sum.peak, 12 * 1024 + 12 * 32);
	snapshot__free(snapshot);
}
static void peaks_stay_and_are_kept_by_type_and_in_sum(void **state)
{
	struct stream *s = *state;
	struct object dram = stream_object(0x5000, 0x100, 12 * 1024);
	struct object l1 = stream_object(0x6000, 0x100, 64 * 32);
	struct snapshot *snapshot;
	const struct usage *usage;

	stream_begin(s, &python, 1);
	l1.type = TT_TYPE_L1;
	stream_alloc(s, &python, &dram);
	stream_release(s, &python, &dram);
	stream_alloc(s, &python, &l1);
	snapshot = stream_snapshot(s);
	usage = &snapshot->processes[0]->devices[0]->usage;
	assert_int_equal(usage->type[TT_TYPE_DRAM].peak, 12 * 1024);
	assert_int_equal(usage->type[TT_TYPE_DRAM].live, 0);
	assert_int_equal(usage->type[TT_TYPE_L1].peak, 64 * 32);
	assert_int_equal(usage->sum.peak, 12 * 1024);
	assert_int_equal(usage->sum.peak_size, 12 * 1024);
	snapshot__free(snapshot);
}
static void chips_are_sorted_each_once_and_without_those_of_other_hosts(void **state)
{
	struct stream *s = *state;
	struct tt_device mesh = stream_mesh(MESH, 3, 0, 5);
	const struct seen *seen;

	stream_start(s, &python);
	mesh.chips[0] = 6;
	mesh.chips[1] = TT_NO_CHIP;
	mesh.chips[2] = 1;
	mesh.chips[3] = 6;
	mesh.chips[4] = 4;
	stream_device(s, &python, TT_PROBE_MESH_OPEN, mesh);
	seen = stream_last(s, EVENT_DEVICE_OPEN);
	assert_int_equal(seen->device.num_chips, 3);
	assert_int_equal(seen->chips[0], 1);
	assert_int_equal(seen->chips[1], 4);
	assert_int_equal(seen->chips[2], 6);
	assert_int_equal(seen->device.mesh_id, 3);
}
static void chips_that_are_not_known_at_the_opening_come_with_the_allocator(void **state)
{
	struct stream *s = *state;
	struct tt_record_device rec = { .device = { .object = MESH, .kind = TT_DEVICE_MESH } };
	struct object o = stream_object(0x5000, 0x100, MIB);

	stream_start(s, &python);
	rec.h = stream_header(s, &python, TT_RECORD_DEVICE, TT_PROBE_MESH_OPEN);
	rec.h.faults = TT_FAULT_CHIPS;
	rec.device.mesh_id = TT_NO_MESH;
	stream_apply(s, &rec, sizeof(rec));
	assert_int_equal(stream_last(s, EVENT_DEVICE_OPEN)->device.num_chips, 0);
	stream_allocator(s, &python, HEAP, stream_mesh(MESH, 2, 0, 8));
	stream_alloc(s, &python, &o);
	assert_int_equal(last_alloc(s)->device.num_chips, 8);
	assert_int_equal(last_alloc(s)->device.mesh_id, 2);
	assert_int_equal(stream_count(s, EVENT_DEVICE_OPEN), 1);
}
static void an_allocator_that_is_introduced_again_changes_nothing(void **state)
{
	struct stream *s = *state;
	struct object o = stream_object(0x5000, 0x100, 12 * 32);

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	for (int i = 0; i < 3; i++)
		stream_allocator(s, &python, HEAP, stream_mesh(MESH, 0, 0, 1));
	assert_int_equal(stream_live(s), 12 * 32);
	stream_release(s, &python, &o);
	stream_expect_free(s, CLASS_MATCHED);
}
static void a_record_of_a_layout_that_was_not_explained_is_refused_and_counted(void **state)
{
	struct stream *s = *state;
	struct tt_record_buffer rec = { 0 };

	stream_start(s, &python);
	rec.h = stream_header(s, &python, TT_RECORD_ALLOC, TT_PROBE_TRACK_ALLOCATE);
	rec.h.layout = 9;
	stream_apply(s, &rec, sizeof(rec));
	assert_int_equal(s->err, -EBADMSG);
	rec.h = stream_header(s, &python, TT_RECORD_FREE_BEGIN, TT_PROBE_DEALLOCATE_IMPL);
	rec.h.layout = 0xffff;
	stream_apply(s, &rec, sizeof(rec));
	assert_int_equal(s->err, -EBADMSG);
	assert_int_equal(ledger__stats(s->ledger)->bad_records, 2);
}
static void a_mesh_of_more_chips_than_a_record_carries_says_so(void **state)
{
	struct stream *s = *state;
	struct tt_record_device rec = { .device = stream_mesh(MESH, 0, 0, TT_MAX_CHIPS) };

	stream_start(s, &python);
	rec.h = stream_header(s, &python, TT_RECORD_DEVICE, TT_PROBE_MESH_OPEN);
	rec.h.faults = TT_FAULT_CHIPS;
	stream_apply(s, &rec, sizeof(rec));
	assert_true(stream_last(s, EVENT_DEVICE_OPEN)->device.chips_cut);
	assert_int_equal(stream_last(s, EVENT_DEVICE_OPEN)->device.num_chips, TT_MAX_CHIPS);
}
static void a_chip_whose_id_could_not_be_read_has_none(void **state)
{
	struct stream *s = *state;
	struct tt_record_device rec = { .device = stream_chip(0x3000, 0) };

	stream_start(s, &python);
	rec.h = stream_header(s, &python, TT_RECORD_DEVICE, TT_PROBE_DEVICE_OPEN);
	rec.h.faults = TT_FAULT_CHIPS;
	stream_apply(s, &rec, sizeof(rec));
	assert_int_equal(stream_last(s, EVENT_DEVICE_OPEN)->device.num_chips, 0);
}
static void chips_keep_their_totals_when_a_second_device_comes(void **state)
{
	struct stream *s = *state;
	struct object o = stream_object(0x5000, 0x100, 12 * 1024);
	struct object p = stream_object(0x6000, 0x1000, 12 * 32);
	struct snapshot *snapshot;
	const struct snapshot_process *process;

	stream_begin(s, &python, 2);
	stream_alloc(s, &python, &o);
	stream_release(s, &python, &o);
	o.size = 12 * 512;
	stream_alloc(s, &python, &o);
	stream_device(s, &python, TT_PROBE_MESH_OPEN, stream_mesh(0x2000, 1, 1, 2));
	stream_allocator(s, &python, 0xb000, stream_mesh(0x2000, 1, 1, 2));
	p.device = 0x2000;
	p.allocator = 0xb000;
	stream_alloc(s, &python, &p);
	snapshot = stream_snapshot(s);
	process = snapshot->processes[0];
	assert_int_equal(snapshot_process__chip(process, 0)->sum.peak, 12 * 1024);
	assert_int_equal(snapshot_process__chip(process, 0)->sum.live, 12 * 512);
	assert_int_equal(snapshot_process__chip(process, 1)->sum.peak, 12 * 1024);
	assert_int_equal(snapshot_process__chip(process, 1)->sum.live, 12 * 512 + 12 * 32);
	assert_int_equal(snapshot_process__chip(process, 2)->sum.live, 12 * 32);
	assert_int_equal(snapshot_process__chip(process, 2)->sum.peak, 12 * 32);
	snapshot__free(snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		stream_test(an_allocation_tells_all_that_is_known_of_the_buffer),
		stream_test(the_footprint_is_bytes_per_bank_times_banks_of_the_type),
		stream_test(of_several_requests_to_the_free_list_the_last_one_counts),
		stream_test(a_request_is_used_for_one_allocation_only),
		stream_test(a_request_smaller_than_the_buffer_is_not_its_own),
		stream_test(without_the_number_of_banks_there_is_no_footprint),
		stream_test(requests_of_other_threads_do_not_mix),
		stream_test(a_hooked_buffer_takes_no_memory_and_is_no_lack_of_knowledge),
		stream_test(what_is_allocated_while_the_device_opens_is_the_runtimes_own),
		stream_test(empty_buffers_and_views_are_told_and_hold_nothing),
		stream_test(the_same_address_in_two_allocators_is_two_buffers),
		stream_test(the_same_pointer_in_two_processes_is_two_buffers),
		stream_test(a_pointer_that_is_used_again_after_a_free_is_a_new_buffer),
		stream_test(a_buffer_where_another_one_is_live_replaces_it_and_is_counted),
		stream_test(a_mesh_buffer_counts_once_on_each_of_its_chips),
		stream_test(peaks_stay_and_are_kept_by_type_and_in_sum),
		stream_test(chips_are_sorted_each_once_and_without_those_of_other_hosts),
		stream_test(chips_that_are_not_known_at_the_opening_come_with_the_allocator),
		stream_test(an_allocator_that_is_introduced_again_changes_nothing),
		stream_test(a_record_of_a_layout_that_was_not_explained_is_refused_and_counted),
		stream_test(a_mesh_of_more_chips_than_a_record_carries_says_so),
		stream_test(a_chip_whose_id_could_not_be_read_has_none),
		stream_test(chips_keep_their_totals_when_a_second_device_comes),
	};

	return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
