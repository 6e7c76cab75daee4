// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "report/json_leaks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/process.h"
#include "lib/array.h"
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
	__u64 ts_ns;
	__u32 tid;
	enum event_kind kind;
	struct event_process process; /* pid 0: of none */
	char comm[COMM_SIZE];
	struct event_device device;
	bool has_device;
	struct event_buffer *members; /* whose stacks the ledger still has */
	__u32 num_members;
	__u64 buffers;	 /* with those for which there was no room among them */
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

/* What all of them have in common: an event lives no longer than the call that hands it over. */
static int copy_head(struct leak_group *group, const struct event *ev)
{
	__u32 *chips;

	group->ts_ns = ev->ts_ns;
	group->tid = ev->tid;
	group->kind = ev->kind;
	if (ev->process) {
		group->process = *ev->process;
		snprintf(group->comm, sizeof(group->comm), "%s", ev->process->comm);
		group->process.comm = group->comm;
	}
	if (!ev->device)
		return 0;
	chips = malloc(ev->device->num_chips * sizeof(*chips) + 1);
	if (!chips)
		return -ENOMEM;
	memcpy(chips, ev->device->chips, ev->device->num_chips * sizeof(*chips));
	group->device = *ev->device;
	group->device.chips = chips;
	group->has_device = true;
	return 0;
}

static void free_group(struct json_leaks *leaks, struct leak_group *group)
{
	HASH_DEL(leaks->groups, group);
	free((void *)group->device.chips);
	free(group->members);
	free(group);
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
	if (!copy_head(group, ev))
		return group;
	free_group(leaks, group);
	return NULL;
}

static void put_age(struct json_line *line, struct json_object *object, __u64 alloc_ts_ns,
		    bool is_older)
{
	if (alloc_ts_ns)
		json_line__number(line, object, "alloc_ts_ns", alloc_ts_ns);
	if (is_older)
		json_line__bool(line, object, "older", true);
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

/* Most groups have few: room is made for one, two, four … */
static int add_member(struct leak_group *group, const struct event_buffer *buffer)
{
	__u32 num = group->num_members;
	struct event_buffer *grown;

	count(group, buffer);
	if (num == MEMBERS_MAX)
		return 0;
	grown = array__append(group->members, num, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	group->members = grown;
	group->members[group->num_members++] = *buffer;
	return 0;
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
	return add_member(group, ev->buffer);
}

static void put_members(struct json_line *line, const struct leak_group *group)
{
	struct json_object *list = json_line__array(line, line->root, "members"), *o;

	for (__u32 i = 0; i < group->num_members; i++) {
		const struct event_buffer *buffer = &group->members[i];

		o = json_line__element(line, list);
		json_line__buffer(line, o, buffer);
		put_age(line, o, buffer->alloc_ts_ns, buffer->is_older);
	}
	if (group->buffers > group->num_members)
		json_line__number(line, line->root, "members_left_out",
				  group->buffers - group->num_members);
}

/* What a group of several has in common, and in sum. */
static void put_sum(struct json_line *line, const struct leak_group *group)
{
	const struct event_buffer *first = &group->members[0];

	json_line__number(line, line->root, "size", group->size);
	if (!group->unsized)
		json_line__number(line, line->root, "footprint", group->footprint);
	else
		json_line__number(line, line->root, "unsized", group->unsized);
	if (first->type < TT_TYPE_COUNT)
		json_line__string(line, line->root, "type", buffer_type__name(first->type));
	json_line__string(line, line->root, "kind", buffer_kind__name(first->kind));
	json_line__origin(line, line->root, first->stack, first->owner);
	put_members(line, group);
}

static void put_head(struct json_line *line, const struct leak_group *group)
{
	if (group->process.pid) {
		json_line__number(line, line->root, "pid", group->process.pid);
		json_line__number(line, line->root, "tid", group->tid);
		json_line__string(line, line->root, "comm", group->comm);
	}
	if (group->has_device)
		json_line__device(line, line->root, &group->device);
	json_line__number(line, line->root, "buffers", group->buffers);
}

static int write_group(const struct leak_group *group, FILE *out)
{
	const char *why = group->key + sizeof(struct group_key);
	struct json_line line;

	if (!group->num_members)
		return -ENOMEM; /* of which it was to be */
	json_line__begin(&line, event__kind_name(group->kind), group->ts_ns);
	put_head(&line, group);
	if (group->buffers == 1)
		json_line__buffer(&line, line.root, &group->members[0]);
	else
		put_sum(&line, group);
	put_age(&line, line.root, group->oldest_ns, group->is_older);
	json_line__string(&line, line.root, "why", why[0] ? why : NULL);
	json_line__stack(&line, line.root, group->members[0].stack);
	return json_line__write(&line, out);
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
