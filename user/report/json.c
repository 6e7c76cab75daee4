// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* JSON lines: the contract of design.md. Fields may be added, none renamed. */
#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "report/json_line.h"
#include "report/json_summary.h"
#include "report/sink.h"

struct sink {
	FILE *out;
	bool verbose;
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

static void put_failed(struct json_line *line, const struct event *ev)
{
	if (ev->buffer && ev->buffer->num_banks)
		json_line__number(line, line->root, "banks", ev->buffer->num_banks);
	if (ev->asked_per_bank)
		json_line__number(line, line->root, "asked_per_bank", ev->asked_per_bank);
	if (ev->free_per_bank)
		json_line__number(line, line->root, "free_per_bank", ev->free_per_bank);
}

/* What only events of one kind have. */
static void put_particulars(struct json_line *line, const struct event *ev)
{
	switch (ev->kind) {
	case EVENT_FREE:
		json_line__string(line, line->root, "class", free_class__name(ev->class));
		break;
	case EVENT_ALLOC_FAILED:
		json_line__string(line, line->root, "class", free_class__name(ev->class));
		put_failed(line, ev);
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
	if (ev->kind == EVENT_LEAK && ev->buffer && ev->buffer->alloc_ts_ns)
		json_line__number(line, line->root, "alloc_ts_ns", ev->buffer->alloc_ts_ns);
}

static int json_event(struct sink *sink, const struct event *ev)
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

static int json_flush(struct sink *sink)
{
	errno = 0;
	return fflush(sink->out) ? -(errno ? errno : EIO) : 0;
}

static int json_interval(struct sink *sink, const struct snapshot *snap)
{
	int err = json_summary__write(sink->out, snap, true);

	return err ? err : json_flush(sink);
}

static int json_report(struct sink *sink, const struct snapshot *snap)
{
	int err = json_summary__write(sink->out, snap, false);

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
