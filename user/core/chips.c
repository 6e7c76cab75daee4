// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "core/chips.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/process.h"

int chips__slot(struct chips *chips, __u32 id, __u32 *ret_slot)
{
	struct chip *at;

	for (__u32 i = 0; i < chips->num; i++) {
		if (chips->at[i].id == id) {
			*ret_slot = i;
			return 0;
		}
	}
	at = realloc(chips->at, (chips->num + 1) * sizeof(*at));
	if (!at)
		return -ENOMEM;
	chips->at = at;
	at[chips->num] = (struct chip){ .id = id };
	*ret_slot = chips->num++;
	return 0;
}

static bool lies_on(const struct device *device, __u32 slot)
{
	for (__u32 i = 0; i < device->pub.num_chips; i++) {
		if (device->chip_slots[i] == slot)
			return true;
	}
	return false;
}

const struct usage *chips__usage(const struct process *process, __u32 slot)
{
	static const struct usage nothing;

	if (process->chips.has_totals)
		return &process->chips.at[slot].usage;
	return process->sole && lies_on(process->sole, slot) ? &process->sole->usage : &nothing;
}

void chips__end(struct chips *chips)
{
	struct cover *cover;

	while ((cover = chips->covers)) {
		chips->covers = cover->next;
		for (int type = 0; type < TT_TYPE_COUNT; type++)
			coverage__done(&cover->ranges[type]);
		free(cover);
	}
	for (__u32 i = 0; i < chips->num; i++)
		chips->at[i].cover = NULL;
}

void chips__done(struct chips *chips)
{
	chips__end(chips);
	for (__u32 i = 0; i < chips->num; i++)
		for (int kind = 0; kind < CIRCULAR_KINDS; kind++)
			circular__free(chips->at[i].circular[kind]);
	free(chips->at);
	*chips = (struct chips){ 0 };
}

/* --- what one buffer covers ------------------------------------------------------------------ */

/*
 * Where it lies is known, and it is one of the allocators over all banks of the device: those of
 * sub-devices have some banks each, and other banks at the same addresses.
 */
static bool is_comparable(const struct cover *cover, const struct allocator *allocator,
			  const struct buffer *buffer)
{
	return buffer->type < TT_TYPE_COUNT && buffer->footprint &&
	       (buffer->flags & BUFFER_HAS_ADDRESS) &&
	       allocator->num_banks[buffer->type] == cover->num_banks[buffer->type] &&
	       !allocator->is_beside;
}

typedef int (*coverage_fn)(struct coverage *coverage, __u64 from, __u64 to, __u64 *ret_bytes);

/* Sets ->footprint to the bytes that are covered more, or less. Returns 0 or -ENOMEM. */
static int change_cover(struct cover *cover, const struct allocator *allocator,
			const struct buffer *buffer, coverage_fn change)
{
	__u32 num_banks;
	__u64 bytes;
	int err;

	cover->footprint = buffer->footprint;
	if (!is_comparable(cover, allocator, buffer))
		return 0;
	num_banks = cover->num_banks[buffer->type];
	err = change(&cover->ranges[buffer->type], buffer->address,
		     buffer->address + buffer->footprint / num_banks, &bytes);
	cover->footprint = bytes * num_banks;
	return err;
}

/* --- who lies where -------------------------------------------------------------------------- */

static bool is_there(const struct device *device)
{
	return device->is_covered && (device->usage.sum.buffers || !device->closed);
}

/* Are the same devices on both chips? *ret_num: how many are on the first. */
static bool is_alike(const struct process *process, __u32 a, __u32 b, __u32 *ret_num)
{
	bool alike = true;

	*ret_num = 0;
	for (const struct device *d = process->devices; d; d = d->next) {
		if (!is_there(d))
			continue;
		*ret_num += lies_on(d, a);
		alike &= lies_on(d, a) == lies_on(d, b);
	}
	return alike;
}

static struct cover *new_cover(struct process *process, __u32 slot)
{
	struct cover *cover = calloc(1, sizeof(*cover));
	const struct allocator *allocator;

	if (!cover)
		return NULL;
	TAILQ_FOREACH (allocator, &process->all_allocators, entry) {
		if (!is_there(allocator->device) || !lies_on(allocator->device, slot))
			continue;
		for (int type = 0; type < TT_TYPE_COUNT; type++)
			if (cover->num_banks[type] < allocator->num_banks[type])
				cover->num_banks[type] = allocator->num_banks[type];
	}
	cover->next = process->chips.covers;
	process->chips.covers = cover;
	return cover;
}

/* That of an earlier chip on which the same devices lie, or a new one. NULL is one, too: none. */
static int choose_cover(struct process *process, __u32 slot)
{
	struct chip *at = process->chips.at;
	__u32 num;

	for (__u32 i = 0; i < slot; i++) {
		if (is_alike(process, slot, i, &num)) {
			at[slot].cover = at[i].cover;
			return 0;
		}
	}
	is_alike(process, slot, slot, &num);
	if (num < 2)
		return 0;
	at[slot].cover = new_cover(process, slot);
	return at[slot].cover ? 0 : -ENOMEM;
}

static int cover_live(struct process *process, const struct allocator *allocator,
		      const struct buffers *buffers)
{
	const struct device *device = allocator->device;
	const struct buffer *buffer;
	struct cover *cover;
	int err = 0;

	for (__u32 nr = allocator->live.head; nr != BUFFER_NONE && !err; nr = buffer->next) {
		buffer = buffers__at(buffers, nr);
		if (!(buffer->flags & BUFFER_COUNTED))
			continue;
		process->chips.turn++;
		for (__u32 i = 0; i < device->pub.num_chips && !err; i++) {
			cover = process->chips.at[device->chip_slots[i]].cover;
			if (!cover || cover->turn == process->chips.turn)
				continue;
			cover->turn = process->chips.turn;
			err = change_cover(cover, allocator, buffer, coverage__add);
		}
	}
	return err;
}

/* All of them anew: another device has memory now. */
static int make_covers(struct process *process, const struct buffers *buffers)
{
	const struct allocator *allocator;
	int err = 0;

	chips__end(&process->chips);
	for (__u32 i = 0; i < process->chips.num && !err; i++)
		err = choose_cover(process, i);
	if (!process->chips.covers)
		return err;
	TAILQ_FOREACH (allocator, &process->all_allocators, entry)
		if (!err)
			err = cover_live(process, allocator, buffers);
	return err;
}

/* --- totals ---------------------------------------------------------------------------------- */

static void add_live(struct usage *usage, const struct usage *other, __u64 times)
{
	for (int type = 0; type < TT_TYPE_COUNT; type++)
		usage->type[type].live += other->type[type].live * times;
	usage->sum.live += other->sum.live * times;
}

static void forget_live(struct usage *usage)
{
	for (int type = 0; type < TT_TYPE_COUNT; type++)
		usage->type[type].live = 0;
	usage->sum.live = 0;
}

static __u32 times(const struct device *device)
{
	return device->pub.num_chips ? device->pub.num_chips : 1;
}

/* There is no memory for covers: from now on what all devices have is added up. */
static void give_up_covers(struct process *process)
{
	chips__end(&process->chips);
	forget_live(&process->usage);
	for (__u32 i = 0; i < process->chips.num; i++)
		forget_live(&process->chips.at[i].usage);
	for (const struct device *d = process->devices; d; d = d->next) {
		add_live(&process->usage, &d->usage, times(d));
		for (__u32 i = 0; i < d->pub.num_chips; i++)
			add_live(&process->chips.at[d->chip_slots[i]].usage, &d->usage, 1);
	}
}

/* Does it meet another device on its chips? */
static bool meets_another(const struct process *process, const struct device *device)
{
	for (__u32 i = 0; i < device->pub.num_chips; i++) {
		if (process->chips.at[device->chip_slots[i]].cover)
			return true;
		for (const struct device *d = process->devices; d; d = d->next)
			if (d != device && is_there(d) && lies_on(d, device->chip_slots[i]))
				return true;
	}
	return false;
}

/* Before the first memory of @device is counted: a second device ends the easy time. */
static void prepare(struct process *process, struct device *device, const struct buffers *buffers)
{
	if (device->is_covered)
		return;
	device->is_covered = true;
	if (!process->sole && !process->chips.has_totals)
		process->sole = device;
	if (process->sole == device && !process->chips.has_totals)
		return;
	for (__u32 i = 0; i < process->chips.num && !process->chips.has_totals; i++)
		process->chips.at[i].usage = *chips__usage(process, i);
	process->chips.has_totals = true;
	if (meets_another(process, device) && make_covers(process, buffers))
		give_up_covers(process);
}

/* The bytes that @buffer adds to, or takes from, those of the chip at @slot. 0 or -ENOMEM. */
static int find_bytes(struct process *process, __u32 slot, const struct allocator *allocator,
		      const struct buffer *buffer, coverage_fn change, __u64 *ret_bytes)
{
	struct cover *cover = process->chips.at[slot].cover;
	int err = 0;

	*ret_bytes = buffer->footprint;
	if (!cover)
		return 0;
	if (cover->turn != process->chips.turn) {
		cover->turn = process->chips.turn;
		err = change_cover(cover, allocator, buffer, change);
	}
	*ret_bytes = cover->footprint;
	return err;
}

typedef void (*usage_fn)(struct usage *usage, __u32 type, __u64 footprint, __u64 size);

/* A new cover may fail half-way: then all begins again, without any. */
static bool change_covers(struct process *process, const struct allocator *allocator,
			  const struct buffer *buffer, coverage_fn change)
{
	const struct device *device = allocator->device;
	__u64 bytes;

	process->chips.turn++;
	for (__u32 i = 0; process->chips.covers && i < device->pub.num_chips; i++)
		if (find_bytes(process, device->chip_slots[i], allocator, buffer, change, &bytes))
			return false;
	return true;
}

static void change_totals(struct process *process, const struct allocator *allocator,
			  const struct buffer *buffer, coverage_fn change, usage_fn count)
{
	const struct device *device = allocator->device;
	__u64 sum = 0, bytes;

	if (!change_covers(process, allocator, buffer, change))
		give_up_covers(process);
	for (__u32 i = 0; process->chips.has_totals && i < device->pub.num_chips; i++) {
		find_bytes(process, device->chip_slots[i], allocator, buffer, change, &bytes);
		count(&process->chips.at[device->chip_slots[i]].usage, buffer->type, bytes,
		      buffer->size);
		sum += bytes;
	}
	if (!process->chips.has_totals || !device->pub.num_chips)
		sum = buffer->footprint * times(device);
	count(&process->usage, buffer->type, sum, buffer->size * times(device));
}

void chips__add(struct allocator *allocator, const struct buffers *buffers,
		const struct buffer *buffer)
{
	struct process *process = allocator->device->process;

	prepare(process, allocator->device, buffers);
	change_totals(process, allocator, buffer, coverage__add, usage__add);
}

void chips__sub(struct allocator *allocator, const struct buffer *buffer)
{
	change_totals(allocator->device->process, allocator, buffer, coverage__remove, usage__sub);
}
