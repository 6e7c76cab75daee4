// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "core/release.h"

#include <errno.h>

static void describe_body(const struct free_note *note, struct event_buffer *ret_buffer)
{
	const struct body *body = &note->body;

	*ret_buffer = (struct event_buffer){
		.buffer = note->buffer,
		.id = note->id,
		.has_id = note->has_id,
		.allocator = body->allocator,
		.address = body->address,
		.has_address = body__has(body, TT_FIELD_ADDRESS),
		.size = body->size,
		.type = body->type,
		.layout = body->layout,
		.page_size = body->page_size,
		.kind = classify__buffer(body, TT_STATE_UNKNOWN),
	};
}

const struct device *release__describe(const struct ledger *ledger, const struct release *rel,
				       struct event_buffer *ret_buffer)
{
	const struct buffer *buffer;
	const struct allocator *allocator;

	if (rel->nr != BUFFER_NONE) {
		buffer = buffers__at(&ledger->buffers, rel->nr);
		ledger__describe(ledger, buffer, ret_buffer);
		allocator = ledger__allocator_of(ledger, buffer);
		if (allocator)
			return allocator->device;
	} else if (rel->note) {
		describe_body(rel->note, ret_buffer);
	} else {
		*ret_buffer = (struct event_buffer){
			.buffer = rel->pointer,
			.allocator = rel->allocator,
			.type = TT_TYPE_COUNT,
			.layout = TT_LAYOUT_COUNT,
		};
	}
	if (!rel->note)
		return NULL;
	return device__find(rel->owner ? rel->owner : rel->process, rel->note->body.device);
}

/* By what code it is freed, or was asked for; NULL: not known. */
static const struct event_stack *stack_of(const struct ledger *ledger, const struct release *rel)
{
	return rel->note ? stacks__find(&ledger->stacks, rel->note->stack) : NULL;
}

static void emit_free(struct ledger *ledger, const struct release *rel, enum free_class class,
		      const char *why)
{
	struct event_buffer described;
	const struct device *device = release__describe(ledger, rel, &described);
	struct event ev = {
		.kind = EVENT_FREE,
		.ts_ns = rel->ts_ns,
		.tid = rel->tid,
		.process = &rel->process->pub,
		.device = device ? &device->pub : NULL,
		.buffer = &described,
		.class = class,
		.stack = class != CLASS_MATCHED ? stack_of(ledger, rel) : NULL,
		.why = why ? why : free_class__why(class),
	};

	if (rel->nr != BUFFER_NONE)
		ledger__tell_found(ledger, rel->ts_ns, rel->tid, rel->nr);
	/* one that is remembered from a bulk free had some before */
	if (class == CLASS_DEVICE_CLOSED)
		described.has_footprint = false;
	rel->process->frees[class]++;
	ledger__emit(ledger, &ev);
}

static void emit_failed(struct ledger *ledger, const struct release *rel,
			const struct space_note *space)
{
	struct event_buffer described;
	const struct device *device = release__describe(ledger, rel, &described);
	struct event ev = {
		.kind = EVENT_ALLOC_FAILED,
		.ts_ns = rel->ts_ns,
		.tid = rel->tid,
		.process = &rel->process->pub,
		.device = device ? &device->pub : NULL,
		.buffer = &described,
		.class = CLASS_FAILED_ALLOC,
		.shortage = ledger__explain(ledger, rel, space),
	};

	described.num_banks = ev.shortage->space.num_banks;
	described.stack = stack_of(ledger, rel);
	if (described.stack && described.type != TT_TYPE_TRACE)
		described.owner = described.stack->owner;
	rel->process->frees[CLASS_FAILED_ALLOC]++;
	ledger__emit(ledger, &ev);
}

static bool is_live(const struct ledger *ledger, __u32 nr)
{
	return nr != BUFFER_NONE && buffers__at(&ledger->buffers, nr)->state == BUFFER_LIVE;
}

__u32 release__find_entry(const struct ledger *ledger, const struct process *process, __u64 pointer,
			  const struct free_note *note)
{
	__u32 nr = buffer_index__find(&process->by_pointer, pointer);
	const struct buffer *buffer;

	if (nr == BUFFER_NONE || !note || !note->has_id)
		return nr;
	buffer = buffers__at(&ledger->buffers, nr);
	if ((buffer->flags & BUFFER_HAS_ID) && buffer->id != note->id)
		return BUFFER_NONE;
	return nr;
}

static bool is_hooked(const struct ledger *ledger, __u32 nr)
{
	return is_live(ledger, nr) && buffers__at(&ledger->buffers, nr)->kind == KIND_HOOKED;
}

/* Only the free of a hooked buffer ends an entry. */
void release__attempt(struct ledger *ledger, const struct release *rel, enum free_class class,
		      struct space_note *space)
{
	struct release unknown = *rel;

	unknown.nr = BUFFER_NONE;
	if (class == CLASS_FAILED_ALLOC) {
		emit_failed(ledger, &unknown, space);
		space->count = 0;
	} else if (class == CLASS_HOOKED && is_hooked(ledger, rel->nr)) {
		emit_free(ledger, rel, class, NULL);
		ledger__end(ledger, rel->process, rel->nr);
	} else {
		emit_free(ledger, &unknown, class, NULL);
	}
}

static struct process *find_parent(struct ledger *ledger, const struct process *process)
{
	struct process *parent;

	if (!(process->flags & TT_PROCESS_FORKED))
		return NULL;
	parent = processes__find(&ledger->processes, process->parent_tgid);
	return parent && process__is(parent, process->parent_start_ns) ? parent : NULL;
}

enum {
	GENERATIONS_MAX = 16
}; /* of forks; a stream may claim a cycle */

/* The ancestor in which the buffer was live when the child was forked, or NULL. */
static struct process *find_owner(struct ledger *ledger, const struct release *rel)
{
	struct process *process = rel->process, *parent;
	const struct buffer *buffer;
	__u32 nr;

	for (int i = 0; i < GENERATIONS_MAX; i++) {
		parent = find_parent(ledger, process);
		if (!parent)
			return NULL;
		nr = release__find_entry(ledger, parent, rel->pointer, rel->note);
		if (nr != BUFFER_NONE) {
			buffer = buffers__at(&ledger->buffers, nr);
			if (buffer->alloc_ts_ns <= process->first_ts_ns)
				return parent;
		}
		process = parent;
	}
	return NULL;
}

static bool has_allocator(const struct process *process, __u64 object)
{
	const struct allocator *allocator;

	TAILQ_FOREACH (allocator, &process->all_allocators, entry) {
		if (!allocator->dead && allocator->key.object == object)
			return true;
	}
	return false;
}

/* Has a life of its device ended? The object may be open again: chips are pooled. */
static bool was_closed(const struct process *process, __u64 object)
{
	const struct device *device;

	for (device = process->devices; device; device = device->next) {
		if (device->pub.object == object && device->closed)
			return true;
	}
	return false;
}

/* Without a note only the allocator is known: it is gone, and a device was closed. */
static bool is_device_closed(const struct process *process, const struct release *rel)
{
	const struct device *device;

	if (rel->note)
		return was_closed(process, rel->note->body.device);
	for (device = process->devices; device; device = device->next) {
		if (device->closed)
			return !has_allocator(process, rel->allocator);
	}
	return false;
}

static void gather_facts(const struct ledger *ledger, const struct release *rel,
			 struct done_facts *facts)
{
	const struct process *process = rel->process;
	const struct free_note *note = rel->note;
	bool has_id = note && note->has_id && process->has_first_id;

	*facts = (struct done_facts){
		.live_in_ancestor = rel->owner,
		.before_attach = process->flags & TT_PROCESS_BEFORE_ATTACH,
		.id_before_attach = has_id && note->id < process->first_id,
		.id_after_attach = has_id && note->id >= process->first_id,
		.forked = process->flags & TT_PROCESS_FORKED,
		.may_be_lost = loss__may_hide_alloc(&ledger->loss, &process->loss),
		.forgotten = process->forgotten,
	};
	if (rel->nr == BUFFER_NONE)
		facts->device_closed = is_device_closed(process, rel);
	else
		facts->live = is_live(ledger, rel->nr);
	facts->ended = rel->nr != BUFFER_NONE && !facts->live;
}

/* The live buffer whose memory @rel gives away although it is not its own; BUFFER_NONE. */
static int find_victim(struct ledger *ledger, const struct release *rel, __u32 *ret_nr)
{
	const struct buffer *buffer = buffers__at(&ledger->buffers, rel->nr);
	struct allocator *allocator = ledger__allocator_of(ledger, buffer);
	int err;

	*ret_nr = BUFFER_NONE;
	if (!allocator || !(buffer->flags & BUFFER_HAS_ADDRESS))
		return 0;
	err = allocator__at_address(allocator, &ledger->buffers, buffer->type, buffer->address,
				    ret_nr);
	if (err)
		return err;
	if (*ret_nr == rel->nr)
		*ret_nr = BUFFER_NONE;
	return 0;
}

static const char *robbery_words(struct ledger *ledger, const char *how, __u32 victim_nr)
{
	const struct buffer *victim = buffers__at(&ledger->buffers, victim_nr);

	return ledger__why(
		ledger,
		"%s, and its address belongs to another live buffer now: THIS FREE GAVE "
		"AWAY THE MEMORY OF BUFFER %llu (id %llu, %llu bytes), which is still in use",
		how, (unsigned long long)victim->address, (unsigned long long)victim->id,
		(unsigned long long)victim->size);
}

static void rob(struct ledger *ledger, __u32 victim)
{
	ledger__uncount(ledger, victim);
	buffers__at(&ledger->buffers, victim)->flags |= BUFFER_VICTIM;
}

static const char *victim_words(struct ledger *ledger, const struct release *rel, __u32 victim_nr)
{
	const struct buffer *buffer = buffers__at(&ledger->buffers, rel->nr);
	const char *how = buffer->flags & BUFFER_VICTIM
				  ? "its memory had been given away by the free of another buffer"
				  : "its memory had been taken back in bulk before";

	if (victim_nr == BUFFER_NONE)
		return buffer->flags & BUFFER_VICTIM
			       ? how
			       : ledger__why(ledger,
					     "its memory had been taken back in bulk before, by %s",
					     buffer_ending__words(buffer->ending));
	return robbery_words(ledger, how, victim_nr);
}

static int finish_bulk_freed(struct ledger *ledger, const struct release *rel,
			     enum free_class class)
{
	__u32 victim;
	int err;

	err = find_victim(ledger, rel, &victim);
	if (err)
		return err;
	emit_free(ledger, rel, class, victim_words(ledger, rel, victim));
	if (victim != BUFFER_NONE)
		rob(ledger, victim);
	return 0;
}

/* The entry has had its free: it goes, whichever state it is in. */
static void drop_entry(struct ledger *ledger, struct process *process, __u32 nr)
{
	if (is_live(ledger, nr))
		ledger__end(ledger, process, nr);
	else
		ledger__forget(ledger, process, nr);
}

static int finish_known(struct ledger *ledger, const struct release *rel)
{
	const struct buffer *buffer = buffers__at(&ledger->buffers, rel->nr);
	struct done_facts facts;
	enum free_class class;
	int err;

	gather_facts(ledger, rel, &facts);
	class = classify__done(&facts);
	if (class == CLASS_BULK_FREED || (buffer->flags & BUFFER_VICTIM)) {
		err = finish_bulk_freed(ledger, rel, class);
		if (err)
			return err;
	} else {
		emit_free(ledger, rel, class, NULL);
	}
	if (class == CLASS_MATCHED)
		device__count_free(ledger__allocator_of(ledger, buffer)->device, buffer, rel->nr);
	drop_entry(ledger, rel->process, rel->nr);
	return 0;
}

/*
 * A buffer of a device that was closed and is open again still points to the allocator of before.
 * If another one stands there now, it is that one which has freed something.
 */
static int rob_reopened(struct ledger *ledger, const struct release *rel, const char **ret_why)
{
	const struct body *body = rel->note ? &rel->note->body : NULL;
	struct allocator *allocator;
	__u32 victim;
	int err;

	if (!body || body->type >= TT_TYPE_COUNT || !body__has(body, TT_FIELD_ADDRESS))
		return 0;
	allocator = allocator__find(rel->process, body->allocator, body->device);
	if (!allocator)
		return 0;
	err = allocator__at_address(allocator, &ledger->buffers, body->type, body->address,
				    &victim);
	if (err || victim == BUFFER_NONE)
		return err;
	*ret_why = robbery_words(ledger, free_class__why(CLASS_DEVICE_CLOSED), victim);
	rob(ledger, victim);
	return 0;
}

static int finish_unseen(struct ledger *ledger, const struct release *rel)
{
	struct release owned = *rel;
	const char *why = NULL;
	struct done_facts facts;
	enum free_class class;
	int err = 0;

	owned.owner = find_owner(ledger, rel);
	gather_facts(ledger, &owned, &facts);
	class = classify__done(&facts);
	if (class == CLASS_UNKNOWN && ledger__defer(ledger, rel))
		return 0;
	if (class == CLASS_DEVICE_CLOSED)
		err = rob_reopened(ledger, rel, &why);
	else if (owned.owner)
		why = ledger__why(ledger, "%s (PID %u)", free_class__why(class),
				  owned.owner->pub.pid);
	if (!err)
		emit_free(ledger, &owned, class, why);
	return err;
}

int release__done(struct ledger *ledger, const struct release *rel)
{
	if (rel->nr != BUFFER_NONE)
		return finish_known(ledger, rel);
	return finish_unseen(ledger, rel);
}

/* Its device was closed, and its memory taken back, before it was known that its free gave none. */
static void finish_closed(struct ledger *ledger, const struct release *rel)
{
	struct buffer *buffer = buffers__at(&ledger->buffers, rel->nr);

	buffer->flags &= ~BUFFER_OVERTAKEN;
	buffer->flags |= BUFFER_SUPPRESSED;
	ledger__judge_late(ledger, rel->nr, rel->ts_ns, rel->tid);
	if (buffer->flags & (BUFFER_LEAKED | BUFFER_DOUBTFUL))
		ledger__condemn(ledger, rel->process, rel->nr);
	else
		ledger__forget(ledger, rel->process, rel->nr);
}

static void finish_suppressed(struct ledger *ledger, const struct release *rel)
{
	struct buffer *buffer;

	if (rel->nr == BUFFER_NONE)
		return;
	buffer = buffers__at(&ledger->buffers, rel->nr);
	if (buffer->state == BUFFER_ENDED) {
		if (buffer->flags & BUFFER_OVERTAKEN)
			finish_closed(ledger, rel);
		return;
	}
	buffer->flags |= BUFFER_SUPPRESSED;
	if (ledger__allocator_of(ledger, buffer)->device->closed)
		ledger__judge_late(ledger, rel->nr, rel->ts_ns, rel->tid);
}

void release__undone(struct ledger *ledger, const struct release *rel)
{
	struct undone_facts facts = {
		.known = rel->nr != BUFFER_NONE,
		.tracked = rel->note->tracked,
		.lost = rel->note->epoch != loss__epoch(&ledger->loss, &rel->process->loss),
		.forked = rel->process->flags & TT_PROCESS_FORKED,
	};
	enum free_class class = classify__undone(&facts);

	emit_free(ledger, rel, class, NULL);
	if (class == CLASS_SUPPRESSED)
		finish_suppressed(ledger, rel);
	else if (class == CLASS_DEVICE_CLOSED && rel->nr != BUFFER_NONE)
		drop_entry(ledger, rel->process, rel->nr);
}
