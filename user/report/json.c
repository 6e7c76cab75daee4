// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* JSON lines: the contract of design.md. Fields may be added, none renamed. */
#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "core/size_class.h"
#include "report/json_leaks.h"
#include "report/json_line.h"
#include "report/json_stacks.h"
#include "report/json_summary.h"
#include "report/sink.h"

struct sink {
	FILE *out;
	bool verbose;
	struct json_stacks stacks;
	struct json_leaks leaks;
};

static int json_open(const struct sink_opts *opts, struct sink **ret_sink)
{
	struct sink *sink = calloc(1, sizeof(*sink));

	if (!sink)
		return -ENOMEM;
	sink->out = opts->out;
	sink->verbose = opts->verbose;
	*ret_sink = sink;
	return 0;
}

static void json_close(struct sink *sink)
{
	json_stacks__done(&sink->stacks);
	json_leaks__done(&sink->leaks);
	free(sink);
}

static void put_exit(struct json_line *line, __u32 exit_code)
{
	if (WIFSIGNALED(exit_code))
		json_line__number(line, line->root, "signal", WTERMSIG(exit_code));
	else
		json_line__number(line, line->root, "status", WEXITSTATUS(exit_code));
}

static void put_lost(struct json_line *line, const struct event *ev)
{
	struct json_object *kinds;

	json_line__number(line, line->root, "records", ev->lost_records);
	kinds = json_line__object(line, line->root, "lost");
	for (__u32 i = 0; ev->lost && i < TT_RECORD_LIBRARY; i++) {
		if (ev->lost->lost[i])
			json_line__number(line, kinds, record_kind__name(i), ev->lost->lost[i]);
	}
	if (ev->lost && ev->lost->process_map_full)
		json_line__number(line, line->root, "process_map_full", ev->lost->process_map_full);
}

static void put_holder(struct json_line *line, struct json_object *array,
		       const struct event_holder *h)
{
	struct json_object *o = json_line__element(line, array);

	json_line__string(line, o, "kind", buffer_kind__name(h->kind));
	json_line__number(line, o, "size_min", size_class__least(h->size_class));
	json_line__number(line, o, "size_max", size_class__most(h->size_class));
	json_line__number(line, o, "buffers", h->buffers);
	json_line__number(line, o, "size", h->size);
	json_line__number(line, o, "footprint", h->footprint);
	json_line__number(line, o, "per_bank", h->per_bank);
	if (h->unsized)
		json_line__number(line, o, "unsized", h->unsized);
	if (!h->has_ages)
		return;
	json_line__number(line, o, "oldest_ns", h->oldest_ns);
	if (h->is_older)
		json_line__bool(line, o, "older", true);
	json_line__number(line, o, "newest_ns", h->newest_ns);
}

static void put_held(struct json_line *line, struct json_object *array, const struct event_held *h)
{
	struct json_object *o = json_line__element(line, array);

	json_line__origin(line, o, h->stack, h->owner);
	json_line__number(line, o, "buffers", h->buffers);
	json_line__number(line, o, "footprint", h->footprint);
	json_line__number(line, o, "per_bank", h->per_bank);
}

static void put_rival(struct json_line *line, struct json_object *array,
		      const struct event_rival *r)
{
	struct json_object *o = json_line__element(line, array);

	json_line__number(line, o, "pid", r->process->pid);
	json_line__string(line, o, "comm", r->process->comm);
	json_line__device(line, o, r->device);
	json_line__number(line, o, "buffers", r->buffers);
	json_line__number(line, o, "footprint", r->bytes);
}

static void put_failed(struct json_line *line, const struct event_shortage *s)
{
	struct json_object *list;

	if (s->asked)
		json_line__number(line, line->root, "asked_per_bank", s->asked);
	json_line__space(line, line->root, &s->space);
	json_line__string(line, line->root, "fit", fit__name(s->fit));
	list = json_line__array(line, line->root, "holders");
	for (__u32 i = 0; i < s->num_holders; i++)
		put_holder(line, list, &s->holders[i]);
	if (s->num_held)
		list = json_line__array(line, line->root, "held_by");
	for (__u32 i = 0; i < s->num_held; i++)
		put_held(line, list, &s->held[i]);
	if (s->held_left_out)
		json_line__number(line, line->root, "held_by_left_out", s->held_left_out);
	list = json_line__array(line, line->root, "others");
	for (__u32 i = 0; i < s->num_rivals; i++)
		put_rival(line, list, &s->rivals[i]);
	if (s->rivals_left_out)
		json_line__number(line, line->root, "others_left_out", s->rivals_left_out);
}

static void put_types(struct json_line *line, const char *key, __u32 types)
{
	struct json_object *names;

	if (!types)
		return;
	names = json_line__array(line, line->root, key);
	for (__u32 type = 0; type < TT_TYPE_COUNT; type++)
		if (types & 1u << type)
			json_line__add_string(line, names, buffer_type__name(type));
}

static void put_census(struct json_line *line, const struct event *ev)
{
	struct json_object *orphaned;

	json_line__string(line, line->root, "reason", census_reason__name(ev->reason));
	json_line__number(line, line->root, "buffers", ev->num_buffers);
	json_line__number(line, line->root, "bytes", ev->bytes);
	if (ev->orphans) {
		orphaned = json_line__object(line, line->root, "orphaned");
		json_line__number(line, orphaned, "blocks", ev->orphans);
		json_line__number(line, orphaned, "bytes", ev->orphan_bytes);
	}
	json_line__number(line, line->root, "added", ev->added);
	json_line__number(line, line->root, "removed", ev->removed);
	json_line__number(line, line->root, "resized", ev->resized);
	put_types(line, "free_lists", ev->types);
	put_types(line, "free_lists_unread", ev->types_unread);
	json_line__bool(line, line->root, "whole", ev->whole);
}

/* What only events of one kind have. */
static void put_particulars(struct json_line *line, const struct event *ev)
{
	switch (ev->kind) {
	case EVENT_ALLOC:
		if (ev->class != CLASS_MATCHED)
			json_line__string(line, line->root, "class", free_class__name(ev->class));
		break;
	case EVENT_FREE:
		json_line__string(line, line->root, "class", free_class__name(ev->class));
		if (ev->stack)
			json_line__number(line, line->root, "freed_by", ev->stack->number);
		break;
	case EVENT_CENSUS:
		put_census(line, ev);
		break;
	case EVENT_ALLOC_FAILED:
		json_line__string(line, line->root, "class", free_class__name(ev->class));
		put_failed(line, ev->shortage);
		json_line__stack(line, line->root, ev->buffer ? ev->buffer->stack : NULL);
		break;
	case EVENT_BULK_FREE:
	case EVENT_DEVICE_CLOSE:
		json_line__number(line, line->root, "buffers", ev->num_buffers);
		json_line__number(line, line->root, "bytes", ev->bytes);
		break;
	case EVENT_PROCESS_EXIT:
		put_exit(line, ev->exit_code);
		break;
	case EVENT_LOST:
		put_lost(line, ev);
		break;
	default:
		break;
	}
}

static int write_event(struct sink *sink, const struct event *ev)
{
	struct json_line line;

	json_line__begin(&line, event__kind_name(ev->kind), ev->ts_ns);
	if (ev->process) {
		json_line__number(&line, line.root, "pid", ev->process->pid);
		json_line__number(&line, line.root, "tid", ev->tid);
		json_line__string(&line, line.root, "comm", ev->process->comm);
	}
	json_line__device(&line, line.root, ev->device);
	if (ev->buffer)
		json_line__buffer(&line, line.root, ev->buffer);
	put_particulars(&line, ev);
	json_line__string(&line, line.root, "why", ev->why);
	return json_line__write(&line, sink->out);
}

static int tell_stacks(struct sink *sink, const struct event *ev)
{
	int err = 0;

	if (ev->buffer)
		err = json_stacks__tell(&sink->stacks, sink->out, ev->ts_ns, ev->buffer->stack);
	for (__u32 i = 0; !err && ev->shortage && i < ev->shortage->num_held; i++)
		err = json_stacks__tell(&sink->stacks, sink->out, ev->ts_ns,
					ev->shortage->held[i].stack);
	return err ? err : json_stacks__tell(&sink->stacks, sink->out, ev->ts_ns, ev->stack);
}

/* Leaks are told together: one that is none ends them. */
static int json_event(struct sink *sink, const struct event *ev)
{
	bool is_verdict = ev->kind == EVENT_LEAK || ev->kind == EVENT_ENDED;
	int err = tell_stacks(sink, ev);

	if (!err && is_verdict)
		return json_leaks__add(&sink->leaks, ev);
	if (!err)
		err = json_leaks__write(&sink->leaks, sink->out);
	return err ? err : write_event(sink, ev);
}

static int json_flush(struct sink *sink)
{
	int err = json_leaks__write(&sink->leaks, sink->out);

	if (err)
		return err;
	errno = 0;
	return fflush(sink->out) ? -(errno ? errno : EIO) : 0;
}

static int json_interval(struct sink *sink, const struct snapshot *snap)
{
	int err = json_leaks__write(&sink->leaks, sink->out);

	if (!err)
		err = json_summary__write(sink->out, snap, true);
	return err ? err : json_flush(sink);
}

static int json_report(struct sink *sink, const struct snapshot *snap)
{
	int err = json_leaks__write(&sink->leaks, sink->out);

	if (!err)
		err = json_stacks__sites(&sink->stacks, sink->out, snap);
	if (!err)
		err = json_summary__write(sink->out, snap, false);
	return err ? err : json_flush(sink);
}

const struct sink_ops sink_json = {
	.name = "json",
	.open = json_open,
	.event = json_event,
	.interval = json_interval,
	.report = json_report,
	.flush = json_flush,
	.close = json_close,
};
