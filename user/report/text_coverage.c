// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "report/text_coverage.h"

#include "report/words.h"

typedef unsigned long long ull;

static void print_count(FILE *out, __u64 count, const char *words)
{
	if (count)
		fprintf(out, "  %llu %s\n", (ull)count, words);
}

static void print_loss(FILE *out, const struct snapshot_coverage *c, __u64 unexplained)
{
	const char *sep = "  lost: ";

	for (__u32 i = 0; i < TT_RECORD_LIBRARY; i++) {
		if (!c->lost_kinds[i])
			continue;
		fprintf(out, "%s%llu %s", sep, (ull)c->lost_kinds[i], record_kind__name(i));
		sep = ", ";
	}
	if (c->lost_unexplained) {
		fprintf(out, "%s%llu of unknown kind", sep, (ull)c->lost_unexplained);
		sep = ", ";
	}
	if (sep[0] == ',')
		fputc('\n', out);
	print_count(out, c->process_map_full, "hits of processes for which there was no room");
	print_count(out, c->bad_records, "records could not be read");
	print_count(out, c->dropped_records, "records were dropped: tttrace ran out of memory");
	/* one that a loss explains is in order when that is repaired */
	print_count(out, c->reused_live + (c->lost != c->repaired ? c->reused_lost : 0),
		    "buffers were replaced by others without a free that we saw");
	print_count(out, unexplained, "frees have no explanation: please report this");
	print_count(out, c->footprint_unknown,
		    "allocations of unknown footprint: bytes occupied are lower bounds");
	print_count(out, c->twice,
		    "records came a second time, for a library has two names: they do not count");
	print_count(out, c->circular_unknown,
		    "circular buffers on unknown cores or devices: not in their lines");
}

/* What the mode does not look at. */
static const char *left_out(const struct snapshot_coverage *c)
{
	switch (c->mode) {
	case TT_MODE_LEAN:
		return "  lean, left out: buffers that hold no memory (of size 0, of a graph "
		       "capture, views), failed allocations, frees that give nothing back, "
		       "circular buffers\n";
	case TT_MODE_ALL:
		return "";
	default:
		return c->probes && !(c->probes >> TT_PROBE_BUFFER_CREATE_AT & 1)
			       ? "  left out: views (-v shows them)\n"
			       : "";
	}
}

/* How many of the allocations have a stack up to its outermost frame, and what ended the others. */
static void print_stacks(FILE *out, const struct snapshot_coverage *c)
{
	__u64 all = c->stacks_missing;

	for (int end = 0; end < TT_STACK_END_COUNT; end++)
		all += c->stacks[end];
	if (!all)
		return;
	fprintf(out, "  stacks: %llu of %llu complete", (ull)c->stacks[TT_STACK_COMPLETE],
		(ull)all);
	for (int end = TT_STACK_COMPLETE + 1; end < TT_STACK_END_COUNT; end++)
		if (c->stacks[end])
			fprintf(out, ", %llu %s", (ull)c->stacks[end], words__stack_end(end));
	if (c->stacks_missing)
		fprintf(out, ", %llu lost", (ull)c->stacks_missing);
	fputc('\n', out);
}

/* What this machine does not allow. */
static void print_missing(FILE *out, const struct parts *parts)
{
	char why[3 * TT_WHY_SIZE + 1];

	for (int part = 0; part < TT_PART_COUNT; part++)
		if (parts->missing[part])
			fprintf(out, "  missing: %s (%s): %s\n", part__name(part), part__loss(part),
				words__clean(why, sizeof(why), parts->why[part]));
}

static void print_untraced(FILE *out, const struct untraced *untraced)
{
	char path[3 * TT_PATH_SIZE + 1], why[3 * TT_WHY_SIZE + 1];
	__u64 more = untraced->times;

	for (__u32 i = 0; i < untraced->num_items; i++) {
		const struct untraced_item *item = &untraced->items[i];

		fprintf(out, "  NOT TRACED: '%s' (process %u%s): %s\n",
			words__clean(path, sizeof(path), item->path), item->pid,
			item->times > 1 ? " and others" : "",
			words__clean(why, sizeof(why), item->why));
		more -= item->times;
	}
	print_count(out, more, "other runtimes that were seen are not traced");
}

/* Of forked processes: nothing in their memory tells these apart. */
static void print_inherited(FILE *out, const struct snapshot_coverage *c)
{
	print_count(out, c->may_be_inherited,
		    "buffers of forked processes may be inherited: allocated by the parent before "
		    "the fork, and freed by it since");
	print_count(out, c->may_be_own,
		    "blocks of forked processes that no buffer owns are taken for inherited: the "
		    "parent has the like");
}

void text_coverage__write(FILE *out, const struct snapshot *snap)
{
	const struct snapshot_coverage *c = &snap->coverage;

	if (c->is_look) {
		fprintf(out, "coverage: read out of the memory of the process, with no probe%s\n",
			c->census_torn ? "; not all of its allocators could be read" : "");
		print_inherited(out, c);
		return;
	}
	fprintf(out,
		"coverage: %llu/%llu probes in %u %s, %llu %s (%llu pre-attach), "
		"%llu records, %llu lost\n",
		(ull)c->probes_attached, (ull)c->probes_wanted, c->num_libraries,
		words__plural(c->num_libraries, "library", "libraries"), (ull)c->processes,
		words__plural(c->processes, "process", "processes"), (ull)c->processes_pre_attach,
		(ull)c->records, (ull)c->lost);
	fputs(left_out(c), out);
	print_missing(out, &c->missing);
	print_untraced(out, &c->untraced);
	if (c->has_stacks) {
		print_stacks(out, c);
		print_count(out, snap->leaks_untold,
			    "leaked buffers may be held by the program cache: their stacks are "
			    "not known, or not whole");
	} else if (snap->leaks.buffers) {
		fputs("  without stacks what the program cache holds cannot be told from leaks\n",
		      out);
	}
	if (c->buffers_pre_attach)
		print_count(out, c->buffers_pre_attach,
			    "buffers were there before tracing began: a census found them");
	print_inherited(out, c);
	if (c->census_torn)
		fputs("  what was held before tracing began could not all be read\n", out);
	print_loss(out, c, snap->frees[CLASS_UNKNOWN]);
	print_count(out, c->buffers_mended,
		    "buffers were put right by a census: their allocation or free was missed");
}
