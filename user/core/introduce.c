// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Devices and their allocators, as the stream introduces them. */
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

	err = device__meet(hit->process, &ledger->buffers, seen, hit->h->faults, hit->h->ts_ns,
			   &old, &device);
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
		if (rec->bank_base[i])
			allocator->bank_base[i] = rec->bank_base[i];
		allocator__resize(allocator, i, rec->bank_size[i]);
	}
}

/*
 * The allocators of sub-devices share the L1 of their device out among them: what lies between the
 * least and the highest address is the device's.
 */
static void note_regions(struct device *device, const struct tt_record_allocator *rec)
{
	for (int i = 0; i < TT_TYPE_COUNT; i++) {
		struct region *region = &device->regions[i];
		__u64 from = rec->bank_base[i], to = from + rec->bank_size[i];

		if (!from || to <= from)
			continue;
		if (!region->to || from < region->from)
			region->from = from;
		if (region->to < to)
			region->to = to;
		if (region->banks < rec->num_banks[i])
			region->banks = rec->num_banks[i];
	}
}

int ledger__new_allocator(struct ledger *ledger, struct device *device, __u64 object,
			  struct allocator **ret_allocator)
{
	int err = allocator__new(&ledger->allocators, device, object, ret_allocator);

	if (!err)
		(*ret_allocator)->maps_always = ledger->opts.follow_holes;
	return err;
}

/*
 * A census may read an allocator while its device closes: that is no other life of the two. Both
 * its end and the opening of the next one are seen.
 */
static bool is_closing(const struct ledger *ledger, const struct hit *hit,
		       const struct tt_record_allocator *rec)
{
	const struct device *device = device__find(hit->process, rec->device.object);
	const struct allocator *allocator =
		allocator__find(hit->process, rec->allocator, rec->device.object);

	return hit->h->probe == TT_PROBE_COUNT && device && device->closed && allocator &&
	       allocator->device == device &&
	       !loss__may_hide_any(&ledger->loss, &hit->process->loss);
}

int ledger__take_allocator(struct ledger *ledger, const struct hit *hit)
{
	const struct tt_record_allocator *rec = (const void *)hit->h;
	struct allocator *allocator;
	struct device *device;
	__u64 buffers, bytes;
	int err;

	if (is_closing(ledger, hit, rec))
		return 0;
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
		err = ledger__new_allocator(ledger, device, rec->allocator, &allocator);
		if (err)
			return err;
	}
	fill_banks(allocator, rec);
	note_regions(device, rec);
	return 0;
}
