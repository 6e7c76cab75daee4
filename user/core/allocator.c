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

int allocator__new(struct allocator_table *table, struct device *device, __u64 object,
		   struct allocator **ret_allocator)
{
	struct process *process = device->process;
	struct allocator *allocator = calloc(1, sizeof(*allocator));

	if (!allocator)
		return -ENOMEM;
	allocator->key = (struct allocator_key){ object, device->pub.object };
	allocator->device = device;
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

static void forget_addresses(struct allocator *allocator)
{
	for (int i = 0; i < TT_TYPE_COUNT; i++)
		buffer_index__done(&allocator->by_address[i]);
	allocator->addressed = false;
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
	forget_addresses(allocator);
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

static bool occupies(const struct buffer *buffer)
{
	return buffer->kind != KIND_HOOKED && (buffer->flags & BUFFER_HAS_ADDRESS) &&
	       !(buffer->flags & BUFFER_VICTIM) && buffer->type < TT_TYPE_COUNT;
}

static int learn_addresses(struct allocator *allocator, const struct buffers *buffers)
{
	const struct buffer *buffer;

	for (__u32 nr = allocator->live.head; nr != BUFFER_NONE; nr = buffer->next) {
		buffer = buffers__at(buffers, nr);
		if (occupies(buffer) &&
		    buffer_index__put(&allocator->by_address[buffer->type], buffer->address, nr)) {
			forget_addresses(allocator);
			return -ENOMEM;
		}
	}
	allocator->addressed = true;
	return 0;
}

int allocator__at_address(struct allocator *allocator, const struct buffers *buffers, __u32 type,
			  __u64 address, __u32 *ret_nr)
{
	int err;

	if (type >= TT_TYPE_COUNT || allocator->dead) {
		*ret_nr = BUFFER_NONE;
		return 0;
	}
	if (!allocator->addressed) {
		err = learn_addresses(allocator, buffers);
		if (err)
			return err;
	}
	*ret_nr = buffer_index__find(&allocator->by_address[type], address);
	return 0;
}

static __u64 bytes_per_bank(const struct allocator *allocator, const struct buffer *buffer)
{
	__u32 num_banks = allocator->num_banks[buffer->type];

	return num_banks ? buffer->footprint / num_banks : 0;
}

int allocator__occupy(struct allocator *allocator, const struct buffer *buffer, __u32 nr)
{
	if (!occupies(buffer))
		return 0;
	if (allocator->addressed) {
		int err = buffer_index__put(&allocator->by_address[buffer->type], buffer->address,
					    nr);
		if (err)
			return err;
	}
	allocator->bank_live[buffer->type] += bytes_per_bank(allocator, buffer);
	if (!(buffer->flags & BUFFER_HAS_FOOTPRINT))
		allocator->has_unsized[buffer->type] = true;
	return 0;
}

void allocator__vacate(struct allocator *allocator, const struct buffer *buffer, __u32 nr)
{
	struct buffer_index *index;

	if (!occupies(buffer))
		return;
	index = &allocator->by_address[buffer->type];
	if (allocator->addressed && buffer_index__find(index, buffer->address) == nr)
		buffer_index__remove(index, buffer->address);
	allocator->bank_live[buffer->type] -= bytes_per_bank(allocator, buffer);
}

__u64 allocator__bank_free(const struct allocator *allocator, __u32 type)
{
	if (type >= TT_TYPE_COUNT || !allocator->bank_size[type] || allocator->has_unsized[type])
		return 0;
	if (allocator->bank_live[type] >= allocator->bank_size[type])
		return 0;
	return allocator->bank_size[type] - allocator->bank_live[type];
}
