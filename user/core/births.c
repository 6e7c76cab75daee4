// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Allocations: where buffers come into the ledger. */
#include <errno.h>
#include <string.h>

#include "core/ledger_impl.h"
#include "core/origin.h"
#include "core/orphans.h"

int ledger__take_space(struct ledger *ledger, const struct hit *hit)
{
	const struct tt_record_space *rec = (const void *)hit->h;
	struct thread *thread;
	int err;

	(void)ledger;
	err = process__thread(hit->process, hit->h->tid, &thread);
	if (err)
		return err;
	thread->space.count++;
	thread->space.epoch = loss_process__epoch_at(&hit->process->loss, hit->h);
	thread->space.asked = rec->asked;
	thread->space.per_bank = hit->h->faults & TT_FAULT_SPACE ? 0 : rec->per_bank;
	thread->space.bank_size = rec->bank_size;
	return 0;
}

/* The allocator of a buffer; if it was never introduced, one of which nothing is known. */
static int find_allocator(struct ledger *ledger, struct process *process, const struct body *body,
			  __u64 ts_ns, struct allocator **ret_allocator)
{
	struct allocator *allocator;
	struct device *device;
	int err;

	allocator = allocator__find(process, body->allocator, body->device);
	if (!allocator) {
		err = device__meet_object(process, &ledger->buffers, body->device, ts_ns, &device);
		if (err)
			return err;
		err = ledger__new_allocator(ledger, device, body->allocator, &allocator);
		if (err)
			return err;
	}
	*ret_allocator = allocator;
	return 0;
}

/*
 * A free that gave nothing back and was not seen, as in lean mode none is, nor one from before the
 * attach: a Buffer is gone, and its memory is not. Who has freed it, and when, is not known.
 */
static void keep_suppressed(struct ledger *ledger, const struct hit *hit, __u32 nr)
{
	struct buffer *buffer = buffers__at(&ledger->buffers, nr);

	ledger__emit_unseen_free(
		ledger, hit, buffer, CLASS_SUPPRESSED,
		"a graph capture suppressed it, at some time before: another buffer has taken its "
		"place, the memory stays occupied until the device is closed");
	buffer->flags |= BUFFER_SUPPRESSED;
	ledger__unindex(ledger, hit->process, nr);
}

/* Was @buffer, which a census has found, there before that of @rec, and not only after it? */
static bool is_older(const struct buffer *buffer, const struct tt_record_buffer *rec)
{
	return buffer->flags & BUFFER_HAS_ID && buffer->id < rec->unique_id;
}

/* A new Buffer, that of @rec: what we had in its place is over. */
static void clear_place(struct ledger *ledger, const struct hit *hit,
			const struct tt_record_buffer *rec, bool is_lean)
{
	struct process *process = hit->process;
	__u32 nr = buffer_index__find(&process->by_pointer, rec->buffer);
	struct buffer *buffer;
	bool lost;

	if (nr == BUFFER_NONE)
		return;
	buffer = buffers__at(&ledger->buffers, nr);
	if (buffer->state == BUFFER_ENDED)
		return ledger__forget(ledger, process, nr);
	if (buffer->flags & BUFFER_UNTOLD && !is_older(buffer, rec))
		return ledger__drop_found(ledger, nr);
	ledger__tell_found(ledger, hit->h->ts_ns, hit->h->tid, nr);
	/* a suppressed free: the Buffer is gone, its memory is not */
	if (buffer->flags & BUFFER_SUPPRESSED)
		return ledger__unindex(ledger, process, nr);
	if (!ledger__allocator_of(ledger, buffer)->device->closed) {
		lost = loss__may_hide_free(&ledger->loss, &process->loss, buffer->alloc_ts_ns);
		if ((is_lean || buffer->flags & BUFFER_UNSEEN) && !lost)
			return keep_suppressed(ledger, hit, nr);
		if (lost)
			ledger->stats.reused_lost++;
		else
			ledger->stats.reused_live++;
	}
	ledger__end(ledger, process, nr);
}

void ledger__measure(struct allocator *allocator, struct buffer *buffer,
		     const struct space_note *space)
{
	__u64 footprint;

	if (!space->count || !space->per_bank || buffer->kind == KIND_HOOKED)
		return;
	if (buffer->type >= TT_TYPE_COUNT || !allocator->num_banks[buffer->type])
		return;
	if (__builtin_mul_overflow(space->per_bank, allocator->num_banks[buffer->type], &footprint))
		return;
	if (footprint < buffer->size)
		return; /* not the request of this buffer */
	buffer->footprint = footprint;
	buffer->flags |= BUFFER_HAS_FOOTPRINT;
	allocator__resize(allocator, buffer->type, space->bank_size);
}

static void fill_buffer(struct buffer *buffer, const struct tt_record_buffer *rec,
			const struct body *body, const struct library_info *info)
{
	buffer->pointer = rec->buffer;
	buffer->size = body->size;
	buffer->address = body->address;
	buffer->page_size = body->page_size > ~0u ? ~0u : body->page_size;
	buffer->type = body->type;
	buffer->layout = body->layout;
	buffer->kind = classify__buffer(body, rec->device_state);
	buffer->alloc_ts_ns = rec->h.ts_ns;
	if (info->has_id && !(rec->h.faults & TT_FAULT_UNIQUE_ID)) {
		buffer->id = rec->unique_id;
		buffer->flags |= BUFFER_HAS_ID;
	}
	if (body__has(body, TT_FIELD_ADDRESS))
		buffer->flags |= BUFFER_HAS_ADDRESS;
}

/* What a program in the cache holds is the runtime's own. */
static enum buffer_kind kind_by_stack(const struct ledger *ledger, const struct buffer *buffer)
{
	const struct event_stack *stack = stacks__find(&ledger->stacks, buffer->stack);

	if (buffer->kind == KIND_OWNING && owner__of(buffer->type, stack) == OWNER_PROGRAM_CACHE)
		return KIND_SYSTEM;
	return buffer->kind;
}

static void note_first_id(struct process *process, const struct buffer *buffer)
{
	if (!(buffer->flags & BUFFER_HAS_ID))
		return;
	if (!process->has_first_id || buffer->id < process->first_id)
		process->first_id = buffer->id;
	process->has_first_id = true;
}

static void count_alloc(struct ledger *ledger, struct device *device, __u32 nr)
{
	const struct buffer *buffer = buffers__at(&ledger->buffers, nr);
	bool has_memory = buffer->kind == KIND_OWNING || buffer->kind == KIND_SYSTEM;
	struct process *process = device->process;

	process->allocs[buffer->kind]++;
	device__count_alloc(device, buffer, nr);
	if (has_memory && !(buffer->flags & BUFFER_HAS_FOOTPRINT)) {
		process->footprint_unknown++;
		ledger->stats.footprint_unknown++;
	}
}

int ledger__enter_buffer(struct ledger *ledger, struct allocator *allocator, __u32 nr,
			 bool has_stacks)
{
	struct buffer *buffer = buffers__at(&ledger->buffers, nr);
	struct process *process = allocator->device->process;
	int err;

	if (has_stacks && buffer->kind != KIND_HOOKED) {
		err = sites__meet(&allocator->device->sites, buffer->stack, buffer->type);
		if (err)
			return err;
	}
	err = buffer->pointer ? buffer_index__put(&process->by_pointer, buffer->pointer, nr) : 0;
	if (err)
		return err;
	if (buffer->kind != KIND_HOOKED) {
		allocator__occupy(allocator, &ledger->buffers, nr);
		device__add(allocator, &ledger->buffers, buffer);
		buffer->flags |= BUFFER_COUNTED;
	}
	buffer->flags |= buffer->pointer ? BUFFER_INDEXED : 0;
	buffer->state = BUFFER_LIVE;
	buffer->allocator = allocator->number;
	buffer_list__append(&allocator->live, &ledger->buffers, nr);
	count_alloc(ledger, allocator->device, nr);
	return 0;
}

void ledger__emit_alloc(struct ledger *ledger, const struct buffer *buffer, __u64 ts_ns, __u32 tid,
			enum free_class class, const char *why)
{
	const struct device *device = ledger__allocator_of(ledger, buffer)->device;
	struct event_buffer described;
	struct event ev = {
		.kind = EVENT_ALLOC,
		.ts_ns = ts_ns,
		.tid = tid,
		.process = &device->process->pub,
		.device = &device->pub,
		.buffer = &described,
		.class = class,
		.why = why,
	};

	ledger__describe(ledger, buffer, &described);
	ledger__emit(ledger, &ev);
}

int ledger__add_buffer(struct ledger *ledger, const struct hit *hit,
		       const struct tt_record_buffer *rec, const struct library_info *info,
		       const struct space_note *space, __u32 stack, __u32 *ret_nr)
{
	struct allocator *allocator;
	struct buffer *buffer;
	struct body body;
	__u32 nr;
	int err;

	body__decode(&info->map, rec, &body);
	err = find_allocator(ledger, hit->process, &body, hit->h->ts_ns, &allocator);
	if (err)
		return err;
	orphans__yield(ledger, hit, allocator, &body);
	err = buffers__take(&ledger->buffers, &nr);
	if (err)
		return err;
	buffer = buffers__at(&ledger->buffers, nr);
	fill_buffer(buffer, rec, &body, info);
	buffer->stack = stack;
	if (hit->h->kind == TT_RECORD_CENSUS_BUFFER)
		buffer->flags |= BUFFER_UNSEEN;
	buffer->kind = kind_by_stack(ledger, buffer);
	ledger__measure(allocator, buffer, space);
	err = ledger__enter_buffer(ledger, allocator, nr, info->has_stacks);
	if (err) {
		buffers__release(&ledger->buffers, nr);
		return err;
	}
	*ret_nr = nr;
	return 0;
}

/* The buffer of @rec if a census that was taken while that was on its way has found it, or none. */
static __u32 find_found(const struct ledger *ledger, const struct process *process,
			const struct tt_record_buffer *rec)
{
	__u32 nr = buffer_index__find(&process->by_pointer, rec->buffer);
	const struct buffer *buffer;

	if (nr == BUFFER_NONE)
		return BUFFER_NONE;
	buffer = buffers__at(&ledger->buffers, nr);
	if (buffer->state != BUFFER_LIVE || !(buffer->flags & BUFFER_UNSEEN))
		return BUFFER_NONE;
	return buffer->flags & BUFFER_HAS_ID && buffer->id != rec->unique_id ? BUFFER_NONE : nr;
}

/* One that is counted: what allocated it has become known. */
static void change_kind(struct ledger *ledger, struct buffer *buffer)
{
	struct device *device = ledger__allocator_of(ledger, buffer)->device;
	enum buffer_kind kind = kind_by_stack(ledger, buffer);

	if (kind == buffer->kind)
		return;
	device->process->allocs[buffer->kind]--;
	device->process->allocs[kind]++;
	device__change_kind(device, buffer, kind);
}

static int explain_found(struct ledger *ledger, const struct tt_record_buffer *rec, __u32 nr,
			 __u32 stack)
{
	struct buffer *buffer = buffers__at(&ledger->buffers, nr);
	struct allocator *allocator = ledger__allocator_of(ledger, buffer);
	struct sites *sites = &allocator->device->sites;
	bool counted = buffer->flags & BUFFER_COUNTED;
	int err = stack ? sites__meet(sites, stack, buffer->type) : 0;

	if (err)
		return err;
	if (counted) { /* a map of the banks has its kind and its age */
		allocator__vacate(allocator, &ledger->buffers, nr);
		buffer_list__remove(&allocator->live, &ledger->buffers, nr);
	}
	sites__explain(sites, buffer, stack);
	change_kind(ledger, buffer);
	buffer->flags &= ~BUFFER_UNSEEN;
	buffer->alloc_ts_ns = rec->h.ts_ns;
	if (counted) {
		allocator__occupy(allocator, &ledger->buffers, nr);
		buffer_list__append(&allocator->live, &ledger->buffers, nr);
	}
	if (buffer->flags & BUFFER_UNTOLD) {
		buffer->flags &= ~BUFFER_UNTOLD;
		ledger__emit_alloc(ledger, buffer, rec->h.ts_ns, rec->h.tid, CLASS_MATCHED, NULL);
	}
	return 0;
}

/* What it occupies follows from the last request to a free list on its thread, or was looked up. */
static struct space_note take_note(const struct hit *hit, const struct tt_record_buffer *rec,
				   struct thread *thread)
{
	struct space_note space = thread->space;

	/* it may be of an allocation that was lost, and that of this one lost as well */
	if (space.epoch != hit->process->loss.epoch)
		space.count = 0;
	thread->space.count = 0;
	if (rec->space.per_bank) {
		space.count = 1;
		space.per_bank = rec->space.per_bank;
		space.bank_size = rec->space.bank_size;
	}
	return space;
}

int ledger__take_stack_taken(struct ledger *ledger, const struct hit *hit)
{
	const struct tt_record_stack_taken *rec = (const void *)hit->h;
	struct thread *thread;
	int err = process__thread(hit->process, hit->h->tid, &thread);

	(void)ledger;
	if (err)
		return err;
	thread->stack_ticket = rec->ticket;
	thread->stack = rec->stack;
	return 0;
}

__u32 ledger__take_stack(struct ledger *ledger, const struct thread *thread, __u32 named)
{
	const struct event_stack *stack;
	__u32 number = named;

	if (named & TT_STACK_TICKET)
		number = named == thread->stack_ticket ? thread->stack : 0;
	stack = stacks__find(&ledger->stacks, number);
	if (!stack)
		ledger->stats.stacks_missing++;
	else
		ledger->stats.stacks[stack->end]++;
	return stack ? number : 0;
}

static bool is_hooked(const struct library_info *info, const struct tt_record_buffer *rec)
{
	struct body body;

	body__decode(&info->map, rec, &body);
	return body.hooked;
}

int ledger__take_alloc(struct ledger *ledger, const struct hit *hit)
{
	const struct tt_record_buffer *rec = (const void *)hit->h;
	const struct library_info *info;
	struct thread *thread;
	struct space_note space;
	__u32 nr, stack;
	int err;

	err = ledger__look_up(ledger, hit, &info, &thread);
	if (err)
		return err;
	space = take_note(hit, rec, thread);
	stack = info->has_stacks ? ledger__take_stack(ledger, thread, rec->stack) : 0;
	nr = find_found(ledger, hit->process, rec);
	if (nr != BUFFER_NONE)
		return explain_found(ledger, rec, nr, stack);
	clear_place(ledger, hit, rec, info->is_lean);
	if (info->is_lean && is_hooked(info, rec))
		return 0; /* its free would not be seen */
	err = ledger__add_buffer(ledger, hit, rec, info, &space, stack, &nr);
	if (err)
		return err;
	note_first_id(hit->process, buffers__at(&ledger->buffers, nr));
	ledger__emit_alloc(ledger, buffers__at(&ledger->buffers, nr), hit->h->ts_ns, hit->h->tid,
			   CLASS_MATCHED, NULL);
	return 0;
}

/* A create() that allocates nothing: of size 0, or at a given address. */
int ledger__take_create(struct ledger *ledger, const struct hit *hit)
{
	const struct tt_record_create *rec = (const void *)hit->h;
	bool view = hit->h->kind == TT_RECORD_VIEW;
	struct device *device = device__find(hit->process, rec->device);
	struct event_buffer created = {
		.address = rec->address,
		.has_address = view,
		.size = rec->size,
		.type = rec->type < TT_TYPE_COUNT ? rec->type : TT_TYPE_COUNT,
		.layout = TT_LAYOUT_COUNT,
		.page_size = rec->page_size,
		.kind = view ? KIND_VIEW : KIND_ZERO_SIZE,
		.alloc_ts_ns = hit->h->ts_ns,
	};
	struct event ev = {
		.kind = EVENT_ALLOC,
		.ts_ns = hit->h->ts_ns,
		.tid = hit->h->tid,
		.process = &hit->process->pub,
		.device = device ? &device->pub : NULL,
		.buffer = &created,
	};

	ledger__expect_known(ledger, hit->process, rec->device);
	hit->process->allocs[created.kind]++;
	if (device)
		device->allocs[created.kind]++;
	ledger__emit(ledger, &ev);
	return 0;
}
