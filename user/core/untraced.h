/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Runtimes that were seen and are not traced, as the stream says: what they did is not known. */
#ifndef TTTRACE_UNTRACED_H
#define TTTRACE_UNTRACED_H

#include <linux/types.h>

#include "tttrace_config.h"
#include "tttrace_record.h"

enum {
	UNTRACED_MAX = 64 /* that are told one by one */
};

struct untraced_item {
	char path[TT_PATH_SIZE];
	char why[TT_WHY_SIZE];
	__u32 pid; /* the last one */
	__u64 times;
};

/* Zeroed: none. */
struct untraced {
	struct untraced_item *items;
	__u32 num_items;
	__u64 times; /* all of them, with those for which there was no place */
};

/* Returns 0 or -ENOMEM: then it is counted only. */
int untraced__add(struct untraced *untraced, const struct tt_record_untraced *rec);
/* Returns 0 or -ENOMEM: then @ret_copy has none but their number. */
int untraced__copy(const struct untraced *untraced, struct untraced *ret_copy);
void untraced__done(struct untraced *untraced);

#endif
