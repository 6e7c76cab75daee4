// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/live.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target/census_search.h"
#include "target/live_impl.h"

enum {
	PAGE = 4096,
	MAX_CLASSES = 4 + TT_MAX_ALLOCATOR_VTABLES,
	MAX_BYTES = 1 << 30, /* of objects that are read, beside the search for them */
};

bool live__is_pointer(__u64 word)
{
	/* below any mapping, or not aligned as new (C++) aligns */
	return word >= 1 << 16 && word % WORD == 0 && word < 1ull << 48;
}

bool live__may_read(struct live *live, size_t size)
{
	if (size > live->left) {
		live->is_cut = true;
		return false;
	}
	live->left -= size;
	return true;
}

void live__copy(struct live *live, __u64 addr, __u64 *words, size_t count)
{
	char *buf = (char *)words;
	size_t left = count * WORD;

	if (!live__may_read(live, left)) {
		memset(words, 0, left);
		return;
	}

	while (left) {
		size_t size = PAGE - addr % PAGE < left ? PAGE - addr % PAGE : left;

		if (memory__read(live->memory, addr, buf, size))
			memset(buf, 0, size);
		addr += size;
		buf += size;
		left -= size;
	}
}

__u64 live__word(struct live *live, __u64 addr)
{
	__u64 word;

	return live__is_pointer(addr) && !memory__read(live->memory, addr, &word, sizeof(word))
		       ? word
		       : 0;
}

static int compare_places(const void *a, const void *b)
{
	const __u64 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

bool live_places__has(const struct live_places *places, __u64 addr)
{
	return places->count &&
	       bsearch(&addr, places->all, places->count, sizeof(addr), compare_places);
}

static void places_sort(struct live_places *places)
{
	if (places->count)
		qsort(places->all, places->count, sizeof(*places->all), compare_places);
}

static int places_add(struct live_places *places, __u64 addr)
{
	if (places->count == LIVE_MAX_OBJECTS)
		return -E2BIG;
	if (places->count == places->room) {
		size_t room = places->room ? 2 * places->room : 64;
		__u64 *all = realloc(places->all, room * sizeof(*all));

		if (!all)
			return -ENOMEM;
		places->all = all;
		places->room = room;
	}
	places->all[places->count++] = addr;
	return 0;
}

void live__found(struct live *live, enum tt_field field, const char *how, size_t len,
		 const size_t *offsets)
{
	struct tt_path *path = &live->layout->field[field];

	*path = (struct tt_path){ .len = (__u16)len };
	for (size_t i = 0; i < len; i++)
		path->off[i] = (__u16)offsets[i];
	live->fields[field] = (struct library_field){ .found = true, .num_witnesses = 1 };
	snprintf(live->fields[field].how, sizeof(live->fields[field].how), "%s", how);
}

void live__lost(struct live *live, enum tt_field field, const char *why)
{
	live->layout->field[field] = (struct tt_path){};
	live->fields[field] = (struct library_field){};
	snprintf(live->fields[field].how, sizeof(live->fields[field].how), "%s", why);
}

/* --- the objects ----------------------------------------------------------------------------- */

static int note_object(void *ctx, __u64 addr, __u64 word)
{
	struct live *live = ctx;
	const struct class_vtables *v = live->classes;

	word -= live->bias;
	if (word == v->free_list)
		return places_add(&live->free_lists, addr);
	if (word == v->device)
		return places_add(&live->devices, addr);
	if (word == v->mesh)
		return places_add(&live->meshes, addr);
	if (word == v->mesh_impl)
		return places_add(&live->mesh_impls, addr);
	return places_add(&live->allocator_objects, addr);
}

static int find_objects(struct live *live)
{
	const struct class_vtables *v = live->classes;
	const __u64 single[] = { v->free_list, v->device, v->mesh, v->mesh_impl };
	struct live_places *all[] = { &live->free_lists, &live->devices, &live->meshes,
				      &live->mesh_impls, &live->allocator_objects };
	__u64 words[MAX_CLASSES];
	size_t count = 0;
	int err;

	for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++)
		if (single[i])
			words[count++] = single[i] + live->bias;
	for (size_t i = 0; i < TT_MAX_ALLOCATOR_VTABLES && v->allocator[i]; i++)
		words[count++] = v->allocator[i] + live->bias;
	err = census_search__words(live->memory, live->pid, words, count, note_object, live);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		places_sort(all[i]);
	return err;
}

static int note_pointer(void *ctx, __u64 addr, __u64 word)
{
	struct live *live = ctx;

	(void)word;
	return places_add(&live->list_pointers, addr);
}

static int find_pointers(struct live *live)
{
	int err = census_search__words(live->memory, live->pid, live->free_lists.all,
				       live->free_lists.count, note_pointer, live);

	places_sort(&live->list_pointers);
	return err;
}

static int read_allocators(struct live *live)
{
	live->num_allocators = live->allocator_objects.count;
	live->allocators = calloc(live->num_allocators + 1, sizeof(*live->allocators));
	if (!live->allocators)
		return -ENOMEM;
	for (size_t i = 0; i < live->num_allocators; i++) {
		live->allocators[i].object = live->allocator_objects.all[i];
		live__copy(live, live->allocators[i].object, live->allocators[i].words,
			   LIVE_ALLOCATOR_WORDS);
	}
	return 0;
}

static void live_done(struct live *live)
{
	for (size_t i = 0; i < live->free_lists.count && live->lists; i++)
		free(live->lists[i].taken);
	for (size_t i = 0; i < live->num_allocators * LIVE_MAX_MANAGERS && live->allocators; i++)
		free(live->allocators[i / LIVE_MAX_MANAGERS].managers[i % LIVE_MAX_MANAGERS]);
	free(live->lists);
	free(live->allocators);
	free(live->free_lists.all);
	free(live->allocator_objects.all);
	free(live->devices.all);
	free(live->meshes.all);
	free(live->mesh_impls.all);
	free(live->list_pointers.all);
	memory__free(live->memory);
}

/* --- the fields ------------------------------------------------------------------------------ */

/* Bytes in each bank that are taken; those that no buffer holds. */
static __u64 count_taken(const struct live *live, bool unclaimed)
{
	__u64 bytes = 0;

	for (size_t i = 0; i < live->num_allocators * LIVE_MAX_MANAGERS; i++) {
		const struct live_manager *manager =
			live->allocators[i / LIVE_MAX_MANAGERS].managers[i % LIVE_MAX_MANAGERS];

		for (size_t k = 0; manager && k < manager->list->num_taken; k++)
			if (!unclaimed || !manager->list->taken[k].is_claimed)
				bytes += manager->list->taken[k].size;
	}
	return bytes;
}

static int unknown(struct live_result *result, const char *why)
{
	result->state = LIVE_UNKNOWN;
	result->why = why;
	return 0;
}

/* One step after the other: each needs those before it. */
static int establish(struct live *live, struct live_result *result)
{
	int err = find_objects(live);

	if (err == -E2BIG)
		return unknown(result, "it has more memory, or objects, than are looked at");
	if (err || !live->allocator_objects.count)
		return err;
	err = find_pointers(live);
	err = err ? err : read_allocators(live);
	err = err ? err : live_lists__establish(live);
	err = err ? err : live_managers__establish(live);
	if (err == -E2BIG)
		return unknown(result, "it has more allocators than are looked at");
	if (!err && count_taken(live, false)) {
		err = live_buffers__establish(live);
		err = err ? err : live_meshes__establish(live);
		result->state = LIVE_KNOWN;
		result->unexplained = count_taken(live, true);
	}
	if (!err && live->num_unsound)
		return unknown(result, "not all of its free lists could be read");
	return err;
}

int live__establish(pid_t pid, __u64 bias, const struct class_vtables *classes,
		    struct tt_layout *layout, struct library_field fields[TT_FIELD_COUNT],
		    struct live_result *ret_result)
{
	struct live live = {
		.pid = pid,
		.bias = bias,
		.classes = classes,
		.layout = layout,
		.fields = fields,
		.left = MAX_BYTES,
	};
	struct live_result result = {};
	int err = memory__open(pid, &live.memory);

	if (err)
		return err;
	err = establish(&live, &result);
	err = err ? err : memory__check(live.memory);
	if (live.is_cut && (!err || err == -EAGAIN))
		err = unknown(&result, "its objects lead to more memory than is looked at");
	if (!err) {
		layout__seal(layout, fields);
		*ret_result = result;
	}
	live_done(&live);
	return err;
}
