/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Collects one list of a snapshot out of any number of buffers in one pass and constant memory:
 * sums by type and size class, and the first few by size and by age. For snapshot.c only.
 */
#ifndef TTTRACE_SNAPSHOT_LIST_H
#define TTTRACE_SNAPSHOT_LIST_H

#include "core/size_class.h"
#include "core/snapshot.h"

struct list_entry {
	const struct buffer *buffer;
	__u64 key;
};

struct list_top {
	struct list_entry at[SNAPSHOT_ROWS];
	__u32 count;
};

/* Buffers of one stack and type. */
struct stack_group {
	struct site_key key;
	struct snapshot_stack row;
	UT_hash_handle hh;
};

struct list_builder {
	const struct ledger *ledger;
	const struct filter *filter;
	__u64 ts_ns; /* at which ages are taken */
	struct verdict_sum sum;
	struct verdict_sum hidden;
	struct verdict_sum suppressed;
	__u64 untold;		     /* as in the list */
	struct snapshot_rule *rules; /* of a list of leaks, by which they may be known; else NULL */
	const struct event_device *device;
	struct snapshot_group groups[TT_TYPE_COUNT + 1][SIZE_CLASSES];
	struct list_top largest;
	struct list_top oldest;
	struct stack_group *by_stack;
	int err; /* of the groups: -ENOMEM */
};

/* Zeroed at first; used for one list after the other, then done. */
void list_builder__init(struct list_builder *builder, const struct ledger *ledger,
			const struct filter *filter, __u64 ts_ns);
/*
 * It becomes a list of the leaks of @device: what one of @rules, those of the filter, knows is
 * counted there, on all chips, and left out.
 */
void list_builder__suppress(struct list_builder *builder, struct snapshot_rule *rules,
			    const struct event_device *device);
void list_builder__done(struct list_builder *builder);
void list_builder__add(struct list_builder *builder, const struct buffer *buffer);
/* Returns 0 or -ENOMEM; what was taken then is in *ret_list and must be freed. */
int list_builder__finish(const struct list_builder *builder, struct snapshot_list *ret_list);
void snapshot_list__done(struct snapshot_list *list);

/* The rules of @filter by which leaks are known: none has hidden anything yet. 0 or -ENOMEM. */
int snapshot__take_rules(const struct filter *filter, struct snapshot *snapshot);

#endif
