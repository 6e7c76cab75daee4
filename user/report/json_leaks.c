// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "report/json_leaks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/table.h"
#include "report/json_line.h"

enum {
	MEMBERS_MAX = 1000
};

/* What all buffers of a group have in common; the words why they are in it come behind it. */
struct group_key {
	__u32 kind; /* enum event_kind */
	__u32 pid;
	__u64 start_ns;
	__u64 device; /* IDevice * */
	__u64 single; /* Buffer * of one without a stack, which stands alone; else 0 */
	__u32 stack;
	__u32 type;
};

struct leak_group {
	struct json_line line;	     /* what is written of it so far */
	struct json_object *members; /* NULL: there is one only */
	struct event_buffer first;   /* which the ledger still has the stack of */
	__u64 buffers;
	__u64 size;	 /* bytes asked for */
	__u64 footprint; /* bytes on each chip … */
	__u64 unsized;	 /* … but for these buffers */
	__u64 oldest_ns; /* when the first of them was allocated; 0: not known of any */
	bool is_older;
	UT_hash_handle hh;
	char key[]; /* struct group_key, and why */
};

static size_t make_key(const struct event *ev, char **ret_key)
{
	const char *why = ev->why ? ev->why : "";
	size_t why_size = strlen(why) + 1;
	char *key = calloc(1, sizeof(struct group_key) + why_size);
	struct group_key *head = (void *)key;

	*ret_key = key;
	if (!key)
		return 0;
	head->kind = ev->kind;
	head->pid = ev->process ? ev->process->pid : 0;
	head->start_ns = ev->process ? ev->process->start_ns : 0;
	head->device = ev->device ? ev->device->object : 0;
	head->stack = ev->buffer->stack ? ev->buffer->stack->number : 0;
	head->single = head->stack ? 0 : ev->buffer->buffer;
	head->type = ev->buffer->type;
	memcpy(key + sizeof(*head), why, why_size);
	return sizeof(*head) + why_size;
}

static void begin(struct leak_group *group, const struct event *ev)
{
	struct json_line *line = &group->line;

	json_line__begin(line, event__kind_name(ev->kind), ev->ts_ns);
	if (ev->process) {
		json_line__number(line, line->root, "pid", ev->process->pid);
		json_line__number(line, line->root, "tid", ev->tid);
		json_line__string(line, line->root, "comm", ev->process->comm);
	}
	json_line__device(line, line->root, ev->device);
	json_line__string(line, line->root, "why", ev->why);
}

static struct leak_group *new_group(struct json_leaks *leaks, const char *key, size_t size,
				    const struct event *ev)
{
	struct leak_group *group = calloc(1, sizeof(*group) + size);

	if (!group)
		return NULL;
	memcpy(group->key, key, size);
	HASH_ADD_KEYPTR(hh, leaks->groups, group->key, size, group);
	if (!table__has(group)) {
		free(group);
		return NULL;
	}
	group->first = *ev->buffer;
	begin(group, ev);
	return group;
}

static void put_age(struct json_line *line, struct json_object *object, __u64 alloc_ts_ns,
		    bool is_older)
{
	if (alloc_ts_ns)
		json_line__number(line, object, "alloc_ts_ns", alloc_ts_ns);
	if (is_older)
		json_line__bool(line, object, "older", true);
}

static void put_member(struct leak_group *group, const struct event_buffer *buffer)
{
	struct json_object *o = json_line__element(&group->line, group->members);

	json_line__buffer(&group->line, o, buffer);
	put_age(&group->line, o, buffer->alloc_ts_ns, buffer->is_older);
}

static void count(struct leak_group *group, const struct event_buffer *buffer)
{
	group->buffers++;
	group->size += buffer->size;
	group->footprint += buffer->footprint;
	group->unsized += !buffer->has_footprint;
	group->is_older |= buffer->is_older;
	if (!group->oldest_ns || (buffer->alloc_ts_ns && buffer->alloc_ts_ns < group->oldest_ns))
		group->oldest_ns = buffer->alloc_ts_ns;
}

static void add_member(struct leak_group *group, const struct event_buffer *buffer)
{
	count(group, buffer);
	if (group->buffers == 1 || group->buffers > MEMBERS_MAX)
		return;
	if (!group->members) {
		group->members = json_line__array(&group->line, group->line.root, "members");
		put_member(group, &group->first);
	}
	put_member(group, buffer);
}

int json_leaks__add(struct json_leaks *leaks, const struct event *ev)
{
	struct leak_group *group = NULL;
	char *key;
	size_t size = make_key(ev, &key);

	if (!key)
		return -ENOMEM;
	HASH_FIND(hh, leaks->groups, key, size, group);
	if (!group)
		group = new_group(leaks, key, size, ev);
	free(key);
	if (!group)
		return -ENOMEM;
	add_member(group, ev->buffer);
	return group->line.failed ? -ENOMEM : 0;
}

/* What a group of several has in common, and in sum. */
static void put_sum(struct json_line *line, const struct leak_group *group)
{
	json_line__number(line, line->root, "size", group->size);
	if (!group->unsized)
		json_line__number(line, line->root, "footprint", group->footprint);
	else
		json_line__number(line, line->root, "unsized", group->unsized);
	if (group->first.type < TT_TYPE_COUNT)
		json_line__string(line, line->root, "type", buffer_type__name(group->first.type));
	json_line__string(line, line->root, "kind", buffer_kind__name(group->first.kind));
	json_line__origin(line, line->root, group->first.stack, group->first.owner);
	if (group->buffers > MEMBERS_MAX)
		json_line__number(line, line->root, "members_left_out",
				  group->buffers - MEMBERS_MAX);
}

static int write_group(struct leak_group *group, FILE *out)
{
	struct json_line *line = &group->line;

	json_line__number(line, line->root, "buffers", group->buffers);
	if (group->buffers == 1)
		json_line__buffer(line, line->root, &group->first);
	else
		put_sum(line, group);
	put_age(line, line->root, group->oldest_ns, group->is_older);
	json_line__stack(line, line->root, group->first.stack);
	return json_line__write(line, out);
}

static void free_group(struct json_leaks *leaks, struct leak_group *group)
{
	HASH_DEL(leaks->groups, group);
	json_object_put(group->line.root);
	free(group);
}

int json_leaks__write(struct json_leaks *leaks, FILE *out)
{
	struct leak_group *group, *next;
	int err = 0;

	HASH_ITER (hh, leaks->groups, group, next) {
		if (!err)
			err = write_group(group, out);
		free_group(leaks, group);
	}
	return err;
}

void json_leaks__done(struct json_leaks *leaks)
{
	struct leak_group *group, *next;

	HASH_ITER (hh, leaks->groups, group, next)
		free_group(leaks, group);
}
