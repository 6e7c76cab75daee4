// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Event lines for people; the signs and words are those that users of the seed's tool know. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/classify.h"
#include "report/sink.h"
#include "report/text_report.h"
#include "report/text_shortage.h"
#include "report/text_stacks.h"
#include "report/words.h"

struct sink {
	struct sink_opts opts;
	FILE *out;
	bool verbose;
	int err; /* the first error of the stream */
};

typedef unsigned long long ull;

#define SIGN_ALLOC "✓"
#define SIGN_FREE  "✗"
#define SIGN_CALM  "·"
#define SIGN_WARN  "⚠"

static int text_open(const struct sink_opts *opts, struct sink **ret_sink)
{
	struct sink *sink = calloc(1, sizeof(*sink));

	if (!sink)
		return -ENOMEM;
	sink->opts = *opts;
	sink->out = opts->out;
	sink->verbose = opts->verbose;
	*ret_sink = sink;
	return 0;
}

static void text_close(struct sink *sink)
{
	free(sink);
}

/* What the stream says of what was written since errno was cleared. */
static int take_error(struct sink *sink)
{
	if (!sink->err && ferror(sink->out))
		sink->err = errno ? -errno : -EIO;
	return sink->err;
}

static unsigned int pid_of(const struct event *ev)
{
	return ev->process ? ev->process->pid : 0;
}

/* One whose allocation was not seen: a census found it. */
static void print_found(const struct sink *sink, const struct event *ev, const char *place,
			const char *type)
{
	const struct event_buffer *b = ev->buffer;

	fprintf(sink->out, "%s [PID %u] Holds %llu bytes of %s on %s (buffer_id=%llu%s): %s\n",
		ev->class == CLASS_PRE_ATTACH ? SIGN_CALM : SIGN_WARN, pid_of(ev), (ull)b->size,
		type, place, (ull)b->address,
		b->kind == KIND_SYSTEM ? ", for the runtime itself" : "", ev->why);
}

static void print_alloc(const struct sink *sink, const struct event *ev)
{
	const struct event_buffer *b = ev->buffer;
	char place[WORDS_PLACE_SIZE];
	const char *type = buffer_type__name(b->type);

	words__place(place, ev->device);
	if (ev->class != CLASS_MATCHED) {
		print_found(sink, ev, place, type);
		return;
	}
	switch (b->kind) {
	case KIND_HOOKED:
		fprintf(sink->out,
			SIGN_CALM " [PID %u] Captured an allocation of %llu bytes of %s on %s: "
				  "no memory is taken\n",
			pid_of(ev), (ull)b->size, type, place);
		break;
	case KIND_ZERO_SIZE:
		fprintf(sink->out, SIGN_CALM " [PID %u] Created an empty buffer in %s on %s\n",
			pid_of(ev), type, place);
		break;
	case KIND_VIEW:
		if (sink->verbose)
			fprintf(sink->out,
				SIGN_CALM " [PID %u] Created a view of %llu bytes of %s on %s "
					  "(buffer_id=%llu)\n",
				pid_of(ev), (ull)b->size, type, place, (ull)b->address);
		break;
	default:
		fprintf(sink->out,
			SIGN_ALLOC
			" [PID %u] Allocated %llu bytes of %s on %s (buffer_id=%llu%s)\n",
			pid_of(ev), (ull)b->size, type, place, (ull)b->address,
			b->kind == KIND_SYSTEM ? ", for the runtime itself" : "");
	}
}

/* Harmless, and there is no more to it than what is always said of its class. */
static bool is_calm(const struct event *ev)
{
	const char *usual = free_class__why(ev->class);

	return free_class__is_harmless(ev->class) && usual && ev->why && !strcmp(ev->why, usual);
}

static const char *free_relation(const struct event *ev)
{
	switch (ev->class) {
	case CLASS_MATCHED:
		return "hits memory that was no longer its own";
	case CLASS_DEVICE_CLOSED:
		return is_calm(ev) ? "gave nothing back" : "hits memory that was no longer its own";
	case CLASS_BULK_FREED:
		return "matches no live buffer";
	case CLASS_PRE_ATTACH:
	case CLASS_FOREIGN:
	case CLASS_LOST:
	case CLASS_UNKNOWN:
		return "matches no allocation";
	default:
		return "gave nothing back";
	}
}

/* Those that never had memory have no address that would name them. */
static const char *name_buffer(char buf[WORDS_SIZE], const struct event *ev)
{
	const struct event_buffer *b = ev->buffer;

	if (ev->class == CLASS_ZERO_SIZE)
		return "an empty buffer";
	if (ev->class == CLASS_HOOKED)
		return "a captured buffer";
	if (b->has_address)
		snprintf(buf, WORDS_SIZE, "buffer %llu", (ull)b->address);
	else
		snprintf(buf, WORDS_SIZE, "buffer at %#llx", (ull)b->buffer);
	return buf;
}

/* By what code; nothing if that is not known. */
static void print_stack(const struct sink *sink, const char *title, const struct event_stack *stack)
{
	if (!stack)
		return;
	fprintf(sink->out, "    %s\n", title);
	text_stacks__frames(sink->out, stack, 6, sink->verbose);
}

static void print_free(const struct sink *sink, const struct event *ev)
{
	const struct event_buffer *b = ev->buffer;
	char place[WORDS_PLACE_SIZE], name[WORDS_SIZE];

	words__place(place, ev->device);
	if (ev->class == CLASS_MATCHED && !ev->why) {
		fprintf(sink->out, SIGN_FREE " [PID %u] Freed buffer %llu on %s (%llu bytes)\n",
			pid_of(ev), (ull)b->address, place, (ull)b->size);
		return;
	}
	fprintf(sink->out, "%s [PID %u] Free of %s on %s %s: %s\n",
		is_calm(ev) ? SIGN_CALM : SIGN_WARN, pid_of(ev), name_buffer(name, ev), place,
		free_relation(ev), ev->why ? ev->why : "?");
	if (is_calm(ev))
		return;
	print_stack(sink, "freed by", ev->stack);
	print_stack(sink, "allocated by", b->stack);
}

static void print_failed(const struct sink *sink, const struct event *ev)
{
	const struct event_buffer *b = ev->buffer;
	char place[WORDS_PLACE_SIZE];

	fprintf(sink->out, SIGN_WARN " [PID %u] Allocation of %llu bytes of %s on %s failed",
		pid_of(ev), (ull)b->size, buffer_type__name(b->type),
		words__place(place, ev->device));
	text_shortage__print(sink->out, ev);
	print_stack(sink, "asked for by", b->stack);
}

static void print_bulk(const struct sink *sink, const struct event *ev)
{
	char place[WORDS_PLACE_SIZE];

	fprintf(sink->out, SIGN_FREE " [PID %u] Freed %llu %s on %s at once (%llu bytes%s): %s\n",
		pid_of(ev), (ull)ev->num_buffers,
		words__plural(ev->num_buffers, "buffer", "buffers"),
		words__place(place, ev->device), (ull)ev->bytes,
		ev->device && ev->device->num_chips > 1 ? " on each" : "", ev->why);
}

static void print_device(const struct sink *sink, const struct event *ev)
{
	bool closing = ev->kind == EVENT_DEVICE_CLOSE, live = closing && ev->num_buffers;
	char place[WORDS_PLACE_SIZE], mesh[WORDS_SIZE] = "";

	/* a mesh opens and closes its chips one by one: only itself is of interest */
	if (!ev->device->is_mesh && !live && !sink->verbose)
		return;
	if (ev->device->is_mesh && ev->device->num_chips && ev->device->mesh_id != TT_NO_MESH)
		snprintf(mesh, sizeof(mesh), "mesh %u on ", ev->device->mesh_id);
	fprintf(sink->out, "%s [PID %u] %s %s%s", live ? SIGN_WARN : SIGN_CALM, pid_of(ev),
		closing ? "Closing" : "Opening", mesh, words__place(place, ev->device));
	if (live)
		fprintf(sink->out, " with %llu %s still live (%llu bytes%s)", (ull)ev->num_buffers,
			words__plural(ev->num_buffers, "buffer", "buffers"), (ull)ev->bytes,
			ev->device->num_chips > 1 ? " on each" : "");
	fprintf(sink->out, "%s%s\n", ev->why ? ": " : "", ev->why ? ev->why : "");
}

static void print_process(const struct sink *sink, const struct event *ev)
{
	char comm[3 * COMM_SIZE + 1];

	if (!sink->verbose)
		return;
	words__clean(comm, sizeof(comm), ev->process->comm);
	fprintf(sink->out, SIGN_CALM " [PID %u] %s (%s)%s%s\n", pid_of(ev),
		ev->kind == EVENT_PROCESS_START ? "Process begins" : "Process ends", comm,
		ev->why ? ": " : "", ev->why ? ev->why : "");
}

/* "2 buffers (4096 bytes)" */
static void print_held(FILE *out, const struct event *ev)
{
	fprintf(out, "%llu %s", (ull)ev->num_buffers,
		words__plural(ev->num_buffers, "buffer", "buffers"));
	if (ev->orphans)
		fprintf(out, " and %llu %s that no buffer owns", (ull)ev->orphans,
			words__plural(ev->orphans, "block", "blocks"));
	fprintf(out, " (%llu bytes", (ull)ev->bytes);
	if (ev->orphans)
		fprintf(out, ", %llu of them in the %s", (ull)ev->orphan_bytes,
			words__plural(ev->orphans, "block", "blocks"));
	fputc(')', out);
}

static void print_types(FILE *out, const char *before, __u32 types)
{
	const char *sep = before;

	for (__u32 type = 0; type < TT_TYPE_COUNT; type++) {
		if (!(types & 1u << type))
			continue;
		fprintf(out, "%s%s", sep, buffer_type__name(type));
		sep = ", ";
	}
}

static void print_compared(FILE *out, const struct event *ev)
{
	fprintf(out, "; %llu had been missed, %llu had gone unseen", (ull)ev->added,
		(ull)ev->removed);
	if (ev->resized)
		fprintf(out, ", %llu occupied something else", (ull)ev->resized);
	print_types(out, "; compared with the free lists of ", ev->types);
	print_types(out, "; not with those of ", ev->types_unread);
}

/* Told when it was asked for, or when it had something to say. */
static void print_census(const struct sink *sink, const struct event *ev)
{
	static const char *const titles[] = {
		[TT_CENSUS_ATTACH] = "Held ",
		[TT_CENSUS_REPAIR] = "Repaired after a loss: the allocators hold ",
		[TT_CENSUS_AUDIT] = "Audit: the allocators hold ",
		[TT_CENSUS_MEASURE] = "Measured: the allocators hold ",
	};
	bool differs = ev->reason != TT_CENSUS_ATTACH && (ev->added || ev->removed || ev->resized);

	if (ev->reason == TT_CENSUS_MEASURE && !differs && ev->whole && !sink->verbose)
		return;
	fprintf(sink->out, "%s [PID %u] %s", differs || !ev->whole ? SIGN_WARN : SIGN_CALM,
		pid_of(ev), titles[ev->reason]);
	print_held(sink->out, ev);
	if (ev->reason == TT_CENSUS_ATTACH)
		fputs(" when tracing began", sink->out);
	else
		print_compared(sink->out, ev);
	fputs(ev->whole ? "\n" : "; not all of its allocators could be read\n", sink->out);
}

static void print_own_loss(const struct sink *sink, const struct event *ev)
{
	fprintf(sink->out,
		SIGN_WARN " [PID %u] Lost %llu %s of this process: what follows of it is "
			  "incomplete\n",
		ev->process->pid, (ull)ev->lost_records,
		words__plural(ev->lost_records, "record", "records"));
}

static void print_lost(const struct sink *sink, const struct event *ev)
{
	const char *sep = " (";

	if (ev->process) {
		print_own_loss(sink, ev);
		return;
	}
	fprintf(sink->out, SIGN_WARN " Lost %llu %s", (ull)ev->lost_records,
		words__plural(ev->lost_records, "record", "records"));
	for (__u32 i = 0; ev->lost && i < TT_RECORD_LIBRARY; i++) {
		if (!ev->lost->lost[i])
			continue;
		fprintf(sink->out, "%s%llu %s", sep, (ull)ev->lost->lost[i], record_kind__name(i));
		sep = ", ";
	}
	fputs(sep[0] == ',' ? ")" : "", sink->out);
	if (ev->lost && ev->lost->process_map_full)
		fprintf(sink->out, "; %llu hits of processes for which there was no room",
			(ull)ev->lost->process_map_full);
	fputs(": what follows is incomplete\n", sink->out);
}

static int text_event(struct sink *sink, const struct event *ev)
{
	errno = 0;
	switch (ev->kind) {
	case EVENT_ALLOC:
		print_alloc(sink, ev);
		break;
	case EVENT_FREE:
		print_free(sink, ev);
		break;
	case EVENT_ALLOC_FAILED:
		print_failed(sink, ev);
		break;
	case EVENT_BULK_FREE:
		print_bulk(sink, ev);
		break;
	case EVENT_DEVICE_OPEN:
	case EVENT_DEVICE_CLOSE:
		print_device(sink, ev);
		break;
	case EVENT_PROCESS_START:
	case EVENT_PROCESS_EXIT:
		print_process(sink, ev);
		break;
	case EVENT_LOST:
		print_lost(sink, ev);
		break;
	case EVENT_CENSUS:
		print_census(sink, ev);
		break;
	default: /* leaks are in the report */
		break;
	}
	return take_error(sink);
}

static int text_flush(struct sink *sink)
{
	errno = 0;
	if (fflush(sink->out) && !sink->err)
		sink->err = errno ? -errno : -EIO;
	return take_error(sink);
}

static int text_interval(struct sink *sink, const struct snapshot *snap)
{
	errno = 0;
	text_report__interval(sink->out, snap);
	take_error(sink);
	return text_flush(sink);
}

static int text_write_report(struct sink *sink, const struct snapshot *snap)
{
	errno = 0;
	text_report__write(snap, &sink->opts);
	take_error(sink);
	return text_flush(sink);
}

const struct sink_ops sink_text = {
	.name = "text",
	.open = text_open,
	.event = text_event,
	.interval = text_interval,
	.report = text_write_report,
	.flush = text_flush,
	.close = text_close,
};
