/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * For tests of the ledger and of what stands on it: makes records as the BPF side would and keeps
 * the events that come of them. One stream has one ledger; "actors" are threads of processes.
 */
#ifndef TTTRACE_TEST_STREAM_H
#define TTTRACE_TEST_STREAM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/ledger.h"
#include "core/snapshot.h"
#include "report/sink.h"
#include "seen.h"

enum {
	STREAM_EVENTS = 4096,
	STREAM_CPUS = 4
};

#define SECOND 1000000000ull
#define MESH   0x1000ull     /* IDevice * of the usual mesh … */
#define HEAP   0xa000ull     /* … and its Allocator * */
#define CHIPS  0x30000000ull /* Device * of chip 0 */
#define MIB    (1ull << 20)

struct stream {
	struct ledger *ledger;
	struct sink *sink; /* gets every event if set */
	const struct sink_ops *sink_ops;
	struct seen seen[STREAM_EVENTS];
	__u32 num_seen;
	__u64 ts_ns;
	__u64 step_ns; /* between two records */
	__u64 seq[STREAM_CPUS];
	struct tt_process loser; /* what the process loser_tgid has lost; see losing.h */
	__u32 loser_tgid;
	int err; /* of the last record */
};

struct actor {
	__u32 tgid;
	__u32 tid;
	__u64 start_ns;
	__u16 cpu;
};

/* A Buffer as the target has it. */
struct object {
	__u64 pointer;
	__u64 id;
	__u64 device;
	__u64 allocator;
	__u64 size;
	__u64 address;
	__u64 page_size;
	__u32 type;
	__u32 layout;
	__u8 top_down;
	__u8 view;
	__u8 status;
	__u8 hooked;
	__u32 device_state; /* 0: open, or told by a record of its own (FREE_TRACKED) */
	bool unreadable_state;
};

enum {
	BODY_START = 0x10
};

/* The layout of 0.62 to 0.78; unique_id_ at 0x200. */
static inline struct tt_layout stream_layout(void)
{
	static const __u16 offsets[TT_FIELD_UNIQUE_ID + 1] = {
		[TT_FIELD_DEVICE] = 0x10,    [TT_FIELD_SIZE] = 0x18,
		[TT_FIELD_TYPE] = 0x20,	     [TT_FIELD_LAYOUT] = 0x24,
		[TT_FIELD_BOTTOM_UP] = 0x28, [TT_FIELD_OWNS_DATA] = 0x2b,
		[TT_FIELD_ALLOCATOR] = 0x40, [TT_FIELD_STATUS] = 0x48,
		[TT_FIELD_HOOKED] = 0x49,    [TT_FIELD_ADDRESS] = 0x50,
		[TT_FIELD_PAGE_SIZE] = 0x58, [TT_FIELD_UNIQUE_ID] = 0x200,
	};
	struct tt_layout layout = { .body_start = BODY_START };

	for (int i = 0; i <= TT_FIELD_UNIQUE_ID; i++) {
		layout.field[i].len = 1;
		layout.field[i].off[0] = offsets[i];
	}
	return layout;
}

static inline void stream_keep(void *ctx, const struct event *ev)
{
	struct stream *s = ctx;

	if (s->sink)
		assert_int_equal(s->sink_ops->event(s->sink, ev), 0);
	assert_true(s->num_seen < STREAM_EVENTS);
	seen_take(&s->seen[s->num_seen++], ev);
}

static inline struct tt_record stream_header(struct stream *s, const struct actor *a, __u16 kind,
					     __u8 probe)
{
	s->ts_ns += s->step_ns;
	return (struct tt_record){
		.kind = kind,
		.probe = probe,
		.cpu = a->cpu,
		.tgid = a->tgid,
		.tid = a->tid,
		.ts_ns = s->ts_ns,
		.start_ns = a->start_ns,
		.seq = s->seq[a->cpu]++,
		.lost_begin = a->tgid == s->loser_tgid ? s->loser.lost_begin : 0,
		.lost_end = a->tgid == s->loser_tgid ? s->loser.lost_end : 0,
	};
}

static inline void stream_apply(struct stream *s, const void *record, size_t size)
{
	s->err = ledger__apply(s->ledger, record, size);
}

static inline void stream_library_of(struct stream *s, enum tt_mode mode, __u64 probes)
{
	struct tt_record_library rec = {
		.h = { .kind = TT_RECORD_LIBRARY, .probe = TT_PROBE_COUNT },
		.probes_wanted = 20,
		.probes_attached = 20,
		.mode = mode,
		.probes = probes,
		.map = stream_layout(),
		.path = "/venv/lib/libtt_metal.so",
	};

	stream_apply(s, &rec, sizeof(rec));
}

static inline void stream_library(struct stream *s)
{
	stream_library_of(s, TT_MODE_ALL, (1ull << TT_PROBE_COUNT) - 1);
}

static inline struct stream *stream_new(void)
{
	struct stream *s = calloc(1, sizeof(*s));
	struct ledger_opts opts = { .on_event = stream_keep, .ctx = s };

	assert_non_null(s);
	s->step_ns = 1000;
	s->ts_ns = SECOND;
	assert_int_equal(ledger__new(&opts, &s->ledger), 0);
	stream_library(s);
	return s;
}

static inline void stream_free(struct stream *s)
{
	ledger__free(s->ledger);
	free(s);
}

static inline void stream_process(struct stream *s, const struct actor *a, __u16 kind,
				  const char *comm, __u32 flags, __u32 exit_code,
				  const struct actor *parent)
{
	struct tt_record_process rec = {
		.h = stream_header(s, a, kind, TT_PROBE_COUNT),
		.flags = flags,
		.exit_code = exit_code,
		.parent_tgid = parent ? parent->tgid : 1,
		.parent_start_ns = parent ? parent->start_ns : 0,
	};

	strncpy(rec.comm, comm, sizeof(rec.comm) - 1);
	stream_apply(s, &rec, sizeof(rec));
}

static inline void stream_start(struct stream *s, const struct actor *a)
{
	stream_process(s, a, TT_RECORD_PROCESS_START, "python", 0, 0, NULL);
}

static inline void stream_exit(struct stream *s, const struct actor *a, __u32 exit_code)
{
	stream_process(s, a, TT_RECORD_PROCESS_EXIT, "python", 0, exit_code, NULL);
}

static inline struct tt_device stream_mesh(__u64 object, __u32 mesh_id, __u32 first_chip,
					   __u32 num_chips)
{
	struct tt_device device = {
		.object = object,
		.kind = TT_DEVICE_MESH,
		.mesh_id = mesh_id,
		.num_chips = num_chips,
	};

	for (__u32 i = 0; i < num_chips; i++)
		device.chips[i] = first_chip + i;
	return device;
}

static inline struct tt_device stream_chip(__u64 object, __u32 chip)
{
	return (struct tt_device){
		.object = object,
		.kind = TT_DEVICE_CHIP,
		.mesh_id = TT_NO_MESH,
		.num_chips = 1,
		.chips = { chip },
	};
}

static inline void stream_device(struct stream *s, const struct actor *a, __u8 probe,
				 struct tt_device device)
{
	struct tt_record_device rec = {
		.h = stream_header(s, a, TT_RECORD_DEVICE, probe),
		.device = device,
	};

	stream_apply(s, &rec, sizeof(rec));
}

/* 12 banks of 1 GiB DRAM, 64 of 1 MiB L1, as on a Wormhole. */
static inline void stream_allocator(struct stream *s, const struct actor *a, __u64 allocator,
				    struct tt_device device)
{
	struct tt_record_allocator rec = {
		.h = stream_header(s, a, TT_RECORD_ALLOCATOR, TT_PROBE_TRACK_ALLOCATE),
		.allocator = allocator,
		.device = device,
		.num_banks = { [TT_TYPE_DRAM] = 12,
			       [TT_TYPE_L1] = 64,
			       [TT_TYPE_L1_SMALL] = 64,
			       [TT_TYPE_TRACE] = 12 },
		.bank_size = { [TT_TYPE_DRAM] = 1ull << 30, [TT_TYPE_L1] = MIB },
		.bank_base = { [TT_TYPE_DRAM] = 32, [TT_TYPE_L1] = 64 },
	};

	stream_apply(s, &rec, sizeof(rec));
}

static inline void stream_space(struct stream *s, const struct actor *a, __u64 per_bank)
{
	struct tt_record_space rec = {
		.h = stream_header(s, a, TT_RECORD_SPACE, TT_PROBE_FREE_LIST_ALLOCATE),
		.free_list = 0xf000,
		.asked = per_bank,
		.per_bank = per_bank,
	};

	stream_apply(s, &rec, sizeof(rec));
}

static inline void stream_put(__u8 *body, __u32 offset, const void *value, size_t size)
{
	memcpy(body + offset - BODY_START, value, size);
}

/* What is read of the device of @o: at the attempt to free it, a device that is not initialized. */
static inline __u32 stream_state(const struct object *o, __u16 kind)
{
	if (o->unreadable_state)
		return TT_STATE_UNKNOWN;
	if (o->device_state)
		return o->device_state;
	return kind == TT_RECORD_FREE_BEGIN ? TT_STATE_OPENING : TT_STATE_OPEN;
}

/* @o as it is read at @h. */
static inline struct tt_record_buffer stream_buffer_record(struct tt_record h,
							   const struct object *o)
{
	struct tt_record_buffer rec = {
		.h = h,
		.buffer = o->pointer,
		.unique_id = o->id,
		.device_state = stream_state(o, h.kind),
	};
	__u8 bottom_up = !o->top_down, owns = !o->view;

	stream_put(rec.body, 0x10, &o->device, 8);
	stream_put(rec.body, 0x18, &o->size, 8);
	stream_put(rec.body, 0x20, &o->type, 4);
	stream_put(rec.body, 0x24, &o->layout, 4);
	stream_put(rec.body, 0x28, &bottom_up, 1);
	stream_put(rec.body, 0x2b, &owns, 1);
	stream_put(rec.body, 0x40, &o->allocator, 8);
	stream_put(rec.body, 0x48, &o->status, 1);
	stream_put(rec.body, 0x49, &o->hooked, 1);
	stream_put(rec.body, 0x50, &o->address, 8);
	stream_put(rec.body, 0x58, &o->page_size, 8);
	return rec;
}

static inline void stream_buffer(struct stream *s, const struct actor *a, __u16 kind,
				 const struct object *o)
{
	__u8 probe = kind == TT_RECORD_ALLOC ? TT_PROBE_TRACK_ALLOCATE : TT_PROBE_DEALLOCATE_IMPL;
	struct tt_record_buffer rec = stream_buffer_record(stream_header(s, a, kind, probe), o);

	stream_apply(s, &rec, sizeof(rec));
}

static inline void stream_step(struct stream *s, const struct actor *a, __u16 kind, __u8 probe,
			       __u64 object, __u64 allocator)
{
	struct tt_record_step rec = {
		.h = stream_header(s, a, kind, probe),
		.object = object,
		.allocator = allocator,
	};

	stream_apply(s, &rec, sizeof(rec));
}

static inline void stream_bulk(struct stream *s, const struct actor *a, __u8 probe, __u64 allocator)
{
	struct tt_record_object rec = {
		.h = stream_header(s, a, TT_RECORD_BULK, probe),
		.object = allocator,
	};

	stream_apply(s, &rec, sizeof(rec));
}

static inline void stream_counters(struct stream *s, const struct tt_counters *counters)
{
	struct tt_record_counters rec = {
		.h = { .kind = TT_RECORD_COUNTERS, .probe = TT_PROBE_COUNT, .ts_ns = ++s->ts_ns },
		.c = *counters,
	};

	stream_apply(s, &rec, sizeof(rec));
}

/* The record that would come next is lost. */
static inline void stream_lose(struct stream *s, const struct actor *a)
{
	s->seq[a->cpu]++;
}

/* A buffer of @size bytes of DRAM on the usual mesh, spread over the 12 banks. */
static inline struct object stream_object(__u64 pointer, __u64 address, __u64 size)
{
	return (struct object){
		.pointer = pointer,
		.id = pointer >> 4,
		.device = MESH,
		.allocator = HEAP,
		.size = size,
		.address = address,
		.page_size = 2048,
		.type = TT_TYPE_DRAM,
		.status = TT_STATUS_ALLOCATED,
	};
}

static inline __u64 stream_per_bank(const struct object *o)
{
	__u64 banks = o->type == TT_TYPE_L1 || o->type == TT_TYPE_L1_SMALL ? 64 : 12;

	return (o->size + banks * 32 - 1) / (banks * 32) * 32;
}

/* The whole of an allocation: the request to the free list, and the finished Buffer. */
static inline void stream_alloc(struct stream *s, const struct actor *a, const struct object *o)
{
	if (!o->hooked)
		stream_space(s, a, stream_per_bank(o));
	stream_buffer(s, a, TT_RECORD_ALLOC, o);
}

static inline void stream_tracked(struct stream *s, const struct actor *a, const struct object *o)
{
	stream_step(s, a, TT_RECORD_FREE_TRACKED, TT_PROBE_TRACK_DEALLOCATE, o->pointer, 0);
}

static inline void stream_done(struct stream *s, const struct actor *a, const struct object *o)
{
	stream_step(s, a, TT_RECORD_FREE_DONE, TT_PROBE_DEALLOCATE_BUFFER, o->pointer,
		    o->allocator);
}

/* The whole of a free that gives memory back. */
static inline void stream_release(struct stream *s, const struct actor *a, const struct object *o)
{
	stream_buffer(s, a, TT_RECORD_FREE_BEGIN, o);
	stream_tracked(s, a, o);
	stream_done(s, a, o);
}

/* A process that has opened the usual mesh, chips 0 to @num_chips - 1. */
static inline void stream_begin(struct stream *s, const struct actor *a, __u32 num_chips)
{
	stream_start(s, a);
	for (__u32 i = 0; i < num_chips; i++)
		stream_device(s, a, TT_PROBE_DEVICE_OPEN, stream_chip(CHIPS + i * 0x10, i));
	stream_device(s, a, TT_PROBE_MESH_OPEN, stream_mesh(MESH, 0, 0, num_chips));
	stream_allocator(s, a, HEAP, stream_mesh(MESH, 0, 0, num_chips));
}

static inline void stream_close(struct stream *s, const struct actor *a, __u32 num_chips)
{
	stream_device(s, a, TT_PROBE_MESH_CLOSE, stream_mesh(MESH, 0, 0, num_chips));
	stream_device(s, a, TT_PROBE_MESH_CLOSING, stream_mesh(MESH, 0, 0, num_chips));
	stream_bulk(s, a, TT_PROBE_DEALLOCATE_BUFFERS, HEAP);
	stream_bulk(s, a, TT_PROBE_CLEAR, HEAP);
	stream_bulk(s, a, TT_PROBE_ALLOCATOR_DESTROY, HEAP);
}

static inline __u32 stream_count(const struct stream *s, enum event_kind kind)
{
	__u32 count = 0;

	for (__u32 i = 0; i < s->num_seen; i++)
		count += s->seen[i].ev.kind == kind;
	return count;
}

static inline __u32 stream_count_class(const struct stream *s, enum free_class class)
{
	__u32 count = 0;

	for (__u32 i = 0; i < s->num_seen; i++)
		count += s->seen[i].ev.kind == EVENT_FREE && s->seen[i].ev.class == class;
	return count;
}

/* The last event of @kind; there must be one. */
static inline const struct seen *stream_last(const struct stream *s, enum event_kind kind)
{
	for (__u32 i = s->num_seen; i-- > 0;) {
		if (s->seen[i].ev.kind == kind)
			return &s->seen[i];
	}
	fail_msg("no event of kind %s", event__kind_name(kind));
	return NULL;
}

static inline void stream_expect_free(const struct stream *s, enum free_class class)
{
	const struct seen *seen = stream_last(s, EVENT_FREE);

	assert_string_equal(free_class__name(seen->ev.class), free_class__name(class));
	if (class != CLASS_MATCHED)
		assert_non_null(seen->ev.why);
}

static inline struct snapshot *stream_snapshot(const struct stream *s)
{
	struct snapshot *snapshot;

	assert_int_equal(snapshot__take(s->ledger, NULL, s->ts_ns, &snapshot), 0);
	return snapshot;
}

/* Live bytes of the first device of the first process, on each chip. */
static inline __u64 stream_live(const struct stream *s)
{
	struct snapshot *snapshot = stream_snapshot(s);
	__u64 live = 0;

	if (snapshot->num_processes && snapshot->processes[0]->num_devices)
		live = snapshot->processes[0]->devices[0]->usage.sum.live;
	snapshot__free(snapshot);
	return live;
}

static inline int stream_setup(void **state)
{
	*state = stream_new();
	return 0;
}

static inline int stream_teardown(void **state)
{
	stream_free(*state);
	return 0;
}

#define stream_test(fn) cmocka_unit_test_setup_teardown(fn, stream_setup, stream_teardown)

#endif
