// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Circular and dataflow buffers: the most of any program, per core, never a sum of programs. */
#include "stream.h"

#include "report/text_regions.h"

static const struct actor python = { 100, 100, 5, 0 };
static const struct actor second = { 100, 101, 5, 1 };
static const struct tt_core_range all_cores = { 0, 0, 7, 7 };
static const struct tt_core_range one_core = { 5, 0, 5, 0 };
static const struct tt_core_range other_core = { 6, 0, 6, 0 };

enum {
	BASE = 100000
};

/* On chip @chip; from a mesh if that is TT_NO_CHIP. */
static struct tt_record_circular make(struct stream *s, const struct actor *a, __u32 chip,
				      struct tt_core_range range, __u64 address, __u64 size)
{
	return (struct tt_record_circular){
		.h = stream_header(s, a, TT_RECORD_CIRCULAR, TT_PROBE_TRACK_ALLOCATE_CB),
		.device = chip == TT_NO_CHIP ? MESH : CHIPS + chip,
		.device_kind = chip == TT_NO_CHIP ? TT_DEVICE_MESH : TT_DEVICE_CHIP,
		.chip = chip,
		.address = address,
		.size = size,
		.num_ranges = 1,
		.ranges = { range },
	};
}

static void place(struct stream *s, const struct actor *a, struct tt_core_range range,
		  __u64 address, __u64 size)
{
	struct tt_record_circular rec = make(s, a, 0, range, address, size);

	stream_apply(s, &rec, sizeof(rec));
	assert_int_equal(s->err, 0);
}

static void program(struct stream *s, const struct actor *a, __u8 probe)
{
	bool of_chip = probe == TT_PROBE_REGISTER_PROGRAM;
	struct tt_record_program rec = {
		.h = stream_header(s, a, TT_RECORD_PROGRAM, probe),
		.device = of_chip ? CHIPS : MESH,
		.device_kind = of_chip ? TT_DEVICE_CHIP : TT_DEVICE_MESH,
		.chip = of_chip ? 0 : TT_NO_CHIP,
	};

	stream_apply(s, &rec, sizeof(rec));
	assert_int_equal(s->err, 0);
}

static void mark(struct stream *s, const struct actor *a, struct tt_core_range range, __u64 address,
		 __u64 size)
{
	struct tt_record_circular rec = make(s, a, TT_NO_CHIP, range, address, size);

	rec.h.probe = TT_PROBE_MARK_ADDRESS;
	rec.device = 0;
	rec.device_kind = TT_DEVICE_UNKNOWN;
	stream_apply(s, &rec, sizeof(rec));
	assert_int_equal(s->err, 0);
}

static struct circular_sum sum_of(const struct stream *s, __u32 chip, enum circular_kind kind)
{
	struct snapshot *snap = stream_snapshot(s);
	struct circular_sum sum;

	assert_int_equal(snap->num_processes, 1);
	assert_in_range(chip, 0, snap->processes[0]->num_chips - 1);
	sum = snap->processes[0]->chips[chip].circular[kind];
	snapshot__free(snap);
	return sum;
}

static __u64 unknown(const struct stream *s)
{
	return ledger__stats(s->ledger)->circular_unknown;
}

static void buffers_of_one_program_lie_behind_each_other(void **state)
{
	struct stream *s = *state;
	struct circular_sum sum;

	stream_begin(s, &python, 1);
	place(s, &python, all_cores, BASE, 4096);
	place(s, &python, one_core, BASE + 4096, 2048);
	program(s, &python, TT_PROBE_REGISTER_PROGRAM);
	sum = sum_of(s, 0, CIRCULAR_BUFFERS);
	assert_int_equal(sum.largest.bytes, 6144);
	assert_int_equal(sum.from, BASE);
	assert_int_equal(sum.to, BASE + 6144);
	assert_int_equal(sum.cores, 64);
	assert_int_equal(sum.programs, 1);
}

static void programs_lie_on_top_of_each_other(void **state)
{
	struct stream *s = *state;
	struct circular_sum sum;

	stream_begin(s, &python, 1);
	for (int i = 1; i <= 5; i++) {
		place(s, &python, all_cores, BASE, 4096);
		place(s, &python, all_cores, BASE + 4096, 1024);
		program(s, &python, TT_PROBE_REGISTER_PROGRAM);
	}
	sum = sum_of(s, 0, CIRCULAR_BUFFERS);
	assert_int_equal(sum.largest.bytes, 5120);
	assert_int_equal(sum.to, BASE + 5120);
	assert_int_equal(sum.programs, 5);
}

/* Bytes and cores of one program: not the most of each of two. */
static void the_largest_program_is_told_of_with_its_own_cores(void **state)
{
	struct stream *s = *state;
	struct circular_sum sum;

	stream_begin(s, &python, 1);
	place(s, &python, one_core, BASE, 8192);
	program(s, &python, TT_PROBE_REGISTER_PROGRAM);
	place(s, &python, all_cores, BASE, 4096);
	place(s, &python, one_core, BASE + 16384, 1024);
	program(s, &python, TT_PROBE_REGISTER_PROGRAM);
	sum = sum_of(s, 0, CIRCULAR_BUFFERS);
	assert_int_equal(sum.largest.bytes, 8192);
	assert_int_equal(sum.largest.cores, 1);
	assert_int_equal(sum.largest.to, BASE + 8192);
	assert_int_equal(sum.cores, 64);
	assert_int_equal(sum.to, BASE + 17408);
	place(s, &python, one_core, BASE, 8192); /* as much, on more cores */
	place(s, &python, other_core, BASE, 8192);
	program(s, &python, TT_PROBE_REGISTER_PROGRAM);
	sum = sum_of(s, 0, CIRCULAR_BUFFERS);
	assert_int_equal(sum.largest.bytes, 8192);
	assert_int_equal(sum.largest.cores, 2);
}

/* Nobody has told that the first one was over: its cores are not those of the second. */
static void after_a_lost_division_the_cores_are_those_of_one_program(void **state)
{
	struct stream *s = *state;

	stream_begin(s, &python, 1);
	place(s, &python, all_cores, BASE, 4096);
	place(s, &python, one_core, BASE, 8192);
	assert_int_equal(sum_of(s, 0, CIRCULAR_BUFFERS).largest.bytes, 8192);
	assert_int_equal(sum_of(s, 0, CIRCULAR_BUFFERS).largest.cores, 1);
}

/* What the next program has on a core may begin behind all that the last one had there. */
static void what_lies_behind_another_program_is_not_added_to_it(void **state)
{
	struct stream *s = *state;

	stream_begin(s, &python, 1);
	place(s, &python, one_core, BASE, 2048);
	program(s, &python, TT_PROBE_REGISTER_PROGRAM);
	place(s, &python, one_core, BASE + 4096, 1024);
	program(s, &python, TT_PROBE_REGISTER_PROGRAM);
	assert_int_equal(sum_of(s, 0, CIRCULAR_BUFFERS).largest.bytes, 2048);
	assert_int_equal(sum_of(s, 0, CIRCULAR_BUFFERS).to, BASE + 5120);
}

static void a_lost_division_is_noticed_where_addresses_go_back(void **state)
{
	struct stream *s = *state;

	stream_begin(s, &python, 1);
	place(s, &python, all_cores, BASE, 4096);
	place(s, &python, all_cores, BASE, 3072);
	assert_int_equal(sum_of(s, 0, CIRCULAR_BUFFERS).largest.bytes, 4096);
}

static void threads_place_their_programs_at_the_same_time(void **state)
{
	struct stream *s = *state;

	stream_begin(s, &python, 1);
	place(s, &python, all_cores, BASE, 4096);
	place(s, &second, all_cores, BASE, 1024);
	place(s, &python, all_cores, BASE + 4096, 4096);
	place(s, &second, all_cores, BASE + 1024, 1024);
	program(s, &python, TT_PROBE_REGISTER_PROGRAM);
	program(s, &second, TT_PROBE_REGISTER_PROGRAM);
	assert_int_equal(sum_of(s, 0, CIRCULAR_BUFFERS).largest.bytes, 8192);
	assert_int_equal(sum_of(s, 0, CIRCULAR_BUFFERS).programs, 2);
}

static void a_mesh_stands_for_all_its_chips(void **state)
{
	struct stream *s = *state;
	struct tt_record_circular rec;

	stream_begin(s, &python, 4);
	rec = make(s, &python, TT_NO_CHIP, all_cores, BASE, 4096);
	stream_apply(s, &rec, sizeof(rec));
	for (__u32 chip = 0; chip < 4; chip++)
		assert_int_equal(sum_of(s, chip, CIRCULAR_BUFFERS).largest.bytes, 4096);
}

static void what_lies_in_a_buffer_or_nowhere_does_not_count(void **state)
{
	struct stream *s = *state;
	struct tt_record_circular rec;

	stream_begin(s, &python, 1);
	rec = make(s, &python, 0, all_cores, BASE, 4096);
	rec.globally_allocated = 1;
	stream_apply(s, &rec, sizeof(rec));
	place(s, &python, all_cores, 0, 4096);
	assert_int_equal(sum_of(s, 0, CIRCULAR_BUFFERS).buffers, 0);
	assert_int_equal(unknown(s), 0);
}

static void what_cannot_be_placed_is_counted(void **state)
{
	static const struct tt_core_range upside_down = { 3, 0, 2, 0 }, beyond = { 0, 0, 32, 0 };
	struct stream *s = *state;
	struct tt_record_circular rec;

	stream_begin(s, &python, 1);
	place(s, &python, upside_down, BASE, 4096);
	place(s, &python, beyond, BASE, 4096);
	place(s, &python, all_cores, UINT64_MAX - 1, 4096);
	rec = make(s, &python, 0, all_cores, BASE, 4096);
	rec.num_ranges = 0;
	stream_apply(s, &rec, sizeof(rec));
	rec = make(s, &python, 0, all_cores, BASE, 4096);
	rec.h.faults = TT_FAULT_RANGES;
	stream_apply(s, &rec, sizeof(rec));
	rec = make(s, &python, TT_NO_CHIP, all_cores, BASE, 4096);
	rec.device = 0xdead;
	stream_apply(s, &rec, sizeof(rec));
	mark(s, &python, all_cores, BASE, 4096); /* by a thread that places nothing */
	assert_int_equal(unknown(s), 7);
	assert_int_equal(sum_of(s, 0, CIRCULAR_BUFFERS).buffers, 0);
	assert_int_equal(sum_of(s, 0, DATAFLOW_BUFFERS).buffers, 0);
}

static void ranges_that_a_record_cannot_carry_are_counted(void **state)
{
	struct stream *s = *state;
	struct tt_record_circular rec;

	stream_begin(s, &python, 1);
	rec = make(s, &python, 0, one_core, BASE, 4096);
	rec.num_ranges = TT_MAX_RANGES + 1;
	stream_apply(s, &rec, sizeof(rec));
	assert_int_equal(sum_of(s, 0, CIRCULAR_BUFFERS).cut, 1);
	assert_int_equal(sum_of(s, 0, CIRCULAR_BUFFERS).largest.bytes, 4096);
}

static void dataflow_buffers_are_on_the_device_that_they_are_placed_for(void **state)
{
	struct stream *s = *state;
	struct circular_sum sum;

	stream_begin(s, &python, 2);
	program(s, &python, TT_PROBE_PLACE_DATAFLOW);
	mark(s, &python, all_cores, BASE, 4096);
	mark(s, &python, one_core, BASE, 4096); /* of another range, which has it too */
	mark(s, &python, one_core, BASE + 4096, 2048);
	program(s, &python, TT_PROBE_PLACE_DATAFLOW);
	mark(s, &python, one_core, BASE + 8192, 1024);
	sum = sum_of(s, 1, DATAFLOW_BUFFERS);
	assert_int_equal(sum.largest.bytes, 6144);
	assert_int_equal(sum.to, BASE + 9216);
	assert_int_equal(sum.cores, 64);
	assert_int_equal(sum.programs, 2);
	assert_int_equal(sum_of(s, 1, CIRCULAR_BUFFERS).buffers, 0);
}

static void the_end_of_a_program_takes_nothing_away(void **state)
{
	struct stream *s = *state;

	stream_begin(s, &python, 1);
	place(s, &python, all_cores, BASE, 4096);
	program(s, &python, TT_PROBE_REGISTER_PROGRAM);
	program(s, &python, TT_PROBE_TRACK_DEALLOCATE_CB);
	stream_exit(s, &python, 0);
	assert_int_equal(sum_of(s, 0, CIRCULAR_BUFFERS).largest.bytes, 4096);
	assert_int_equal(sum_of(s, 0, CIRCULAR_BUFFERS).ended, 1);
}

static const char *text_of(const struct stream *s, char **text)
{
	struct snapshot *snap = stream_snapshot(s);
	size_t size;
	FILE *out = open_memstream(text, &size);

	text_regions__write(out, snap, snap->processes[0]);
	fclose(out);
	snapshot__free(snap);
	return *text;
}

static void chips_that_are_alike_share_a_line(void **state)
{
	struct stream *s = *state;
	struct tt_record_circular rec;
	char *text;

	stream_begin(s, &python, 4);
	for (__u32 chip = 0; chip < 4; chip++) {
		rec = make(s, &python, chip, all_cores, BASE, chip == 2 ? 2048 : 4096);
		stream_apply(s, &rec, sizeof(rec));
	}
	assert_string_equal(
		text_of(s, &text),
		"  circular buffers on devices 0-1,3: up to 4096 bytes (4.0 KiB) per core on 64 "
		"cores,\n    from address 100000 to 104096, the most of 1 program\n"
		"  circular buffers on device 2: up to 2048 bytes (2.0 KiB) per core on 64 cores,\n"
		"    from address 100000 to 102048, the most of 1 program\n");
	free(text);
}

static void the_line_is_of_the_largest_program(void **state)
{
	struct stream *s = *state;
	char *text;

	stream_begin(s, &python, 1);
	place(s, &python, one_core, BASE, 8192);
	program(s, &python, TT_PROBE_REGISTER_PROGRAM);
	place(s, &python, all_cores, BASE, 4096);
	program(s, &python, TT_PROBE_REGISTER_PROGRAM);
	assert_string_equal(
		text_of(s, &text),
		"  circular buffers on device 0: up to 8192 bytes (8.0 KiB) per core on 1 core,\n"
		"    from address 100000 to 108192, the most of 2 programs on 64 cores\n");
	free(text);
}

static void after_a_loss_the_line_says_so(void **state)
{
	struct tt_counters counters = { .lost[TT_RECORD_PROGRAM] = 1 };
	struct stream *s = *state;
	char *text;

	stream_begin(s, &python, 1);
	place(s, &python, all_cores, BASE, 4096);
	stream_counters(s, &counters);
	assert_non_null(strstr(text_of(s, &text), "; records were lost, it may be less or more\n"));
	free(text);
}

static void programs_of_before_the_tracing_are_not_in_it(void **state)
{
	struct stream *s = *state;
	char *text;

	stream_process(s, &python, TT_RECORD_PROCESS_START, "python", TT_PROCESS_BEFORE_ATTACH, 0,
		       NULL);
	place(s, &python, all_cores, BASE, 4096);
	assert_non_null(
		strstr(text_of(s, &text), "; programs of before the tracing are not in it\n"));
	free(text);
}

static void regions_that_touch_share_their_border(void **state)
{
	struct snapshot_device device = {
		.regions = { [TT_TYPE_DRAM] = { 1048640, 1073651712, 12 },
			     [TT_TYPE_TRACE] = { 1073651712, 1073741824, 12 },
			     [TT_TYPE_L1] = { 105824, 1466368, 64 },
			     [TT_TYPE_L1_SMALL] = { 1466400, 1499136, 64 } },
	};
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	text_regions__device(out, &device);
	fclose(out);
	assert_string_equal(
		text,
		"    DRAM, 12 banks: below 1048640 (1.0 MiB) reserved, buffers to 1073651712, "
		"TRACE to 1073741824\n"
		"    L1, 64 banks: below 105824 (103.3 KiB) reserved, buffers to 1466368, "
		"L1_SMALL from 1466400 to 1499136\n");
	free(text);
}

/* The allocators of sub-devices have a part of it each. */
static void the_regions_of_a_device_are_those_of_all_its_allocators(void **state)
{
	struct stream *s = *state;
	struct tt_record_allocator rec = { .device = stream_mesh(MESH, 0, 0, 1),
					   .allocator = HEAP + 0x1000,
					   .num_banks = { [TT_TYPE_L1] = 8 },
					   .bank_size = { [TT_TYPE_L1] = 1000 },
					   .bank_base = { [TT_TYPE_L1] = 32 } };
	const struct region *region;
	struct snapshot *snap;

	stream_begin(s, &python, 1);
	rec.h = stream_header(s, &python, TT_RECORD_ALLOCATOR, TT_PROBE_TRACK_ALLOCATE);
	stream_apply(s, &rec, sizeof(rec));
	rec.allocator += 0x1000;
	rec.bank_base[TT_TYPE_L1] = 0; /* not read */
	rec.bank_size[TT_TYPE_L1] = 1ull << 40;
	rec.h = stream_header(s, &python, TT_RECORD_ALLOCATOR, TT_PROBE_TRACK_ALLOCATE);
	stream_apply(s, &rec, sizeof(rec));
	snap = stream_snapshot(s);
	assert_true(snap->processes[0]->devices[0]->pub.is_mesh); /* before its chip */
	region = &snap->processes[0]->devices[0]->regions[TT_TYPE_L1];
	assert_int_equal(region->from, 32);
	assert_int_equal(region->to, 64 + MIB);
	assert_int_equal(region->banks, 64);
	snapshot__free(snap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		stream_test(buffers_of_one_program_lie_behind_each_other),
		stream_test(programs_lie_on_top_of_each_other),
		stream_test(the_largest_program_is_told_of_with_its_own_cores),
		stream_test(after_a_lost_division_the_cores_are_those_of_one_program),
		stream_test(what_lies_behind_another_program_is_not_added_to_it),
		stream_test(a_lost_division_is_noticed_where_addresses_go_back),
		stream_test(threads_place_their_programs_at_the_same_time),
		stream_test(a_mesh_stands_for_all_its_chips),
		stream_test(what_lies_in_a_buffer_or_nowhere_does_not_count),
		stream_test(what_cannot_be_placed_is_counted),
		stream_test(ranges_that_a_record_cannot_carry_are_counted),
		stream_test(dataflow_buffers_are_on_the_device_that_they_are_placed_for),
		stream_test(the_end_of_a_program_takes_nothing_away),
		stream_test(chips_that_are_alike_share_a_line),
		stream_test(the_line_is_of_the_largest_program),
		stream_test(after_a_loss_the_line_says_so),
		stream_test(programs_of_before_the_tracing_are_not_in_it),
		stream_test(regions_that_touch_share_their_border),
		stream_test(the_regions_of_a_device_are_those_of_all_its_allocators),
	};

	return cmocka_run_group_tests_name("circular", tests, NULL, NULL);
}
