/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* For tests of what stacks are good for: a stream that tells of some, and buffers that have them.
 */
#ifndef TTTRACE_TEST_STACKED_H
#define TTTRACE_TEST_STACKED_H

#include "stream.h"

static const struct actor python = { 100, 100, 5, 0 };

enum {
	STACKED_FRAMES = 64,
	STACKED_TEXT = 512,
	/* the stacks of stacked_begin() */
	BY_ADD = 1,    /* ttnn::add from forward, model.py:8 */
	BY_MATMUL = 2, /* ttnn::matmul from forward, model.py:9 */
	BY_BINARY = 3, /* what holds the kernels of ttnn::add */
	BY_MAIN = 4,   /* no operation, cut */
	BY_CACHED = 5, /* what a program of ttnn::add keeps in the cache */
};

/* @line: of a function in Python; 0: it is machine code. */
static inline void tell_frame(struct stream *s, __u32 number, const char *function,
			      const char *image, __u32 line)
{
	struct {
		struct tt_record_frame rec;
		char text[STACKED_TEXT];
	} told = { .rec = { .h = { .kind = TT_RECORD_FRAME, .probe = TT_PROBE_COUNT },
			    .frame = number,
			    .line = line,
			    .vaddr = 0x1000 + number,
			    .offset = number,
			    .function_len = strlen(function),
			    .image_len = strlen(image) } };

	memcpy(told.rec.text, function, told.rec.function_len);
	memcpy(told.rec.text + told.rec.function_len, image, told.rec.image_len);
	stream_apply(s, &told, sizeof(told.rec) + told.rec.function_len + told.rec.image_len);
}

static inline void tell_stack(struct stream *s, __u32 number, enum tt_stack_end end, __u32 num,
			      const __u32 *frames)
{
	struct {
		struct tt_record_stack rec;
		__u32 frames[STACKED_FRAMES];
	} told = { .rec = { .h = { .kind = TT_RECORD_STACK, .probe = TT_PROBE_COUNT },
			    .stack = number,
			    .end = end,
			    .num_frames = num } };

	memcpy(told.rec.frames, frames, num * sizeof(*frames));
	stream_apply(s, &told, sizeof(told.rec) + num * sizeof(*frames));
}

static inline void tell_taken(struct stream *s, __u32 ticket, __u32 number)
{
	struct tt_record_stack_taken rec = {
		.h = stream_header(s, &python, TT_RECORD_STACK_TAKEN, TT_PROBE_TRACK_ALLOCATE),
		.ticket = ticket,
		.stack = number,
	};

	stream_apply(s, &rec, sizeof(rec));
}

/* The allocation of @o by @stack. */
static inline void alloc_object(struct stream *s, const struct object *o, __u32 stack)
{
	struct tt_record_buffer rec;

	stream_space(s, &python, stream_per_bank(o));
	rec = stream_buffer_record(
		stream_header(s, &python, TT_RECORD_ALLOC, TT_PROBE_TRACK_ALLOCATE), o);
	rec.stack = stack;
	stream_apply(s, &rec, sizeof(rec));
	assert_int_equal(s->err, 0);
}

/* 12 KiB of DRAM at @pointer. */
static inline struct object alloc_by(struct stream *s, __u64 pointer, __u32 stack)
{
	struct object o = stream_object(pointer, pointer, 12 * 1024);

	alloc_object(s, &o, stack);
	return o;
}

/* The attempt to free @o by @stack. */
static inline void free_by(struct stream *s, const struct object *o, __u32 stack)
{
	struct tt_record_buffer rec = stream_buffer_record(
		stream_header(s, &python, TT_RECORD_FREE_BEGIN, TT_PROBE_DEALLOCATE_IMPL), o);

	rec.stack = stack;
	stream_apply(s, &rec, sizeof(rec));
	assert_int_equal(s->err, 0);
}

static inline void stacked_library(struct stream *s)
{
	struct tt_record_library library = {
		.h = { .kind = TT_RECORD_LIBRARY, .probe = TT_PROBE_COUNT },
		.probes_wanted = 20,
		.probes_attached = 20,
		.stacks = 1,
		.map = stream_layout(),
		.path = "/venv/lib/libtt_metal.so",
	};

	stream_apply(s, &library, sizeof(library));
}

/* A process with a mesh on @num_chips chips. */
static inline void stacked_begin(struct stream *s, __u32 num_chips)
{
	stacked_library(s);
	stream_begin(s, &python, num_chips);
	tell_frame(s, 0, "tt::tt_metal::GraphTracker::track_allocate", "/lib/libtt_metal.so", 0);
	tell_frame(s, 1, "tt::tt_metal::tensor_impl::allocate_device_buffer", "/lib/libtt_metal.so",
		   0);
	tell_frame(s, 2, "ttnn::add", "/lib/_ttnncpp.so", 0);
	tell_frame(s, 3, "ttnn::matmul", "/lib/_ttnncpp.so", 0);
	tell_frame(s, 4, "forward", "/home/me/model.py", 8);
	tell_frame(s, 5, "forward", "/home/me/model.py", 9);
	tell_frame(s, 6, "main", "/home/me/model.py", 20);
	tell_frame(s, 7, "_start", "/usr/bin/python3", 0);
	tell_frame(s, 8, "tt::tt_metal::distributed::MeshWorkloadImpl::load_binaries",
		   "/lib/libtt_metal.so", 0);
	tell_frame(s, 9, "FastOperation.__call__", "/venv/ttnn/decorators.py", 650);
	tell_frame(s, 10, "ttnn::prim::AddFactory<int>::create", "/lib/_ttnncpp.so", 0);
	tell_frame(s, 11,
		   "ttnn::device_operation::detail::create_and_cache_mesh_workload<ttnn::Add>(int)",
		   "/lib/_ttnncpp.so", 0);
	tell_stack(s, BY_ADD, TT_STACK_COMPLETE, 7, (const __u32[]){ 0, 1, 2, 9, 4, 6, 7 });
	tell_stack(s, BY_MATMUL, TT_STACK_COMPLETE, 7, (const __u32[]){ 0, 1, 3, 9, 5, 6, 7 });
	tell_stack(s, BY_BINARY, TT_STACK_COMPLETE, 7, (const __u32[]){ 0, 8, 2, 9, 4, 6, 7 });
	tell_stack(s, BY_MAIN, TT_STACK_CUT, 2, (const __u32[]){ 0, 7 });
	tell_stack(s, BY_CACHED, TT_STACK_COMPLETE, 9,
		   (const __u32[]){ 0, 1, 10, 11, 2, 9, 4, 6, 7 });
	assert_int_equal(s->err, 0);
}

#endif
