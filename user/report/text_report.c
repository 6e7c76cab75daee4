// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The leak report. It goes from the process to the device to the buffers, and ends with what the
 * numbers are worth (coverage) and one summary line, as users of leak sanitizers know it. Fits
 * into 100 columns.
 */
#include "report/text_report.h"

#include <string.h>

#include "report/text_regions.h"
#include "report/text_shortage.h"
#include "report/text_coverage.h"
#include "report/text_sites.h"
#include "report/text_stacks.h"
#include "report/words.h"

typedef unsigned long long ull;

enum {
	ROWS_LARGEST = 10,
	ROWS_OLDEST = 5,
	CLEAN_MAX = 4,
	LINE_WIDTH = 96,
};

static const char *buffers(__u64 count)
{
	return words__plural(count, "buffer", "buffers");
}

static void print_rule(FILE *out, const char *title)
{
	int used = fprintf(out, "== %s ", title);

	for (; used < LINE_WIDTH; used++)
		fputc('=', out);
	fputc('\n', out);
}

/* "3 buffers, 314572800 bytes (300.0 MiB) on each of 8 devices" */
static void print_sum(FILE *out, const struct verdict_sum *sum, const struct event_device *device)
{
	char human[WORDS_SIZE];

	fprintf(out, "%llu %s, %s%llu bytes (%s)", (ull)sum->buffers, buffers(sum->buffers),
		words__at_least(sum->unsized), (ull)sum->bytes, words__bytes(human, sum->bytes));
	if (device->num_chips > 1)
		fprintf(out, " on each of %u devices", device->num_chips);
	if (sum->unsized)
		fprintf(out, ", %llu of them of unknown footprint", (ull)sum->unsized);
	fputc('\n', out);
}

static void print_groups(FILE *out, const struct snapshot_list *list)
{
	char range[WORDS_SIZE], age[WORDS_SIZE];

	fprintf(out, "      %-13s  %-14s %10s %18s %18s  %s\n", "type", "size", "buffers",
		"asked for", "occupied", "oldest");
	for (__u32 i = 0; i < list->num_groups; i++) {
		const struct snapshot_group *g = &list->groups[i];

		fprintf(out, "      %-13s  %-14s %10llu %18llu %18llu  %s\n",
			buffer_type__name(g->type), words__size_class(range, g->size_class),
			(ull)g->sum.buffers, (ull)g->sum.size, (ull)g->sum.bytes,
			words__least_age(age, g->oldest_ns, g->is_older));
	}
}

static void print_row(FILE *out, const struct snapshot_row *row)
{
	const struct event_buffer *b = &row->buffer;
	char id[WORDS_SIZE] = "-", footprint[WORDS_SIZE] = "?", size[WORDS_SIZE] = "?";
	char age[WORDS_SIZE];

	if (b->has_id)
		snprintf(id, sizeof(id), "%llu", (ull)b->id);
	if (b->has_footprint)
		snprintf(footprint, sizeof(footprint), "%llu", (ull)b->footprint);
	if (!b->is_orphan)
		snprintf(size, sizeof(size), "%llu", (ull)b->size);
	fprintf(out, "      %11llu %8s  %-8s %13s %13s  %-14s  %s%s%s%s\n", (ull)b->address, id,
		buffer_type__name(b->type), size, footprint, buffer_layout__name(b->layout),
		words__least_age(age, row->age_ns, b->is_older),
		row->suppressed ? " suppressed" : "", row->victim ? " given-away" : "",
		b->is_orphan ? " orphaned" : "");
}

static void print_rows(FILE *out, const char *title, const struct snapshot_row *rows, __u32 num)
{
	bool suppressed = false, victim = false;

	fprintf(out, "    %s:\n", title);
	fprintf(out, "      %11s %8s  %-8s %13s %13s  %-14s  %s\n", "buffer_id", "id", "type",
		"asked for", "occupied", "layout", "age");
	for (__u32 i = 0; i < num; i++) {
		print_row(out, &rows[i]);
		suppressed |= rows[i].suppressed;
		victim |= rows[i].victim;
	}
	if (suppressed)
		fputs("      suppressed: the program freed it, but under a graph capture, "
		      "which kept the memory\n",
		      out);
	if (victim)
		fputs("      given-away: the late free of another buffer gave its memory back "
		      "while it was in use\n",
		      out);
}

static __u32 least(__u32 a, __u32 b)
{
	return a < b ? a : b;
}

static void print_list(FILE *out, const struct snapshot_list *list)
{
	__u32 shown = least(list->num_largest, ROWS_LARGEST);

	print_groups(out, list);
	print_rows(out, "largest first", list->largest, shown);
	if (list->sum.buffers <= shown)
		return;
	fprintf(out, "      ... and %llu more\n", (ull)(list->sum.buffers - shown));
	print_rows(out, "oldest first", list->oldest, least(list->num_oldest, ROWS_OLDEST));
}

/* What it was before we came is not known: to a look nothing is. */
static void print_peaks(FILE *out, const struct snapshot *snap,
			const struct snapshot_process *process,
			const struct snapshot_device *device)
{
	const char *sep = " ";
	char human[WORDS_SIZE];

	if (!device->usage.sum.peak || snap->coverage.is_look)
		return;
	fprintf(out, "    peak%s%s:",
		process->flags & TT_PROCESS_BEFORE_ATTACH && !device->opened ? " since the attach"
									     : "",
		device->pub.num_chips > 1 ? " on each device" : "");
	for (__u32 i = 0; i < TT_TYPE_COUNT; i++) {
		const struct usage_cell *cell = &device->usage.type[i];

		if (!cell->peak)
			continue;
		fprintf(out, "%s%s %llu bytes (%s)", sep, buffer_type__name(i), (ull)cell->peak,
			words__bytes(human, cell->peak));
		sep = ", ";
	}
	fputc('\n', out);
}

static void print_device_head(FILE *out, const struct snapshot_device *device)
{
	char place[WORDS_PLACE_SIZE];
	const char *closed = "";

	if (device->closed && device->pub.is_mesh)
		closed = device->asked ? ", closed by the program" : ", dropped without a close";
	else if (device->closed)
		closed = ", closed";
	words__place(place, &device->pub);
	if (device->lives > 1)
		fprintf(out, "  %s, opened and closed %u times\n", place, device->lives);
	else if (device->pub.is_mesh && device->pub.mesh_id != TT_NO_MESH && device->pub.num_chips)
		fprintf(out, "  mesh %u on %s%s\n", device->pub.mesh_id, place, closed);
	else
		fprintf(out, "  %s%s\n", place, closed);
}

static void print_hidden(FILE *out, const struct verdict_sum *hidden, const char *what)
{
	if (hidden->buffers)
		fprintf(out, "      (%s %llu %s, %llu bytes)\n", what, (ull)hidden->buffers,
			buffers(hidden->buffers), (ull)hidden->bytes);
}

static void print_part(FILE *out, const char *title, const struct snapshot_list *list,
		       const struct event_device *device, const struct sink_opts *opts)
{
	if (list->sum.buffers) {
		fprintf(out, "    %s: ", title);
		print_sum(out, &list->sum, device);
		text_stacks__write(out, list, opts);
		print_list(out, list);
	}
	print_hidden(out, &list->hidden, "the filter hides");
	print_hidden(out, &list->suppressed, "suppressed as known:");
}

/* Did a verdict fall on any of its buffers? */
static bool is_judged(const struct snapshot_device *device)
{
	return device->leaked_all.buffers || device->cut_off_all.buffers ||
	       device->doubtful_all.buffers;
}

/* Closed, and nothing is to be said of it but that. */
static bool is_clean(const struct snapshot_device *device)
{
	return device->closed && !is_judged(device);
}

/* What a process held when a signal ended it. */
static void print_cut_off(FILE *out, const struct snapshot_process *process,
			  const struct snapshot_device *device, const struct sink_opts *opts)
{
	char state[WORDS_SIZE];

	print_part(out, "ended with the process", &device->cut_off, &device->pub, opts);
	if (device->cut_off_all.buffers)
		fprintf(out, "      no leak: it was %s before it could free them\n",
			words__state(state, process->state, process->exit_code));
}

/* What is of no use to know of each single buffer is left out. */
static void print_own(FILE *out, const struct snapshot_device *device, const struct sink_opts *opts)
{
	if (!device->held.sum.buffers)
		return;
	fputs("    held by the runtime itself (no leak): ", out);
	print_sum(out, &device->held.sum, &device->pub);
	text_stacks__write(out, &device->held, opts);
	if (opts->verbose)
		print_groups(out, &device->held);
}

/* What is told of a device is as it was then. */
static const char *when_words(const struct snapshot *snap, const struct snapshot_process *process,
			      const struct snapshot_device *device)
{
	if (device->closed)
		return "at the close";
	if (snap->coverage.is_look)
		return "now";
	return process->state == PROCESS_RUNNING ? "when the trace ended" : "at the end";
}

static void print_device(FILE *out, const struct snapshot *snap,
			 const struct snapshot_process *process,
			 const struct snapshot_device *device, const struct sink_opts *opts)
{
	print_device_head(out, device);
	print_part(out, device->closed ? "LEAKED, live at the close" : "LEAKED, live at the end",
		   &device->leaks, &device->pub, opts);
	print_cut_off(out, process, device, opts);
	print_part(out, "UNKNOWN (events lost): leaked, or their frees were lost",
		   &device->doubtful, &device->pub, opts);
	if (process->state == PROCESS_RUNNING)
		print_part(out, "live, in use", &device->live, &device->pub, opts);
	text_regions__orphans(out, device);
	if (!is_judged(device) && (device->closed || process->state != PROCESS_RUNNING))
		fprintf(out, "    no leak: %llu %s freed by the program, %llu in bulk\n",
			(ull)device->frees, buffers(device->frees), (ull)device->bulk_freed);
	print_own(out, device, opts);
	print_peaks(out, snap, process, device);
	text_sites__write(out, device, opts);
	text_regions__device(out, device);
	text_shortage__print_spaces(out, device, when_words(snap, process, device));
}

/* Of the clean ones only the first few, unless all are wanted: tests open devices very often. */
static void print_devices(FILE *out, const struct snapshot *snap,
			  const struct snapshot_process *process, const struct sink_opts *opts)
{
	__u32 clean = 0;

	for (__u32 i = 0; i < process->num_devices; i++) {
		const struct snapshot_device *device = process->devices[i];

		if (!opts->verbose && !snapshot_device__is_used(device))
			continue;
		if (opts->verbose || !is_clean(device) || clean++ < CLEAN_MAX)
			print_device(out, snap, process, device, opts);
	}
	if (clean > CLEAN_MAX)
		fprintf(out, "  ... and %u more, closed without a leak\n", clean - CLEAN_MAX);
}

static void print_counts(FILE *out, const char *title, const __u64 *counts, int num,
			 const char *(*name)(int))
{
	int column = fprintf(out, "  %s:", title);
	char item[2 * WORDS_SIZE];
	bool any = false;

	for (int i = 0; i < num; i++) {
		if (!counts[i])
			continue;
		snprintf(item, sizeof(item), "%llu %s", (ull)counts[i], name(i));
		if (any)
			column += fprintf(out, ",");
		if (column + strlen(item) > LINE_WIDTH)
			column = fprintf(out, "\n   ") - 1;
		column += fprintf(out, " %s", item);
		any = true;
	}
	fputs(any ? "\n" : " none\n", out);
}

static const char *kind_name(int kind)
{
	return buffer_kind__name(kind);
}

static const char *class_name(int class)
{
	return free_class__name(class);
}

static void print_process(FILE *out, const struct snapshot *snap,
			  const struct snapshot_process *process, const struct sink_opts *opts)
{
	char comm[3 * COMM_SIZE + 1], state[WORDS_SIZE], age[WORDS_SIZE];
	__u64 traced_ns = process->end_ts_ns > process->first_ts_ns
				  ? process->end_ts_ns - process->first_ts_ns
				  : 0;

	fprintf(out, "process %u (%s)", process->pub.pid,
		words__clean(comm, sizeof(comm), process->comm));
	if (snap->coverage.is_look) {
		fputc('\n', out);
		print_devices(out, snap, process, opts);
		return;
	}
	fprintf(out, ", %s, traced for %s%s\n",
		words__state(state, process->state, process->exit_code), words__age(age, traced_ns),
		process->flags & TT_PROCESS_BEFORE_ATTACH ? ", running before that" : "");
	print_devices(out, snap, process, opts);
	text_regions__write(out, snap, process);
	print_counts(out, "allocations", process->allocs, KIND_COUNT, kind_name);
	print_counts(out, "frees", process->frees, CLASS_COUNT, class_name);
	if (process->lost)
		fprintf(out, "  %llu records of this process were lost\n", (ull)process->lost);
	fputc('\n', out);
}

static __u64 count_live(const struct snapshot *snap)
{
	__u64 live = 0;

	for (__u32 i = 0; i < snap->num_processes; i++) {
		const struct snapshot_process *process = snap->processes[i];

		for (__u32 j = 0; process->state == PROCESS_RUNNING && j < process->num_devices;
		     j++)
			live += process->devices[j]->live.sum.buffers;
	}
	return live;
}

static void print_verdict(FILE *out, const struct snapshot *snap)
{
	__u64 live = count_live(snap);

	if (snap->leaks.buffers)
		fprintf(out, "%s%llu bytes leaked in %llu %s (%u %s%s)",
			words__at_least(snap->leaks.unsized), (ull)snap->leaks.bytes,
			(ull)snap->leaks.buffers, buffers(snap->leaks.buffers),
			snap->leaking_processes,
			words__plural(snap->leaking_processes, "process", "processes"),
			snap->leaks_on_many ? ", all devices together" : "");
	else if (snap->doubtful.buffers || !snap->coverage.complete)
		fputs("no leak is certain", out);
	else
		fputs("no leaks", out);
	if (snap->cut_off.buffers)
		fprintf(out, ", %llu %s (%llu bytes) ended with killed processes",
			(ull)snap->cut_off.buffers, buffers(snap->cut_off.buffers),
			(ull)snap->cut_off.bytes);
	if (live)
		fprintf(out, ", %llu %s still in use by running processes", (ull)live,
			buffers(live));
	if (snap->doubtful.buffers)
		fprintf(out, ", %llu %s (%llu bytes) unknown (events lost)",
			(ull)snap->doubtful.buffers, buffers(snap->doubtful.buffers),
			(ull)snap->doubtful.bytes);
	if (snap->suppressed.buffers)
		fprintf(out, ", %llu %s (%llu bytes) suppressed", (ull)snap->suppressed.buffers,
			buffers(snap->suppressed.buffers), (ull)snap->suppressed.bytes);
	if (snap->leaks_hidden.buffers)
		fprintf(out, ", the filter hides %llu", (ull)snap->leaks_hidden.buffers);
	fputs(snap->coverage.complete ? "\n" : "; THE DATA IS INCOMPLETE\n", out);
}

static void print_held(FILE *out, const struct snapshot *snap)
{
	__u64 held = 0, bytes = 0;

	for (__u32 i = 0; i < snap->num_processes; i++) {
		held += snap->processes[i]->usage.sum.buffers;
		bytes += snap->processes[i]->usage.sum.live;
	}
	fprintf(out, "%s%llu bytes held in %llu %s%s\n",
		words__at_least(!snap->coverage.complete || snap->coverage.footprint_unknown),
		(ull)bytes, (ull)held, buffers(held),
		snap->coverage.complete ? "" : "; THE DATA IS INCOMPLETE");
}

static void print_summary(FILE *out, const struct snapshot *snap)
{
	fputs("SUMMARY: tttrace: ", out);
	if (snap->coverage.is_look)
		print_held(out, snap);
	else if (snapshot__saw_activity(snap))
		print_verdict(out, snap);
	else
		fprintf(out, "nothing seen%s; this says nothing about leaks\n",
			snap->coverage.complete ? ": no process did anything with device memory"
						: ", but THE DATA IS INCOMPLETE");
}

/* Those of which only the sums are left. */
static void print_earlier(FILE *out, const struct earlier *earlier)
{
	if (earlier->processes)
		fprintf(out,
			"earlier: %llu processes that ended before these, no longer kept one by "
			"one, leaked %llu buffers\n",
			(ull)earlier->processes, (ull)earlier->leaked.buffers);
}

/* As LeakSanitizer has it. */
static void print_suppressions(FILE *out, const struct snapshot *snap)
{
	char clean[3 * WORDS_PLACE_SIZE];

	if (!snap->suppressed.buffers)
		return;
	fprintf(out, "suppressions used:\n  %9s %18s  pattern\n", "buffers", "bytes");
	for (__u32 i = 0; i < snap->num_rules; i++)
		if (snap->rules[i].sum.buffers)
			fprintf(out, "  %9llu %18llu  %s\n", (ull)snap->rules[i].sum.buffers,
				(ull)snap->rules[i].sum.bytes,
				words__clean(clean, sizeof(clean), snap->rules[i].pattern));
}

void text_report__write(const struct snapshot *snap, const struct sink_opts *opts)
{
	FILE *out = opts->out;

	print_rule(out, snap->coverage.is_look ? "what is held now" : "leak report");
	for (__u32 i = 0; i < snap->num_processes; i++)
		print_process(out, snap, snap->processes[i], opts);
	if (snap->num_hidden)
		fprintf(out, "(the filter hides %u %s)\n", snap->num_hidden,
			words__plural(snap->num_hidden, "process", "processes"));
	print_earlier(out, &snap->earlier);
	text_coverage__write(out, snap);
	print_suppressions(out, snap);
	print_summary(out, snap);
}

static void print_interval_cell(FILE *out, const struct snapshot_process *process,
				const struct snapshot_device *device, __u32 type)
{
	const struct usage_cell *cell = &device->usage.type[type];
	const struct event_space *space = text_shortage__find_space(device, type);
	char comm[3 * COMM_SIZE + 1], chips[WORDS_PLACE_SIZE], live[WORDS_SIZE], peak[WORDS_SIZE];
	char free_bytes[WORDS_SIZE] = "?", hole[WORDS_SIZE] = "?";

	if (!cell->peak_buffers)
		return;
	words__chips(chips, device->chips, device->pub.num_chips);
	if (space && space->has_free)
		words__bytes(free_bytes, space->free);
	if (space && space->has_hole)
		words__bytes(hole, space->hole);
	fprintf(out, "%8u  %-15s %-10s %-8s %10s %10s %10s %10s %9llu\n", process->pub.pid,
		words__clean(comm, sizeof(comm), process->comm), chips[0] ? chips : "?",
		buffer_type__name(type), words__bytes(live, cell->live),
		words__bytes(peak, cell->peak), free_bytes, hole, (ull)cell->buffers);
}

void text_report__interval(FILE *out, const struct snapshot *snap)
{
	char age[WORDS_SIZE], title[WORDS_SIZE + 16];

	snprintf(title, sizeof(title), "after %s", words__age(age, snap->duration_ns));
	print_rule(out, title);
	fprintf(out, "%8s  %-15s %-10s %-8s %10s %10s %10s %10s %9s\n", "PID", "COMMAND", "DEVICES",
		"TYPE", "LIVE", "PEAK", "BANK FREE", "BANK HOLE", "BUFFERS");
	for (__u32 i = 0; i < snap->num_processes; i++) {
		const struct snapshot_process *process = snap->processes[i];

		for (__u32 j = 0; process->state == PROCESS_RUNNING && j < process->num_devices;
		     j++) {
			for (__u32 type = 0; type < TT_TYPE_COUNT; type++)
				print_interval_cell(out, process, process->devices[j], type);
		}
	}
	if (!snap->coverage.complete)
		fprintf(out, "the data is incomplete: %llu records lost%s\n",
			(ull)snap->coverage.lost,
			parts__are_enough(&snap->coverage.missing)
				? ""
				: ", and a part of the tracer is missing");
}
