// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Why an allocation failed: what was free, how large the largest hole was, who held the rest, and
 * whether it would have fitted. From what the ledger knows at this moment, in the order of records.
 *
 * It takes no walk over what is live but the first time that an allocator fails (see bank_map.h).
 * What was not seen from the beginning, or with losses, is called unknown.
 */
#include <string.h>

#include "core/origin.h"
#include "core/release.h"

/* NULL: all that @process holds was seen. */
static const char *why_not_seen(const struct ledger *ledger, const struct process *process)
{
	if (census__is_first(process))
		return "the process used the runtime before it was traced";
	if (loss__may_hide_any(&ledger->loss, &process->loss))
		return "records were lost";
	if (process->has_overridden)
		return "the state of an allocator was overridden with one that was not seen";
	return NULL;
}

/* Was @device open when the process was forked, or may it have been? */
static bool is_inherited(const struct process *process, const struct device *device)
{
	return process->flags & TT_PROCESS_FORKED && !(process->flags & TT_PROCESS_BEFORE_ATTACH) &&
	       !(device && device->opened);
}

static const char *why_not_known(const struct ledger *ledger, const struct process *process,
				 const struct device *device, const struct allocator *allocator)
{
	if (is_inherited(process, device) || (allocator && allocator->inherits))
		return "what the process has inherited from its parent by fork is not counted";
	return why_not_seen(ledger, process);
}

static void doubt_space(struct event_space *space, const char *why)
{
	if (!why)
		return;
	space->has_free = space->has_hole = false;
	space->why = why;
}

void ledger__survey(const struct ledger *ledger, const struct allocator *allocator, __u32 type,
		    bool walk, struct event_space *ret_space)
{
	allocator__survey(allocator, &ledger->buffers, type, walk, ret_space);
	doubt_space(ret_space, why_not_known(ledger, allocator->device->process, allocator->device,
					     allocator));
}

__u32 ledger__survey_device(const struct ledger *ledger, const struct device *device, bool walk,
			    struct event_space *ret_spaces)
{
	const struct allocator *allocator;
	__u32 num = 0;

	TAILQ_FOREACH (allocator, &device->process->all_allocators, entry) {
		if (allocator->device != device || allocator->dead)
			continue;
		for (__u32 type = 0; type < TT_TYPE_COUNT && num < SPACES_MAX; type++) {
			if (allocator->num_banks[type] && allocator->bank_size[type])
				ledger__survey(ledger, allocator, type, walk, &ret_spaces[num++]);
		}
	}
	return num;
}

/* Nothing has come from it yet: if that is all that there is to know, all of it is free. */
static void survey_unmet(const struct ledger *ledger, const struct process *process,
			 const struct device *device, __u64 object, __u32 type, __u64 bank_size,
			 struct event_space *space)
{
	*space = (struct event_space){
		.allocator = object,
		.type = type,
		.size = bank_size,
		.has_free = bank_size,
		.free = bank_size,
		.has_hole = bank_size,
		.hole = bank_size,
		.why = bank_size ? NULL : "the size of its banks could not be read",
	};
	doubt_space(space, why_not_known(ledger, process, device, NULL));
}

static enum fit judge_fit(const struct event_space *space, __u64 asked)
{
	if (!asked)
		return FIT_UNKNOWN;
	if (space->size && asked > space->size)
		return FIT_TOO_LARGE;
	if (!space->has_free)
		return FIT_UNKNOWN;
	if (asked > space->free)
		return FIT_FULL;
	if (!space->has_hole)
		return FIT_UNKNOWN;
	return asked > space->hole ? FIT_FRAGMENTED : FIT_REFUSED;
}

static bool share_chips(const struct event_device *a, const struct event_device *b)
{
	__u32 i = 0, j = 0;

	while (i < a->num_chips && j < b->num_chips) {
		if (a->chips[i] == b->chips[j])
			return true;
		if (a->chips[i] < b->chips[j])
			i++;
		else
			j++;
	}
	return false;
}

/* Keeps the greatest ones, the greatest first. */
static void add_rival(struct event_shortage *s, const struct event_rival *rival)
{
	__u32 place = s->num_rivals;

	while (place && s->rivals[place - 1].bytes < rival->bytes)
		place--;
	if (s->num_rivals == RIVALS_MAX) {
		s->rivals_left_out++;
		if (place == RIVALS_MAX)
			return;
		s->num_rivals--;
	}
	memmove(&s->rivals[place + 1], &s->rivals[place],
		(s->num_rivals - place) * sizeof(s->rivals[0]));
	s->rivals[place] = *rival;
	s->num_rivals++;
}

static void find_rivals_in(const struct process *process, const struct device *device, __u32 type,
			   struct event_shortage *s)
{
	for (const struct device *other = process->devices; other; other = other->next) {
		const struct usage_cell *cell = &other->usage.type[type];
		struct event_rival rival = {
			.process = &process->pub,
			.device = &other->pub,
			.buffers = cell->buffers,
			.bytes = cell->live,
		};

		if (other != device && !other->closed && cell->buffers &&
		    share_chips(&other->pub, &device->pub))
			add_rival(s, &rival);
	}
}

static void find_rivals(const struct ledger *ledger, const struct device *device, __u32 type,
			struct event_shortage *s)
{
	struct process *process, *next;

	HASH_ITER (hh, ledger->processes.running, process, next)
		find_rivals_in(process, device, type, s);
}

static void find_holders(struct ledger *ledger, const struct release *rel,
			 struct allocator *allocator, __u32 type, struct event_shortage *s)
{
	if (!allocator__map(allocator, &ledger->buffers, type))
		s->num_holders = bank_map__holders(allocator->map[type], rel->ts_ns, s->holders);
}

/* Keeps the greatest ones, the greatest first. */
static void add_held(struct event_shortage *s, const struct event_held *held)
{
	__u32 place = s->num_held;

	while (place && s->held[place - 1].footprint < held->footprint)
		place--;
	if (s->num_held == HELD_MAX) {
		s->held_left_out++;
		if (place == HELD_MAX)
			return;
		s->num_held--;
	}
	memmove(&s->held[place + 1], &s->held[place], (s->num_held - place) * sizeof(s->held[0]));
	s->held[place] = *held;
	s->num_held++;
}

/* Sites are those of the device: of the allocator only where it is the only one. */
static bool is_sole(const struct allocator *allocator, __u32 type)
{
	const struct allocator *other;

	TAILQ_FOREACH (other, &allocator->device->process->all_allocators, entry) {
		if (other != allocator && other->device == allocator->device &&
		    other->num_banks[type])
			return false;
	}
	return allocator->num_banks[type];
}

static void find_held(const struct ledger *ledger, const struct allocator *allocator, __u32 type,
		      struct event_shortage *s)
{
	struct site *site, *next;

	if (!is_sole(allocator, type))
		return;
	HASH_ITER (hh, allocator->device->sites.table, site, next) {
		struct event_held held = {
			.stack = stacks__find(&ledger->stacks, site->key.stack),
			.buffers = site->live.buffers,
			.footprint = site->live.bytes,
			.per_bank = site->live.bytes / allocator->num_banks[type],
		};

		if (site->key.type != type || !site->live.buffers)
			continue;
		held.owner = owner__of(type, held.stack);
		add_held(s, &held);
	}
}

const struct event_shortage *ledger__explain(struct ledger *ledger, const struct release *rel,
					     const struct space_note *note)
{
	const struct body *body = &rel->note->body;
	struct allocator *allocator = allocator__find(rel->process, body->allocator, body->device);
	const struct device *device =
		allocator ? allocator->device : device__find(rel->process, body->device);
	struct event_shortage *s = &ledger->shortage;
	__u64 bank_size = note->count ? note->bank_size : 0;

	memset(s, 0, sizeof(*s));
	s->asked = note->count ? note->per_bank : 0;
	if (body->type >= TT_TYPE_COUNT)
		return s;
	if (allocator) {
		allocator__resize(allocator, body->type, bank_size);
		find_holders(ledger, rel, allocator, body->type, s);
		find_held(ledger, allocator, body->type, s);
		ledger__survey(ledger, allocator, body->type, true, &s->space);
	} else {
		survey_unmet(ledger, rel->process, device, body->allocator, body->type, bank_size,
			     &s->space);
	}
	if (device)
		find_rivals(ledger, device, body->type, s);
	s->fit = judge_fit(&s->space, s->asked);
	if (!s->asked && !s->space.why)
		s->space.why = "it failed before it came to a free list";
	return s;
}
