// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/live_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "target/census_set.h"

enum {
	SET_WORDS = LIVE_ALLOCATOR_WORDS - 4, /* of an allocator, where its set may begin */
	MAX_BUFFERS = 1 << 20,
	MAX_VIEWS = 64,
	SAMPLE = 8,	/* buffers that are tried first */
	BASE_WORDS = 8, /* of a free list, among which the base of the bank is */
	MIN_ALIGN = 16, /* bytes; that of L1 */
};

struct views {
	struct live_view all[MAX_VIEWS];
	size_t count;
};

bool live_view__has(const struct live_view *view, size_t word)
{
	return word == view->allocator || word == view->device;
}

bool live_buffer__has_type(const struct live_buffer *buffer, size_t at, __u32 type)
{
	__u32 found;

	memcpy(&found, (const char *)buffer->words + at, sizeof(found));
	return found == type;
}

void live_buffers__tell(struct live *live, const struct live_buffers *buffers, enum tt_field field,
			const char *how, size_t offset)
{
	const size_t path[] = { buffers->view.body * WORD, offset };
	size_t is_direct = buffers->view.body == LIVE_DIRECT;

	live__found(live, field, how, 2 - is_direct, path + is_direct);
}

static int add_buffer(struct live_buffers *buffers, const struct live_buffer *buffer)
{
	if (buffers->count == buffers->room) {
		size_t room = buffers->room ? 2 * buffers->room : 64;
		struct live_buffer *all = realloc(buffers->all, room * sizeof(*all));

		if (!all)
			return -ENOMEM;
		buffers->all = all;
		buffers->room = room;
	}
	buffers->all[buffers->count++] = *buffer;
	return 0;
}

static bool is_device(struct live *live, __u64 word)
{
	return live__is_pointer(word) &&
	       (live_places__has(&live->devices, word) || live_places__has(&live->meshes, word));
}

static __u64 find_body(struct live *live, __u64 buffer, size_t body)
{
	return body == LIVE_DIRECT ? buffer : live__word(live, buffer + body * WORD);
}

/* Reads the elements of @set as @finding's view says; only those that fit are kept. */
static int read_buffers(struct live *live, const struct live_allocator *allocator,
			const struct census_set *set, struct live_buffers *finding)
{
	const struct live_view *view = &finding->view;
	int err = 0;

	finding->claimed += set->count;
	for (size_t i = 0; i < set->count && !err; i++) {
		__u64 body = find_body(live, set->elements[i], view->body);
		struct live_buffer buffer = { .allocator = allocator, .body = body };

		if (!live__is_pointer(set->elements[i]) || !live__is_pointer(body))
			continue;
		live__copy(live, body, buffer.words, LIVE_BODY_WORDS);
		if (buffer.words[view->allocator] == allocator->object &&
		    is_device(live, buffer.words[view->device]))
			err = add_buffer(finding, &buffer);
	}
	return err;
}

/* Is most of what the sets hold a live Buffer, as a census demands? */
static bool is_sound(const struct live_buffers *finding)
{
	return finding->count && 2 * finding->count >= finding->claimed;
}

static int collect_sets(struct live *live, struct live_buffers *finding)
{
	int err = 0;

	for (size_t i = 0; i < live->num_allocators && !err; i++) {
		const struct live_allocator *allocator = &live->allocators[i];
		struct census_set set = {};

		err = census_set__read(live->memory, allocator->object + finding->view.set * WORD,
				       &set);
		if (!err && set.count <= MAX_BUFFERS)
			err = read_buffers(live, allocator, &set, finding);
		else if (err != -ENOMEM && err != -ESRCH && err != -EPERM)
			err = 0;
		census_set__done(&set);
	}
	return err;
}

static void add_view(struct views *views, const struct live_view *view)
{
	for (size_t i = 0; i < views->count; i++)
		if (!memcmp(&views->all[i], view, sizeof(*view)))
			return;
	if (views->count < MAX_VIEWS)
		views->all[views->count++] = *view;
}

/* All that @element, of the set at word @set of @allocator, would be read by if it were a Buffer.
 */
static void suggest_views(struct live *live, const struct live_allocator *allocator, size_t set,
			  __u64 element, struct views *views)
{
	struct live_view view = { .set = set };
	__u64 words[LIVE_BODY_WORDS], body;

	/* the Buffer itself first: its first words lead to itself, and to right before it */
	for (size_t n = 0; n <= LIVE_DIRECT; n++) {
		view.body = LIVE_DIRECT - n;
		body = find_body(live, element, view.body);
		/* a device knows its allocator as well */
		if (!live__is_pointer(body) || is_device(live, body))
			continue;
		live__copy(live, body, words, LIVE_BODY_WORDS);
		for (size_t i = 0; i < LIVE_BODY_WORDS * LIVE_BODY_WORDS; i++) {
			view.allocator = i / LIVE_BODY_WORDS;
			view.device = i % LIVE_BODY_WORDS;
			if (words[view.allocator] == allocator->object &&
			    is_device(live, words[view.device]))
				add_view(views, &view);
		}
	}
}

/* What the elements of the set at word @at of @allocator suggest, if it is one. */
static void look_at_set(struct live *live, const struct live_allocator *allocator, size_t at,
			struct views *views)
{
	const __u64 *header = allocator->words + at;
	struct census_set set = {};

	if (live__is_pointer(header[0]) && header[1] && header[3] && header[3] <= MAX_BUFFERS &&
	    !census_set__read(live->memory, allocator->object + at * WORD, &set))
		for (size_t i = 0; i < set.count && i < SAMPLE; i++)
			if (live__is_pointer(set.elements[i]))
				suggest_views(live, allocator, at, set.elements[i], views);
	census_set__done(&set);
}

/* Do both read the same places, by different ways? */
static bool are_same(const struct live_buffers *a, const struct live_buffers *b)
{
	const struct live_buffer *x = a->all, *y = b->all;

	for (size_t i = 0; i < a->count; i++)
		if (x[i].body + a->view.allocator * WORD != y[i].body + b->view.allocator * WORD ||
		    x[i].body + a->view.device * WORD != y[i].body + b->view.device * WORD)
			return false;
	return true;
}

/*
 * By the view that most buffers fit: what lies behind a Buffer by chance lies there not for all.
 * -EAGAIN: there is none, or as many fit several.
 */
static int find_buffers(struct live *live, struct live_buffers *ret_finding)
{
	struct live_buffers *best = ret_finding;
	struct views views = {};
	bool is_ambiguous = false;
	int err = 0;

	for (size_t i = 0; i < live->num_allocators * SET_WORDS; i++)
		look_at_set(live, &live->allocators[i / SET_WORDS], i % SET_WORDS, &views);
	for (size_t i = 0; i < views.count && !err; i++) {
		struct live_buffers finding = { .view = views.all[i] };

		err = collect_sets(live, &finding);
		if (finding.count > best->count) {
			free(best->all);
			*best = finding;
			is_ambiguous = false;
			continue;
		}
		is_ambiguous |= finding.count == best->count && !are_same(&finding, best);
		free(finding.all);
	}
	return err ? err : is_sound(best) && !is_ambiguous ? 0 : -EAGAIN;
}

/* --- where each of them lies ----------------------------------------------------------------- */

static struct live_block *find_block(const struct live_list *list, __u64 address)
{
	size_t low = 0, high = list->num_taken;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list->taken[middle].address == address)
			return &list->taken[middle];
		if (list->taken[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* No buffer lies at address 0, and all at multiples of what the hardware can transfer. */
static bool is_address(__u64 word)
{
	return word && word % MIN_ALIGN == 0;
}

/* The block that @buffer holds, read at @place; each only once. */
static struct live_block *claim(struct live_buffer *buffer, const struct live_place *place)
{
	if (!is_address(buffer->words[place->address]))
		return NULL;
	for (int i = 0; i < LIVE_MAX_MANAGERS; i++) {
		const struct live_manager *manager = buffer->allocator->managers[i];
		struct live_block *block;

		if (!manager || !live_buffer__has_type(buffer, place->type, manager->type))
			continue;
		block = find_block(manager->list, buffer->words[place->address] -
							  manager->list->words[place->base]);
		if (!block || block->is_claimed)
			continue;
		block->is_claimed = true;
		buffer->manager = manager;
		return block;
	}
	return NULL;
}

/* Each buffer its block, if there is one. Returns how many have one. */
static size_t claim_all(struct live_buffers *buffers, const struct live_place *place)
{
	size_t count = 0;

	for (size_t i = 0; i < buffers->count; i++) {
		buffers->all[i].block = claim(&buffers->all[i], place);
		count += buffers->all[i].block != NULL;
	}
	return count;
}

static void release_all(struct live_buffers *buffers)
{
	for (size_t i = 0; i < buffers->count; i++)
		if (buffers->all[i].block)
			buffers->all[i].block->is_claimed = false;
}

/* The place that gives most buffers a block; ambiguous where another gives one as many. */
struct choice {
	struct live_place place;
	size_t count;
	bool is_ambiguous;
};

static void consider(struct live_buffers *buffers, const struct live_place *place,
		     struct choice *choice)
{
	size_t count = claim_all(buffers, place);

	release_all(buffers);
	/* where the type is read does not matter if it is the same for all that there are */
	if (count && count == choice->count &&
	    (place->address != choice->place.address || place->base != choice->place.base))
		choice->is_ambiguous = true;
	if (count <= choice->count)
		return;
	*choice = (struct choice){ *place, count, false };
}

/* Are both halves of that word small in all buffers, as those of two enums are? */
static bool is_small(const struct live_buffers *buffers, size_t word)
{
	for (size_t i = 0; i < buffers->count; i++)
		if (buffers->all[i].words[word] & ~0xf0000000full)
			return false;
	return true;
}

/* Cheap first: one of the first buffers has to have a block there. */
static void try_place(struct live_buffers *buffers, const struct live_place *place,
		      struct choice *choice)
{
	struct live_buffers sample = *buffers;
	bool any;

	if (live_view__has(&buffers->view, place->type / WORD) ||
	    place->type / WORD == place->address)
		return;
	sample.count = sample.count < SAMPLE ? sample.count : SAMPLE;
	any = claim_all(&sample, place);
	release_all(&sample);
	if (any)
		consider(buffers, place, choice);
}

/*
 * With each place of the type: where it is in the source of all generations, behind size_, which is
 * behind device_; then where it looks like a type; then elsewhere.
 */
static void try_types(struct live_buffers *buffers, struct live_place *p, struct choice *choice)
{
	p->type = (buffers->view.device + 2) * WORD;
	if (p->type < LIVE_BODY_WORDS * WORD)
		try_place(buffers, p, choice);
	for (int small = 1; small >= 0; small--)
		for (p->type = 0; p->type < LIVE_BODY_WORDS * WORD; p->type += sizeof(__u32))
			if (is_small(buffers, p->type / WORD) == small)
				try_place(buffers, p, choice);
}

static int find_places(struct live_buffers *buffers, struct choice *ret_choice)
{
	struct live_place p;

	*ret_choice = (struct choice){};
	for (p.address = 0; p.address < LIVE_BODY_WORDS; p.address++)
		for (p.base = 1; p.base < BASE_WORDS && !live_view__has(&buffers->view, p.address);
		     p.base++)
			try_types(buffers, &p, ret_choice);
	return ret_choice->count && !ret_choice->is_ambiguous ? 0 : -EAGAIN;
}

static void tell_all(struct live *live, const struct live_buffers *f)
{
	const size_t count = (f->view.set * WORD) + SET_COUNT_AT, base = f->place.base * WORD;

	live__found(live, TT_FIELD_ALLOCATED_BUFFERS, "a set of buffers of this allocator", 1,
		    &count);
	live__found(live, TT_FIELD_FL_BASE, "from here a buffer lies where a block is", 1, &base);
	live_buffers__tell(live, f, TT_FIELD_ALLOCATOR, "the allocator that has it in its set",
			   f->view.allocator * WORD);
	live_buffers__tell(live, f, TT_FIELD_DEVICE, "an object of a class of devices",
			   f->view.device * WORD);
	live_buffers__tell(live, f, TT_FIELD_ADDRESS, "where a block is that is taken",
			   f->place.address * WORD);
	live_buffers__tell(live, f, TT_FIELD_TYPE, "the type of the manager that has this block",
			   f->place.type);
	live_sizes__establish(live, f);
}

int live_buffers__establish(struct live *live)
{
	struct live_buffers found = {};
	struct choice choice;
	int err = find_buffers(live, &found);

	err = err ? err : find_places(&found, &choice);
	if (!err) {
		found.place = choice.place;
		claim_all(&found, &found.place);
		tell_all(live, &found);
	}
	free(found.all);
	return err;
}
