// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The ledger when memory runs out, at each of its allocations in turn: -ENOMEM, nothing leaks,
 * nothing falls over. Works by standing in for malloc; not where a sanitizer does that already.
 */
#include "scene.h"

#include <errno.h>

#if defined(__SANITIZE_ADDRESS__)

static void memory_runs_out(void **state)
{
	(void)state;
	print_message("[  SKIP    ] the sanitizer has its own malloc\n");
	skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(memory_runs_out) };

	return cmocka_run_group_tests_name("nomem", tests, NULL, NULL);
}

#else

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t num, size_t size);
void *__libc_realloc(void *p, size_t size);

static long allocations_left = -1; /* -1: no limit */

static bool is_granted(void)
{
	if (allocations_left < 0)
		return true;
	return allocations_left && allocations_left--;
}

void *malloc(size_t size)
{
	return is_granted() ? __libc_malloc(size) : NULL;
}

void *calloc(size_t num, size_t size)
{
	return is_granted() ? __libc_calloc(num, size) : NULL;
}

void *realloc(void *p, size_t size)
{
	return is_granted() ? __libc_realloc(p, size) : NULL;
}

enum {
	RECORDS_MAX = 256
};

/* The records of a scene, so that they can be applied again and again. */
struct tape {
	struct {
		size_t size;
		union {
			struct tt_record h;
			struct tt_record_library library;
			struct tt_record_counters counters;
			__u8 bytes[1024];
		} record;
	} at[RECORDS_MAX];
	int count;
};

static void ignore(void *ctx, const struct event *ev)
{
	(void)ctx;
	(void)ev;
}

static void put(struct tape *tape, const void *record, size_t size)
{
	assert_true(tape->count < RECORDS_MAX && size <= sizeof(tape->at[0].record));
	tape->at[tape->count].size = size;
	memcpy(&tape->at[tape->count++].record, record, size);
}

static struct tt_record header(__u16 kind, __u8 probe, __u32 tid, __u64 ts_ns)
{
	return (struct tt_record){
		.kind = kind,
		.probe = probe,
		.tgid = 100,
		.tid = tid,
		.start_ns = 5,
		.ts_ns = ts_ns,
		.cpu = tid % 4,
	};
}

static void put_buffer(struct tape *tape, __u16 kind, __u64 pointer, __u64 address, __u64 ts_ns)
{
	struct tt_record_buffer rec = { .h = header(kind, 0, 100 + pointer % 3, ts_ns) };
	__u64 device = MESH, heap = HEAP, size = 4096;

	rec.buffer = pointer;
	stream_put(rec.body, 0x10, &device, 8);
	stream_put(rec.body, 0x18, &size, 8);
	stream_put(rec.body, 0x40, &heap, 8);
	stream_put(rec.body, 0x50, &address, 8);
	rec.body[0x28 - BODY_START] = rec.body[0x2b - BODY_START] = 1;
	rec.body[0x48 - BODY_START] = TT_STATUS_ALLOCATED;
	rec.stack = kind == TT_RECORD_ALLOC ? 1 + pointer % 2 : 0;
	put(tape, &rec, sizeof(rec));
}

/* Stacks 1 and 2, of one frame each. */
static void put_stacks(struct tape *tape)
{
	for (__u32 i = 0; i < 2; i++) {
		struct {
			struct tt_record_frame rec;
			char text[16];
		} frame = { .rec = { .h = header(TT_RECORD_FRAME, TT_PROBE_COUNT, 0, 2),
				     .frame = i,
				     .function_len = 9,
				     .image_len = 7 } };
		struct {
			struct tt_record_stack rec;
			__u32 frames[2];
		} stack = { .rec = { .h = header(TT_RECORD_STACK, TT_PROBE_COUNT, 0, 2),
				     .stack = 1 + i,
				     .num_frames = 1 },
			    .frames = { i } };

		memcpy(frame.rec.text, "ttnn::add_ttnn.so", 16);
		put(tape, &frame, sizeof(frame.rec) + 16);
		put(tape, &stack, sizeof(stack.rec) + sizeof(__u32));
	}
}

static void put_done(struct tape *tape, __u64 pointer, __u64 ts_ns)
{
	struct tt_record_step rec = {
		.h = header(TT_RECORD_FREE_DONE, 0, 100 + pointer % 3, ts_ns),
		.object = pointer,
		.allocator = HEAP,
	};

	put(tape, &rec, sizeof(rec));
}

/* From then on the ledger keeps a map of what occupies the banks. */
static void put_failed(struct tape *tape, __u64 pointer, __u64 ts_ns)
{
	struct tt_record_buffer *rec;

	put_buffer(tape, TT_RECORD_FREE_BEGIN, pointer, 0, ts_ns);
	rec = (void *)&tape->at[tape->count - 1].record;
	rec->body[0x48 - BODY_START] = TT_STATUS_REQUESTED;
}

static void put_introduction(struct tape *tape)
{
	struct tt_record_library library = {
		.h.kind = TT_RECORD_LIBRARY,
		.stacks = 1,
		.map = stream_layout(),
	};
	struct tt_record_process process = { .h = header(TT_RECORD_PROCESS_START, 20, 100, 1) };
	struct tt_record_allocator allocator = {
		.h = header(TT_RECORD_ALLOCATOR, 0, 100, 2),
		.allocator = HEAP,
		.device = stream_mesh(MESH, 0, 0, 8),
		.num_banks = { 12, 64 },
	};

	put(tape, &library, sizeof(library));
	put(tape, &process, sizeof(process));
	put(tape, &allocator, sizeof(allocator));
	put_stacks(tape);
}

/* A dataflow buffer on the mesh, and a circular one on a chip that is new. */
static void put_program(struct tape *tape, __u64 ts_ns)
{
	struct tt_record_program program = {
		.h = header(TT_RECORD_PROGRAM, TT_PROBE_PLACE_DATAFLOW, 104, ts_ns),
		.device = MESH,
		.chip = TT_NO_CHIP,
	};
	struct tt_record_circular placed = {
		.h = header(TT_RECORD_CIRCULAR, TT_PROBE_MARK_ADDRESS, 104, ts_ns + 1),
		.address = 4096,
		.size = 64,
		.chip = TT_NO_CHIP,
		.num_ranges = 1,
	};

	put(tape, &program, sizeof(program));
	put(tape, &placed, sizeof(placed));
	placed.h = header(TT_RECORD_CIRCULAR, TT_PROBE_TRACK_ALLOCATE_CB, 104, ts_ns + 2);
	placed.device_kind = TT_DEVICE_CHIP;
	placed.chip = 20;
	put(tape, &placed, sizeof(placed));
}

/* Allocations, one that fails, a bulk free, new buffers at the old addresses, late frees, unknown
 * frees, exit. */
static void fill_tape(struct tape *tape)
{
	struct tt_record_object bulk = {
		.h = header(TT_RECORD_BULK, TT_PROBE_DEALLOCATE_BUFFERS, 100, 100),
		.object = HEAP,
	};
	struct tt_record_process end = { .h = header(TT_RECORD_PROCESS_EXIT, 20, 100, 900) };

	put_introduction(tape);
	put_program(tape, 3);
	for (__u64 i = 0; i < 20; i++)
		put_buffer(tape, TT_RECORD_ALLOC, 0x5000 + i * 0x101, i * 0x1000, 10 + i);
	put_failed(tape, 0x4000, 50);
	put(tape, &bulk, sizeof(bulk));
	for (__u64 i = 0; i < 20; i++)
		put_buffer(tape, TT_RECORD_ALLOC, 0x9000 + i * 0x101, i * 0x1000, 200 + i);
	for (__u64 i = 0; i < 30; i++) {
		put_buffer(tape, TT_RECORD_FREE_BEGIN, 0x5000 + i * 0x101, i * 0x1000, 300 + i);
		put_done(tape, 0x5000 + i * 0x101, 300 + i);
	}
	put(tape, &end, sizeof(end));
}

static int play(const struct tape *tape, struct ledger *ledger)
{
	int err = 0, last = 0;

	for (int i = 0; i < tape->count; i++) {
		err = ledger__apply(ledger, &tape->at[i].record, tape->at[i].size);
		if (err)
			last = err;
	}
	return last;
}

static int take_and_free(struct ledger *ledger)
{
	struct snapshot *snapshot;
	int err = snapshot__take(ledger, NULL, 1000, &snapshot);

	if (!err)
		snapshot__free(snapshot);
	return err;
}

/* Returns whether all went well with @granted allocations. */
static bool run(const struct tape *tape, long granted)
{
	struct ledger_opts opts = { .on_event = ignore };
	struct ledger *ledger = NULL;
	int err;

	allocations_left = granted;
	err = ledger__new(&opts, &ledger);
	if (!err) {
		err = play(tape, ledger);
		if (!err)
			err = ledger__finish(ledger, 1000);
		if (!err)
			err = take_and_free(ledger);
	}
	allocations_left = -1;
	if (ledger) {
		/* what is left of it can still be looked at */
		assert_int_equal(take_and_free(ledger), 0);
		ledger__free(ledger);
	}
	assert_true(!err || err == -ENOMEM || err == -EBADMSG);
	return !err;
}

static void memory_that_runs_out_anywhere_is_an_error_and_no_more(void **state)
{
	static struct tape tape;
	long granted = 0;

	(void)state;
	fill_tape(&tape);
	while (!run(&tape, granted))
		granted++;
	assert_true(granted > 20);
}

static void memory_that_comes_back_lets_the_ledger_go_on(void **state)
{
	static struct tape tape;
	struct ledger_opts opts = { .on_event = ignore };
	struct ledger *ledger;

	(void)state;
	fill_tape(&tape);
	for (long granted = 0; granted < 60; granted++) {
		assert_int_equal(ledger__new(&opts, &ledger), 0);
		allocations_left = granted;
		play(&tape, ledger);
		allocations_left = -1;
		assert_int_equal(play(&tape, ledger), 0);
		assert_int_equal(ledger__finish(ledger, 1000), 0);
		assert_int_equal(take_and_free(ledger), 0);
		ledger__free(ledger);
	}
}

/* Bytes on a chip of two meshes with the same memory: each once or, without memory, added up. */
static void what_overlaps_on_a_chip_adds_up_without_memory(void **state)
{
	static const struct actor python = { 100, 100, 5, 0 };
	struct object whole = stream_object(0x5000, 0x1000, 12 * 0x1000);
	struct object part = stream_object(0x6000, 0x1000, 12 * 0x800);
	const struct usage *usage;
	struct snapshot *snapshot;
	struct stream *s;

	(void)state;
	part.device = 0x2000;
	part.allocator = 0xb000;
	for (long granted = 0; granted < 30; granted++) {
		s = stream_new();
		stream_begin(s, &python, 2);
		stream_device(s, &python, TT_PROBE_MESH_OPEN, stream_mesh(0x2000, 1, 0, 1));
		stream_allocator(s, &python, 0xb000, stream_mesh(0x2000, 1, 0, 1));
		stream_alloc(s, &python, &whole);
		allocations_left = granted;
		stream_alloc(s, &python, &part);
		allocations_left = -1;
		snapshot = stream_snapshot(s);
		usage = snapshot_process__chip(snapshot->processes[0], 0);
		assert_true(usage->sum.live == 12 * 0x1000 || usage->sum.live == 12 * 0x1800);
		assert_true(granted < 20 || usage->sum.live == 12 * 0x1000);
		snapshot__free(snapshot);
		stream_release(s, &python, &whole);
		if (!s->err)
			stream_release(s, &python, &part);
		snapshot = stream_snapshot(s);
		usage = snapshot_process__chip(snapshot->processes[0], 0);
		assert_int_equal(usage->sum.live, 0);
		assert_int_equal(snapshot->processes[0]->usage.sum.live, 0);
		snapshot__free(snapshot);
		stream_free(s);
	}
}

static void a_sink_without_memory_says_so(void **state)
{
	struct stream *s = *state;
	struct sink_opts opts = { .out = fopen("/dev/null", "w") };
	struct snapshot *snapshot;
	struct sink *sink;
	long granted = 0;
	int err;

	scene_play(s);
	snapshot = stream_snapshot(s);
	assert_int_equal(sink_json.open(&opts, &sink), 0);
	do {
		allocations_left = granted++;
		err = sink_json.report(sink, snapshot);
		allocations_left = -1;
		assert_true(!err || err == -ENOMEM);
	} while (err);
	assert_true(granted > 100);
	sink_json.close(sink);
	snapshot__free(snapshot);
	fclose(opts.out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_that_runs_out_anywhere_is_an_error_and_no_more),
		cmocka_unit_test(memory_that_comes_back_lets_the_ledger_go_on),
		cmocka_unit_test(what_overlaps_on_a_chip_adds_up_without_memory),
		stream_test(a_sink_without_memory_says_so),
	};

	return cmocka_run_group_tests_name("nomem", tests, NULL, NULL);
}

#endif
