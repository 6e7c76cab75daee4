// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "core/frame_set.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/path.h"
#include "lib/table.h"

struct frame_place {
	__u32 number;
	UT_hash_handle hh;
	char key[];
};

struct kept_frame {
	struct event_frame frame; /* first: it is what is handed out */
	__u32 place;
	UT_hash_handle hh;
	char key[]; /* function and image, each with a 0 at its end; then what else it says */
};

/* A name is told from none by the byte before it. */
static int put_name(struct bytes *key, const char *name)
{
	int err = bytes__append(key, name ? "+" : "-", 1);

	if (!err)
		err = bytes__append(key, name ? name : "", name ? strlen(name) + 1 : 1);
	return err;
}

static int put_number(struct bytes *key, __u64 number)
{
	return bytes__append(key, &number, sizeof(number));
}

static int make_place_key(const struct event_frame *frame, struct bytes *key)
{
	int err = put_name(key, frame->function);

	if (!err)
		err = put_name(key, path__base_name(frame->image));
	if (!err && !frame->function)
		err = put_number(key, frame->vaddr);
	return err;
}

static int add_place(struct frame_set *set, const struct bytes *key, __u32 *ret_number)
{
	struct frame_place *place;

	HASH_FIND(hh, set->places, key->data, key->size, place);
	if (!place) {
		place = malloc(sizeof(*place) + key->size);
		if (!place)
			return -ENOMEM;
		place->number = HASH_COUNT(set->places);
		memcpy(place->key, key->data, key->size);
		HASH_ADD(hh, set->places, key, key->size, place);
		if (!table__has(place)) {
			free(place);
			return -ENOMEM;
		}
	}
	*ret_number = place->number;
	return 0;
}

static int find_place(struct frame_set *set, const struct event_frame *frame, __u32 *ret_number)
{
	struct bytes key = { 0 };
	int err = make_place_key(frame, &key);

	if (!err)
		err = add_place(set, &key, ret_number);
	free(key.data);
	return err;
}

static int make_key(const struct event_frame *frame, struct bytes *key)
{
	int err = put_name(key, frame->function);

	if (!err)
		err = put_name(key, frame->image);
	if (!err)
		err = put_number(key, frame->line);
	if (!err)
		err = put_number(key, frame->vaddr);
	if (!err)
		err = put_number(key, frame->offset);
	return err;
}

static struct kept_frame *new_frame(const struct event_frame *frame, __u32 place,
				    const struct bytes *key)
{
	struct kept_frame *kept = malloc(sizeof(*kept) + key->size);
	size_t function_len = frame->function ? strlen(frame->function) : 0;

	if (!kept)
		return NULL;
	memcpy(kept->key, key->data, key->size);
	kept->place = place;
	kept->frame = *frame;
	/* see put_name() */
	kept->frame.function = frame->function ? kept->key + 1 : NULL;
	kept->frame.image = kept->key + 1 + function_len + 1 + 1;
	return kept;
}

static int add_frame(struct frame_set *set, const struct event_frame *frame,
		     const struct bytes *key, struct kept_frame **ret_kept)
{
	struct kept_frame *kept;
	__u32 place;
	int err;

	HASH_FIND(hh, set->frames, key->data, key->size, kept);
	if (!kept) {
		err = find_place(set, frame, &place);
		if (err)
			return err;
		kept = new_frame(frame, place, key);
		if (!kept)
			return -ENOMEM;
		HASH_ADD(hh, set->frames, key, key->size, kept);
		if (!table__has(kept)) {
			free(kept);
			return -ENOMEM;
		}
	}
	*ret_kept = kept;
	return 0;
}

int frame_set__add(struct frame_set *set, const struct event_frame *frame,
		   const struct event_frame **ret_frame)
{
	struct kept_frame *kept;
	struct bytes key = { 0 };
	int err = make_key(frame, &key);

	if (!err)
		err = add_frame(set, frame, &key, &kept);
	if (!err)
		*ret_frame = &kept->frame;
	free(key.data);
	return err;
}

__u32 frame_set__place(const struct event_frame *frame)
{
	return ((const struct kept_frame *)frame)->place;
}

void frame_set__done(struct frame_set *set)
{
	struct kept_frame *frame, *next_frame;
	struct frame_place *place, *next_place;

	HASH_ITER (hh, set->frames, frame, next_frame) {
		HASH_DEL(set->frames, frame);
		free(frame);
	}
	HASH_ITER (hh, set->places, place, next_place) {
		HASH_DEL(set->places, place);
		free(place);
	}
}
