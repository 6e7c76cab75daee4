// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Where buffers leave the ledger, one by one or in bulk. */
#include <string.h>

#include "core/origin.h"
#include "core/release.h"

void ledger__describe(const struct ledger *ledger, const struct buffer *buffer,
		      struct event_buffer *ret_buffer)
{
	const struct allocator *allocator = ledger__allocator_of(ledger, buffer);

	*ret_buffer = (struct event_buffer){
		.buffer = buffer->pointer,
		.id = buffer->id,
		.has_id = buffer->flags & BUFFER_HAS_ID,
		.allocator = allocator ? allocator->key.object : 0,
		.address = buffer->address,
		.has_address = buffer->flags & BUFFER_HAS_ADDRESS,
		.size = buffer->size,
		.footprint = buffer->footprint,
		.has_footprint = buffer->flags & BUFFER_HAS_FOOTPRINT,
		.num_banks = allocator && buffer->type < TT_TYPE_COUNT
				     ? allocator->num_banks[buffer->type]
				     : 0,
		.type = buffer->type,
		.layout = buffer->layout,
		.page_size = buffer->page_size,
		.kind = buffer->kind,
		.alloc_ts_ns = buffer->alloc_ts_ns,
		.is_older = buffer->flags & BUFFER_UNSEEN,
		.is_orphan = buffer->flags & BUFFER_ORPHAN,
		.stack = stacks__find(&ledger->stacks, buffer->stack),
	};
	ret_buffer->owner = owner__of_buffer(buffer, ret_buffer->stack);
}

void ledger__emit_unseen_free(struct ledger *ledger, const struct hit *hit,
			      const struct buffer *buffer, enum free_class class, const char *why)
{
	struct event_buffer described;
	struct event ev = {
		.kind = EVENT_FREE,
		.ts_ns = hit->h->ts_ns,
		.tid = hit->h->tid,
		.process = &hit->process->pub,
		.device = &ledger__allocator_of(ledger, buffer)->device->pub,
		.buffer = &described,
		.class = class,
		.why = why,
	};

	ledger__describe(ledger, buffer, &described);
	hit->process->frees[class]++;
	ledger__emit(ledger, &ev);
}

void ledger__uncount(struct ledger *ledger, __u32 nr)
{
	struct buffer *buffer = buffers__at(&ledger->buffers, nr);
	struct allocator *allocator = ledger__allocator_of(ledger, buffer);

	if (!(buffer->flags & BUFFER_COUNTED))
		return;
	allocator__vacate(allocator, &ledger->buffers, nr);
	device__sub(allocator, buffer);
	buffer->flags &= ~BUFFER_COUNTED;
}

void ledger__unindex(struct ledger *ledger, struct process *process, __u32 nr)
{
	struct buffer *buffer = buffers__at(&ledger->buffers, nr);

	if (!(buffer->flags & BUFFER_INDEXED))
		return;
	buffer_index__remove(&process->by_pointer, buffer->pointer);
	buffer->flags &= ~BUFFER_INDEXED;
}

static bool is_for_report(const struct buffer *buffer)
{
	return buffer->flags & (BUFFER_LEAKED | BUFFER_CUT_OFF | BUFFER_DOUBTFUL | BUFFER_HELD);
}

static struct allocator *leave_live(struct ledger *ledger, __u32 nr)
{
	struct buffer *buffer = buffers__at(&ledger->buffers, nr);
	struct allocator *allocator = ledger__allocator_of(ledger, buffer);

	ledger__uncount(ledger, nr);
	device__count_end(allocator->device, buffer, nr);
	buffer_list__remove(&allocator->live, &ledger->buffers, nr);
	if (buffer->flags & BUFFER_ORPHAN) {
		allocator->orphans--;
		if (!is_for_report(buffer))
			verdict_sum__sub(&allocator->device->orphans, buffer);
	}
	return allocator;
}

static void keep_for_report(struct ledger *ledger, struct device *device, __u32 nr)
{
	struct buffer *buffer = buffers__at(&ledger->buffers, nr);

	buffer->state = BUFFER_LEAK_ROW;
	buffer->allocator = BUFFER_NONE;
	buffer_list__append(&device->leaks, &ledger->buffers, nr);
}

void ledger__end(struct ledger *ledger, struct process *process, __u32 nr)
{
	struct allocator *allocator = leave_live(ledger, nr);

	ledger__unindex(ledger, process, nr);
	if (is_for_report(buffers__at(&ledger->buffers, nr)))
		keep_for_report(ledger, allocator->device, nr);
	else
		buffers__release(&ledger->buffers, nr);
	allocator__drop(&ledger->allocators, allocator);
}

void ledger__forget(struct ledger *ledger, struct process *process, __u32 nr)
{
	struct allocator *allocator =
		ledger__allocator_of(ledger, buffers__at(&ledger->buffers, nr));

	ledger__unindex(ledger, process, nr);
	buffer_list__remove(&process->ended, &ledger->buffers, nr);
	buffers__release(&ledger->buffers, nr);
	ledger->num_ended--;
	allocator->remembered--;
	allocator__drop(&ledger->allocators, allocator);
}

void ledger__forget_all(struct ledger *ledger, struct process *process)
{
	while (process->ended.count)
		ledger__forget(ledger, process, process->ended.head);
}

/* Makes room for one more remembered buffer. Returns false if there is none to be made. */
static bool make_room(struct ledger *ledger, struct process *process)
{
	if (ledger->num_ended < ENDED_MAX)
		return true;
	process->forgotten++;
	ledger->stats.forgotten++;
	if (!process->ended.count)
		return false;
	ledger__forget(ledger, process, process->ended.head);
	return true;
}

void ledger__remember(struct ledger *ledger, struct process *process, __u32 nr,
		      enum buffer_ending ending)
{
	struct buffer *buffer = buffers__at(&ledger->buffers, nr);
	struct allocator *allocator;

	/* one that its pointer does not reach any more gets no free; a leak is kept anyway */
	if (!(buffer->flags & BUFFER_INDEXED) || is_for_report(buffer) ||
	    !make_room(ledger, process))
		return ledger__end(ledger, process, nr);
	buffer->ending = ending;
	allocator = leave_live(ledger, nr);
	buffer->state = BUFFER_ENDED;
	buffer_list__append(&process->ended, &ledger->buffers, nr);
	ledger->num_ended++;
	allocator->remembered++;
}

/* Has a thread begun to free it, on a living device, and not come to the end? */
static bool is_being_freed(const struct ledger *ledger, const struct process *process, __u32 nr)
{
	const struct thread *thread;

	TAILQ_FOREACH (thread, &ledger->pending, pending) {
		if (thread->process == process && thread->free.tracked &&
		    release__find_entry(ledger, process, thread->free.buffer, &thread->free) == nr)
			return true;
	}
	return false;
}

void ledger__condemn(struct ledger *ledger, struct process *process, __u32 nr)
{
	struct allocator *allocator =
		ledger__allocator_of(ledger, buffers__at(&ledger->buffers, nr));

	ledger__unindex(ledger, process, nr);
	buffer_list__remove(&process->ended, &ledger->buffers, nr);
	ledger->num_ended--;
	keep_for_report(ledger, allocator->device, nr);
	allocator->remembered--;
	allocator__drop(&ledger->allocators, allocator);
}

/*
 * What a closed device held needs no memory of it: a late free does not reach the allocator. But
 * a free that has begun and not ended may yet turn out to have been suppressed, which makes the
 * buffer a leak.
 */
static void end_one(struct ledger *ledger, struct process *process, __u32 nr, bool closed,
		    enum buffer_ending ending)
{
	if (closed && !is_being_freed(ledger, process, nr))
		return ledger__end(ledger, process, nr);
	if (closed)
		buffers__at(&ledger->buffers, nr)->flags |= BUFFER_OVERTAKEN;
	ledger__remember(ledger, process, nr, ending);
}

/*
 * Hooked buffers stay: they have no memory that could go. The allocator is kept alive meanwhile
 * even if its last buffer leaves.
 */
void ledger__end_all(struct ledger *ledger, struct process *process, struct allocator *allocator,
		     enum buffer_ending ending, __u64 *ret_buffers, __u64 *ret_bytes)
{
	__u64 buffers = 0, bytes = 0;
	struct buffer *buffer;
	__u32 nr, next;

	allocator->remembered++;
	for (nr = allocator->live.head; nr != BUFFER_NONE; nr = next) {
		buffer = buffers__at(&ledger->buffers, nr);
		next = buffer->next;
		if (buffer->kind == KIND_HOOKED)
			continue;
		buffers++;
		bytes += buffer->flags & BUFFER_COUNTED ? buffer->footprint : 0;
		end_one(ledger, process, nr, allocator->device->closed, ending);
	}
	allocator->remembered--;
	allocator->device->bulk_freed += buffers;
	process->bulk_freed += buffers;
	*ret_buffers = buffers;
	*ret_bytes = bytes;
}

static void emit_bulk(struct ledger *ledger, const struct hit *hit, const struct device *device,
		      enum buffer_ending ending, __u64 buffers, __u64 bytes)
{
	struct event ev = {
		.kind = EVENT_BULK_FREE,
		.ts_ns = hit->h->ts_ns,
		.tid = hit->h->tid,
		.process = &hit->process->pub,
		.device = &device->pub,
		.num_buffers = buffers,
		.bytes = bytes,
	};

	ev.why = ledger__why(ledger, "taken back by %s%s", buffer_ending__words(ending),
			     device->closed ? " as its device closes" : "");
	ledger__emit(ledger, &ev);
}

int ledger__take_bulk(struct ledger *ledger, const struct hit *hit)
{
	const struct tt_record_object *rec = (const void *)hit->h;
	enum buffer_ending ending = classify__bulk(hit->h->probe);
	struct allocator *allocator, *next;
	__u64 buffers, bytes;
	bool met = false;

	/* allocators of no device are made and destroyed before the first is opened */
	if (ending != ENDING_ALLOCATOR_DESTROYED)
		ledger__expect_any(ledger, hit->process);
	for (allocator = TAILQ_FIRST(&hit->process->all_allocators); allocator; allocator = next) {
		next = TAILQ_NEXT(allocator, entry);
		if (allocator->dead || allocator->key.object != rec->object)
			continue;
		met = true;
		allocator->is_overridden |= ending == ENDING_OVERRIDE_STATE;
		ledger__tell_all_found(ledger, allocator, hit->h->ts_ns, hit->h->tid);
		ledger__end_all(ledger, hit->process, allocator, ending, &buffers, &bytes);
		if (buffers)
			emit_bulk(ledger, hit, allocator->device, ending, buffers, bytes);
		if (ending == ENDING_ALLOCATOR_DESTROYED)
			allocator__kill(&ledger->allocators, allocator);
	}
	hit->process->has_overridden |= !met && ending == ENDING_OVERRIDE_STATE;
	return 0;
}
