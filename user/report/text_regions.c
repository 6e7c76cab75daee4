// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "report/text_regions.h"

#include <string.h>

#include "report/words.h"

typedef unsigned long long ull;

static bool is_alike(const struct circular_sum *a, const struct circular_sum *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/* The chips of @process that are as chip number @first. Returns 0 if it was listed before. */
static __u32 collect_alike(const struct snapshot_process *process, enum circular_kind kind,
			   __u32 first, __u32 *chips)
{
	const struct circular_sum *sum = &process->chips[first].circular[kind];
	__u32 num = 0;

	for (__u32 i = 0; i < first; i++) {
		if (is_alike(&process->chips[i].circular[kind], sum))
			return 0;
	}
	for (__u32 i = first; i < process->num_chips && num < TT_MAX_CHIPS; i++) {
		if (is_alike(&process->chips[i].circular[kind], sum))
			chips[num++] = process->chips[i].id;
	}
	return num;
}

static const char *const kind_names[CIRCULAR_KINDS] = {
	[CIRCULAR_BUFFERS] = "circular buffers",
	[DATAFLOW_BUFFERS] = "dataflow buffers",
};

/* Why the numbers may not be all of the truth. */
static const char *doubt(const struct snapshot *snap, const struct snapshot_process *process,
			 const struct circular_sum *sum)
{
	if (!snap->coverage.circular_exact)
		return "; records were lost, it may be less or more";
	if (process->flags & TT_PROCESS_BEFORE_ATTACH)
		return "; programs of before the tracing are not in it";
	return sum->cut ? "; not all cores are known" : "";
}

/* What the largest program takes; the addresses are those of all. */
static void print_sum(FILE *out, enum circular_kind kind, const struct circular_sum *sum,
		      const char *place, const char *but)
{
	const struct circular_largest *largest = &sum->largest;
	char human[WORDS_SIZE];

	fprintf(out,
		"  %s on %s: up to %llu bytes (%s) per core on %llu %s,\n"
		"    from address %llu to %llu, the most of %llu %s",
		kind_names[kind], place, (ull)largest->bytes, words__bytes(human, largest->bytes),
		(ull)largest->cores, words__plural(largest->cores, "core", "cores"), (ull)sum->from,
		(ull)sum->to, (ull)sum->programs,
		words__plural(sum->programs, "program", "programs"));
	if (sum->cores != largest->cores)
		fprintf(out, " on %llu cores", (ull)sum->cores);
	fprintf(out, "%s\n", but);
}

static void print_kind(FILE *out, enum circular_kind kind, const struct snapshot *snap,
		       const struct snapshot_process *process)
{
	struct event_device device = {};
	char place[WORDS_PLACE_SIZE];
	__u32 chips[TT_MAX_CHIPS];

	for (__u32 i = 0; i < process->num_chips; i++) {
		const struct circular_sum *sum = &process->chips[i].circular[kind];

		device.num_chips = sum->buffers ? collect_alike(process, kind, i, chips) : 0;
		device.chips = chips;
		if (device.num_chips)
			print_sum(out, kind, sum, words__place(place, &device),
				  doubt(snap, process, sum));
	}
}

void text_regions__write(FILE *out, const struct snapshot *snap,
			 const struct snapshot_process *process)
{
	for (int kind = 0; kind < CIRCULAR_KINDS; kind++)
		print_kind(out, kind, snap, process);
}

/* What lies below is the runtime's: firmware, kernels and their arguments, barriers. */
static void print_regions(FILE *out, const char *memory, const struct region *main,
			  const char *top_name, const struct region *top)
{
	char human[WORDS_SIZE];

	if (!main->to)
		return;
	fprintf(out, "    %s, %u banks: below %llu (%s) reserved, buffers to %llu", memory,
		main->banks, (ull)main->from, words__bytes(human, main->from), (ull)main->to);
	if (top->to && top->from != main->to)
		fprintf(out, ", %s from %llu", top_name, (ull)top->from);
	else if (top->to)
		fprintf(out, ", %s", top_name);
	if (top->to)
		fprintf(out, " to %llu", (ull)top->to);
	fputc('\n', out);
}

void text_regions__device(FILE *out, const struct snapshot_device *device)
{
	const struct region *regions = device->regions;

	print_regions(out, "DRAM", &regions[TT_TYPE_DRAM], "TRACE", &regions[TT_TYPE_TRACE]);
	print_regions(out, "L1", &regions[TT_TYPE_L1], "L1_SMALL", &regions[TT_TYPE_L1_SMALL]);
}

void text_regions__orphans(FILE *out, const struct snapshot_device *device)
{
	char bytes[WORDS_SIZE];

	if (device->orphans.buffers)
		fprintf(out,
			"    orphaned: %llu %s of that, %llu bytes (%s), that no buffer owns: most "
			"likely\n      freed under a graph capture, which kept the memory\n",
			(ull)device->orphans.buffers,
			words__plural(device->orphans.buffers, "block", "blocks"),
			(ull)device->orphans.bytes, words__bytes(bytes, device->orphans.bytes));
}
