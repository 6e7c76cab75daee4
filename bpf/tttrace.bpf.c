// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The programs of tttrace: adapters from a calling convention to a few verbs. One program serves
 * every probe of every library, so that one link per inode is enough; the cookie says which probe
 * was hit and with which layout its objects are to be read. Nothing is decided here: fields are
 * read, records are emitted, the user side keeps the ledger.
 *
 * Entry probes only. A return probe on a frame that a C++ exception passes kills the target, and
 * running out of memory throws through all of these frames.
 */
#include <vmlinux.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "tttrace_config.h"
#include "tttrace_record.h"

#include "maps.bpf.h"
#include "task.bpf.h"
#include "hit.bpf.h"
#include "registers.bpf.h"
#include "emit.bpf.h"
#include "scratch.bpf.h"
#include "read.bpf.h"
#include "process.bpf.h"
#include "introduce.bpf.h"
#include "space.bpf.h"
#include "circular.bpf.h"
#include "python.bpf.h"
#include "stack.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* What was read of a Buffer, on the stack. */
struct read {
	__u64 id;
	__u8 body[TT_BODY_SIZE]; /* aligned: see body_word() */
	__u32 faults;
};

static __always_inline void read_buffer(const struct tt_layout *layout, __u64 buffer,
					struct read *read)
{
	__u64 base = read_body_at(layout, buffer, read->body);

	read->faults = base ? 0 : TT_FAULT_OBJECT;
	if (!layout->field[TT_FIELD_UNIQUE_ID].len)
		read->id = 0;
	else if (read_id(layout, buffer, base, &read->id))
		read->faults |= TT_FAULT_UNIQUE_ID;
}

/* From now on the frees of this process have stacks: what was done makes odd ones of some. */
static __always_inline void expect_odd_frees(const struct hit *hit)
{
	if (knobs.stacks && !(hit->process->flags & TT_PROCESS_ODD_FREES))
		hit->process->flags |= TT_PROCESS_ODD_FREES;
}

static __always_inline void fill_buffer(struct tt_record_buffer *rec, __u64 buffer,
					const struct read *read)
{
	rec->buffer = buffer;
	rec->unique_id = read->id;
	rec->h.faults |= read->faults;
	__builtin_memcpy(rec->body, read->body, sizeof(rec->body));
}

/* track_allocate: the Buffer is complete. Its allocator is introduced first. */
static __noinline void on_alloc(const struct hit *hit, const struct tt_layout *layout, __u32 stack)
{
	__u64 buffer = hit->object;
	struct tt_record_buffer *rec;
	struct tt_space space = {};
	struct met met = {};
	__u32 state = TT_STATE_UNKNOWN;
	struct read read = {};

	read_buffer(layout, buffer, &read);
	if (!(read.faults & TT_FAULT_OBJECT)) {
		met.allocator = body_word(layout, TT_FIELD_ALLOCATOR, read.body);
		met.device = body_word(layout, TT_FIELD_DEVICE, read.body);
		met.type = body_half(layout, TT_FIELD_TYPE, read.body);
		if (met.allocator && met.device)
			state = introduce_allocator(hit, layout, &met);
	}
	if (knobs.lean && met.free_list)
		find_space(hit, layout, &met, read.body, &space);
	if (body_byte(layout, TT_FIELD_HOOKED, read.body) == 1)
		expect_odd_frees(hit); /* a capture suppresses those of other buffers as well */
	rec = emit_begin(hit, TT_RECORD_ALLOC, sizeof(*rec));
	if (!rec)
		return;
	fill_buffer(rec, buffer, &read);
	rec->space = space;
	rec->device_state = state;
	rec->stack = stack;
	emit_end(hit, rec, sizeof(*rec));
}

/*
 * Will somebody ask by what code? Not of the free of an allocation that went well, and that is all
 * but all of them. What cannot be told at this place is told by what was done before.
 */
static __always_inline bool may_be_odd(const struct hit *hit, const struct tt_layout *layout,
				       const struct read *read, __u32 state)
{
	__u32 status;

	if (hit->process->flags & (TT_PROCESS_ODD_FREES | TT_PROCESS_FORKED))
		return true;
	if (knobs.lean || read->faults & TT_FAULT_OBJECT)
		return false;
	status = body_byte(layout, TT_FIELD_STATUS, read->body);
	return state == TT_STATE_OPENING || status == TT_STATUS_REQUESTED ||
	       status == TT_STATUS_DEALLOCATED;
}

/* deallocate_impl: an attempt to free, which may come to nothing. Or, lean, one that has not. */
static __noinline void on_free_begin(const struct hit *hit, const struct tt_layout *layout,
				     __u16 kind)
{
	__u64 buffer = hit->object, device;
	__u32 state = TT_STATE_UNKNOWN;
	struct tt_record_buffer *rec;
	struct read read = {};
	__u32 stack = 0;

	read_buffer(layout, buffer, &read);
	if (kind == TT_RECORD_FREE_BEGIN && !(read.faults & TT_FAULT_OBJECT)) {
		device = body_word(layout, TT_FIELD_DEVICE, read.body);
		state = read_device_state(layout, device,
					  device_kind(layout, device, load_bias(hit)));
	}
	if (knobs.stacks && may_be_odd(hit, layout, &read, state))
		stack = take_stack(hit);
	rec = emit_begin(hit, kind, sizeof(*rec));
	if (!rec)
		return;
	fill_buffer(rec, buffer, &read);
	rec->device_state = state;
	rec->stack = stack;
	emit_end(hit, rec, sizeof(*rec));
}

static __noinline void on_step(const struct hit *hit, __u16 kind)
{
	struct tt_record_step *rec = emit_begin(hit, kind, sizeof(*rec));

	if (!rec)
		return;
	rec->object = hit->object;
	emit_end(hit, rec, sizeof(*rec));
}

/* deallocate_buffer: memory goes back to the allocator, the first argument. */
static __always_inline void on_free_done(const struct hit *hit, const struct tt_layout *layout)
{
	__u64 allocator = argument(hit, 0), buffer = hit->object;
	struct tt_record_step *rec;

	meet_allocator(hit, layout, allocator, buffer);
	if (knobs.lean)
		return on_free_begin(hit, layout, TT_RECORD_FREE);
	rec = emit_begin(hit, TT_RECORD_FREE_DONE, sizeof(*rec));
	if (!rec)
		return;
	rec->object = buffer;
	rec->allocator = allocator;
	emit_end(hit, rec, sizeof(*rec));
}

/* An allocator loses all its buffers at once. */
static __noinline void on_bulk(const struct hit *hit)
{
	struct tt_record_object *rec;
	__u64 object = hit->object;

	/* those that know that their memory has gone come to nothing before they are odd */
	if (hit->cookie.probe != TT_PROBE_ALLOCATOR_DESTROY)
		expect_odd_frees(hit);
	/* of one whose state is overridden the free lists may be others */
	if (hit->cookie.probe == TT_PROBE_ALLOCATOR_DESTROY ||
	    hit->cookie.probe == TT_PROBE_OVERRIDE_STATE)
		forget_allocator(hit, object);
	rec = emit_begin(hit, TT_RECORD_BULK, sizeof(*rec));
	if (!rec)
		return;
	rec->object = object;
	emit_end(hit, rec, sizeof(*rec));
}

/* FreeListOpt::allocate(size, …): the bytes in each bank, rounded as it is about to round them. */
static __noinline void on_space(const struct hit *hit, const struct tt_layout *layout)
{
	struct tt_record_space *rec = emit_begin(hit, TT_RECORD_SPACE, sizeof(*rec));
	__u64 least, align, bytes;
	struct free_list_head head = {};

	if (!rec)
		return;
	rec->free_list = hit->object;
	rec->asked = argument(hit, hit->cookie.arg + 1);
	read_head(layout, rec->free_list, &head);
	if (read_word(layout, TT_FIELD_FL_MIN, rec->free_list, &head, &least) ||
	    read_word(layout, TT_FIELD_FL_ALIGN, rec->free_list, &head, &align) || !align) {
		rec->h.faults |= TT_FAULT_SPACE;
	} else {
		bytes = rec->asked > least ? rec->asked : least;
		rec->per_bank = (bytes + align - 1) / align * align;
	}
	read_word(layout, TT_FIELD_FL_SIZE, rec->free_list, &head, &rec->bank_size);
	emit_end(hit, rec, sizeof(*rec));
}

/* create(): only what no other probe would see, a size of 0 or an address that was given. */
static __noinline void on_create(const struct hit *hit, bool view)
{
	__u32 size_arg = hit->cookie.arg + (view ? 2 : 1);
	__u64 size = argument(hit, size_arg);
	struct tt_record_create *rec;

	if (view ? !knobs.emit_views : size != 0)
		return;
	rec = emit_begin(hit, view ? TT_RECORD_VIEW : TT_RECORD_ZERO_SIZE, sizeof(*rec));
	if (!rec)
		return;
	rec->device = hit->object;
	rec->address = view ? argument(hit, hit->cookie.arg + 1) : 0;
	rec->size = size;
	rec->page_size = argument(hit, size_arg + 1);
	rec->type = argument(hit, size_arg + 2);
	emit_end(hit, rec, sizeof(*rec));
}

/* Where create() knows that the size is 0; the object is the body of the Buffer. */
static __noinline void on_create_empty(const struct hit *hit, const struct tt_layout *layout)
{
	__u8 body[TT_BODY_SIZE] = {};
	struct tt_record_create *rec;

	bpf_probe_read_user(body, sizeof(body), (void *)(hit->object + layout->body_start));
	rec = emit_begin(hit, TT_RECORD_ZERO_SIZE, sizeof(*rec));
	if (!rec)
		return;
	rec->device = body_word(layout, TT_FIELD_DEVICE, body);
	rec->page_size = body_word(layout, TT_FIELD_PAGE_SIZE, body);
	rec->type = body_half(layout, TT_FIELD_TYPE, body);
	emit_end(hit, rec, sizeof(*rec));
}

static __noinline void on_device(const struct hit *hit, const struct tt_layout *layout)
{
	struct tt_record_device *rec = emit_begin(hit, TT_RECORD_DEVICE, sizeof(*rec));

	if (!rec)
		return;
	rec->device.object = hit->object;
	rec->h.faults |= read_device(layout, &rec->device, load_bias(hit));
	emit_end(hit, rec, sizeof(*rec));
}

static __always_inline void dispatch(const struct hit *hit, const struct tt_layout *layout)
{
	switch (hit->cookie.probe) {
	case TT_PROBE_TRACK_ALLOCATE:
		/* not there: what both have on their stacks is too much for kernels before 6.13 */
		return on_alloc(hit, layout, knobs.stacks ? take_stack(hit) : 0);
	case TT_PROBE_DEALLOCATE_IMPL:
		return on_free_begin(hit, layout, TT_RECORD_FREE_BEGIN);
	case TT_PROBE_TRACK_DEALLOCATE:
		return on_step(hit, TT_RECORD_FREE_TRACKED);
	case TT_PROBE_DEALLOCATE_BUFFER:
		return on_free_done(hit, layout);
	case TT_PROBE_FREE_LIST_ALLOCATE:
		return on_space(hit, layout);
	case TT_PROBE_BUFFER_CREATE:
		return on_create(hit, false);
	case TT_PROBE_CREATE_EMPTY:
		return on_create_empty(hit, layout);
	case TT_PROBE_BUFFER_CREATE_AT:
		return on_create(hit, true);
	case TT_PROBE_DEALLOCATE_BUFFERS:
	case TT_PROBE_CLEAR:
	case TT_PROBE_OVERRIDE_STATE:
	case TT_PROBE_ALLOCATOR_DESTROY:
		return on_bulk(hit);
	case TT_PROBE_DEVICE_OPEN:
	case TT_PROBE_DEVICE_CLOSE:
	case TT_PROBE_MESH_OPEN:
	case TT_PROBE_MESH_CLOSE:
	case TT_PROBE_MESH_CLOSING:
		return on_device(hit, layout);
	case TT_PROBE_TRACK_ALLOCATE_CB:
		return on_circular(hit, layout);
	case TT_PROBE_MARK_ADDRESS:
		return on_mark(hit, layout);
	case TT_PROBE_TRACK_DEALLOCATE_CB:
	case TT_PROBE_REGISTER_PROGRAM:
	case TT_PROBE_PLACE_DATAFLOW:
		return on_program(hit, layout);
	}
}

SEC("uprobe.multi")
int on_probe(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);
	struct hit hit = {
		.ip = PT_REGS_IP(ctx),
		.regs = ctx,
		.sp = LOAD_REGISTER(ctx, sp),
	};
	struct tt_layout *layout;
	__u32 index;

	if (!active)
		return decline(ctx, no_uprobe_programs);
	__builtin_memcpy(&hit.cookie, &cookie, sizeof(hit.cookie));
	hit.object = hit.cookie.arg < TT_ARG_REGISTER
			     ? argument(&hit, hit.cookie.arg)
			     : read_register(ctx, hit.cookie.arg - TT_ARG_REGISTER);
	if (enter_process(&hit))
		return 0;
	count_hit(hit.cookie.probe);
	index = hit.cookie.layout;
	layout = bpf_map_lookup_elem(&layouts, &index);
	if (layout)
		dispatch(&hit, layout);
	return 0;
}

SEC("raw_tp/sched_process_fork")
int on_sched_fork(struct bpf_raw_tracepoint_args *ctx)
{
	if (!active)
		return decline(ctx, no_tracepoint_programs);
	on_fork((struct task_struct *)ctx->args[0], (struct task_struct *)ctx->args[1]);
	return 0;
}

SEC("raw_tp/sched_process_exec")
int on_sched_exec(struct bpf_raw_tracepoint_args *ctx)
{
	if (!active)
		return decline(ctx, no_tracepoint_programs);
	on_exec((struct task_struct *)ctx->args[0]);
	return 0;
}

SEC("raw_tp/sched_process_exit")
int on_sched_exit(struct bpf_raw_tracepoint_args *ctx)
{
	if (!active)
		return decline(ctx, no_tracepoint_programs);
	on_exit((struct task_struct *)ctx->args[0]);
	return 0;
}

SEC("raw_tp/task_rename")
int on_task_rename(struct bpf_raw_tracepoint_args *ctx)
{
	if (!active)
		return decline(ctx, no_tracepoint_programs);
	on_rename((struct task_struct *)ctx->args[0], (const char *)ctx->args[1]);
	return 0;
}
