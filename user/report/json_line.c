// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "report/json_line.h"

#include <errno.h>
#include <string.h>

#include "report/words.h"

enum {
	STRING_SIZE = 1024
};

/* Takes @value over, whatever happens. */
static void put(struct json_line *line, struct json_object *object, const char *key,
		struct json_object *value)
{
	if (!object || !value || json_object_object_add(object, key, value)) {
		json_object_put(value);
		line->failed = true;
	}
}

void json_line__begin(struct json_line *line, const char *name, __u64 ts_ns)
{
	line->root = json_object_new_object();
	line->failed = !line->root;
	json_line__string(line, line->root, "event", name);
	json_line__number(line, line->root, "ts_ns", ts_ns);
}

int json_line__write(struct json_line *line, FILE *out)
{
	const char *text = NULL;
	int err = -ENOMEM;

	if (!line->failed)
		text = json_object_to_json_string_ext(
			line->root, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	if (text) {
		errno = 0;
		err = fputs(text, out) < 0 || fputc('\n', out) < 0 ? -(errno ? errno : EIO) : 0;
	}
	json_object_put(line->root);
	line->root = NULL;
	return err;
}

struct json_object *json_line__object(struct json_line *line, struct json_object *object,
				      const char *key)
{
	struct json_object *value = json_object_new_object();

	put(line, object, key, value);
	return line->failed ? NULL : value;
}

struct json_object *json_line__array(struct json_line *line, struct json_object *object,
				     const char *key)
{
	struct json_object *value = json_object_new_array();

	put(line, object, key, value);
	return line->failed ? NULL : value;
}

static void append(struct json_line *line, struct json_object *array, struct json_object *value)
{
	if (!array || !value || json_object_array_add(array, value)) {
		json_object_put(value);
		line->failed = true;
	}
}

struct json_object *json_line__element(struct json_line *line, struct json_object *array)
{
	struct json_object *value = json_object_new_object();

	append(line, array, value);
	return line->failed ? NULL : value;
}

void json_line__add_string(struct json_line *line, struct json_object *array, const char *value)
{
	append(line, array, json_object_new_string(value));
}

void json_line__number(struct json_line *line, struct json_object *object, const char *key,
		       __u64 value)
{
	put(line, object, key, json_object_new_uint64(value));
}

void json_line__change(struct json_line *line, struct json_object *object, const char *key,
		       __s64 value)
{
	put(line, object, key, json_object_new_int64(value));
}

void json_line__bool(struct json_line *line, struct json_object *object, const char *key,
		     bool value)
{
	put(line, object, key, json_object_new_boolean(value));
}

void json_line__string(struct json_line *line, struct json_object *object, const char *key,
		       const char *value)
{
	char clean[STRING_SIZE];

	if (value)
		put(line, object, key,
		    json_object_new_string(words__clean(clean, sizeof(clean), value)));
}

void json_line__hex(struct json_line *line, struct json_object *object, const char *key,
		    __u64 value)
{
	char hex[WORDS_SIZE];

	snprintf(hex, sizeof(hex), "0x%llx", (unsigned long long)value);
	json_line__string(line, object, key, hex);
}

void json_line__device(struct json_line *line, struct json_object *object,
		       const struct event_device *device)
{
	struct json_object *chips;

	if (!device)
		return;
	if (device->mesh_id != TT_NO_MESH)
		json_line__number(line, object, "mesh", device->mesh_id);
	chips = json_line__array(line, object, "devices");
	for (__u32 i = 0; i < device->num_chips; i++)
		append(line, chips, json_object_new_uint64(device->chips[i]));
	if (device->chips_cut)
		json_line__bool(line, object, "devices_cut", true);
}

void json_line__space(struct json_line *line, struct json_object *object,
		      const struct event_space *space)
{
	if (space->num_banks)
		json_line__number(line, object, "banks", space->num_banks);
	if (space->size) {
		json_line__number(line, object, "bank_size", space->size);
		json_line__number(line, object, "held_per_bank", space->held);
	}
	if (space->has_free)
		json_line__number(line, object, "free_per_bank", space->free);
	if (space->has_hole)
		json_line__number(line, object, "largest_hole_per_bank", space->hole);
	json_line__string(line, object, "why_unknown", space->why);
}

void json_line__buffer(struct json_line *line, struct json_object *object,
		       const struct event_buffer *buffer)
{
	if (buffer->buffer)
		json_line__hex(line, object, "buffer", buffer->buffer);
	if (buffer->has_id)
		json_line__number(line, object, "id", buffer->id);
	if (buffer->has_address)
		json_line__number(line, object, "address", buffer->address);
	json_line__number(line, object, "size", buffer->size);
	if (buffer->has_footprint)
		json_line__number(line, object, "footprint", buffer->footprint);
	if (buffer->type < TT_TYPE_COUNT)
		json_line__string(line, object, "type", buffer_type__name(buffer->type));
	if (buffer->layout < TT_LAYOUT_COUNT)
		json_line__string(line, object, "layout", buffer_layout__name(buffer->layout));
	json_line__number(line, object, "page_size", buffer->page_size);
	json_line__string(line, object, "kind", buffer_kind__name(buffer->kind));
	if (buffer->is_orphan)
		json_line__bool(line, object, "orphaned", true);
	json_line__origin(line, object, buffer->stack, buffer->owner);
}

void json_line__origin(struct json_line *line, struct json_object *object,
		       const struct event_stack *stack, enum owner owner)
{
	if (stack)
		json_line__number(line, object, "stack_id", stack->number);
	if (stack)
		json_line__string(line, object, "op", stack->op);
	if (stack && owner == OWNER_PROGRAM_CACHE)
		json_line__string(line, object, "factory", stack->factory);
	json_line__string(line, object, "owner", owner__name(owner));
}

static void put_frame(struct json_line *line, struct json_object *array,
		      const struct event_frame *frame)
{
	struct json_object *o = json_line__element(line, array);

	json_line__string(line, o, "function", frame->function);
	if (frame->line) {
		json_line__string(line, o, "file", frame->image);
		json_line__number(line, o, "line", frame->line);
		return;
	}
	if (frame->function)
		json_line__number(line, o, "offset", frame->offset);
	json_line__string(line, o, "image", frame->image);
	json_line__hex(line, o, "vaddr", frame->vaddr);
}

void json_line__stack(struct json_line *line, struct json_object *object,
		      const struct event_stack *stack)
{
	struct json_object *frames;

	if (!stack)
		return;
	json_line__string(line, object, "stack_end", stack_end__name(stack->end));
	frames = json_line__array(line, object, "stack");
	for (__u32 i = 0; i < stack->num_frames; i++)
		put_frame(line, frames, stack->frames[i]);
}
