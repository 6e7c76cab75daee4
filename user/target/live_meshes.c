// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/live_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	MESH_WORDS = 16,  /* of a MeshDevice, one of which leads to its MeshDeviceImpl */
	IMPL_WORDS = 192, /* of that */
	VIEW_WORDS = 128, /* of what it leads to, in which the list of chips may be */
	MAX_STRIDE = 32,  /* bytes of an element of that list */
	MAX_DEPTH = 3,	  /* pointers to the list */
	MAX_WAYS = 1024,
};

/* A list of chips: how a mesh leads to it. */
struct way {
	size_t len, off[TT_PATH_MAX]; /* bytes, from the MeshDevice */
	size_t stride;
	bool is_shared; /* two meshes lead to the same list: it is no mesh's own */
};

/* The chips of a mesh. */
struct chips {
	__u64 all[TT_MAX_CHIPS];
	size_t count;
};

struct search {
	struct live *live;
	struct way way; /* where it is now */
	struct way found[MAX_WAYS];
	size_t num_found;
};

/* The word of all meshes that leads to an object of class MeshDeviceImpl. 0: none. */
static size_t find_impl(struct live *live)
{
	size_t word = 1;

	for (; word < MESH_WORDS; word++) {
		size_t i = 0;

		while (i < live->meshes.count &&
		       live_places__has(&live->mesh_impls,
					live__word(live, live->meshes.all[i] + word * WORD)))
			i++;
		if (i == live->meshes.count)
			break;
	}
	return word < MESH_WORDS ? word : 0;
}

/* The elements of the vector between @begin and @end, if each of them begins with a chip. */
static bool read_chips(struct live *live, __u64 begin, __u64 end, size_t stride,
		       struct chips *ret_chips)
{
	struct chips chips = {};

	if (!live__is_pointer(begin) || begin >= end || !stride || (end - begin) % stride ||
	    (end - begin) / stride > TT_MAX_CHIPS)
		return false;
	for (__u64 at = begin; at < end; at += stride) {
		__u64 chip = live__word(live, at);

		if (!live_places__has(&live->devices, chip))
			return false;
		for (size_t i = 0; i < chips.count; i++)
			if (chips.all[i] == chip)
				return false;
		chips.all[chips.count++] = chip;
	}
	*ret_chips = chips;
	return true;
}

static int compare_chips(const void *a, const void *b)
{
	const __u64 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void note_way(struct search *s, size_t at, size_t stride)
{
	struct way way = s->way;

	way.off[way.len++] = at;
	way.stride = stride;
	if (s->num_found < MAX_WAYS)
		s->found[s->num_found] = way;
	s->num_found++;
}

/* With the smallest element that fits: with larger ones some of the chips would be left out. */
static void look_for_chips(struct search *s, const __u64 *words, size_t count)
{
	struct chips chips;

	for (size_t i = 0; i + 1 < count; i++) {
		size_t stride = WORD;

		while (stride <= MAX_STRIDE &&
		       !read_chips(s->live, words[i], words[i + 1], stride, &chips))
			stride += WORD;
		if (stride <= MAX_STRIDE)
			note_way(s, i * WORD, stride);
	}
}

/*
 * Words of the object at @addr, at most @max. The C library has the size of what it hands out in
 * the word before, with three flags; what lies there of other objects is mostly no such size.
 */
static size_t count_words(struct live *live, __u64 addr, size_t max)
{
	__u64 size = live__word(live, addr - WORD) & ~7ull;

	if (size % (2 * WORD) || size < 4 * WORD || size / WORD - 1 > max)
		return max;
	return size / WORD - 1;
}

/* The object at @addr, and what it leads to; not what is known to be something else. */
static void look_at_object(struct search *s, __u64 addr, size_t max)
{
	__u64 words[IMPL_WORDS];
	size_t count = count_words(s->live, addr, max);

	live__copy(s->live, addr, words, count);
	look_for_chips(s, words, count);
	if (s->way.len == MAX_DEPTH)
		return;
	for (size_t i = 0; i < count; i++) {
		if (!live__is_pointer(words[i]) || live_places__has(&s->live->devices, words[i]) ||
		    live_places__has(&s->live->meshes, words[i]) ||
		    live_places__has(&s->live->mesh_impls, words[i]))
			continue;
		s->way.off[s->way.len++] = i * WORD;
		look_at_object(s, words[i], VIEW_WORDS);
		s->way.len--;
	}
}

/* Where @way leads to in @mesh: the vector. */
static __u64 follow(struct live *live, __u64 mesh, const struct way *way)
{
	for (size_t i = 0; i + 1 < way->len; i++)
		mesh = live__word(live, mesh + way->off[i]);
	return mesh + way->off[way->len - 1];
}

static bool follow_to_chips(struct live *live, __u64 mesh, const struct way *way,
			    struct chips *ret_chips)
{
	__u64 at = follow(live, mesh, way);

	if (!read_chips(live, live__word(live, at), live__word(live, at + WORD), way->stride,
			ret_chips))
		return false;
	qsort(ret_chips->all, ret_chips->count, sizeof(*ret_chips->all), compare_chips);
	return true;
}

/* Is it a way to chips in all meshes? What lies behind an object by chance is so in one only. */
static bool is_common(struct live *live, struct way *way)
{
	struct chips chips;

	for (size_t i = 0; i < live->meshes.count; i++) {
		if (!follow_to_chips(live, live->meshes.all[i], way, &chips))
			return false;
		for (size_t k = 0; k < i; k++)
			way->is_shared |= follow(live, live->meshes.all[i], way) ==
					  follow(live, live->meshes.all[k], way);
	}
	return true;
}

/* Keeps the ways that are common, and no mesh's own ones only. */
static void choose_ways(struct search *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->num_found; i++)
		if (is_common(s->live, &s->found[i]) && !s->found[i].is_shared)
			s->found[kept++] = s->found[i];
	s->num_found = kept;
}

static bool has_all(const struct chips *chips, const struct chips *part)
{
	size_t at = 0;

	for (size_t i = 0; i < part->count; i++) {
		while (at < chips->count && chips->all[at] != part->all[i])
			at++;
		if (at == chips->count)
			return false;
	}
	return true;
}

/*
 * Do the shortest ways lead to the same chips, in each mesh, and the longer ones to no others?
 * What lies behind an object by chance may lead to some of them.
 */
static bool do_agree(const struct search *s, const struct way *shortest)
{
	const struct live_places *meshes = &s->live->meshes;
	struct chips all, chips;

	for (size_t i = 0; i < meshes->count; i++) {
		if (!follow_to_chips(s->live, meshes->all[i], shortest, &all))
			return false;
		for (size_t k = 0; k < s->num_found; k++)
			if (!follow_to_chips(s->live, meshes->all[i], &s->found[k], &chips) ||
			    !has_all(&all, &chips) ||
			    (s->found[k].len == shortest->len && chips.count != all.count))
				return false;
	}
	return true;
}

/* NULL: there is none. */
static const struct way *find_shortest(const struct search *s)
{
	const struct way *shortest = NULL;

	for (size_t i = 0; i < s->num_found; i++)
		if (!shortest || s->found[i].len < shortest->len)
			shortest = &s->found[i];
	return shortest;
}

static void find_chips(struct live *live, size_t impl)
{
	struct search *s = calloc(1, sizeof(*s));
	__u64 mesh = live->meshes.all[0];
	const struct way *way;

	if (!s)
		return; /* then they are unknown */
	s->live = live;
	s->way.off[0] = impl * WORD;
	s->way.len = impl ? 1 : 0;
	look_at_object(s, impl ? live__word(live, mesh + impl * WORD) : mesh, IMPL_WORDS);
	if (s->num_found <= MAX_WAYS) {
		choose_ways(s);
		way = find_shortest(s);
		if (way && do_agree(s, way)) {
			live__found(live, TT_FIELD_MESH_CHIPS,
				    "the nearest list of chips, and no other has more", way->len,
				    way->off);
			live->layout->chip_stride = (__u16)way->stride;
		}
	}
	free(s);
}

/* The numbers of the chips that there are differ: else this is not what tells them apart. */
static void check_chip_ids(struct live *live)
{
	const struct tt_path *path = &live->layout->field[TT_FIELD_CHIP_ID];

	for (size_t i = 0; i < live->devices.count && path->len; i++)
		for (size_t k = 0; k < i; k++)
			if ((__u32)live__word(live, live->devices.all[i] + path->off[0]) ==
			    (__u32)live__word(live, live->devices.all[k] + path->off[0]))
				live__lost(live, TT_FIELD_CHIP_ID, "two chips have the same");
}

int live_meshes__establish(struct live *live)
{
	size_t impl = find_impl(live), offset = impl * WORD;

	check_chip_ids(live);
	if (live->classes->mesh_impl && !impl)
		live__lost(live, TT_FIELD_MESH_ID, "no MeshDevice leads to a MeshDeviceImpl");
	if (!live->meshes.count)
		return 0;
	if (impl && live->layout->field[TT_FIELD_MESH_ID].len == 1) {
		const size_t path[] = { offset, live->layout->field[TT_FIELD_MESH_ID].off[0] };

		live__found(live, TT_FIELD_MESH_ID, "returned by the virtual function id()", 2,
			    path);
	}
	find_chips(live, impl);
	return 0;
}
