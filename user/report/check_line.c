// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "report/check_line.h"

#include <errno.h>

struct json_object *check_line__new(const char *item, __u64 ts_ns)
{
	struct json_object *line = json_object_new_object();

	if (!line)
		return NULL;
	json_object_object_add(line, "event", json_object_new_string("check"));
	json_object_object_add(line, "ts_ns", json_object_new_int64((int64_t)ts_ns));
	json_object_object_add(line, "item", json_object_new_string(item));
	return line;
}

int check_line__print(FILE *out, struct json_object *line)
{
	const char *text;
	int err = -ENOMEM;

	if (!line)
		return -ENOMEM;
	text = json_object_to_json_string_ext(line, JSON_C_TO_STRING_PLAIN |
							    JSON_C_TO_STRING_NOSLASHESCAPE);
	if (text)
		err = fprintf(out, "%s\n", text) < 0 ? -EIO : 0;
	json_object_put(line);
	return err;
}
