// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/live_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAX_LEADS = 2048, /* from allocators to what may be a manager, all together */
	TYPE_WORDS = 16,  /* of a manager, among which its type is */
	BANK_WORDS = 64,  /* likewise, the map of its banks */
	MAX_BANKS = 4096,
	MAX_LOAD = 0x3f800000, /* of a libstdc++ hash table: 1.0 */
};

/* How a manager leads to its free list: by a pointer, or by one to a vector of pointers. */
struct way {
	size_t word;
	bool is_vector;
};

/* The managers of an allocator, as one way and one place of the type have them. */
struct view {
	struct way way;
	size_t type_at; /* bytes */
};

static const __u32 types[] = { TT_TYPE_DRAM, TT_TYPE_L1, TT_TYPE_L1_SMALL, TT_TYPE_TRACE };

/* What an allocator leads to that may be a manager. */
struct lead {
	struct live_allocator *allocator;
	struct live_manager manager;
};

struct leads {
	struct lead all[MAX_LEADS];
	size_t count;
};

/* The free list that @manager leads to, if it does so this way; 0: it does not. */
static __u64 follow(struct live *live, const struct live_manager *manager, const struct way *way)
{
	__u64 word = manager->words[way->word], list = word;

	if (way->is_vector)
		list = live_places__has(&live->list_pointers, word) ? live__word(live, word) : 0;
	return list && live_places__has(&live->free_lists, list) ? list : 0;
}

static bool leads_to_list(struct live *live, const struct live_manager *manager)
{
	for (size_t word = 0; word < LIVE_MANAGER_WORDS; word++)
		for (int is_vector = 0; is_vector < 2; is_vector++)
			if (follow(live, manager, &(struct way){ word, is_vector }))
				return true;
	return false;
}

/* An object that is known is no manager. */
static bool is_other(const struct live *live, __u64 word)
{
	return live_places__has(&live->free_lists, word) ||
	       live_places__has(&live->allocator_objects, word) ||
	       live_places__has(&live->devices, word) || live_places__has(&live->meshes, word);
}

static void collect_leads(struct live *live, struct live_allocator *allocator, struct leads *leads)
{
	for (size_t at = 1; at < LIVE_ALLOCATOR_WORDS && leads->count < MAX_LEADS; at++) {
		struct lead *lead = &leads->all[leads->count];
		__u64 word = allocator->words[at];

		if (!live__is_pointer(word) || is_other(live, word))
			continue;
		*lead = (struct lead){ .allocator = allocator,
				       .manager = { .object = word, .at = at } };
		live__copy(live, word, lead->manager.words, LIVE_MANAGER_WORDS);
		if (leads_to_list(live, &lead->manager))
			leads->count++;
	}
}

static __u32 read_type(const struct live_manager *manager, size_t at)
{
	__u32 type;

	memcpy(&type, (const char *)manager->words + at, sizeof(type));
	return type;
}

static int type_index(__u32 type)
{
	for (int i = 0; i < LIVE_MAX_MANAGERS; i++)
		if (types[i] == type)
			return i;
	return -1;
}

/* How @view reads the managers of all allocators. */
struct reading {
	struct view view;
	size_t at[LIVE_MAX_MANAGERS]; /* of each type, word of the allocator; 0: none has it */
	size_t fits;		      /* allocators that have all types, at these places */
};

/*
 * The managers of the allocator whose leads begin at @from, each with a type of its own. Returns
 * where the leads of the next one begin. @ret_at: all 0 if they do not fit.
 */
static size_t read_allocator(struct live *live, const struct leads *leads, const struct view *view,
			     size_t from, size_t ret_at[LIVE_MAX_MANAGERS])
{
	const struct live_allocator *allocator = leads->all[from].allocator;
	bool fits = true;
	size_t i = from;

	memset(ret_at, 0, LIVE_MAX_MANAGERS * sizeof(*ret_at));
	for (; i < leads->count && leads->all[i].allocator == allocator; i++) {
		const struct live_manager *manager = &leads->all[i].manager;
		int type = type_index(read_type(manager, view->type_at));

		if (!follow(live, manager, &view->way))
			continue;
		fits &= type >= 0 && !ret_at[type];
		if (type >= 0)
			ret_at[type] = manager->at;
	}
	if (!fits)
		memset(ret_at, 0, LIVE_MAX_MANAGERS * sizeof(*ret_at));
	return i;
}

static bool has_all(const size_t at[LIVE_MAX_MANAGERS])
{
	for (int i = 0; i < LIVE_MAX_MANAGERS; i++)
		if (!at[i])
			return false;
	return true;
}

/* Those that differ from the first are none: what is left of allocators that have gone. */
static struct reading read_all(struct live *live, const struct leads *leads, struct view view)
{
	struct reading reading = { .view = view };
	size_t at[LIVE_MAX_MANAGERS];

	for (size_t i = 0; i < leads->count;) {
		i = read_allocator(live, leads, &view, i, at);
		if (!has_all(at) || (reading.fits && memcmp(at, reading.at, sizeof(at))))
			continue;
		memcpy(reading.at, at, sizeof(at));
		reading.fits++;
	}
	return reading;
}

/*
 * The one that fits most allocators. A vector comes before a pointer, for it is right also when its
 * list is another one; of several places of the type, which have to agree, the first.
 */
static int find_reading(struct live *live, const struct leads *leads, struct reading *ret_reading)
{
	struct reading best = {};
	bool differ = false;

	for (size_t i = 0; i < 2 * LIVE_MANAGER_WORDS; i++) {
		const struct way way = { i % LIVE_MANAGER_WORDS, i < LIVE_MANAGER_WORDS };

		for (size_t at = 0; at < TYPE_WORDS * WORD; at += sizeof(__u32)) {
			struct reading r = read_all(live, leads, (struct view){ way, at });

			if (r.fits && r.fits == best.fits)
				differ |= memcmp(r.at, best.at, sizeof(r.at)) != 0;
			if (r.fits <= best.fits)
				continue;
			best = r;
			differ = false;
		}
	}
	*ret_reading = best;
	return best.fits && !differ ? 0 : -EAGAIN;
}

static struct live_list *find_list(struct live *live, __u64 object)
{
	for (size_t i = 0; i < live->free_lists.count; i++)
		if (live->lists[i].object == object)
			return &live->lists[i];
	return NULL;
}

/* Hands the managers to their allocators, but for those whose free list cannot be read. */
static int take_managers(struct live *live, const struct leads *leads,
			 const struct reading *reading)
{
	for (size_t i = 0; i < leads->count; i++) {
		struct live_allocator *allocator = leads->all[i].allocator;
		const struct live_manager *lead = &leads->all[i].manager;
		__u64 object = follow(live, lead, &reading->view.way);
		int type = type_index(read_type(lead, reading->view.type_at));
		struct live_manager *manager;

		if (!object || type < 0 || reading->at[type] != lead->at)
			continue;
		manager = malloc(sizeof(*manager));
		if (!manager)
			return -ENOMEM;
		*manager = *lead;
		manager->type = types[type];
		manager->list = find_list(live, object);
		live->num_unsound += !manager->list->is_sound;
		allocator->managers[type] = manager;
	}
	return 0;
}

static void tell_managers(struct live *live, const struct reading *reading)
{
	static const enum tt_field fields[] = { TT_FIELD_BANKS_DRAM, TT_FIELD_BANKS_L1,
						TT_FIELD_BANKS_L1_SMALL, TT_FIELD_BANKS_TRACE };
	const struct way *way = &reading->view.way;
	const size_t list[] = { way->word * WORD, 0 };

	for (int i = 0; i < LIVE_MAX_MANAGERS; i++) {
		const size_t offset = reading->at[i] * WORD;

		live__found(live, fields[i], "leads to a free list, and has this type", 1, &offset);
	}
	live__found(live, TT_FIELD_FREE_LIST, "leads to a free list", way->is_vector ? 2 : 1, list);
}

/*
 * A std::unordered_map at word @at, whose keys are 0, 1, …: the banks. Returns how many; -ENOENT:
 * it is none.
 */
static int count_banks(struct live *live, const struct live_manager *manager, size_t at)
{
	const __u64 *map = manager->words + at;
	__u64 count = map[3], node = map[2];
	__u8 met[MAX_BANKS] = {};

	if (!live__is_pointer(map[0]) || count > MAX_BANKS || map[1] < count || !map[1] ||
	    (__u32)map[4] != MAX_LOAD)
		return -ENOENT;
	for (__u64 i = 0; i < count; i++) {
		__u32 key = (__u32)live__word(live, node + WORD);

		if (!node || key >= count || met[key])
			return -ENOENT;
		met[key] = 1;
		node = live__word(live, node);
	}
	return node ? -ENOENT : (int)count;
}

/*
 * Has every manager such a map there, and not all of them an empty one? @set: then that is how many
 * banks it has.
 */
static bool all_have_banks(struct live *live, size_t at, bool set)
{
	bool any = false;

	for (size_t i = 0; i < live->num_allocators * LIVE_MAX_MANAGERS; i++) {
		struct live_manager *manager =
			live->allocators[i / LIVE_MAX_MANAGERS].managers[i % LIVE_MAX_MANAGERS];
		int banks = manager ? count_banks(live, manager, at) : 0;

		if (banks < 0 || (manager && manager->banks && manager->banks != (__u32)banks))
			return false;
		any |= banks > 0;
		if (manager && set)
			manager->banks = (__u32)banks;
	}
	return any;
}

/* At how many places there is such a map that says what is known already; the first. */
static size_t count_maps(struct live *live, size_t *ret_first)
{
	size_t count = 0;

	for (size_t word = BANK_WORDS - 1; word; word--) {
		if (!all_have_banks(live, word, false))
			continue;
		*ret_first = word;
		count++;
	}
	return count;
}

/* Of several maps, which have to agree, the first. */
static void find_banks(struct live *live)
{
	size_t word, at, count = count_maps(live, &word);

	if (!count)
		return;
	all_have_banks(live, word, true);
	if (count_maps(live, &word) != count)
		return;
	at = (word + 3) * WORD;
	live__found(live, TT_FIELD_NUM_BANKS, "a map of the banks 0, 1, … has so many", 1, &at);
}

int live_managers__establish(struct live *live)
{
	struct leads *leads = calloc(1, sizeof(*leads));
	struct reading reading;
	int err;

	if (!leads)
		return -ENOMEM;
	for (size_t i = 0; i < live->num_allocators; i++)
		collect_leads(live, &live->allocators[i], leads);
	err = leads->count < MAX_LEADS ? find_reading(live, leads, &reading) : -E2BIG;
	if (!err)
		tell_managers(live, &reading);
	err = err ? err : take_managers(live, leads, &reading);
	if (!err)
		find_banks(live);
	free(leads);
	return err;
}
