// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "core/untraced.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct untraced_item *find(const struct untraced *untraced,
				  const struct tt_record_untraced *rec)
{
	for (__u32 i = 0; i < untraced->num_items; i++) {
		struct untraced_item *item = &untraced->items[i];

		if (!strncmp(item->path, rec->path, TT_PATH_SIZE - 1) &&
		    !strncmp(item->why, rec->why, TT_WHY_SIZE - 1))
			return item;
	}
	return NULL;
}

int untraced__add(struct untraced *untraced, const struct tt_record_untraced *rec)
{
	struct untraced_item *item = find(untraced, rec);

	untraced->times++;
	if (!item && untraced->num_items == UNTRACED_MAX)
		return 0;
	if (!untraced->items)
		untraced->items = calloc(UNTRACED_MAX, sizeof(*untraced->items));
	if (!untraced->items)
		return -ENOMEM;
	if (!item) {
		item = &untraced->items[untraced->num_items++];
		memcpy(item->path, rec->path, TT_PATH_SIZE - 1);
		memcpy(item->why, rec->why, TT_WHY_SIZE - 1);
	}
	item->pid = rec->h.tgid;
	item->times++;
	return 0;
}

int untraced__copy(const struct untraced *untraced, struct untraced *ret_copy)
{
	*ret_copy = (struct untraced){ .times = untraced->times };
	if (!untraced->num_items)
		return 0;
	ret_copy->items = calloc(untraced->num_items, sizeof(*ret_copy->items));
	if (!ret_copy->items)
		return -ENOMEM;
	ret_copy->num_items = untraced->num_items;
	memcpy(ret_copy->items, untraced->items, untraced->num_items * sizeof(*untraced->items));
	return 0;
}

void untraced__done(struct untraced *untraced)
{
	free(untraced->items);
	memset(untraced, 0, sizeof(*untraced));
}
