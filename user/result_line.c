// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "result_line.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/log.h"

int result_line__refuse(struct result_reading *r, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(r->why, sizeof(r->why), format, ap);
	va_end(ap);
	return -EBADMSG;
}

/* NULL: there is none. */
static struct json_object *get(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) ? value : NULL;
}

/* What is absent leaves *@ret_number as it is. */
static int get_number(struct result_reading *r, struct json_object *object, const char *key,
		      __u64 most, __u64 *ret_number)
{
	struct json_object *value = get(object, key);
	int64_t number;

	if (!value)
		return 0;
	/* json-c makes INT64_MAX of what is more */
	number = json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : -1;
	if (number < 0 || number == INT64_MAX || (__u64)number > most)
		return result_line__refuse(r, "'%s' is not a number from 0 to %llu", key,
					   (unsigned long long)most);
	*ret_number = (__u64)number;
	return 0;
}

/* The same; the string lives as long as @object. */
static int get_string(struct result_reading *r, struct json_object *object, const char *key,
		      const char **ret_string)
{
	struct json_object *value = get(object, key);

	if (!value)
		return 0;
	if (!json_object_is_type(value, json_type_string))
		return result_line__refuse(r, "'%s' is not a string", key);
	*ret_string = json_object_get_string(value);
	return 0;
}

/* Of hexadecimal digits in a string, "0x12ab". */
static int get_address(struct result_reading *r, struct json_object *object, const char *key,
		       __u64 *ret_address)
{
	const char *text = "0x0";
	char *end;
	int err = get_string(r, object, key, &text);

	if (err)
		return err;
	errno = 0;
	*ret_address = strtoull(text, &end, 16);
	if (errno || *end || strncmp(text, "0x", 2))
		return result_line__refuse(r, "'%s' is not an address like 0x12ab", key);
	return 0;
}

static int parse_frame(struct result_reading *r, struct json_object *object,
		       struct event_frame *frame)
{
	__u64 line = 0;
	int err;

	*frame = (struct event_frame){ 0 };
	if (!json_object_is_type(object, json_type_object))
		return result_line__refuse(r, "a frame of its stack is not an object");
	err = get_string(r, object, "function", &frame->function);
	if (!err && !get(object, "file")) {
		err = get_string(r, object, "image", &frame->image);
	} else if (!err) {
		err = get_string(r, object, "file", &frame->image);
		if (!err)
			err = get_number(r, object, "line", UINT32_MAX, &line);
		frame->line = line ? (__u32)line : 1; /* 0 would be machine code */
	}
	if (!err)
		err = get_number(r, object, "offset", INT64_MAX, &frame->offset);
	if (!err)
		err = get_address(r, object, "vaddr", &frame->vaddr);
	if (frame->function && !*frame->function)
		frame->function = NULL;
	if (!err && !frame->image)
		err = result_line__refuse(r, "a frame of its stack has neither 'image' nor 'file'");
	return err;
}

/* An end that this version does not know is TT_STACK_END_COUNT. */
static int parse_end(struct result_reading *r, struct json_object *root, enum tt_stack_end *ret_end)
{
	const char *name = stack_end__name(TT_STACK_COMPLETE);
	int err = get_string(r, root, "stack_end", &name), end;

	for (end = 0; end < TT_STACK_END_COUNT; end++)
		if (!strcmp(name, stack_end__name(end)))
			break;
	*ret_end = end;
	return err;
}

static int parse_frames(struct result_reading *r, struct json_object *array,
			struct event_frame *frames, struct event_stack *stack)
{
	int err = 0;

	for (__u32 i = 0; !err && i < stack->num_frames; i++) {
		err = parse_frame(r, json_object_array_get_idx(array, i), &frames[i]);
		stack->frames[i] = &frames[i];
	}
	return err;
}

static int add_stack(struct result_reading *r, __u64 number, const struct event_stack *stack)
{
	int err = diff__add_stack(r->diff, r->side, number, stack);

	if (err == -EEXIST)
		return result_line__refuse(r,
					   "stack %llu was told before: these are several results",
					   (unsigned long long)number);
	return err;
}

static int parse_stack(struct result_reading *r, struct json_object *root)
{
	struct json_object *array = get(root, "stack");
	_cleanup_free_ struct event_frame *frames = NULL;
	_cleanup_free_ struct event_stack *stack = NULL;
	__u64 number = UINT64_MAX;
	size_t num;
	int err = get_number(r, root, "stack_id", INT64_MAX, &number);

	if (err)
		return err;
	if (number == UINT64_MAX || !json_object_is_type(array, json_type_array))
		return result_line__refuse(r, "a stack without 'stack_id' and 'stack'");
	num = json_object_array_length(array);
	frames = calloc(num + 1, sizeof(*frames));
	stack = calloc(1, sizeof(*stack) + num * sizeof(stack->frames[0]));
	if (!frames || !stack)
		return -ENOMEM;
	stack->num_frames = (__u32)num;
	err = parse_end(r, root, &stack->end);
	if (!err)
		err = parse_frames(r, array, frames, stack);
	return err ? err : add_stack(r, number, stack);
}

static int get_sum(struct result_reading *r, struct json_object *root, const char *bytes,
		   const char *buffers, struct diff_sum *ret_sum)
{
	int err = get_number(r, root, bytes, INT64_MAX, &ret_sum->bytes);

	return err ? err : get_number(r, root, buffers, INT64_MAX, &ret_sum->buffers);
}

static int get_sums(struct result_reading *r, struct json_object *root, struct diff_sums *sums)
{
	int err = get_sum(r, root, "leaked", "leaked_buffers", &sums->of[DIFF_LEAKED]);

	if (!err)
		err = get_sum(r, root, "live", "live_buffers", &sums->of[DIFF_LIVE]);
	if (!err)
		err = get_sum(r, root, "at_peak", "at_peak_buffers", &sums->of[DIFF_PEAK]);
	if (!err)
		err = get_sum(r, root, "allocated", "allocations", &sums->of[DIFF_ALLOCATED]);
	return err;
}

/* How many chips there are in "devices": of an unknown device its memory is counted once. */
static int get_chips(struct result_reading *r, struct json_object *root, __u64 *ret_chips)
{
	struct json_object *devices = get(root, "devices");
	size_t num;

	if (devices && !json_object_is_type(devices, json_type_array))
		return result_line__refuse(r, "'devices' is not an array");
	num = devices ? json_object_array_length(devices) : 0;
	*ret_chips = num ? num : 1;
	return 0;
}

static int get_type(struct result_reading *r, struct json_object *root, __u32 *ret_type)
{
	const char *name = "";
	int err = get_string(r, root, "type", &name);
	__u32 type = 0;

	while (type < TT_TYPE_COUNT && strcmp(name, buffer_type__name(type)))
		type++;
	*ret_type = type;
	return err;
}

static int add_site(struct result_reading *r, const struct diff_site *site)
{
	int err = diff__add_site(r->diff, r->side, site);

	if (err == -ENOENT)
		return result_line__refuse(r, "stack %llu is not in any line before",
					   (unsigned long long)site->stack);
	if (err == -ERANGE)
		return result_line__refuse(r, "the sum of its bytes and all before is beyond 2^63");
	r->sites += !err;
	return err;
}

static int parse_site(struct result_reading *r, struct json_object *root)
{
	struct diff_site site = { .has_stack = get(root, "stack_id") };
	int err = get_type(r, root, &site.type);

	if (!err)
		err = get_string(r, root, "op", &site.op);
	if (!err)
		err = get_string(r, root, "owner", &site.owner);
	if (!err)
		err = get_chips(r, root, &site.chips);
	if (!err)
		err = get_number(r, root, "stack_id", INT64_MAX, &site.stack);
	if (!err)
		err = get_sums(r, root, &site.sums);
	return err ? err : add_site(r, &site);
}

static bool is_bool(struct json_object *object, const char *key, bool value)
{
	struct json_object *found = object ? get(object, key) : NULL;

	return json_object_is_type(found, json_type_boolean) &&
	       (bool)json_object_get_boolean(found) == value;
}

static int parse_summary(struct result_reading *r, struct json_object *root)
{
	struct json_object *coverage = get(root, "coverage");

	if (is_bool(root, "interval", true))
		return 0; /* one of -i: the end is yet to come */
	r->has_summary = true;
	if (!json_object_is_type(coverage, json_type_object))
		return 0;
	r->has_stacks = json_object_is_type(get(coverage, "stacks"), json_type_object);
	if (is_bool(coverage, "complete", false))
		pr_warn("'%s' is not complete: something was lost in that trace, so what it says "
			"may be too little; its summary says what",
			r->path);
	return 0;
}

static const struct event_parser {
	const char *event;
	int (*parse)(struct result_reading *r, struct json_object *root);
} parsers[] = {
	{ "stack", parse_stack },
	{ "site", parse_site },
	{ "summary", parse_summary },
	{},
};

static const struct event_parser *find_parser(const char *event, size_t len)
{
	for (const struct event_parser *p = parsers; p->event; p++)
		if (strlen(p->event) == len && !memcmp(p->event, event, len))
			return p;
	return NULL;
}

bool result_line__is_wanted(const char *event, size_t len)
{
	return find_parser(event, len);
}

int result_line__parse(struct result_reading *r, struct json_object *root)
{
	const struct event_parser *parser;
	const char *event = "";
	int err;

	if (!json_object_is_type(root, json_type_object))
		return result_line__refuse(r, "it is not a JSON object");
	err = get_string(r, root, "event", &event);
	if (!err && !*event)
		err = result_line__refuse(r, "it has no 'event'");
	if (err)
		return err;
	if (r->has_summary)
		return result_line__refuse(
			r, "it stands behind the summary: these are several results");
	parser = find_parser(event, strlen(event));
	return parser ? parser->parse(r, root) : 0;
}
