// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Folded stacks, as flame graphs are made of: a line for each stack, the outermost frame first, and
 * the bytes that it stands for, on all chips together. Below the command comes the type of memory,
 * for bytes of L1 and of DRAM are not to be added.
 */
#include <errno.h>
#include <stdlib.h>

#include "lib/function_name.h"
#include "lib/path.h"
#include "report/sink.h"
#include "report/words.h"

typedef unsigned long long ull;

enum {
	NAME_SIZE = 1024,
};

struct sink {
	FILE *out;
	enum folded_what what;
};

static int folded_open(const struct sink_opts *opts, struct sink **ret_sink)
{
	struct sink *sink = calloc(1, sizeof(*sink));

	if (!sink)
		return -ENOMEM;
	sink->out = opts->out;
	sink->what = opts->folded;
	*ret_sink = sink;
	return 0;
}

static void folded_close(struct sink *sink)
{
	free(sink);
}

/* Events are for those who watch; a running summary is no result. */
static int folded_event(struct sink *sink, const struct event *ev)
{
	(void)sink;
	(void)ev;
	return 0;
}

static int folded_interval(struct sink *sink, const struct snapshot *snap)
{
	(void)sink;
	(void)snap;
	return 0;
}

static int folded_flush(struct sink *sink)
{
	errno = 0;
	return fflush(sink->out) ? -(errno ? errno : EIO) : 0;
}

/* @name as one frame: clean, and without the sign that parts them. */
static void put_name(FILE *out, const char *name)
{
	char clean[3 * NAME_SIZE];

	words__clean(clean, sizeof(clean), name);
	for (char *c = clean; *c; c++)
		fputc(*c == ';' ? ':' : *c, out);
}

static void put_frame(FILE *out, const struct event_frame *frame)
{
	char name[NAME_SIZE];

	fputc(';', out);
	if (frame->line) {
		put_name(out, frame->function ? frame->function : "?");
		fputs(" (", out);
		put_name(out, path__base_name(frame->image));
		fprintf(out, ":%u)", frame->line);
	} else if (frame->function) {
		put_name(out, function_name__shorten(name, sizeof(name), frame->function,
						     FUNCTION_NAME_DOTS));
	} else {
		fputc('[', out);
		put_name(out, path__base_name(frame->image));
		fprintf(out, "+0x%llx]", (ull)frame->vaddr);
	}
}

static __u64 bytes_of(const struct snapshot_site *site, enum folded_what what)
{
	switch (what) {
	case FOLDED_LIVE:
		return site->live.bytes;
	case FOLDED_PEAK:
		return site->at_peak.bytes;
	case FOLDED_LEAKED:
		return site->leaked.bytes;
	default:
		return site->allocated.bytes;
	}
}

static void put_site(struct sink *sink, const struct snapshot_process *process,
		     const struct snapshot_device *device, const struct snapshot_site *site)
{
	__u64 chips = device->pub.num_chips ? device->pub.num_chips : 1;
	__u64 bytes = bytes_of(site, sink->what) * chips;

	if (!bytes)
		return;
	put_name(sink->out, process->comm);
	fprintf(sink->out, ";%s", buffer_type__name(site->type));
	if (!site->stack)
		fputs(";[stack not known]", sink->out);
	for (__u32 i = site->stack ? site->stack->num_frames : 0; i--;)
		put_frame(sink->out, site->stack->frames[i]);
	fprintf(sink->out, " %llu\n", (ull)bytes);
}

static int folded_report(struct sink *sink, const struct snapshot *snap)
{
	for (__u32 i = 0; i < snap->num_processes; i++) {
		const struct snapshot_process *process = snap->processes[i];

		for (__u32 j = 0; j < process->num_devices; j++) {
			const struct snapshot_device *device = process->devices[j];

			for (__u32 k = 0; k < device->num_sites; k++)
				put_site(sink, process, device, &device->sites[k]);
		}
	}
	return folded_flush(sink);
}

const struct sink_ops sink_folded = {
	.name = "folded",
	.open = folded_open,
	.event = folded_event,
	.interval = folded_interval,
	.report = folded_report,
	.flush = folded_flush,
	.close = folded_close,
};
