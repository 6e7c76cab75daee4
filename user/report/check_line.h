/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* One line of `tttrace --check -j`: what all of them have in common. */
#ifndef TTTRACE_CHECK_LINE_H
#define TTTRACE_CHECK_LINE_H

#include <stdio.h>
#include <json-c/json.h>
#include <linux/types.h>

/* An object with `event` = `check`, @ts_ns (CLOCK_BOOTTIME) and @item. NULL: out of memory. */
struct json_object *check_line__new(const char *item, __u64 ts_ns);

/* Writes and frees @line. Returns 0; -ENOMEM, also for NULL; -EIO. */
int check_line__print(FILE *out, struct json_object *line);

#endif
