/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Parts of the tracer that this machine does not allow, as the stream says, and what that costs. */
#ifndef TTTRACE_PARTS_H
#define TTTRACE_PARTS_H

#include <stdbool.h>
#include <linux/types.h>

#include "tttrace_config.h"
#include "tttrace_record.h"

struct parts {
	bool missing[TT_PART_COUNT];
	char why[TT_PART_COUNT][TT_WHY_SIZE]; /* of those that are missing */
};

/* Returns 0, or -EBADMSG: there is no such part. */
int parts__miss(struct parts *parts, const struct tt_record_missing *rec);

/* Can all that happens be seen without those that are missing? */
bool parts__are_enough(const struct parts *parts);

/* "stacks", "exit", …; and in words what does not work without it. */
const char *part__name(enum tt_part part);
const char *part__loss(enum tt_part part);

#endif
