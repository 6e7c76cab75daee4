// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "core/parts.h"

#include <errno.h>
#include <string.h>

static const struct {
	const char *name;
	const char *loss;
	bool is_vital;
} table[TT_PART_COUNT] = {
	[TT_PART_STACKS] = { "stacks", "call stacks are not recorded", false },
	[TT_PART_FORK] = { "fork", "forks are not followed: children may be missing", true },
	[TT_PART_EXEC] = { "exec", "exec is not seen: what a process held before it looks live",
			   true },
	[TT_PART_EXIT] = { "exit",
			   "the ends of processes are not seen: what they leaked looks live",
			   true },
	[TT_PART_RENAME] = { "rename", "new names of processes are not seen", true },
	[TT_PART_MAPPINGS] = { "mappings",
			       "libraries that are mapped after the start are not traced", true },
	[TT_PART_UPROBE_MULTI] = { "uprobe_multi",
				   "perf events take the place of uprobe_multi: attaching takes longer",
				   false },
};

int parts__miss(struct parts *parts, const struct tt_record_missing *rec)
{
	if (rec->part >= TT_PART_COUNT)
		return -EBADMSG;
	parts->missing[rec->part] = true;
	memcpy(parts->why[rec->part], rec->why, TT_WHY_SIZE);
	parts->why[rec->part][TT_WHY_SIZE - 1] = '\0';
	return 0;
}

bool parts__are_enough(const struct parts *parts)
{
	for (int part = 0; part < TT_PART_COUNT; part++)
		if (parts->missing[part] && table[part].is_vital)
			return false;
	return true;
}

const char *part__name(enum tt_part part)
{
	return table[part].name;
}

const char *part__loss(enum tt_part part)
{
	return table[part].loss;
}
