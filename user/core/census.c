// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * A census: what the allocators of a process hold, read out of its own memory while it went on.
 * What the ledger does not have comes in, what the allocators do not have goes.
 *
 * Whoever takes it drains the ring, reads (from BEGIN to END, for each allocator), drains the ring
 * again, and says so (SETTLED). So between BEGIN and SETTLED there are records of what happened
 * during the reading, and the two are told apart by the order in which the runtime works:
 *
 *   An allocation is in the allocator's set before it is tracked (ALLOC). A row that we have is in
 *   the set, then, unless it was freed. One that is only in the set is new: if its ALLOC is still
 *   to come, that takes the row's place.
 *   A free is seen (FREE_DONE) before it leaves the set. A row that is not in the set was freed,
 *   then, and the record of it has come before SETTLED; if it has not, it was lost. One that is in
 *   the set and not among our rows may be on its way out: each thread can have one such, which is
 *   the last that it freed.
 *
 * Where another Buffer of ours lives at the same place, its free and the allocation of the new one
 * are on their way. If they were lost the old one is missing in the end, and the next census finds
 * the new one.
 *
 * After deallocate_buffers() the set still has what was freed in bulk: such a row is remembered as
 * ended, and stays so.
 */
#include <errno.h>

#include "core/orphans.h"

enum {
	LEAVING_NS = 200 * 1000 * 1000, /* a call of deallocate_buffer() takes less */
};

static bool has_memory(const struct buffer *buffer)
{
	return buffer->flags & BUFFER_COUNTED;
}

/* Marks what is live in @allocator as not told yet, or ends that: what was not told is missing. */
static void begin_rows(struct ledger *ledger, struct allocator *allocator)
{
	struct buffer *buffer;

	for (__u32 nr = allocator->live.head; nr != BUFFER_NONE; nr = buffer->next) {
		buffer = buffers__at(&ledger->buffers, nr);
		buffer->flags &= ~(BUFFER_COUNTED_NOW | BUFFER_MISSING);
	}
}

/* Where no Buffer is, a block in the free list is all that there is to be found. */
static bool was_looked_for(const struct buffer *buffer, __u32 types)
{
	return !(buffer->flags & (BUFFER_SUPPRESSED | BUFFER_ORPHAN)) || types & 1u << buffer->type;
}

/* Those from before @ts_ns: what is younger may not have been there yet. */
static void end_rows(struct ledger *ledger, struct allocator *allocator, __u64 ts_ns, __u32 types)
{
	struct buffer *buffer;

	for (__u32 nr = allocator->live.head; nr != BUFFER_NONE; nr = buffer->next) {
		buffer = buffers__at(&ledger->buffers, nr);
		if (has_memory(buffer) && !(buffer->flags & BUFFER_COUNTED_NOW) &&
		    was_looked_for(buffer, types) && buffer->alloc_ts_ns < ts_ns)
			buffer->flags |= BUFFER_MISSING;
	}
}

static void begin(struct process *process, __u64 ts_ns)
{
	struct census *census = &process->census;

	if (census->begin_ns)
		return;
	census->begin_ns = ts_ns;
	census->torn = false;
	census->buffers = census->bytes = census->added = census->removed = 0;
	census->orphans = census->orphan_bytes = census->resized = 0;
	census->types = census->types_unread = 0;
	census->passed_over = 0;
	census->unplaced = false;
	if (census__is_first(process)) /* it may have been tried before */
		census->may_be_own = 0;
}

/*
 * Is it one that a thread is giving back at this moment? Where the record that told which Buffer it
 * was has been lost, it may be that, or another one that has been allocated at its place since:
 * soon it will be clear, and until then nothing is whole.
 */
static bool is_leaving(struct process *process, const struct tt_record_buffer *rec)
{
	const struct thread *thread;

	for (thread = process->threads; thread; thread = thread->hh.next) {
		if (thread->freed != rec->buffer)
			continue;
		if (thread->freed_id == rec->unique_id)
			return true;
		if (thread->freed_id || rec->h.ts_ns > thread->freed_ns + LEAVING_NS)
			continue;
		process->census.torn = true;
		return true;
	}
	return false;
}

static bool is_same(const struct buffer *buffer, const struct tt_record_buffer *rec)
{
	return !(buffer->flags & BUFFER_HAS_ID) || rec->h.faults & TT_FAULT_UNIQUE_ID ||
	       buffer->id == rec->unique_id;
}

static bool is_right(const struct allocator *allocator, const struct buffer *buffer, __u64 per_bank)
{
	return buffer->flags & BUFFER_HAS_FOOTPRINT && buffer->type < TT_TYPE_COUNT &&
	       buffer->footprint == per_bank * allocator->num_banks[buffer->type];
}

/* One that we have: what it occupies is what the free list says. */
static void confirm(struct ledger *ledger, __u32 nr, __u64 per_bank)
{
	const struct space_note space = { .count = 1, .per_bank = per_bank };
	struct buffer *buffer = buffers__at(&ledger->buffers, nr);
	struct allocator *allocator = ledger__allocator_of(ledger, buffer);
	struct process *process = allocator->device->process;

	buffer->flags |= BUFFER_COUNTED_NOW;
	if (!has_memory(buffer) || !per_bank || is_right(allocator, buffer, per_bank))
		return;
	if (buffer->flags & BUFFER_HAS_FOOTPRINT) {
		process->census.resized++;
	} else {
		process->footprint_unknown--;
		ledger->stats.footprint_unknown--;
	}
	ledger__uncount(ledger, nr);
	buffer_list__remove(&allocator->live, &ledger->buffers, nr);
	ledger__measure(allocator, buffer, &space);
	allocator__occupy(allocator, &ledger->buffers, nr);
	buffer_list__append(&allocator->live, &ledger->buffers, nr);
	device__add(allocator, &ledger->buffers, buffer);
	device__add_footprint(allocator->device, buffer);
	buffer->flags |= BUFFER_COUNTED;
}

/* Nobody is told of it yet: the record of its allocation may be on its way. */
static int add(struct ledger *ledger, const struct hit *hit,
	       const struct tt_record_census_buffer *rec, const struct library_info *info,
	       __u32 *ret_nr)
{
	const struct space_note space = { .count = 1, .per_bank = rec->per_bank };
	int err = ledger__add_buffer(ledger, hit, &rec->b, info, &space, 0, ret_nr);

	if (!err)
		buffers__at(&ledger->buffers, *ret_nr)->flags |= BUFFER_UNTOLD | BUFFER_COUNTED_NOW;
	return err;
}

static const char *found_why(const struct buffer *buffer, bool before)
{
	if (buffer->flags & BUFFER_ORPHAN)
		return ORPHAN_WHY;
	return before ? "allocated before tracing began"
		      : "its allocation was missed; found in its allocator";
}

void ledger__tell_found(struct ledger *ledger, __u64 ts_ns, __u32 tid, __u32 nr)
{
	struct buffer *buffer = buffers__at(&ledger->buffers, nr);
	struct process *process;
	struct census *census;
	bool before;

	if (!(buffer->flags & BUFFER_UNTOLD))
		return;
	process = ledger__allocator_of(ledger, buffer)->device->process;
	census = &process->census;
	before = census__is_first(process);
	buffer->flags &= ~BUFFER_UNTOLD;
	census->added++;
	if (before)
		census->pre_attach++;
	ledger__emit_alloc(ledger, buffer, ts_ns, tid, before ? CLASS_PRE_ATTACH : CLASS_LOST,
			   found_why(buffer, before));
}

void ledger__drop_found(struct ledger *ledger, __u32 nr)
{
	const struct buffer *buffer = buffers__at(&ledger->buffers, nr);
	struct device *device = ledger__allocator_of(ledger, buffer)->device;
	struct process *process = device->process;

	process->census.passed_over++;
	process->allocs[buffer->kind]--;
	device__take_back(device, buffer);
	ledger__end(ledger, process, nr);
}

/*
 * Is the record of its allocation still to come? A census may be ahead of the records. Numbers of
 * Buffers are counted up: of those from before the attach none does.
 */
static bool is_ahead(const struct ledger *ledger, const struct process *process,
		     const struct buffer *buffer)
{
	if (loss__may_hide_alloc(&ledger->loss, &process->loss))
		return false;
	return !census__is_first(process) ||
	       (buffer->flags & BUFFER_HAS_ID && process->has_first_id &&
		buffer->id >= process->first_id);
}

void ledger__tell_all_found(struct ledger *ledger, struct allocator *allocator, __u64 ts_ns,
			    __u32 tid)
{
	__u32 nr, next;

	allocator->remembered++; /* it shall outlive its last buffer */
	for (nr = allocator->live.head; nr != BUFFER_NONE; nr = next) {
		const struct buffer *buffer = buffers__at(&ledger->buffers, nr);

		next = buffer->next;
		if (buffer->flags & BUFFER_UNTOLD &&
		    is_ahead(ledger, allocator->device->process, buffer))
			ledger__drop_found(ledger, nr);
		else
			ledger__tell_found(ledger, ts_ns, tid, nr);
	}
	allocator->remembered--;
}

void ledger__drop_untold(struct ledger *ledger, struct process *process)
{
	struct allocator *allocator, *next_allocator;
	__u32 nr, next;

	if (!process->census.settled)
		return;
	for (allocator = TAILQ_FIRST(&process->all_allocators); allocator;
	     allocator = next_allocator) {
		next_allocator = TAILQ_NEXT(allocator, entry);
		allocator->remembered++; /* it shall outlive its last buffer */
		for (nr = allocator->live.head; nr != BUFFER_NONE; nr = next) {
			next = buffers__at(&ledger->buffers, nr)->next;
			if (buffers__at(&ledger->buffers, nr)->flags & BUFFER_UNTOLD)
				ledger__drop_found(ledger, nr);
		}
		allocator->remembered--;
		allocator__drop(&ledger->allocators, allocator);
	}
}

static void sum_up(struct ledger *ledger, struct census *census, __u32 nr)
{
	const struct buffer *buffer = buffers__at(&ledger->buffers, nr);

	census->buffers++;
	if (has_memory(buffer))
		census->bytes += buffer->footprint;
}

int ledger__take_census_buffer(struct ledger *ledger, const struct hit *hit)
{
	const struct tt_record_census_buffer *rec = (const void *)hit->h;
	const struct library_info *info = libraries__find(&ledger->libraries, hit->h->layout);
	__u32 nr = buffer_index__find(&hit->process->by_pointer, rec->b.buffer);
	int err;

	if (!info)
		return -EBADMSG;
	if (nr != BUFFER_NONE && !is_same(buffers__at(&ledger->buffers, nr), &rec->b)) {
		if (buffers__at(&ledger->buffers, nr)->state != BUFFER_ENDED) {
			hit->process->census.passed_over++;
			return 0;
		}
		ledger__forget(ledger, hit->process, nr);
		nr = BUFFER_NONE;
	}
	if (nr == BUFFER_NONE) {
		if (is_leaving(hit->process, &rec->b))
			return 0;
		err = add(ledger, hit, rec, info, &nr);
		hit->process->census.may_be_inherited += rec->may_be_inherited != 0;
	} else {
		if (buffers__at(&ledger->buffers, nr)->state != BUFFER_LIVE)
			return 0;
		confirm(ledger, nr, rec->per_bank);
		err = 0;
	}
	if (!err)
		sum_up(ledger, &hit->process->census, nr);
	return err;
}

/* Live buffer @nr was freed, which was not seen. */
static void end_missed(struct ledger *ledger, const struct hit *hit, __u32 nr)
{
	ledger__emit_unseen_free(ledger, hit, buffers__at(&ledger->buffers, nr), CLASS_LOST,
				 "its free was missed; its allocator does not have it any more");
	hit->process->census.removed++;
	ledger__end(ledger, hit->process, nr);
}

/*
 * Is the record of its allocation still to come? Its thread may have lost its processor between the
 * allocator's set and the probe. Where nothing was lost it comes, or the next census tells.
 */
static bool is_awaited(const struct ledger *ledger, const struct process *process,
		       const struct buffer *buffer)
{
	return buffer->flags & BUFFER_UNTOLD && !census__is_first(process) &&
	       buffer->alloc_ts_ns >= process->census.begin_ns &&
	       !loss__may_hide_alloc(&ledger->loss, &process->loss);
}

static void settle_rows(struct ledger *ledger, const struct hit *hit, struct allocator *allocator)
{
	__u32 nr, next;

	allocator->remembered++; /* it shall outlive its last buffer */
	for (nr = allocator->live.head; nr != BUFFER_NONE; nr = next) {
		const struct buffer *buffer = buffers__at(&ledger->buffers, nr);

		next = buffer->next;
		if (is_awaited(ledger, hit->process, buffer))
			continue;
		ledger__tell_found(ledger, hit->h->ts_ns, hit->h->tid, nr);
		if (buffer->flags & BUFFER_MISSING)
			end_missed(ledger, hit, nr);
	}
	allocator->remembered--;
	allocator__drop(&ledger->allocators, allocator);
}

static void emit_census(struct ledger *ledger, const struct hit *hit)
{
	const struct tt_record_census *rec = (const void *)hit->h;
	const struct census *census = &hit->process->census;
	struct event ev = {
		.kind = EVENT_CENSUS,
		.ts_ns = hit->h->ts_ns,
		.tid = hit->h->tid,
		.process = &hit->process->pub,
		.num_buffers = census->buffers,
		.bytes = census->bytes + census->orphan_bytes,
		.orphans = census->orphans,
		.orphan_bytes = census->orphan_bytes,
		.resized = census->resized,
		.types = census->types & ~census->types_unread,
		.types_unread = census->types_unread,
		.added = census->added,
		.removed = census->removed,
		.reason = rec->reason,
		.whole = !census->torn,
	};

	ledger__emit(ledger, &ev);
}

/* Was @allocator read, if only for another device? Then it holds nothing for this one. */
static bool was_read(const struct process *process, const struct allocator *allocator)
{
	const struct allocator *other;

	TAILQ_FOREACH (other, &process->all_allocators, entry) {
		if (other->key.object == allocator->key.object &&
		    other->census_ns >= process->census.begin_ns)
			return true;
	}
	return false;
}

/* All that was on its way has come. Of an allocator that was not read nothing is concluded. */
static void settle(struct ledger *ledger, const struct hit *hit)
{
	struct process *process = hit->process;
	struct census *census = &process->census;
	struct allocator *allocator, *next;

	for (allocator = TAILQ_FIRST(&process->all_allocators); allocator; allocator = next) {
		next = TAILQ_NEXT(allocator, entry);
		if (allocator->dead || allocator->device->closed)
			continue;
		if (!was_read(process, allocator)) {
			census->torn |= allocator->live.count != 0;
		} else if (allocator->census_ns < census->begin_ns) {
			begin_rows(ledger, allocator);
			end_rows(ledger, allocator, census->begin_ns,
				 census->types & ~census->types_unread);
		}
		settle_rows(ledger, hit, allocator);
	}
}

/* What was missed until the census began is made good. */
static void repair(struct ledger *ledger, struct process *process)
{
	struct allocator *allocator;

	TAILQ_FOREACH (allocator, &process->all_allocators, entry)
		allocator__recheck(allocator, &ledger->buffers);
	process->census.vain = process__is_unsized(process) ? process->census.vain + 1 : 0;
	/* frees without a reason waited for losses to get known: these are */
	ledger__decide(ledger, process, false);
	process->census.settled_ns = process->census.begin_ns;
	loss_process__repair(&process->loss, process->census.begin_ns);
}

static void finish(struct ledger *ledger, const struct hit *hit, bool whole)
{
	struct census *census = &hit->process->census;

	if (!census->begin_ns) /* no allocator holds anything */
		begin(hit->process, hit->h->ts_ns);
	settle(ledger, hit);
	census->torn |= !whole || census->unplaced || (census->passed_over && census->removed);
	if (!census__is_first(hit->process))
		census->mended += census->added + census->removed + census->resized;
	emit_census(ledger, hit);
	census->settled++;
	census->failed = census->torn ? census->failed + 1 : 0;
	census->failed_at = hit->process->loss.records;
	if (!census->torn)
		repair(ledger, hit->process);
	census->begin_ns = 0;
}

/* An empty allocator names no device: any that we know of it will do, see was_read(). */
struct allocator *ledger__census_allocator(struct process *process, __u64 object, __u64 device)
{
	struct allocator *allocator;

	if (device)
		return allocator__find(process, object, device);
	TAILQ_FOREACH (allocator, &process->all_allocators, entry) {
		if (!allocator->dead && allocator->key.object == object)
			return allocator;
	}
	return NULL;
}

int ledger__take_census(struct ledger *ledger, const struct hit *hit)
{
	const struct tt_record_census *rec = (const void *)hit->h;
	struct allocator *allocator =
		ledger__census_allocator(hit->process, rec->allocator, rec->device);

	switch (rec->phase) {
	case TT_CENSUS_BEGIN:
		begin(hit->process, hit->h->ts_ns);
		if (allocator)
			begin_rows(ledger, allocator);
		return 0;
	case TT_CENSUS_TORN:
		hit->process->census.torn = true;
		return 0;
	case TT_CENSUS_END:
		hit->process->census.types |= rec->types;
		hit->process->census.types_unread |= rec->types_unread;
		if (allocator) {
			allocator->census_ns = hit->h->ts_ns;
			allocator->inherits = rec->inherits;
			end_rows(ledger, allocator, hit->process->census.begin_ns, rec->types);
		}
		return 0;
	case TT_CENSUS_SETTLED:
	case TT_CENSUS_FAILED:
		finish(ledger, hit, rec->phase == TT_CENSUS_SETTLED);
		return 0;
	case TT_CENSUS_NOTHING:
		hit->process->census.settled_ns = hit->h->ts_ns;
		return 0;
	}
	return -EBADMSG;
}
