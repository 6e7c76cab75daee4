/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* One line of a result: see result.h, whose part it is. */
#ifndef TTTRACE_RESULT_LINE_H
#define TTTRACE_RESULT_LINE_H

#include <json.h>

#include "core/diff.h"

/* What is known of the result that is read. */
struct result_reading {
	const char *path;
	enum diff_side side;
	struct diff *diff;
	struct json_tokener *tokener;
	unsigned long long line; /* number of that which is read */
	unsigned long long sites;
	bool has_stacks; /* were any wanted? */
	bool has_summary;
	char why[160]; /* what is wrong with the line, in words */
};

/* Does a line with that @event of @len bytes tell something that is compared? */
bool result_line__is_wanted(const char *event, size_t len);

/* Puts what @root says into the comparison. 0, -ENOMEM, or -EBADMSG with @r->why. */
int result_line__parse(struct result_reading *r, struct json_object *root);

/* Says @r->why. Returns -EBADMSG. */
__attribute__((format(printf, 2, 3))) int result_line__refuse(struct result_reading *r,
							      const char *format, ...);

#endif
