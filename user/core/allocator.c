// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "core/allocator.h"

#include <errno.h>
#include <stdlib.h>

#include "core/process.h"

struct allocator *allocator__find(struct process *process, __u64 object, __u64 device)
{
	struct allocator_key key = { object, device };
	struct allocator *allocator = process->last_allocator;

	if (allocator && allocator->key.object == object && allocator->key.device == device)
		return allocator;
	HASH_FIND(hh, process->allocators, &key, sizeof(key), allocator);
	if (allocator)
		process->last_allocator = allocator;
	return allocator;
}

static int number_allocator(struct allocator_table *table, struct allocator *allocator)
{
	struct allocator **at;

	for (__u32 i = 0; i < table->count; i++) {
		if (!table->at[i]) {
			table->at[i] = allocator;
			allocator->number = i;
			return 0;
		}
	}
	if (table->count == table->room) {
		__u32 room = table->room ? table->room * 2 : 64;

		at = realloc(table->at, room * sizeof(*at));
		if (!at)
			return -ENOMEM;
		table->at = at;
		table->room = room;
	}
	allocator->number = table->count;
	table->at[table->count++] = allocator;
	return 0;
}

static bool has_living(const struct device *device)
{
	const struct allocator *allocator;

	TAILQ_FOREACH (allocator, &device->process->all_allocators, entry)
		if (allocator->device == device && !allocator->dead)
			return true;
	return false;
}

int allocator__new(struct allocator_table *table, struct device *device, __u64 object,
		   struct allocator **ret_allocator)
{
	struct process *process = device->process;
	struct allocator *allocator = calloc(1, sizeof(*allocator));

	if (!allocator)
		return -ENOMEM;
	allocator->key = (struct allocator_key){ object, device->pub.object };
	allocator->device = device;
	allocator->is_beside = has_living(device);
	buffer_list__init(&allocator->live);
	HASH_ADD(hh, process->allocators, key, sizeof(allocator->key), allocator);
	if (!table__has(allocator))
		goto err_free;
	if (number_allocator(table, allocator))
		goto err_hash;
	TAILQ_INSERT_TAIL(&process->all_allocators, allocator, entry);
	device->allocators++;
	*ret_allocator = allocator;
	return 0;
err_hash:
	HASH_DELETE(hh, process->allocators, allocator);
err_free:
	free(allocator);
	return -ENOMEM;
}

static void forget_map(struct allocator *allocator, __u32 type)
{
	bank_map__free(allocator->map[type]);
	allocator->map[type] = NULL;
}

static void unhash(struct allocator *allocator)
{
	struct process *process = allocator->device->process;

	if (allocator->dead)
		return;
	HASH_DELETE(hh, process->allocators, allocator);
	if (process->last_allocator == allocator)
		process->last_allocator = NULL;
	allocator->dead = true;
}

void allocator__free(struct allocator_table *table, struct allocator *allocator)
{
	struct process *process = allocator->device->process;

	unhash(allocator);
	for (__u32 type = 0; type < TT_TYPE_COUNT; type++)
		forget_map(allocator, type);
	allocator->device->allocators--;
	TAILQ_REMOVE(&process->all_allocators, allocator, entry);
	table->at[allocator->number] = NULL;
	free(allocator);
}

void allocator__drop(struct allocator_table *table, struct allocator *allocator)
{
	if (allocator->dead && !allocator->live.count && !allocator->remembered)
		allocator__free(table, allocator);
}

void allocator__kill(struct allocator_table *table, struct allocator *allocator)
{
	unhash(allocator);
	allocator__drop(table, allocator);
}

void allocator_table__done(struct allocator_table *table)
{
	free(table->at);
	*table = (struct allocator_table){ 0 };
}

static bool has_memory(const struct buffer *buffer)
{
	return buffer->kind != KIND_HOOKED && !(buffer->flags & BUFFER_VICTIM);
}

static bool has_place(const struct buffer *buffer, __u32 type)
{
	return has_memory(buffer) && buffer->type == type && (buffer->flags & BUFFER_HAS_ADDRESS);
}

static int fill_map(const struct allocator *allocator, const struct buffers *buffers, __u32 type,
		    struct bank_map *map)
{
	const struct buffer *buffer;
	int err;

	for (__u32 nr = allocator->live.head; nr != BUFFER_NONE; nr = buffer->next) {
		buffer = buffers__at(buffers, nr);
		if (!has_place(buffer, type))
			continue;
		err = bank_map__put(map, nr);
		if (err)
			return err;
	}
	return 0;
}

static int make_map(const struct allocator *allocator, const struct buffers *buffers, __u32 type,
		    struct bank_map **ret_map)
{
	struct bank_map *map;
	int err;

	err = bank_map__new(buffers, allocator->num_banks[type], &map);
	if (err)
		return err;
	err = fill_map(allocator, buffers, type, map);
	if (err) {
		bank_map__free(map);
		return err;
	}
	*ret_map = map;
	return 0;
}

int allocator__map(struct allocator *allocator, const struct buffers *buffers, __u32 type)
{
	return allocator->map[type] ? 0 : make_map(allocator, buffers, type, &allocator->map[type]);
}

int allocator__at_address(struct allocator *allocator, const struct buffers *buffers, __u32 type,
			  __u64 address, __u32 *ret_nr)
{
	int err;

	if (type >= TT_TYPE_COUNT || allocator->dead) {
		*ret_nr = BUFFER_NONE;
		return 0;
	}
	err = allocator__map(allocator, buffers, type);
	if (err)
		return err;
	*ret_nr = bank_map__at(allocator->map[type], address);
	return 0;
}

static __u64 bytes_per_bank(const struct allocator *allocator, const struct buffer *buffer)
{
	__u32 num_banks = allocator->num_banks[buffer->type];

	return num_banks ? buffer->footprint / num_banks : 0;
}

/* A map that could not be kept up to date is given up: it can be made again. */
void allocator__occupy(struct allocator *allocator, const struct buffers *buffers, __u32 nr)
{
	const struct buffer *buffer = buffers__at(buffers, nr);
	__u32 type = buffer->type;

	if (!has_memory(buffer))
		return;
	if (type >= TT_TYPE_COUNT) {
		allocator->has_untyped = true;
		return;
	}
	allocator->bank_live[type] += bytes_per_bank(allocator, buffer);
	if (!(buffer->flags & BUFFER_HAS_FOOTPRINT) || !(buffer->flags & BUFFER_HAS_ADDRESS))
		allocator->has_unsized[type] = true;
	if (!has_place(buffer, type))
		return;
	if (allocator->maps_always && allocator__map(allocator, buffers, type))
		return;
	if (allocator->map[type] && bank_map__put(allocator->map[type], nr))
		forget_map(allocator, type);
}

void allocator__vacate(struct allocator *allocator, const struct buffers *buffers, __u32 nr)
{
	const struct buffer *buffer = buffers__at(buffers, nr);
	__u32 type = buffer->type;

	if (!has_memory(buffer) || type >= TT_TYPE_COUNT)
		return;
	allocator->bank_live[type] -= bytes_per_bank(allocator, buffer);
	if (has_place(buffer, type) && allocator->map[type] &&
	    bank_map__remove(allocator->map[type], nr))
		forget_map(allocator, type);
}

bool allocator__is_unsized(const struct allocator *allocator)
{
	for (__u32 type = 0; type < TT_TYPE_COUNT; type++) {
		if (allocator->has_unsized[type])
			return true;
	}
	return false;
}

void allocator__recheck(struct allocator *allocator, const struct buffers *buffers)
{
	const __u32 sized = BUFFER_HAS_FOOTPRINT | BUFFER_HAS_ADDRESS;
	bool unsized[TT_TYPE_COUNT + 1] = {};
	const struct buffer *buffer;

	for (__u32 nr = allocator->live.head; nr != BUFFER_NONE; nr = buffer->next) {
		buffer = buffers__at(buffers, nr);
		if (buffer->flags & BUFFER_COUNTED && (buffer->flags & sized) != sized)
			unsized[buffer->type < TT_TYPE_COUNT ? buffer->type : TT_TYPE_COUNT] = true;
	}
	memcpy(allocator->has_unsized, unsized, sizeof(allocator->has_unsized));
}

void allocator__resize(struct allocator *allocator, __u32 type, __u64 bytes)
{
	if (!bytes)
		return;
	allocator->bank_size[type] = bytes;
	if (allocator->bank_most[type] < bytes)
		allocator->bank_most[type] = bytes;
}

static const char *why_not_free(const struct allocator *allocator, __u32 type)
{
	if (!allocator->bank_size[type] || !allocator->num_banks[type])
		return "the size of its banks could not be read";
	if (allocator->is_overridden)
		return "the state of the allocator was overridden with one that was not seen";
	if (allocator->has_unsized[type] || allocator->has_untyped)
		return "what some of its buffers occupy is not known";
	if (allocator->bank_live[type] > allocator->bank_size[type])
		return "more was seen to be held than there is";
	return NULL;
}

static void survey_hole(const struct allocator *allocator, const struct bank_map *map,
			struct event_space *space)
{
	if (!space->held) {
		space->has_hole = true;
		space->hole = space->size;
	} else if (!allocator->bank_base[space->type])
		space->why = "where its banks begin could not be read";
	else if (space->size < allocator->bank_most[space->type])
		space->why = "its banks have been made smaller, who knows at which end";
	else if (bank_map__largest_hole(map, allocator->bank_base[space->type], space->size,
					&space->hole))
		space->has_hole = true;
	else
		space->why = "the addresses that were seen contradict each other";
}

void allocator__survey(const struct allocator *allocator, const struct buffers *buffers, __u32 type,
		       bool walk, struct event_space *ret_space)
{
	struct bank_map *made = NULL;
	struct event_space space = {
		.allocator = allocator->key.object,
		.type = type,
		.num_banks = allocator->num_banks[type],
		.size = allocator->bank_size[type],
		.held = allocator->bank_live[type],
		.why = why_not_free(allocator, type),
	};

	if (!space.why) {
		space.has_free = true;
		space.free = space.size - space.held;
		if (walk && !allocator->map[type])
			make_map(allocator, buffers, type, &made);
		if (made || allocator->map[type])
			survey_hole(allocator, made ? made : allocator->map[type], &space);
		else
			space.why = "there was no memory for tttrace to find it";
	}
	bank_map__free(made);
	*ret_space = space;
}
