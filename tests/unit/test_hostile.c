// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Records that no BPF side would send: the ledger counts or takes them, and does not fall over. */
#include "stream.h"

#include <errno.h>

static const struct actor python = { 100, 100, 5, 0 };

/* A generator that is the same everywhere. */
static __u64 next_random(__u64 *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void take_all(void *ctx, const struct event *ev)
{
	__u64 *count = ctx;

	(*count)++;
	assert_true(ev->kind < EVENT_KIND_COUNT);
	if (ev->kind == EVENT_FREE && ev->class != CLASS_MATCHED)
		assert_non_null(ev->why);
}

static void write_everything(struct ledger *ledger, __u64 ts_ns)
{
	struct sink_opts opts = { .out = fopen("/dev/null", "w"), .verbose = true };
	const struct sink_ops *const sinks[] = { &sink_text, &sink_json };
	struct snapshot *snapshot;
	struct sink *sink;

	assert_non_null(opts.out);
	assert_int_equal(snapshot__take(ledger, NULL, ts_ns, &snapshot), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(sinks[i]->open(&opts, &sink), 0);
		assert_int_equal(sinks[i]->interval(sink, snapshot), 0);
		assert_int_equal(sinks[i]->report(sink, snapshot), 0);
		sinks[i]->close(sink);
	}
	snapshot__free(snapshot);
	fclose(opts.out);
}

static void short_and_unknown_records_are_counted_and_change_nothing(void **state)
{
	struct stream *s = *state;
	struct tt_record_counters rec = { 0 };
	__u64 before;

	stream_begin(s, &python, 1);
	before = s->num_seen;
	for (__u16 kind = 0; kind < 40; kind++) {
		rec.h.kind = kind;
		stream_apply(s, &rec, sizeof(struct tt_record));
		assert_int_equal(s->err, -EBADMSG);
		stream_apply(s, &rec, 0);
		assert_int_equal(s->err, -EBADMSG);
	}
	assert_int_equal(ledger__stats(s->ledger)->bad_records, 80);
	assert_int_equal(s->num_seen, before);
}

static void a_library_with_a_number_beyond_the_table_is_refused(void **state)
{
	struct stream *s = *state;
	struct tt_record_library rec = { .h.kind = TT_RECORD_LIBRARY };

	rec.h.layout = TT_MAX_LAYOUTS;
	stream_apply(s, &rec, sizeof(rec));
	assert_int_equal(s->err, -EBADMSG);
	rec.h.layout = TT_MAX_LAYOUTS - 1;
	memset(rec.path, 'x', sizeof(rec.path)); /* no end */
	stream_apply(s, &rec, sizeof(rec));
	assert_int_equal(s->err, 0);
}

static void sizes_that_overflow_give_no_footprint(void **state)
{
	struct stream *s = *state;
	struct object o = stream_object(0x5000, ~0ull, ~0ull);

	stream_begin(s, &python, 8);
	stream_space(s, &python, ~0ull);
	stream_buffer(s, &python, TT_RECORD_ALLOC, &o);
	assert_false(stream_last(s, EVENT_ALLOC)->buffer.has_footprint);
	stream_release(s, &python, &o);
	stream_expect_free(s, CLASS_MATCHED);
	assert_int_equal(stream_live(s), 0);
}

static void time_that_goes_backwards_is_taken(void **state)
{
	struct stream *s = *state;
	struct object o = stream_object(0x5000, 0x100, 4096);

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	s->ts_ns = 0;
	stream_release(s, &python, &o);
	stream_expect_free(s, CLASS_MATCHED);
	stream_exit(s, &python, 0);
	write_everything(s->ledger, 0);
}

static void steps_of_frees_without_beginning_are_taken(void **state)
{
	struct stream *s = *state;
	struct object o = stream_object(0x5000, 0x100, 4096), p = stream_object(0x6000, 0, 64);

	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	stream_tracked(s, &python, &p);
	stream_tracked(s, &python, &o);
	stream_done(s, &python, &o);
	stream_expect_free(s, CLASS_MATCHED);
	stream_buffer(s, &python, TT_RECORD_FREE_BEGIN, &p);
	stream_buffer(s, &python, TT_RECORD_FREE_BEGIN, &p);
	stream_buffer(s, &python, TT_RECORD_FREE_BEGIN, &p);
	assert_int_equal(stream_count_class(s, CLASS_DEVICE_CLOSED), 2);
}

enum {
	MIXED = 30000
};

union any_record {
	struct tt_record h;
	struct tt_record_process process;
	struct tt_record_allocator allocator;
	struct tt_record_space space;
	struct tt_record_buffer buffer;
	struct tt_record_create create;
	struct tt_record_step step;
	struct tt_record_object object;
	struct tt_record_device device;
	struct tt_record_counters counters;
};

static void mix_device(struct tt_device *device, __u64 *seed)
{
	device->object = MESH + next_random(seed) % 3 * 0x1000;
	device->kind = next_random(seed) % 3;
	device->mesh_id = next_random(seed) % 8 ? device->object >> 12 : next_random(seed) % 3;
	device->num_chips = next_random(seed) % 4;
	for (__u32 i = 0; i < device->num_chips; i++)
		device->chips[i] = next_random(seed) % 5;
}

static void mix_body(struct tt_record_buffer *rec, __u64 *seed)
{
	__u64 device = MESH + next_random(seed) % 3 * 0x1000;
	__u64 heap = HEAP + next_random(seed) % 3 * 0x100, size = next_random(seed) % 3 * 4096;
	__u64 address = next_random(seed) % 4 * 0x1000;
	__u32 type = next_random(seed) % 6;

	rec->buffer = 0x5000 + next_random(seed) % 8 * 0x100;
	rec->unique_id = next_random(seed) % 4;
	rec->device_state = next_random(seed) % 3;
	stream_put(rec->body, 0x10, &device, 8);
	stream_put(rec->body, 0x18, &size, 8);
	stream_put(rec->body, 0x20, &type, 4);
	stream_put(rec->body, 0x40, &heap, 8);
	stream_put(rec->body, 0x50, &address, 8);
	rec->body[0x28 - BODY_START] = next_random(seed) % 4 != 0;
	rec->body[0x2b - BODY_START] = next_random(seed) % 8 != 0;
	rec->body[0x48 - BODY_START] = next_random(seed) % 8 ? 1 : next_random(seed) % 4;
	rec->body[0x49 - BODY_START] = next_random(seed) % 8 == 0;
}

/* Fields from so small a range that everything meets everything. */
static size_t mix_record(union any_record *r, __u64 *seed, __u64 *ts_ns)
{
	memset(r, 0, sizeof(*r));
	*ts_ns += next_random(seed) % 64 ? next_random(seed) % 1000 : SECOND;
	r->h.kind = next_random(seed) % (TT_RECORD_LIBRARY + 1);
	if (r->h.kind == TT_RECORD_LIBRARY)
		r->h.kind = TT_RECORD_PROCESS_LOST;
	if (r->h.kind < TT_RECORD_ALLOCATOR && next_random(seed) % 16)
		r->h.kind = TT_RECORD_ALLOC;
	r->h.probe = next_random(seed) % (TT_PROBE_COUNT + 1);
	r->h.faults = next_random(seed) % 8 ? 0 : next_random(seed);
	r->h.cpu = next_random(seed) % 4;
	r->h.tgid = 100 + next_random(seed) % 3;
	r->h.tid = r->h.tgid * 10 + next_random(seed) % 3;
	r->h.ts_ns = *ts_ns;
	r->h.start_ns = next_random(seed) % 512 ? 5 : next_random(seed) % 8;
	r->h.seq = next_random(seed) % 8 ? 0 : next_random(seed) % 100;
	r->h.lost_begin = next_random(seed) % 64 ? 0 : next_random(seed);
	r->h.lost_end = next_random(seed) % 64 ? 0 : next_random(seed);
	switch (r->h.kind) {
	case TT_RECORD_PROCESS_START:
	case TT_RECORD_PROCESS_EXEC:
	case TT_RECORD_PROCESS_EXIT:
	case TT_RECORD_PROCESS_NAME:
	case TT_RECORD_PROCESS_LOST:
		memset(r->process.comm, 0xff, sizeof(r->process.comm));
		r->process.flags = next_random(seed);
		r->process.parent_tgid = 100 + next_random(seed) % 3;
		r->process.parent_start_ns = 5;
		r->process.exit_code = next_random(seed);
		r->process.lost_other = next_random(seed);
		break;
	case TT_RECORD_ALLOCATOR:
		r->allocator.allocator = HEAP + next_random(seed) % 3 * 0x100;
		mix_device(&r->allocator.device, seed);
		r->allocator.num_banks[0] = next_random(seed) % 13;
		r->allocator.num_banks[1] = next_random(seed);
		r->allocator.bank_size[0] = next_random(seed) % 100000;
		break;
	case TT_RECORD_SPACE:
		r->space.per_bank = next_random(seed) % 4 * 1024;
		break;
	case TT_RECORD_ALLOC:
	case TT_RECORD_FREE_BEGIN:
		mix_body(&r->buffer, seed);
		break;
	case TT_RECORD_BULK:
		r->object.object = HEAP + next_random(seed) % 3 * 0x100;
		break;
	case TT_RECORD_DEVICE:
		mix_device(&r->device.device, seed);
		break;
	default:
		r->step.object = 0x5000 + next_random(seed) % 8 * 0x100;
		r->step.allocator = HEAP;
	}
	return sizeof(*r);
}

/* Nothing may be live any more when all processes have ended, to the last byte of every total. */
static void expect_nothing_live(struct ledger *ledger, __u64 ts_ns)
{
	struct snapshot *snapshot;

	assert_int_equal(snapshot__take(ledger, NULL, ts_ns, &snapshot), 0);
	for (__u32 i = 0; i < snapshot->num_processes; i++) {
		const struct snapshot_process *process = snapshot->processes[i];

		assert_int_equal(process->usage.sum.live, 0);
		assert_int_equal(process->usage.sum.buffers, 0);
		for (__u32 j = 0; j < process->num_chips; j++)
			assert_int_equal(process->chips[j].usage.sum.live, 0);
		for (__u32 j = 0; j < process->num_devices; j++) {
			const struct snapshot_device *device = process->devices[j];

			assert_int_equal(device->usage.sum.live, 0);
			for (int k = 0; k < KIND_COUNT; k++)
				assert_int_equal(device->live_kinds[k], 0);
			assert_int_equal(device->leaks.sum.buffers, device->leaked_all.buffers);
			assert_int_equal(device->leaks.sum.bytes, device->leaked_all.bytes);
			assert_int_equal(device->doubtful.sum.buffers,
					 device->doubtful_all.buffers);
		}
	}
	snapshot__free(snapshot);
}

static void run_mixed(__u64 seed)
{
	struct tt_record_library library = { .h.kind = TT_RECORD_LIBRARY, .map = stream_layout() };
	__u64 count = 0, ts_ns = SECOND;
	struct ledger_opts opts = { .on_event = take_all, .ctx = &count };
	union any_record record;
	struct ledger *ledger;
	size_t size;

	assert_int_equal(ledger__new(&opts, &ledger), 0);
	assert_int_equal(ledger__apply(ledger, &library, sizeof(library)), 0);
	for (int i = 0; i < MIXED; i++) {
		size = mix_record(&record, &seed, &ts_ns);
		ledger__apply(ledger, &record, size);
		if (i == MIXED / 2)
			write_everything(ledger, ts_ns);
	}
	for (__u32 pid = 100; pid < 103; pid++) {
		memset(&record, 0, sizeof(record));
		record.h.kind = TT_RECORD_PROCESS_EXIT;
		record.h.tgid = pid;
		record.h.start_ns = 5;
		record.h.ts_ns = ts_ns;
		assert_int_equal(ledger__apply(ledger, &record, sizeof(record)), 0);
	}
	assert_int_equal(ledger__finish(ledger, ts_ns), 0);
	expect_nothing_live(ledger, ts_ns);
	write_everything(ledger, ts_ns);
	assert_true(count > MIXED / 4);
	ledger__free(ledger);
}

static void a_stream_of_everything_mixed_keeps_every_total_right(void **state)
{
	(void)state;
	for (__u64 seed = 1; seed <= 4; seed++)
		run_mixed(seed * 0x9e3779b97f4a7c15);
}

static void random_bytes_are_taken_or_refused(void **state)
{
	struct stream *s = *state;
	__u64 words[64], seed = 42;

	for (int i = 0; i < 5000; i++) {
		for (int j = 0; j < 64; j++)
			words[j] = next_random(&seed);
		((struct tt_record *)words)->kind %= TT_RECORD_KIND_COUNT + 1;
		((struct tt_record *)words)->cpu %= 64;
		s->num_seen = 0;
		ledger__apply(s->ledger, words, next_random(&seed) % sizeof(words));
	}
	ledger__finish(s->ledger, 0);
	write_everything(s->ledger, ~0ull);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		stream_test(short_and_unknown_records_are_counted_and_change_nothing),
		stream_test(a_library_with_a_number_beyond_the_table_is_refused),
		stream_test(sizes_that_overflow_give_no_footprint),
		stream_test(time_that_goes_backwards_is_taken),
		stream_test(steps_of_frees_without_beginning_are_taken),
		stream_test(a_stream_of_everything_mixed_keeps_every_total_right),
		stream_test(random_bytes_are_taken_or_refused),
	};

	return cmocka_run_group_tests_name("hostile", tests, NULL, NULL);
}
