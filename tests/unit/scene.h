/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A run as a user might have it, for tests of what is printed: a program on eight chips that
 * allocates, frees, captures a graph, runs out of memory, leaks and closes; and a forked child.
 */
#ifndef TTTRACE_TEST_SCENE_H
#define TTTRACE_TEST_SCENE_H

#include "stream.h"

static const struct actor scene_python = { 12345, 12345, 500, 0 };
static const struct actor scene_child = { 12399, 12399, 900, 1 };

static inline struct object scene_object(__u64 id, __u64 address, __u64 size)
{
	struct object o = stream_object(0x7f0000000 + id * 0x1000, address, size);

	o.id = id;
	return o;
}

static inline void scene_allocate(struct stream *s, const struct actor *a)
{
	struct object tensor = scene_object(1, 2560032, 104857600);
	struct object second = scene_object(2, 11297824, 104857600);
	struct object kernel = scene_object(3, 1073739776, 24576);
	struct object small = scene_object(4, 98304, 65536);

	kernel.top_down = 1;
	small.type = TT_TYPE_L1;
	small.layout = TT_LAYOUT_HEIGHT_SHARDED;
	stream_alloc(s, a, &tensor);
	s->ts_ns += 3 * SECOND / 2;
	stream_alloc(s, a, &second);
	stream_alloc(s, a, &kernel);
	stream_alloc(s, a, &small);
	s->ts_ns += SECOND;
	stream_release(s, a, &tensor);
	tensor.status = TT_STATUS_DEALLOCATED;
	stream_buffer(s, a, TT_RECORD_FREE_BEGIN, &tensor);
}

static inline void scene_oddities(struct stream *s, const struct actor *a)
{
	struct object captured = scene_object(5, 0, 4096);
	struct object empty = scene_object(6, 0, 0);
	struct object huge = scene_object(7, 0, 21474836480ull);
	struct object stuck = scene_object(8, 163840, 8192);
	struct tt_record_create create = { .device = MESH, .type = TT_TYPE_DRAM };

	captured.hooked = 1;
	stream_alloc(s, a, &captured);
	stream_buffer(s, a, TT_RECORD_FREE_BEGIN, &captured);
	create.h = stream_header(s, a, TT_RECORD_ZERO_SIZE, TT_PROBE_BUFFER_CREATE);
	stream_apply(s, &create, sizeof(create));
	stream_buffer(s, a, TT_RECORD_FREE_BEGIN, &empty);
	huge.status = TT_STATUS_REQUESTED;
	stream_space(s, a, 1789569728);
	stream_buffer(s, a, TT_RECORD_FREE_BEGIN, &huge);
	stuck.type = TT_TYPE_L1;
	stream_alloc(s, a, &stuck);
	stream_buffer(s, a, TT_RECORD_FREE_BEGIN, &stuck);
	stream_tracked(s, a, &stuck);
}

static inline void scene_child_frees(struct stream *s)
{
	struct object second = scene_object(2, 11297824, 104857600);

	stream_process(s, &scene_child, TT_RECORD_PROCESS_START, "python", TT_PROCESS_FORKED, 0,
		       &scene_python);
	stream_release(s, &scene_child, &second);
	stream_exit(s, &scene_child, 0);
}

static inline void scene_play(struct stream *s)
{
	const struct actor *a = &scene_python;
	struct object second = scene_object(2, 11297824, 104857600);
	struct tt_counters counters = { 0 };

	stream_begin(s, a, 8);
	scene_allocate(s, a);
	scene_oddities(s, a);
	scene_child_frees(s);
	s->ts_ns += 9 * SECOND;
	stream_close(s, a, 8);
	stream_buffer(s, a, TT_RECORD_FREE_BEGIN, &second);
	stream_exit(s, a, 0);
	counters.hits[TT_PROBE_TRACK_ALLOCATE] = 6;
	stream_counters(s, &counters);
	assert_int_equal(ledger__finish(s->ledger, s->ts_ns), 0);
}

#endif
