// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/census_search.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/cleanup.h"

enum {
	CHUNK_SIZE = 1 << 20,
	/* Hostile or unlucky memory may show any number: what is more is no allocator. */
	MAX_CANDIDATES = 1 << 12,
	MAX_DEVICES = 1 << 12,
};

/*
 * A mapping of more address space than this (bytes) is a reservation, as sanitizers make them;
 * asking for the presence of each of its pages would take minutes.
 */
static const __u64 max_area = 64ull << 30;

/* Words that are looked for, in order. */
struct wanted {
	__u64 *words;
	size_t count;
};

struct search {
	const struct census_target *target;
	const struct object_space *spaces;
	struct census_candidates *candidates;
	struct census_result *result;
	size_t library; /* that is searched for */
	struct wanted wanted;
	__u64 vtables[TT_MAX_ALLOCATOR_VTABLES];
	/* What to do with a hit: @word at @addr. Returns 0 or -errno. */
	int (*hit)(struct search *search, __u64 addr, __u64 word);
	census_word_fn fn;
	void *ctx;
	__u64 *devices;
	size_t num_devices;
	__u64 *chunk;
	__u64 left; /* bytes that may still be read */
};

int census_candidates__add(struct census_candidates *c, __u64 object, size_t library)
{
	/* The latest first: buffers of one allocator come in rows. */
	for (size_t i = c->count; i > 0; i--)
		if (c->all[i - 1].object == object && c->all[i - 1].library == library)
			return 0;
	if (c->count >= MAX_CANDIDATES)
		return 0;
	if (c->count == c->room) {
		size_t room = c->room ? 2 * c->room : 64;
		struct census_candidate *all = realloc(c->all, room * sizeof(*all));

		if (!all)
			return -ENOMEM;
		c->all = all;
		c->room = room;
	}
	c->all[c->count++] = (struct census_candidate){ object, library };
	return 0;
}

void census_candidates__done(struct census_candidates *c)
{
	free(c->all);
	*c = (struct census_candidates){};
}

static int compare_words(const void *a, const void *b)
{
	const __u64 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static bool is_wanted(const struct wanted *w, __u64 word)
{
	return bsearch(&word, w->words, w->count, sizeof(word), compare_words);
}

/* Nearly all words are out of the range of what is wanted: that is asked first. */
static int search_chunk(struct search *s, __u64 addr, size_t size)
{
	__u64 low = s->wanted.words[0], span = s->wanted.words[s->wanted.count - 1] - low;
	int err = 0;

	for (size_t i = 0; i < size / sizeof(*s->chunk) && !err; i++)
		if (s->chunk[i] - low <= span && is_wanted(&s->wanted, s->chunk[i]))
			err = s->hit(s, addr + i * sizeof(*s->chunk), s->chunk[i]);
	return err;
}

static int search_area(struct search *s, const struct proc_area *area)
{
	struct memory *memory = s->spaces[s->library].memory;
	struct memory_part part = { .addr = area->start, .buf = s->chunk };
	int err = 0;

	if (area->end - area->start > max_area) {
		s->result->search_cut = true;
		return 0;
	}
	while (!err && memory__next_present(memory, part.addr, area->end, CHUNK_SIZE, &part.addr,
					    &part.size)) {
		if (part.size > s->left) {
			s->result->search_cut = true;
			break;
		}
		err = memory__gather(memory, &part, 1);
		if (!err && !part.err)
			err = search_chunk(s, part.addr, part.size);
		s->left -= part.size;
		s->result->searched_bytes += part.size;
		part.addr += part.size;
	}
	s->result->swapped_bytes += memory__swapped(memory, area->start, area->end);
	return err;
}

/* The heap first, then from small to large: what is huge is data. */
static int compare_areas(const void *a, const void *b)
{
	const struct proc_area *x = a, *y = b;
	__u64 x_size = x->end - x->start, y_size = y->end - y->start;

	if (x->is_heap != y->is_heap)
		return x->is_heap ? -1 : 1;
	if (x_size != y_size)
		return x_size < y_size ? -1 : 1;
	return x->start < y->start ? -1 : x->start > y->start;
}

static int search_areas(struct search *s)
{
	_cleanup_free_ struct proc_area *areas = NULL;
	size_t count;
	int err;

	if (!s->wanted.count)
		return 0;
	qsort(s->wanted.words, s->wanted.count, sizeof(*s->wanted.words), compare_words);
	err = proc__areas(s->target->pid, &areas, &count);
	if (err)
		return err;
	qsort(areas, count, sizeof(*areas), compare_areas);
	s->result->swapped_bytes = 0; /* each way through the memory meets the same */
	for (size_t i = 0; i < count && !err; i++)
		err = search_area(s, &areas[i]);
	return err;
}

static int add_allocator(struct search *s, __u64 addr, __u64 word)
{
	(void)word;
	return census_candidates__add(s->candidates, addr, s->library);
}

static int search_allocators(struct search *s)
{
	const struct object_space *space = &s->spaces[s->library];
	size_t n = 0;

	while (n < TT_MAX_ALLOCATOR_VTABLES && space->layout->vtable_allocator[n]) {
		s->vtables[n] = space->layout->vtable_allocator[n] + space->bias;
		n++;
	}
	s->wanted = (struct wanted){ s->vtables, n };
	s->hit = add_allocator;
	return search_areas(s);
}

static int add_device(struct search *s, __u64 addr, __u64 word)
{
	(void)word;
	if (s->num_devices < MAX_DEVICES)
		s->devices[s->num_devices++] = addr;
	return 0;
}

static int search_devices(struct search *s)
{
	const struct object_space *space = &s->spaces[s->library];
	const __u64 vtables[] = { space->layout->vtable_device, space->layout->vtable_mesh };
	size_t n = 0;

	for (size_t i = 0; i < 2; i++)
		if (vtables[i])
			s->vtables[n++] = vtables[i] + space->bias;
	s->wanted = (struct wanted){ s->vtables, n };
	s->hit = add_device;
	s->num_devices = 0;
	return search_areas(s);
}

/* A word that leads to a device may be device_ of a Buffer: its allocator_ is near. */
static int add_allocator_of(struct search *s, __u64 addr, __u64 word)
{
	const struct object_space *space = &s->spaces[s->library];
	const struct tt_path *device = &space->layout->field[TT_FIELD_DEVICE];
	const struct tt_path *allocator = &space->layout->field[TT_FIELD_ALLOCATOR];
	__u64 object, place;

	(void)word;
	if (!device->len || !allocator->len)
		return 0;
	place = addr - device->off[device->len - 1] + allocator->off[allocator->len - 1];
	if (memory__read(space->memory, place, &object, sizeof(object)))
		return 0;
	/* No pointer: below any mapping, or not aligned as new (C++) aligns. */
	if (object < 1 << 16 || object % sizeof(object))
		return 0;
	return census_candidates__add(s->candidates, object, s->library);
}

static int search_buffers(struct search *s)
{
	s->wanted = (struct wanted){ s->devices, s->num_devices };
	s->hit = add_allocator_of;
	return search_areas(s);
}

int census_search__run(const struct census_target *target, const struct object_space *spaces,
		       struct census_candidates *candidates, struct census_result *result)
{
	_cleanup_free_ __u64 *chunk = malloc(CHUNK_SIZE);
	_cleanup_free_ __u64 *devices = malloc(MAX_DEVICES * sizeof(*devices));
	struct search s = {
		.target = target,
		.spaces = spaces,
		.candidates = candidates,
		.result = result,
		.chunk = chunk,
		.devices = devices,
		.left = target->search_bytes ? target->search_bytes : CENSUS_SEARCH_BYTES,
	};
	int err = chunk && devices ? 0 : -ENOMEM;

	for (; s.library < target->num_libraries && !err; s.library++) {
		if (spaces[s.library].layout->vtable_allocator[0]) {
			err = search_allocators(&s);
			continue;
		}
		err = search_devices(&s);
		err = err ? err : search_buffers(&s);
	}
	return err;
}

static int hand_out(struct search *s, __u64 addr, __u64 word)
{
	return s->fn(s->ctx, addr, word);
}

int census_search__words(struct memory *memory, pid_t pid, __u64 *words, size_t count,
			 census_word_fn fn, void *ctx)
{
	_cleanup_free_ __u64 *chunk = malloc(CHUNK_SIZE);
	const struct census_target target = { .pid = pid };
	const struct object_space space = { .memory = memory };
	struct census_result result = {};
	struct search s = {
		.target = &target,
		.spaces = &space,
		.result = &result,
		.wanted = { words, count },
		.hit = hand_out,
		.fn = fn,
		.ctx = ctx,
		.chunk = chunk,
		.left = CENSUS_SEARCH_BYTES,
	};
	int err = chunk ? search_areas(&s) : -ENOMEM;

	return err ? err : result.search_cut ? -E2BIG : 0;
}
