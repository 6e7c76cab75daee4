// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Frees. deallocate_impl is entered at every attempt; what is not decided there waits on its
 * thread (struct free_note) for deallocate_buffer, which means that memory goes back. Anything
 * else that the thread does first, its end, or a second without it, means that none did.
 */
#include <errno.h>

#include "core/release.h"

static void start_release(const struct thread *thread, const struct free_note *note,
			  const struct ledger *ledger, struct release *ret_rel)
{
	*ret_rel = (struct release){
		.process = thread->process,
		.note = note,
		.pointer = note->buffer,
		.allocator = note->body.allocator,
		.ts_ns = note->ts_ns,
		.tid = thread->tid,
		.nr = release__find_entry(ledger, thread->process, note->buffer, note),
	};
}

static bool is_closed(const struct process *process, __u64 device)
{
	const struct device *found = device__find(process, device);

	return found && found->closed;
}

/*
 * Will deallocate_impl go beyond its condition? That the buffer is allocated and not empty is known
 * of an attempt that has to wait; what is left is IDevice::is_initialized().
 */
static bool is_tracked(const struct hit *hit, const struct library_info *info,
		       const struct body *body)
{
	const struct tt_record_buffer *rec = (const void *)hit->h;

	if (rec->device_state != TT_STATE_UNKNOWN || info->probes >> TT_PROBE_TRACK_DEALLOCATE & 1)
		return rec->device_state == TT_STATE_OPEN;
	return !is_closed(hit->process, body->device);
}

static void make_note(struct ledger *ledger, const struct hit *hit, const struct library_info *info,
		      const struct thread *thread, struct free_note *ret_note)
{
	const struct tt_record_buffer *rec = (const void *)hit->h;
	struct free_note note = { .active = true };

	body__decode(&info->map, rec, &note.body);
	ledger__expect_known(ledger, hit->process, note.body.device);
	note.buffer = rec->buffer;
	note.id = rec->unique_id;
	note.has_id = info->has_id && !(hit->h->faults & TT_FAULT_UNIQUE_ID);
	note.tracked = is_tracked(hit, info, &note.body);
	note.ts_ns = hit->h->ts_ns;
	note.expiry_ns = note.ts_ns + PENDING_MAX_NS;
	note.epoch = ledger->loss.epoch + loss_process__epoch_at(&hit->process->loss, hit->h);
	if (rec->stack)
		note.stack = ledger__take_stack(ledger, thread, rec->stack);
	*ret_note = note;
}

int ledger__take_free_begin(struct ledger *ledger, const struct hit *hit)
{
	const struct library_info *info;
	struct free_note note;
	struct thread *thread;
	enum free_class class;
	struct release rel;
	int err;

	err = ledger__look_up(ledger, hit, &info, &thread);
	if (err)
		return err;
	make_note(ledger, hit, info, thread, &note);
	class = classify__attempt(&note.body);
	if (class != CLASS_COUNT) {
		start_release(thread, &note, ledger, &rel);
		release__attempt(ledger, &rel, class, &thread->space);
		return 0;
	}
	thread->free = note;
	TAILQ_INSERT_TAIL(&ledger->pending, thread, pending);
	return 0;
}

/* The allocator may not have forgotten it yet: see is_leaving() of the census. @note: or NULL. */
static void note_freed(struct thread *thread, __u64 ts_ns, __u64 pointer,
		       const struct free_note *note)
{
	thread->freed = pointer;
	thread->freed_id = note && note->has_id ? note->id : 0;
	thread->freed_ns = ts_ns;
}

/*
 * In lean mode a free is seen at its end only; the record of it tells of the buffer what else that
 * of the attempt does.
 */
int ledger__take_free(struct ledger *ledger, const struct hit *hit)
{
	const struct library_info *info;
	struct free_note note;
	struct thread *thread;
	struct release rel;
	int err;

	err = ledger__look_up(ledger, hit, &info, &thread);
	if (err)
		return err;
	make_note(ledger, hit, info, thread, &note);
	note_freed(thread, hit->h->ts_ns, note.buffer, &note);
	start_release(thread, &note, ledger, &rel);
	return release__done(ledger, &rel);
}

static bool is_pending(const struct thread *thread, __u64 pointer)
{
	return thread && thread->free.active && thread->free.buffer == pointer;
}

int ledger__take_free_tracked(struct ledger *ledger, const struct hit *hit)
{
	const struct tt_record_step *rec = (const void *)hit->h;
	struct thread *thread = process__find_thread(hit->process, hit->h->tid);

	(void)ledger;
	if (is_pending(thread, rec->object))
		thread->free.tracked = true;
	return 0;
}

static void end_pending(struct ledger *ledger, struct thread *thread)
{
	TAILQ_REMOVE(&ledger->pending, thread, pending);
	thread->free.active = false;
}

int ledger__take_free_done(struct ledger *ledger, const struct hit *hit)
{
	const struct tt_record_step *rec = (const void *)hit->h;
	struct release rel = {
		.process = hit->process,
		.pointer = rec->object,
		.allocator = rec->allocator,
		.ts_ns = hit->h->ts_ns,
		.tid = hit->h->tid,
	};
	struct thread *thread;
	int err;

	err = process__thread(hit->process, hit->h->tid, &thread);
	if (err)
		return err;

	if (is_pending(thread, rec->object)) {
		end_pending(ledger, thread);
		rel.note = &thread->free;
	}
	note_freed(thread, hit->h->ts_ns, rec->object, rel.note);
	rel.nr = release__find_entry(ledger, hit->process, rec->object, rel.note);
	return release__done(ledger, &rel);
}

void ledger__settle(struct ledger *ledger, struct thread *thread)
{
	struct release rel;

	start_release(thread, &thread->free, ledger, &rel);
	end_pending(ledger, thread);
	release__undone(ledger, &rel);
}

void ledger__settle_process(struct ledger *ledger, struct process *process)
{
	struct thread *thread, *next;

	for (thread = TAILQ_FIRST(&ledger->pending); thread; thread = next) {
		next = TAILQ_NEXT(thread, pending);
		if (thread->process == process)
			ledger__settle(ledger, thread);
	}
}

/* On a closed device nothing comes of it. Else its process may be stopped in between. */
static bool is_late(const struct thread *thread)
{
	return is_closed(thread->process, thread->free.body.device);
}

void ledger__finish_frees(struct ledger *ledger, const struct process *process)
{
	struct thread *thread, *next;

	for (thread = TAILQ_FIRST(&ledger->pending); thread; thread = next) {
		next = TAILQ_NEXT(thread, pending);
		if (process && thread->process != process)
			continue;
		if (is_late(thread))
			ledger__settle(ledger, thread);
		else
			end_pending(ledger, thread);
	}
}

void ledger__expire(struct ledger *ledger)
{
	struct thread *thread;

	while ((thread = TAILQ_FIRST(&ledger->pending)) &&
	       thread->free.expiry_ns < ledger->now_ns) {
		if (is_late(thread)) {
			ledger__settle(ledger, thread);
			continue;
		}
		thread->free.expiry_ns = ledger->now_ns + PENDING_MAX_NS;
		TAILQ_REMOVE(&ledger->pending, thread, pending);
		TAILQ_INSERT_TAIL(&ledger->pending, thread, pending);
	}
}
