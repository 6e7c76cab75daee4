// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "core/orphans.h"

#include <errno.h>

/* Is @mesh a mesh with the chip that @chip is? */
static bool has_chip_of(const struct event_device *mesh, const struct event_device *chip)
{
	if (!mesh->is_mesh || !chip->num_chips)
		return false;
	for (__u32 i = 0; i < mesh->num_chips; i++)
		if (mesh->chips[i] == chip->chips[0])
			return true;
	return false;
}

/*
 * Where chips have allocators of their own, those mark what an allocator of a mesh takes on the
 * chip (mirror_lockstep_allocation(), from 0.70 on): it is the same memory.
 */
static bool is_mirrored(struct ledger *ledger, const struct process *process,
			const struct allocator *chip, const struct tt_record_census_orphan *rec)
{
	struct allocator *allocator;
	__u32 nr;

	if (chip->device->pub.is_mesh)
		return false;
	TAILQ_FOREACH (allocator, &process->all_allocators, entry) {
		if (has_chip_of(&allocator->device->pub, &chip->device->pub) &&
		    !allocator__at_address(allocator, &ledger->buffers, rec->type, rec->address,
					   &nr) &&
		    nr != BUFFER_NONE)
			return true;
	}
	return false;
}

static void fill(struct buffer *buffer, const struct tt_record_census_orphan *rec)
{
	buffer->address = rec->address;
	buffer->type = rec->type;
	buffer->layout = TT_LAYOUT_COUNT;
	buffer->kind = KIND_OWNING;
	buffer->alloc_ts_ns = rec->h.ts_ns;
	buffer->flags = BUFFER_ORPHAN | BUFFER_HAS_ADDRESS | BUFFER_UNSEEN | BUFFER_UNTOLD;
}

static int add(struct ledger *ledger, struct allocator *allocator,
	       const struct tt_record_census_orphan *rec, __u32 *ret_nr)
{
	const struct space_note space = { .count = 1, .per_bank = rec->per_bank };
	const struct library_info *info = libraries__find(&ledger->libraries, rec->h.layout);
	struct buffer *buffer;
	int err = buffers__take(&ledger->buffers, ret_nr);

	if (err)
		return err;
	buffer = buffers__at(&ledger->buffers, *ret_nr);
	fill(buffer, rec);
	ledger__measure(allocator, buffer, &space);
	buffer->size = buffer->footprint; /* what was asked for nobody knows any more */
	err = ledger__enter_buffer(ledger, allocator, *ret_nr, info && info->has_stacks);
	if (err) {
		buffers__release(&ledger->buffers, *ret_nr);
		return err;
	}
	allocator->orphans++;
	verdict_sum__add(&allocator->device->orphans, buffer);
	return 0;
}

/* The block is taken, and @buffer is what we know there: an orphan, or one whose free is going on.
 */
static void count(struct census *census, struct buffer *buffer)
{
	buffer->flags |= BUFFER_COUNTED_NOW;
	census->orphans++;
	census->orphan_bytes += buffer->footprint;
}

/* What the first census takes for the parent's may be the process's own. */
static int pass_over(struct process *process, const struct tt_record_census_orphan *rec)
{
	if (rec->doubt == TT_ORPHAN_INHERITED && census__is_first(process))
		process->census.may_be_own++;
	return 0;
}

int orphans__take(struct ledger *ledger, const struct hit *hit)
{
	const struct tt_record_census_orphan *rec = (const void *)hit->h;
	struct allocator *allocator =
		ledger__census_allocator(hit->process, rec->allocator, rec->device);
	__u32 nr;
	int err;

	if (rec->type >= TT_TYPE_COUNT)
		return -EBADMSG;
	if (!allocator && rec->doubt)
		return pass_over(hit->process, rec);
	hit->process->census.unplaced |= !allocator;
	if (!allocator || is_mirrored(ledger, hit->process, allocator, rec))
		return 0;
	err = allocator__at_address(allocator, &ledger->buffers, rec->type, rec->address, &nr);
	if (!err && nr == BUFFER_NONE && rec->doubt)
		return pass_over(hit->process, rec);
	if (!err && nr == BUFFER_NONE)
		err = add(ledger, allocator, rec, &nr);
	if (!err)
		count(&hit->process->census, buffers__at(&ledger->buffers, nr));
	return err;
}

void orphans__yield(struct ledger *ledger, const struct hit *hit, struct allocator *allocator,
		    const struct body *body)
{
	struct buffer *buffer;
	__u32 nr;

	if (!allocator->orphans || !body__has(body, TT_FIELD_ADDRESS) || body->hooked ||
	    allocator__at_address(allocator, &ledger->buffers, body->type, body->address, &nr) ||
	    nr == BUFFER_NONE)
		return;
	buffer = buffers__at(&ledger->buffers, nr);
	if (!(buffer->flags & BUFFER_ORPHAN))
		return;
	if (buffer->flags & BUFFER_UNTOLD)
		return ledger__drop_found(ledger, nr);
	ledger__emit_unseen_free(ledger, hit, buffer, CLASS_LOST,
				 "it was given back unseen: another buffer has its memory");
	ledger__end(ledger, hit->process, nr);
}
