// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "core/buffers.h"

#include <Judy.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(Word_t) >= sizeof(__u64), "a pointer of the target is one Judy word");

void buffers__init(struct buffers *b)
{
	memset(b, 0, sizeof(*b));
	b->free_head = BUFFER_NONE;
}

void buffers__done(struct buffers *b)
{
	for (__u32 i = 0; i < b->num_chunks; i++)
		free(b->chunks[i]);
	free(b->chunks);
	buffers__init(b);
}

static int add_chunk(struct buffers *b)
{
	struct buffer **chunks, *chunk;
	__u32 first = b->num_chunks * BUFFERS_PER_CHUNK;

	if (b->num_chunks == BUFFER_NONE / BUFFERS_PER_CHUNK)
		return -ENOMEM;
	chunks = realloc(b->chunks, (b->num_chunks + 1) * sizeof(*chunks));
	if (!chunks)
		return -ENOMEM;
	b->chunks = chunks;
	chunk = malloc(BUFFERS_PER_CHUNK * sizeof(*chunk));
	if (!chunk)
		return -ENOMEM;
	for (__u32 i = 0; i < BUFFERS_PER_CHUNK; i++) {
		chunk[i].state = BUFFER_UNUSED;
		chunk[i].next = first + i + 1;
	}
	chunk[BUFFERS_PER_CHUNK - 1].next = b->free_head;
	b->chunks[b->num_chunks++] = chunk;
	b->free_head = first;
	return 0;
}

int buffers__take(struct buffers *b, __u32 *ret_nr)
{
	struct buffer *entry;
	__u32 nr;
	int err;

	if (b->free_head == BUFFER_NONE) {
		err = add_chunk(b);
		if (err)
			return err;
	}
	nr = b->free_head;
	entry = buffers__at(b, nr);
	b->free_head = entry->next;
	b->num_used++;
	memset(entry, 0, sizeof(*entry));
	*ret_nr = nr;
	return 0;
}

void buffers__release(struct buffers *b, __u32 nr)
{
	struct buffer *entry = buffers__at(b, nr);

	entry->state = BUFFER_UNUSED;
	entry->next = b->free_head;
	b->free_head = nr;
	b->num_used--;
}

void buffer_list__init(struct buffer_list *list)
{
	*list = (struct buffer_list){ .head = BUFFER_NONE, .tail = BUFFER_NONE };
}

void buffer_list__append(struct buffer_list *list, struct buffers *b, __u32 nr)
{
	struct buffer *entry = buffers__at(b, nr);

	entry->prev = list->tail;
	entry->next = BUFFER_NONE;
	if (list->tail == BUFFER_NONE)
		list->head = nr;
	else
		buffers__at(b, list->tail)->next = nr;
	list->tail = nr;
	list->count++;
}

void buffer_list__remove(struct buffer_list *list, struct buffers *b, __u32 nr)
{
	struct buffer *entry = buffers__at(b, nr);

	if (entry->prev == BUFFER_NONE)
		list->head = entry->next;
	else
		buffers__at(b, entry->prev)->next = entry->next;
	if (entry->next == BUFFER_NONE)
		list->tail = entry->prev;
	else
		buffers__at(b, entry->next)->prev = entry->prev;
	list->count--;
}

__u32 buffer_index__find(const struct buffer_index *index, __u64 key)
{
	PPvoid_t value = JudyLGet(index->judy, key, PJE0);

	return value && value != PPJERR ? (__u32)(uintptr_t)*value : BUFFER_NONE;
}

int buffer_index__put(struct buffer_index *index, __u64 key, __u32 nr)
{
	PPvoid_t value = JudyLIns(&index->judy, key, PJE0);

	if (!value || value == PPJERR)
		return -ENOMEM;
	*value = (void *)(uintptr_t)nr;
	return 0;
}

int buffer_index__remove(struct buffer_index *index, __u64 key)
{
	return JudyLDel(&index->judy, key, PJE0) == JERR ? -ENOMEM : 0;
}

void buffer_index__done(struct buffer_index *index)
{
	JudyLFreeArray(&index->judy, PJE0);
}

size_t buffer_index__memory(const struct buffer_index *index)
{
	return JudyLMemUsed(index->judy);
}
