// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * One record comes in: its size and number are checked, its process is found, what waits on its
 * thread is decided, and it goes to the part that knows it.
 */
#include "core/ledger.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/ledger_impl.h"
#include "core/orphans.h"

typedef int (*take_fn)(struct ledger *ledger, const struct hit *hit);

int ledger__new(const struct ledger_opts *opts, struct ledger **ret_ledger)
{
	struct ledger *ledger = calloc(1, sizeof(*ledger));

	if (!ledger)
		return -ENOMEM;
	ledger->opts = *opts;
	buffers__init(&ledger->buffers);
	TAILQ_INIT(&ledger->pending);
	processes__init(&ledger->processes);
	*ret_ledger = ledger;
	return 0;
}

void ledger__free(struct ledger *ledger)
{
	if (!ledger)
		return;
	processes__done(&ledger->processes, &ledger->allocators);
	allocator_table__done(&ledger->allocators);
	buffers__done(&ledger->buffers);
	free(ledger->undecided);
	libraries__done(&ledger->libraries);
	untraced__done(&ledger->untraced);
	stacks__done(&ledger->stacks);
	loss__done(&ledger->loss);
	free(ledger);
}

const struct stats *ledger__stats(const struct ledger *ledger)
{
	return &ledger->stats;
}

void ledger__emit(struct ledger *ledger, const struct event *ev)
{
	ledger->stats.events[ev->kind]++;
	if (ledger->opts.on_event)
		ledger->opts.on_event(ledger->opts.ctx, ev);
}

const char *ledger__why(struct ledger *ledger, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(ledger->why, sizeof(ledger->why), fmt, ap);
	va_end(ap);
	return ledger->why;
}

int ledger__look_up(struct ledger *ledger, const struct hit *hit,
		    const struct library_info **ret_info, struct thread **ret_thread)
{
	*ret_info = libraries__find(&ledger->libraries, hit->h->layout);
	return *ret_info ? process__thread(hit->process, hit->h->tid, ret_thread) : -EBADMSG;
}

/*
 * A process is told of when it does something with the runtime, not at its birth: programs fork
 * and exec much that nobody wants to hear of.
 */
static void announce(struct ledger *ledger, struct process *process, const struct tt_record *h)
{
	struct event ev = {
		.kind = EVENT_PROCESS_START,
		.ts_ns = h->ts_ns,
		.tid = h->tid,
		.process = &process->pub,
	};

	if (process->announced)
		return;
	process->announced = true;
	if (process->flags & TT_PROCESS_BEFORE_ATTACH)
		ev.why = "it used the runtime before it was traced";
	else if (process->flags & TT_PROCESS_FORKED)
		ev.why = ledger__why(ledger, "a child of PID %u", process->parent_tgid);
	ledger__emit(ledger, &ev);
}

/* The losses of @process that are known by now, of which the user was not told. */
static void emit_own_loss(struct ledger *ledger, struct process *process, const struct tt_record *h)
{
	struct event ev = {
		.kind = EVENT_LOST,
		.ts_ns = h->ts_ns,
		.tid = h->tid,
		.process = &process->pub,
		.lost_records = process->loss.records - process->loss.shown,
	};

	if (!ev.lost_records || !process->introduced)
		return; /* later, when it has a name */
	ledger__emit(ledger, &ev);
	process->loss.shown = process->loss.records;
}

/* What @h tells of the losses of its own process. */
static void note_own_loss(struct ledger *ledger, struct process *process, const struct tt_record *h)
{
	__u64 since_ns = loss__clean_ns(&ledger->loss, &process->loss);

	if (loss_process__note(&process->loss, h))
		ledger__doubt(ledger, process, since_ns);
}

/* Its first record, or a later one that only adds to what is known. */
static int take_process_start(struct ledger *ledger, const struct hit *hit)
{
	const struct tt_record_process *rec = (const void *)hit->h;
	struct process *process = hit->process;
	bool was_before = process->flags & TT_PROCESS_BEFORE_ATTACH;

	process__introduce(process, rec);
	if (!was_before && (process->flags & TT_PROCESS_BEFORE_ATTACH)) {
		ledger->stats.processes_pre_attach++;
		ledger->has_late = true;
	}
	return 0;
}

/* The same PID and start time, but another address space: a process of its own. */
static int take_process_exec(struct ledger *ledger, const struct hit *hit)
{
	const struct tt_record *h = hit->h;
	struct hit again = *hit;
	int err;

	if (hit->process->introduced || process__is_active(hit->process)) {
		loss_process__note_other(&hit->process->loss, (const void *)h);
		emit_own_loss(ledger, hit->process, h);
		ledger__end_process(ledger, hit->process, PROCESS_EXECED, h->ts_ns, 0);
		err = processes__add(&ledger->processes, h->tgid, h->start_ns, h->ts_ns,
				     &again.process);
		if (err)
			return err;
		loss_process__exec(&again.process->loss, (const void *)h);
	}
	return take_process_start(ledger, &again);
}

static int take_process_exit(struct ledger *ledger, const struct hit *hit)
{
	const struct tt_record_process *rec = (const void *)hit->h;

	if (!hit->process->introduced)
		process__introduce(hit->process, rec);
	loss_process__note_other(&hit->process->loss, rec);
	emit_own_loss(ledger, hit->process, hit->h);
	process__rename(hit->process, rec); /* the record of a change may have been lost */
	ledger__end_process(ledger, hit->process, PROCESS_EXITED, hit->h->ts_ns, rec->exit_code);
	return 0;
}

static int take_process_name(struct ledger *ledger, const struct hit *hit)
{
	(void)ledger;
	process__rename(hit->process, (const void *)hit->h);
	return 0;
}

/*
 * From the map of processes, which is ahead of the records of the ring, or behind them. It begins
 * no process, that is for those records; and it ends one only if the record of its end was lost.
 */
static void take_process_lost(struct ledger *ledger, const struct tt_record_process *rec)
{
	struct process *process = processes__find(&ledger->processes, rec->h.tgid);

	if (!process || process->pub.start_ns != rec->h.start_ns)
		return;
	note_own_loss(ledger, process, &rec->h);
	loss_process__note_other(&process->loss, rec);
	emit_own_loss(ledger, process, &rec->h);
	if (rec->flags & TT_PROCESS_ENDED)
		ledger__end_process(ledger, process, PROCESS_EXITED, rec->h.ts_ns, rec->exit_code);
}

/* A copy that nobody has unwound: what comes of it has no stack. Or of what one was named by. */
static int pass_over(struct ledger *ledger, const struct hit *hit)
{
	(void)ledger;
	(void)hit;
	return 0;
}

static const take_fn takers[TT_RECORD_KIND_COUNT] = {
	[TT_RECORD_PROCESS_START] = take_process_start,
	[TT_RECORD_PROCESS_EXEC] = take_process_exec,
	[TT_RECORD_PROCESS_EXIT] = take_process_exit,
	[TT_RECORD_PROCESS_NAME] = take_process_name,
	[TT_RECORD_ALLOCATOR] = ledger__take_allocator,
	[TT_RECORD_SPACE] = ledger__take_space,
	[TT_RECORD_ALLOC] = ledger__take_alloc,
	[TT_RECORD_ZERO_SIZE] = ledger__take_create,
	[TT_RECORD_VIEW] = ledger__take_create,
	[TT_RECORD_FREE_BEGIN] = ledger__take_free_begin,
	[TT_RECORD_FREE_TRACKED] = ledger__take_free_tracked,
	[TT_RECORD_FREE_DONE] = ledger__take_free_done,
	[TT_RECORD_FREE] = ledger__take_free,
	[TT_RECORD_BULK] = ledger__take_bulk,
	[TT_RECORD_DEVICE] = ledger__take_device,
	[TT_RECORD_CENSUS] = ledger__take_census,
	[TT_RECORD_CENSUS_BUFFER] = ledger__take_census_buffer,
	[TT_RECORD_CENSUS_ORPHAN] = orphans__take,
	[TT_RECORD_CIRCULAR] = ledger__take_circular,
	[TT_RECORD_PROGRAM] = ledger__take_program,
	[TT_RECORD_STACK_COPY] = pass_over,
	[TT_RECORD_PYTHON_CODE] = pass_over,
	[TT_RECORD_STACK_TAKEN] = ledger__take_stack_taken,
};

static int find_process(struct ledger *ledger, const struct tt_record *h,
			struct process **ret_process)
{
	struct process *process = processes__find(&ledger->processes, h->tgid);
	int err;

	if (process && !process__is(process, h->start_ns)) {
		ledger__end_process(ledger, process, PROCESS_VANISHED, h->ts_ns, 0);
		process = NULL;
	}
	if (!process) {
		err = processes__add(&ledger->processes, h->tgid, h->start_ns, h->ts_ns, &process);
		if (err)
			return err;
	}
	if (!process->pub.start_ns)
		process->pub.start_ns = h->start_ns;
	*ret_process = process;
	return 0;
}

/* Does @h carry on the free that waits on its thread? */
static bool carries_on(const struct tt_record *h, const struct free_note *note)
{
	const struct tt_record_step *step = (const void *)h;

	switch (h->kind) {
	case TT_RECORD_FREE_TRACKED:
	case TT_RECORD_FREE_DONE:
		return step->object == note->buffer;
	case TT_RECORD_PROCESS_NAME:
	case TT_RECORD_ALLOCATOR:    /* deallocate_buffer meets one of before the attach */
	case TT_RECORD_PROCESS_EXIT: /* decides for all threads, by how the process ended */
		return true;
	default:
		return false;
	}
}

/* Decides what waits on the thread of @h, unless @h goes on with it; and what waits for too long.
 */
static void settle_before(struct ledger *ledger, const struct hit *hit)
{
	struct thread *thread;

	if (TAILQ_EMPTY(&ledger->pending))
		return;
	thread = process__find_thread(hit->process, hit->h->tid);
	if (thread && thread->free.active && !carries_on(hit->h, &thread->free))
		ledger__settle(ledger, thread);
	ledger__expire(ledger);
}

static void note_time(struct ledger *ledger, __u64 ts_ns)
{
	if (!ledger->stats.first_ts_ns)
		ledger->stats.first_ts_ns = ts_ns;
	if (ledger->now_ns < ts_ns)
		ledger->now_ns = ts_ns;
	ledger->stats.last_ts_ns = ledger->now_ns;
}

static bool is_about_process(__u16 kind)
{
	return kind == TT_RECORD_PROCESS_START || kind == TT_RECORD_PROCESS_EXEC ||
	       kind == TT_RECORD_PROCESS_EXIT || kind == TT_RECORD_PROCESS_NAME;
}

static int note_loss(struct ledger *ledger, const struct tt_record *h)
{
	__u64 epoch = ledger->loss.epoch;
	int err = loss__note(&ledger->loss, h);

	if (epoch != ledger->loss.epoch)
		ledger__doubt_all(ledger, ledger->loss.gap_ns);
	return err;
}

/* What was read out of a process that has ended meanwhile: its start is not known. */
static bool is_about_nobody(struct ledger *ledger, const struct tt_record *h)
{
	return !h->start_ns && h->kind != TT_RECORD_PROCESS_START &&
	       !processes__find(&ledger->processes, h->tgid);
}

/* Costs nothing while there is one library. Returns 0, 1: it is to be passed over, or -ENOMEM. */
static int look_twice(struct ledger *ledger, const struct hit *hit)
{
	struct thread *thread;
	int err;

	if (ledger->libraries.count < 2 || !hit->h->seq)
		return 0;
	err = process__thread(hit->process, hit->h->tid, &thread);
	if (err || !twice__is_second(&thread->last, hit->h))
		return err;
	ledger->stats.twice++;
	ledger->has_second |=
		libraries__mark_second(&ledger->libraries, hit->h->layout, thread->last.layout);
	return 1;
}

static int apply_to_process(struct ledger *ledger, const struct tt_record *h)
{
	struct hit hit = { .h = h };
	int err;

	err = note_loss(ledger, h);
	if (err)
		return err;
	if (is_about_nobody(ledger, h))
		return 0;
	err = find_process(ledger, h, &hit.process);
	if (err)
		return err;
	note_own_loss(ledger, hit.process, h);
	err = look_twice(ledger, &hit);
	if (err)
		return err < 0 ? err : 0;
	settle_before(ledger, &hit);
	if (!is_about_process(h->kind))
		announce(ledger, hit.process, h);
	return takers[h->kind](ledger, &hit);
}

static void emit_lost(struct ledger *ledger, const struct tt_counters *delta, __u64 records)
{
	struct event ev = {
		.kind = EVENT_LOST,
		.ts_ns = ledger->now_ns,
		.lost = delta,
		.lost_records = records,
	};

	ledger__emit(ledger, &ev);
}

static void apply_counters(struct ledger *ledger, const struct tt_record_counters *rec)
{
	__u64 since_ns = ledger->loss.counters_ns, records = 0;
	struct tt_counters delta;

	if (!loss__count(&ledger->loss, rec, &delta))
		return ledger__decide(ledger, NULL, false);
	for (__u32 i = 0; i < TT_RECORD_LIBRARY; i++)
		records += delta.lost[i];
	if (delta.orphaned_end)
		ledger__doubt_all(ledger, since_ns);
	emit_lost(ledger, &delta, records);
	ledger__decide(ledger, NULL, false);
}

int ledger__apply(struct ledger *ledger, const void *record, size_t size)
{
	const struct tt_record *h = record;
	int err;

	err = record__check(record, size);
	if (!err) {
		ledger->stats.records[h->kind]++;
		note_time(ledger, h->ts_ns);
		if (h->kind == TT_RECORD_LIBRARY)
			err = libraries__add(&ledger->libraries, record);
		else if (h->kind == TT_RECORD_MISSING)
			err = parts__miss(&ledger->parts, record);
		else if (h->kind == TT_RECORD_UNTRACED)
			err = untraced__add(&ledger->untraced, record);
		else if (h->kind == TT_RECORD_FRAME)
			err = stacks__add_frame(&ledger->stacks, record, size);
		else if (h->kind == TT_RECORD_STACK)
			err = stacks__add(&ledger->stacks, record, size);
		else if (h->kind == TT_RECORD_COUNTERS)
			apply_counters(ledger, record);
		else if (h->kind == TT_RECORD_PROCESS_LOST)
			take_process_lost(ledger, record);
		else
			err = apply_to_process(ledger, h);
	}
	if (err == -EBADMSG)
		ledger->stats.bad_records++;
	else if (err)
		ledger->stats.dropped_records++;
	return err;
}

bool ledger__each_second(struct ledger *ledger, void (*fn)(void *ctx, __u16 layout), void *ctx)
{
	const struct library_info *info;

	if (!ledger->has_second)
		return false;
	ledger->has_second = false;
	for (__u32 layout = 0; layout < TT_MAX_LAYOUTS; layout++) {
		info = libraries__find(&ledger->libraries, (__u16)layout);
		if (info && info->is_second)
			fn(ctx, (__u16)layout);
	}
	return true;
}

int ledger__finish(struct ledger *ledger, __u64 ts_ns)
{
	__u64 epoch = ledger->loss.epoch;
	struct process *process, *next;

	note_time(ledger, ts_ns);
	ledger__finish_frees(ledger, NULL);
	HASH_ITER (hh, ledger->processes.running, process, next)
		ledger__drop_untold(ledger, process);
	loss__give_up(&ledger->loss, ledger->now_ns);
	if (epoch != ledger->loss.epoch)
		ledger__doubt_all(ledger, ledger->loss.gap_ns);
	ledger__decide(ledger, NULL, true);
	HASH_ITER (hh, ledger->processes.running, process, next)
		if (process__has_folded_devices(process))
			device__fold_all(process, &ledger->buffers);
	if (loss__unexplained(&ledger->loss))
		emit_lost(ledger, NULL, loss__unexplained(&ledger->loss));
	return 0;
}
