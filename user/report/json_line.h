/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Objects of json-c without a check at each call: the first failure is kept, and the line is then
 * not written. Keys come out in the order in which they were put.
 */
#ifndef TTTRACE_JSON_LINE_H
#define TTTRACE_JSON_LINE_H

#include <json.h>
#include <stdbool.h>
#include <stdio.h>

#include "core/event.h"
#include "core/usage.h"

struct json_line {
	struct json_object *root;
	bool failed;
};

/* @name: the value of "event". Always to be followed by json_line__write(). */
void json_line__begin(struct json_line *line, const char *name, __u64 ts_ns);
/* Writes and frees. Returns 0, -ENOMEM or -errno of the stream. */
int json_line__write(struct json_line *line, FILE *out);

/* @object is root, or one that these returned; NULL is taken and makes the line fail. */
struct json_object *json_line__object(struct json_line *line, struct json_object *object,
				      const char *key);
struct json_object *json_line__array(struct json_line *line, struct json_object *object,
				     const char *key);
struct json_object *json_line__element(struct json_line *line, struct json_object *array);
/* Puts a string of ours at the end of @array. */
void json_line__add_string(struct json_line *line, struct json_object *array, const char *value);
void json_line__number(struct json_line *line, struct json_object *object, const char *key,
		       __u64 value);
/* A number that may be negative. */
void json_line__change(struct json_line *line, struct json_object *object, const char *key,
		       __s64 value);
void json_line__bool(struct json_line *line, struct json_object *object, const char *key,
		     bool value);
/* @value need not be UTF-8. NULL: the key is left out. */
void json_line__string(struct json_line *line, struct json_object *object, const char *key,
		       const char *value);
void json_line__hex(struct json_line *line, struct json_object *object, const char *key,
		    __u64 value);

/* "mesh" and "devices". */
void json_line__device(struct json_line *line, struct json_object *object,
		       const struct event_device *device);
/* From "bank_size" to "why_unknown": what is known. */
void json_line__space(struct json_line *line, struct json_object *object,
		      const struct event_space *space);
/* From "buffer" to "kind", and of whom it is: json_line__origin(). */
void json_line__buffer(struct json_line *line, struct json_object *object,
		       const struct event_buffer *buffer);

/*
 * "stack_id", the number of the stack that allocated, "op" and "owner": what is known. @stack may
 * be NULL.
 */
void json_line__origin(struct json_line *line, struct json_object *object,
		       const struct event_stack *stack, enum owner owner);

/* "stack_end", and "stack", an array of frames, innermost first; nothing if @stack is NULL. */
void json_line__stack(struct json_line *line, struct json_object *object,
		      const struct event_stack *stack);

#endif
