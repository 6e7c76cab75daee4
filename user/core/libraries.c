// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "core/libraries.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* It was probed, and is to be counted, although another has its number now. */
static int keep_gone(struct libraries *libraries, const struct tt_record_library *rec)
{
	const struct library_info *old = libraries->by_layout[rec->h.layout];
	struct library_info *copy;

	if (!old || old->is_second || libraries->num_gone == LIBRARIES_GONE_MAX ||
	    !strncmp(old->path, rec->path, sizeof(old->path) - 1))
		return 0;
	copy = malloc(sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	*copy = *old;
	libraries->gone[libraries->num_gone++] = copy;
	return 0;
}

int libraries__add(struct libraries *libraries, const struct tt_record_library *rec)
{
	struct library_info *info;
	int err;

	if (rec->h.layout >= TT_MAX_LAYOUTS)
		return -EBADMSG;
	err = keep_gone(libraries, rec);
	if (err)
		return err;
	info = libraries->by_layout[rec->h.layout];
	if (!info) {
		info = calloc(1, sizeof(*info));
		if (!info)
			return -ENOMEM;
		libraries->by_layout[rec->h.layout] = info;
		libraries->count++;
	}
	info->is_second = false;
	info->layout = rec->h.layout;
	info->probes_wanted = rec->probes_wanted;
	info->probes_attached = rec->probes_attached;
	info->mode = rec->mode < TT_MODE_COUNT ? rec->mode : TT_MODE_DEFAULT;
	info->probes = rec->probes;
	info->has_stacks = rec->stacks;
	info->is_lean = info->mode == TT_MODE_LEAN;
	memcpy(info->path, rec->path, sizeof(info->path));
	info->path[sizeof(info->path) - 1] = '\0';
	body_map__init(&info->map, &rec->map);
	info->has_id = rec->map.field[TT_FIELD_UNIQUE_ID].len > 0;
	return 0;
}

const struct library_info *libraries__find(const struct libraries *libraries, __u16 layout)
{
	return layout < TT_MAX_LAYOUTS ? libraries->by_layout[layout] : NULL;
}

bool libraries__mark_second(struct libraries *libraries, __u16 layout, __u16 of)
{
	struct library_info *info = layout < TT_MAX_LAYOUTS ? libraries->by_layout[layout] : NULL;
	const struct library_info *first = libraries__find(libraries, of);

	if (!info || info->is_second || !first || first->is_second)
		return false;
	info->is_second = true;
	return true;
}

bool libraries__are_unprobed(const struct libraries *libraries)
{
	for (int i = 0; i < TT_MAX_LAYOUTS; i++) {
		if (libraries->by_layout[i] && libraries->by_layout[i]->probes_wanted)
			return false;
	}
	return libraries->count;
}

void libraries__done(struct libraries *libraries)
{
	for (int i = 0; i < TT_MAX_LAYOUTS; i++)
		free(libraries->by_layout[i]);
	for (__u32 i = 0; i < libraries->num_gone; i++)
		free(libraries->gone[i]);
	memset(libraries, 0, sizeof(*libraries));
}
