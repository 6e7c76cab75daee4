// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "report/text_diff.h"

#include <stdlib.h>
#include <string.h>

#include "report/text_stacks.h"
#include "report/words.h"

typedef unsigned long long ull;

enum {
	NAME_SIZE = 1024,
	PATH_SIZE = 4096,
	OWNER_COLUMNS = 12,
	COLUMNS = 100,
};

static const char rule[] =
	"== diff ========================================================================================";

static const char *buffers(__u64 count)
{
	return words__plural(count, "buffer", "buffers");
}

/* "leaked", as in "64 bytes more leaked". */
static const char *measure_words(enum diff_measure measure)
{
	return measure == DIFF_PEAK ? "at the peak" : diff_measure__name(measure);
}

static void print_heading(FILE *out, const struct diff_view *view,
			  const struct text_diff_opts *opts)
{
	static const char *const compared[DIFF_MEASURE_COUNT] = {
		[DIFF_LEAKED] = "what is leaked",
		[DIFF_LIVE] = "what is live at the end",
		[DIFF_PEAK] = "what is live at the peak",
		[DIFF_ALLOCATED] = "all that is allocated",
	};
	char path[PATH_SIZE];

	fprintf(out, "%s\n", rule);
	fprintf(out, "old: %s\n", words__clean(path, sizeof(path), opts->old_path));
	fprintf(out, "new: %s\n", words__clean(path, sizeof(path), opts->new_path));
	fprintf(out, "compared: %s, in bytes on all devices together\n", compared[view->measure]);
}

/* "+64", "-64", "0" */
static const char *signed_words(char buf[WORDS_SIZE], __s64 number)
{
	snprintf(buf, WORDS_SIZE, number ? "%+lld" : "%lld", number);
	return buf;
}

/* --- by operation --------------------------------------------------------------------------- */

/* The end of @name, which tells most, in at most so many @columns, behind dots if it is cut. */
static const char *cut_name(char buf[NAME_SIZE], const char *name, int columns)
{
	static const char dots[] = "\xe2\x80\xa6";
	char *begin;

	words__clean(buf, NAME_SIZE, name ? name : "?");
	for (begin = buf + strlen(buf); begin > buf; begin--) {
		columns -= (begin[-1] & 0xc0) != 0x80;
		if (columns < 0)
			break;
	}
	if (begin == buf)
		return buf;
	/* they have one column and three bytes: the first character that is left makes room */
	do
		begin++;
	while ((*begin & 0xc0) == 0x80);
	begin -= sizeof(dots) - 1;
	return begin < buf ? begin + sizeof(dots) - 1 : memcpy(begin, dots, sizeof(dots) - 1);
}

static void print_op(FILE *out, const struct diff_op *op, enum diff_measure measure, bool verbose)
{
	const struct diff_sum *before = &op->sums[DIFF_OLD].of[measure];
	const struct diff_sum *after = &op->sums[DIFF_NEW].of[measure];
	struct diff_change change = diff__change(before, after);
	char name[NAME_SIZE], bytes[WORDS_SIZE], count[WORDS_SIZE];
	int used;

	used = fprintf(out, "  %14s %13llu %13llu %8s  %-8s  %-8s  ",
		       signed_words(bytes, change.bytes), (ull)before->bytes, (ull)after->bytes,
		       signed_words(count, change.buffers), buffer_type__name(op->type),
		       cut_name(name, op->owner, OWNER_COLUMNS));
	fprintf(out, "%s\n", cut_name(name, op->op, verbose ? NAME_SIZE : COLUMNS - used));
}

static void print_ops(FILE *out, const struct diff_view *view, const struct text_diff_opts *opts)
{
	fputs("\nby operation:\n", out);
	fprintf(out, "  %14s %13s %13s %8s  %-8s  %-8s  %s\n", "change", "old", "new", "buffers",
		"type", "owner", "operation");
	for (__u32 i = 0; i < view->num_ops && i < opts->top; i++)
		print_op(out, view->ops[i], view->measure, opts->verbose);
	if (view->num_ops > opts->top)
		fprintf(out, "  ... and %u more (-T shows others)\n", view->num_ops - opts->top);
}

/* --- by stack ------------------------------------------------------------------------------- */

/* "+73728 bytes (72.0 KiB) of DRAM, +3 buffers: 0 -> 73728" */
static void print_change(FILE *out, __u32 type, const struct diff_sum *before,
			 const struct diff_sum *after)
{
	struct diff_change change = diff__change(before, after);
	char bytes[WORDS_SIZE], human[WORDS_SIZE];

	fprintf(out, "      %s bytes", signed_words(bytes, change.bytes));
	if (change.bytes)
		fprintf(out, " (%s)", words__bytes(human, llabs(change.bytes)));
	fprintf(out, " of %s, ",
		type < TT_TYPE_COUNT ? buffer_type__name(type) : "an unknown type");
	if (change.buffers)
		fprintf(out, "%+lld %s", change.buffers, buffers(llabs(change.buffers)));
	else
		fputs("as many buffers", out);
	fprintf(out, ": %llu -> %llu\n", (ull)before->bytes, (ull)after->bytes);
}

static void print_group(FILE *out, const struct diff_group *group, enum diff_measure measure,
			bool verbose)
{
	char op[NAME_SIZE];

	print_change(out, group->type, &group->sums[DIFF_OLD].of[measure],
		     &group->sums[DIFF_NEW].of[measure]);
	if (!group->stack && group->op->op)
		fprintf(out, "          %s\n", words__clean(op, sizeof(op), group->op->op));
	text_stacks__frames(out, group->stack, 10, verbose);
}

static void print_groups(FILE *out, const struct diff_view *view, const struct text_diff_opts *opts)
{
	fputs("\nallocated by:\n", out);
	for (__u32 i = 0; i < view->num_groups && i < opts->top; i++)
		print_group(out, view->groups[i], view->measure, opts->verbose);
	if (view->num_groups > opts->top)
		fprintf(out, "      ... and %u more (-T shows others)\n",
			view->num_groups - opts->top);
}

/* --- in all --------------------------------------------------------------------------------- */

static void print_buffers(FILE *out, struct diff_change change)
{
	const char *direction = change.buffers < 0 ? "fewer" : "more";

	if (!change.buffers)
		fputs(" in as many buffers", out);
	else if (change.bytes && (change.bytes < 0) == (change.buffers < 0))
		fprintf(out, " in %lld %s", llabs(change.buffers), buffers(llabs(change.buffers)));
	else
		fprintf(out, " in %lld %s %s", llabs(change.buffers),
			buffers(llabs(change.buffers)), direction);
}

/* One line to look at, and to look for. */
static void print_verdict(FILE *out, const struct diff_view *view)
{
	struct diff_change change = diff__change(&view->total[DIFF_OLD], &view->total[DIFF_NEW]);
	const char *words = measure_words(view->measure);

	fputs("DIFF: tttrace: ", out);
	if (change.bytes || change.buffers) {
		if (change.bytes)
			fprintf(out, "%lld bytes %s %s", llabs(change.bytes),
				change.bytes < 0 ? "less" : "more", words);
		else
			fprintf(out, "as many bytes %s", words);
		print_buffers(out, change);
	} else if (view->num_groups || view->num_ops) {
		fputs("no change in all, but from place to place", out);
	} else {
		fprintf(out, "no change: %llu bytes %s in %llu %s",
			(ull)view->total[DIFF_NEW].bytes, words, (ull)view->total[DIFF_NEW].buffers,
			buffers(view->total[DIFF_NEW].buffers));
	}
	fputc('\n', out);
}

void text_diff__write(FILE *out, const struct diff_view *view, const struct text_diff_opts *opts)
{
	print_heading(out, view, opts);
	if (view->num_ops)
		print_ops(out, view, opts);
	if (view->num_groups)
		print_groups(out, view, opts);
	fputc('\n', out);
	print_verdict(out, view);
}
