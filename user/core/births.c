// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Allocators and allocations: where buffers come into the ledger. */
#include <errno.h>
#include <string.h>

#include "core/ledger_impl.h"

/* The device behind @rec is another one than the one that we knew at its address. */
static void replace_device(struct ledger *ledger, struct device *old, const struct tt_record *h)
{
	struct allocator *allocator, *next;
	__u64 buffers, bytes;

	ledger__judge_device(
		ledger, old, h->ts_ns, h->tid,
		"live when its device was replaced by another; its closing was not seen");
	old->closed = true;
	old->close_ts_ns = h->ts_ns;
	for (allocator = TAILQ_FIRST(&old->process->all_allocators); allocator; allocator = next) {
		next = TAILQ_NEXT(allocator, entry);
		if (allocator->device != old)
			continue;
		ledger__end_all(ledger, old->process, allocator, ENDING_NONE, &buffers, &bytes);
		allocator__kill(&ledger->allocators, allocator);
	}
}

int ledger__meet_device(struct ledger *ledger, const struct hit *hit, const struct tt_device *seen,
			struct device **ret_device)
{
	struct device *old, *device;
	int err;

	err = device__meet(hit->process, seen, hit->h->faults, hit->h->ts_ns, &old, &device);
	if (err)
		return err;
	if (old)
		replace_device(ledger, old, hit->h);
	*ret_device = device;
	return 0;
}

/* A number of banks can be filled in only while nothing was measured with it. */
static void fill_banks(struct allocator *allocator, const struct tt_record_allocator *rec)
{
	for (int i = 0; i < TT_TYPE_COUNT; i++) {
		if (!allocator->num_banks[i])
			allocator->num_banks[i] = rec->num_banks[i];
		if (!allocator->bank_size[i])
			allocator->bank_size[i] = rec->bank_size[i];
	}
}

int ledger__take_allocator(struct ledger *ledger, const struct hit *hit)
{
	const struct tt_record_allocator *rec = (const void *)hit->h;
	struct allocator *allocator;
	struct device *device;
	__u64 buffers, bytes;
	int err;

	err = ledger__meet_device(ledger, hit, &rec->device, &device);
	if (err)
		return err;
	ledger__expect_opened(ledger, hit->process, device);
	allocator = allocator__find(hit->process, rec->allocator, rec->device.object);
	if (allocator && allocator->device != device) {
		ledger__end_all(ledger, hit->process, allocator, ENDING_NONE, &buffers, &bytes);
		allocator__kill(&ledger->allocators, allocator);
		allocator = NULL;
	}
	if (!allocator) {
		err = allocator__new(&ledger->allocators, device, rec->allocator, &allocator);
		if (err)
			return err;
	}
	fill_banks(allocator, rec);
	return 0;
}

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
	thread->space.asked = rec->asked;
	thread->space.per_bank = hit->h->faults & TT_FAULT_SPACE ? 0 : rec->per_bank;
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
		err = device__meet_object(process, body->device, ts_ns, &device);
		if (err)
			return err;
		err = allocator__new(&ledger->allocators, device, body->allocator, &allocator);
		if (err)
			return err;
	}
	*ret_allocator = allocator;
	return 0;
}

/* A new Buffer at @pointer: what we had there is over. */
static void clear_place(struct ledger *ledger, struct process *process, __u64 pointer)
{
	__u32 nr = buffer_index__find(&process->by_pointer, pointer);
	struct buffer *buffer;

	if (nr == BUFFER_NONE)
		return;
	buffer = buffers__at(&ledger->buffers, nr);
	if (buffer->state == BUFFER_ENDED)
		return ledger__forget(ledger, process, nr);
	/* a suppressed free: the Buffer is gone, its memory is not */
	if (buffer->flags & BUFFER_SUPPRESSED)
		return ledger__unindex(ledger, process, nr);
	if (!ledger__allocator_of(ledger, buffer)->device->closed) {
		if (loss__may_hide_free(&ledger->loss, buffer->alloc_ts_ns))
			ledger->stats.reused_lost++;
		else
			ledger->stats.reused_live++;
	}
	ledger__end(ledger, process, nr);
}

/* What it occupies, from the last request to a free list on this thread. */
static void measure(const struct thread *thread, const struct allocator *allocator,
		    struct buffer *buffer)
{
	const struct space_note *space = &thread->space;
	__u64 footprint;

	if (!space->count || !space->per_bank)
		return;
	if (buffer->type >= TT_TYPE_COUNT || !allocator->num_banks[buffer->type])
		return;
	if (__builtin_mul_overflow(space->per_bank, allocator->num_banks[buffer->type], &footprint))
		return;
	if (footprint < buffer->size)
		return; /* not the request of this buffer */
	buffer->footprint = footprint;
	buffer->flags |= BUFFER_HAS_FOOTPRINT;
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

static void note_first_id(struct process *process, const struct buffer *buffer)
{
	if (!(buffer->flags & BUFFER_HAS_ID))
		return;
	if (!process->has_first_id || buffer->id < process->first_id)
		process->first_id = buffer->id;
	process->has_first_id = true;
}

static void count_alloc(struct ledger *ledger, struct process *process, struct device *device,
			const struct buffer *buffer)
{
	bool has_memory = buffer->kind == KIND_OWNING || buffer->kind == KIND_SYSTEM;

	process->allocs[buffer->kind]++;
	device->allocs[buffer->kind]++;
	device->live[buffer->kind]++;
	if (has_memory && !(buffer->flags & BUFFER_HAS_FOOTPRINT)) {
		process->footprint_unknown++;
		ledger->stats.footprint_unknown++;
	}
}

/* Enters @nr, filled, into index, list and totals. Returns 0 or -ENOMEM: then nothing is. */
static int enter_buffer(struct ledger *ledger, struct allocator *allocator, __u32 nr)
{
	struct buffer *buffer = buffers__at(&ledger->buffers, nr);
	struct process *process = allocator->device->process;
	int err;

	err = buffer_index__put(&process->by_pointer, buffer->pointer, nr);
	if (err)
		return err;
	if (buffer->kind != KIND_HOOKED) {
		err = allocator__occupy(allocator, buffer, nr);
		if (err) {
			buffer_index__remove(&process->by_pointer, buffer->pointer);
			return err;
		}
		device__add(allocator->device, buffer);
		buffer->flags |= BUFFER_COUNTED;
	}
	buffer->flags |= BUFFER_INDEXED;
	buffer->state = BUFFER_LIVE;
	buffer->allocator = allocator->number;
	buffer_list__append(&allocator->live, &ledger->buffers, nr);
	count_alloc(ledger, process, allocator->device, buffer);
	return 0;
}

static void emit_alloc(struct ledger *ledger, const struct hit *hit, const struct device *device,
		       const struct buffer *buffer)
{
	struct event_buffer described;
	struct event ev = {
		.kind = EVENT_ALLOC,
		.ts_ns = hit->h->ts_ns,
		.tid = hit->h->tid,
		.process = &hit->process->pub,
		.device = &device->pub,
		.buffer = &described,
	};

	ledger__describe(ledger, buffer, &described);
	ledger__emit(ledger, &ev);
}

int ledger__take_alloc(struct ledger *ledger, const struct hit *hit)
{
	const struct tt_record_buffer *rec = (const void *)hit->h;
	const struct library_info *info = libraries__find(&ledger->libraries, hit->h->layout);
	struct allocator *allocator;
	struct thread *thread;
	struct buffer *buffer;
	struct body body;
	__u32 nr;
	int err;

	if (!info)
		return -EBADMSG;
	body__decode(&info->map, rec, &body);
	clear_place(ledger, hit->process, rec->buffer);
	err = process__thread(hit->process, hit->h->tid, &thread);
	if (err)
		return err;
	err = find_allocator(ledger, hit->process, &body, hit->h->ts_ns, &allocator);
	if (err)
		return err;
	err = buffers__take(&ledger->buffers, &nr);
	if (err)
		return err;
	buffer = buffers__at(&ledger->buffers, nr);
	fill_buffer(buffer, rec, &body, info);
	if (buffer->kind != KIND_HOOKED)
		measure(thread, allocator, buffer);
	thread->space.count = 0;
	err = enter_buffer(ledger, allocator, nr);
	if (err) {
		buffers__release(&ledger->buffers, nr);
		return err;
	}
	note_first_id(hit->process, buffer);
	emit_alloc(ledger, hit, allocator->device, buffer);
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
