// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * What leaked: the verdict is due when the closing of a device begins, before its bulk free, and
 * for what remains at the end of the process. Once only for each buffer. What a process held when
 * a signal ended it is no leak: it had no chance to free it. But what it had freed, and a graph
 * capture kept, was out of its reach before: that stays a leak.
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "core/orphans.h"
#include "core/release.h"

static void emit_verdict(struct ledger *ledger, enum event_kind kind, const struct device *device,
			 const struct buffer *buffer, __u64 ts_ns, __u32 tid, const char *why)
{
	struct event_buffer described;
	struct event ev = {
		.kind = kind,
		.ts_ns = ts_ns,
		.tid = tid,
		.process = &device->process->pub,
		.device = &device->pub,
		.buffer = &described,
		.why = why,
	};

	if (buffer->flags & BUFFER_ORPHAN)
		ev.why = ORPHAN_WHY;
	else if (buffer->flags & BUFFER_SUPPRESSED)
		ev.why =
			"freed by the program, but a graph capture suppressed the free: the memory "
			"was never given back";
	else if (buffer->flags & BUFFER_VICTIM)
		ev.why = ledger__why(ledger,
				     "%s; its memory had been given away by the free of "
				     "another buffer",
				     why);
	else if (buffer->flags & BUFFER_UNSEEN)
		ev.why = ledger__why(ledger,
				     "%s; it is older than the tracing, so that it may be the "
				     "runtime's own",
				     why);
	ledger__describe(ledger, buffer, &described);
	ledger__emit(ledger, &ev);
}

/* Was it freed, and its memory kept? */
static bool is_out_of_reach(const struct buffer *buffer)
{
	return buffer->flags & (BUFFER_SUPPRESSED | BUFFER_ORPHAN);
}

static void judge_buffer(struct ledger *ledger, struct device *device, __u32 nr, __u64 ts_ns,
			 __u32 tid, const char *why)
{
	struct buffer *buffer = buffers__at(&ledger->buffers, nr);

	if (buffer->kind == KIND_HOOKED ||
	    (buffer->flags &
	     (BUFFER_LEAKED | BUFFER_CUT_OFF | BUFFER_DOUBTFUL | BUFFER_HELD | BUFFER_FREEING)))
		return;
	if (buffer->kind == KIND_SYSTEM) {
		buffer->flags |= BUFFER_HELD;
	} else if (loss__may_hide_free(&ledger->loss, &device->process->loss,
				       buffer->alloc_ts_ns)) {
		buffer->flags |= BUFFER_DOUBTFUL;
		verdict_sum__add(&device->doubtful, buffer);
	} else if (process__was_killed(device->process) && !is_out_of_reach(buffer)) {
		buffer->flags |= BUFFER_CUT_OFF;
		verdict_sum__add(&device->cut_off, buffer);
		emit_verdict(ledger, EVENT_ENDED, device, buffer, ts_ns, tid, why);
	} else {
		buffer->flags |= BUFFER_LEAKED;
		device__add_leak(device, buffer);
		emit_verdict(ledger, EVENT_LEAK, device, buffer, ts_ns, tid, why);
	}
}

/* Marks what other threads are freeing at this moment, or takes the marks off again. */
static void mark_freeing(struct ledger *ledger, const struct process *process, bool on)
{
	struct thread *thread;
	__u32 nr;

	TAILQ_FOREACH (thread, &ledger->pending, pending) {
		if (thread->process != process)
			continue;
		nr = release__find_entry(ledger, process, thread->free.buffer, &thread->free);
		if (nr == BUFFER_NONE)
			continue;
		if (on)
			buffers__at(&ledger->buffers, nr)->flags |= BUFFER_FREEING;
		else
			buffers__at(&ledger->buffers, nr)->flags &= ~BUFFER_FREEING;
	}
}

void ledger__judge_device(struct ledger *ledger, struct device *device, __u64 ts_ns, __u32 tid,
			  const char *why)
{
	struct process *process = device->process;
	struct allocator *allocator;
	__u32 nr;

	if (!device->closed)
		device->num_spaces = ledger__survey_device(ledger, device, true, device->spaces);
	mark_freeing(ledger, process, true);
	TAILQ_FOREACH (allocator, &process->all_allocators, entry) {
		if (allocator->device != device)
			continue;
		ledger__tell_all_found(ledger, allocator, ts_ns, tid);
		for (nr = allocator->live.head; nr != BUFFER_NONE;
		     nr = buffers__at(&ledger->buffers, nr)->next)
			judge_buffer(ledger, device, nr, ts_ns, tid, why);
	}
	mark_freeing(ledger, process, false);
}

void ledger__judge_late(struct ledger *ledger, __u32 nr, __u64 ts_ns, __u32 tid)
{
	const struct buffer *buffer = buffers__at(&ledger->buffers, nr);

	judge_buffer(ledger, ledger__allocator_of(ledger, buffer)->device, nr, ts_ns, tid,
		     "its free was suppressed while its device was being closed");
}

static bool is_opening(__u32 probe)
{
	return probe == TT_PROBE_DEVICE_OPEN || probe == TT_PROBE_MESH_OPEN;
}

static void emit_device(struct ledger *ledger, const struct hit *hit, enum event_kind kind,
			const struct device *device, const char *why)
{
	struct event ev = {
		.kind = kind,
		.ts_ns = hit->h->ts_ns,
		.tid = hit->h->tid,
		.process = &hit->process->pub,
		.device = &device->pub,
		.why = why,
	};

	if (kind == EVENT_DEVICE_CLOSE) {
		ev.num_buffers = device->leaked.buffers + device->doubtful.buffers;
		ev.bytes = device->leaked.bytes + device->doubtful.bytes;
	}
	ledger__emit(ledger, &ev);
}

static void open_device(struct ledger *ledger, const struct hit *hit, struct device *device)
{
	if (device->opened)
		return;
	device->opened = true;
	emit_device(ledger, hit, EVENT_DEVICE_OPEN, device, NULL);
}

/* Closing is entered again at ~MeshDevice, and by close() itself: only the first time counts. */
static void close_device(struct ledger *ledger, const struct hit *hit, struct device *device)
{
	const char *why = NULL;

	if (device->closed)
		return;
	device->asked = hit->h->probe != TT_PROBE_MESH_CLOSING;
	if (hit->h->probe == TT_PROBE_MESH_CLOSE)
		why = "the program closed it";
	else if (hit->h->probe == TT_PROBE_MESH_CLOSING)
		why = "dropped without a close: with its last reference, or at exit";
	ledger__judge_device(ledger, device, hit->h->ts_ns, hit->h->tid,
			     "live when its device was closed");
	device->closed = true;
	device->close_ts_ns = hit->h->ts_ns;
	emit_device(ledger, hit, EVENT_DEVICE_CLOSE, device, why);
}

int ledger__take_device(struct ledger *ledger, const struct hit *hit)
{
	const struct tt_record_device *rec = (const void *)hit->h;
	struct device *device = device__find(hit->process, rec->device.object);
	bool opening = is_opening(hit->h->probe);
	int err;

	/* a device that was closed before: closing is entered again when its object ends */
	if (!opening && !device && process__has_folded_devices(hit->process))
		return 0;
	/* what a device shows of itself while it closes is not to be trusted */
	if (opening || !device) {
		err = ledger__meet_device(ledger, hit, &rec->device, &device);
		if (err)
			return err;
	}
	if (opening) {
		open_device(ledger, hit, device);
		return 0;
	}
	ledger__expect_opened(ledger, hit->process, device);
	close_device(ledger, hit, device);
	return 0;
}

static const char *end_words(struct ledger *ledger, enum process_state how, __u32 exit_code)
{
	int signal = (int)(exit_code & 0x7f);
	const char *name;

	switch (how) {
	case PROCESS_EXECED:
		return "replaced by another program (exec)";
	case PROCESS_VANISHED:
		return "ended unseen: its PID belongs to another process now";
	default:
		if (!signal)
			return ledger__why(ledger, "ended with status %u", (exit_code >> 8) & 0xff);
		name = sigabbrev_np(signal);
		return ledger__why(ledger, "killed by signal %d (SIG%s)", signal,
				   name ? name : "?");
	}
}

static const char *leak_words(enum process_state how, __u32 exit_code)
{
	if (how == PROCESS_EXECED)
		return "live when the process was replaced by another program (exec)";
	if (how == PROCESS_VANISHED)
		return "live when the process ended, unseen";
	return exit_code & 0x7f ? "live when the process was killed by a signal"
				: "live when the process ended";
}

static void judge_process(struct ledger *ledger, struct process *process, __u64 ts_ns,
			  const char *why)
{
	struct device *device;

	for (device = process->devices; device; device = device->next) {
		ledger__judge_device(ledger, device, ts_ns, process->pub.pid, why);
		if (!device->closed)
			device->close_ts_ns = ts_ns;
	}
}

static void end_buffers(struct ledger *ledger, struct process *process)
{
	struct allocator *allocator;
	__u32 nr, next;

	ledger__forget_all(ledger, process);
	while ((allocator = TAILQ_FIRST(&process->all_allocators))) {
		allocator->remembered++; /* it shall outlive its last buffer, to be freed here */
		for (nr = allocator->live.head; nr != BUFFER_NONE; nr = next) {
			next = buffers__at(&ledger->buffers, nr)->next;
			ledger__end(ledger, process, nr);
		}
		allocator__free(&ledger->allocators, allocator);
	}
}

void ledger__end_process(struct ledger *ledger, struct process *process, enum process_state how,
			 __u64 ts_ns, __u32 exit_code)
{
	struct event ev = {
		.kind = EVENT_PROCESS_EXIT,
		.ts_ns = ts_ns,
		.tid = process->pub.pid,
		.process = &process->pub,
		.exit_code = exit_code,
	};

	/* the record of its end is lost, and with it what that would have told */
	if (how == PROCESS_VANISHED && loss__total(&ledger->loss))
		loss_process__suspect(&process->loss, ts_ns);
	process->state = how;
	process->exit_code = exit_code;
	process->end_ts_ns = ts_ns;
	if (process__was_killed(process))
		ledger__finish_frees(ledger, process);
	else
		ledger__settle_process(ledger, process);
	ledger__decide(ledger, process, true);
	ledger__drop_untold(ledger, process);
	judge_process(ledger, process, ts_ns, leak_words(how, exit_code));
	ev.why = end_words(ledger, how, exit_code);
	if (process->announced)
		ledger__emit(ledger, &ev);
	end_buffers(ledger, process);
	if (process__has_folded_devices(process))
		device__fold_all(process, &ledger->buffers);
	processes__retire(&ledger->processes, process);
	ledger__fold_ended(ledger);
}

static void doubt_buffer(struct device *device, struct buffer *buffer)
{
	if (!(buffer->flags & (BUFFER_LEAKED | BUFFER_CUT_OFF)))
		return;
	if (buffer->flags & BUFFER_LEAKED)
		device__sub_leak(device, buffer);
	else
		verdict_sum__sub(&device->cut_off, buffer);
	buffer->flags &= ~(BUFFER_LEAKED | BUFFER_CUT_OFF);
	buffer->flags |= BUFFER_DOUBTFUL;
	verdict_sum__add(&device->doubtful, buffer);
}

static void doubt_list(struct ledger *ledger, struct device *device, const struct buffer_list *list)
{
	struct buffer *buffer;

	for (__u32 nr = list->head; nr != BUFFER_NONE; nr = buffer->next) {
		buffer = buffers__at(&ledger->buffers, nr);
		doubt_buffer(device, buffer);
	}
}

void ledger__doubt(struct ledger *ledger, struct process *process, __u64 since_ns)
{
	struct allocator *allocator;
	struct device *device;

	for (device = process->devices; device; device = device->next) {
		if (device->close_ts_ns >= since_ns)
			doubt_list(ledger, device, &device->leaks);
	}
	TAILQ_FOREACH (allocator, &process->all_allocators, entry) {
		if (allocator->device->close_ts_ns >= since_ns)
			doubt_list(ledger, allocator->device, &allocator->live);
	}
}

void ledger__doubt_all(struct ledger *ledger, __u64 since_ns)
{
	struct process *process, *next;

	HASH_ITER (hh, ledger->processes.running, process, next)
		ledger__doubt(ledger, process, since_ns);
	TAILQ_FOREACH (process, &ledger->processes.ended, entry)
		ledger__doubt(ledger, process, since_ns);
}
