// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Programs of the target: where they place their circular and dataflow buffers, and their end. */
#include <errno.h>

#include "core/circular.h"
#include "core/ledger_impl.h"

/* The chips that a record is about, as places in the array of its process. */
struct chip_slots {
	const __u32 *at;
	__u32 count;
	__u32 only;
};

/*
 * A chip is named by its own Device; that is so for circular buffers from 0.70 on. A mesh stands
 * for all its chips: these were told of when it was opened, or with its allocator.
 */
static int find_chips(struct process *process, __u64 object, __u32 kind, __u32 chip,
		      struct chip_slots *ret_slots)
{
	const struct device *device;
	int err;

	*ret_slots = (struct chip_slots){};
	if (kind == TT_DEVICE_CHIP && chip != TT_NO_CHIP) {
		err = chips__slot(&process->chips, chip, &ret_slots->only);
		ret_slots->at = &ret_slots->only;
		ret_slots->count = 1;
		return err;
	}
	device = object ? device__find(process, object) : NULL;
	if (device) {
		ret_slots->at = device->chip_slots;
		ret_slots->count = device->pub.num_chips;
	}
	return 0;
}

static int place(struct process *process, __u32 slot, enum circular_kind kind,
		 const struct tt_record_circular *rec)
{
	struct circular **circular = &process->chips.at[slot].circular[kind];
	int err = *circular ? 0 : circular__new(circular);

	return err ? err : circular__place(*circular, rec->h.tid, rec);
}

/* Not so, without an address, in a graph capture of a program that never runs. */
static bool is_placed(const struct tt_record_circular *rec)
{
	return rec->address && rec->size && !rec->globally_allocated;
}

static __u64 find_object(struct process *process, const struct tt_record_circular *rec)
{
	const struct thread *thread;

	if (rec->device)
		return rec->device;
	thread = process__find_thread(process, rec->h.tid);
	return thread ? thread->placing : 0;
}

int ledger__take_circular(struct ledger *ledger, const struct hit *hit)
{
	const struct tt_record_circular *rec = (const void *)hit->h;
	enum circular_kind kind =
		rec->h.probe == TT_PROBE_MARK_ADDRESS ? DATAFLOW_BUFFERS : CIRCULAR_BUFFERS;
	struct chip_slots slots;
	int err;

	if (!is_placed(rec))
		return 0;
	err = find_chips(hit->process, find_object(hit->process, rec), rec->device_kind, rec->chip,
			 &slots);
	if (err)
		return err;
	if (!slots.count || (rec->h.faults & TT_FAULT_RANGES) || !circular__is_sane(rec))
		ledger->stats.circular_unknown++;
	else
		for (__u32 i = 0; i < slots.count && !err; i++)
			err = place(hit->process, slots.at[i], kind, rec);
	return err;
}

/* What comes from this thread is of another program. */
static void divide(const struct hit *hit, const struct chip_slots *slots, enum circular_kind kind)
{
	for (__u32 i = 0; i < slots->count; i++) {
		struct circular *circular = hit->process->chips.at[slots->at[i]].circular[kind];

		if (circular)
			circular__divide(circular, hit->h->tid);
	}
}

static int note_placing(const struct hit *hit, __u64 device)
{
	struct thread *thread;
	int err = process__thread(hit->process, hit->h->tid, &thread);

	if (!err)
		thread->placing = device;
	return err;
}

static void end_program(const struct hit *hit, const struct chip_slots *slots)
{
	for (__u32 i = 0; i < slots->count; i++) {
		struct circular *circular =
			hit->process->chips.at[slots->at[i]].circular[CIRCULAR_BUFFERS];

		if (circular)
			circular__end_program(circular);
	}
}

int ledger__take_program(struct ledger *ledger, const struct hit *hit)
{
	const struct tt_record_program *rec = (const void *)hit->h;
	struct chip_slots slots;
	int err = find_chips(hit->process, rec->device, rec->device_kind, rec->chip, &slots);

	(void)ledger;
	if (err)
		return err;
	switch (rec->h.probe) {
	case TT_PROBE_REGISTER_PROGRAM:
		divide(hit, &slots, CIRCULAR_BUFFERS);
		return 0;
	case TT_PROBE_PLACE_DATAFLOW:
		divide(hit, &slots, DATAFLOW_BUFFERS);
		return note_placing(hit, rec->device);
	case TT_PROBE_TRACK_DEALLOCATE_CB:
		end_program(hit, &slots);
		return 0;
	default:
		return 0;
	}
}
