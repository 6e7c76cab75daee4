// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "report/json_diff.h"

#include "report/json_line.h"

/* From "by" to "new_buffers". */
static void put_sums(struct json_line *line, enum diff_measure measure,
		     const struct diff_sum *before, const struct diff_sum *after)
{
	json_line__string(line, line->root, "by", diff_measure__name(measure));
	json_line__number(line, line->root, "old", before->bytes);
	json_line__number(line, line->root, "new", after->bytes);
	json_line__change(line, line->root, "change", diff__change(before, after).bytes);
	json_line__number(line, line->root, "old_buffers", before->buffers);
	json_line__number(line, line->root, "new_buffers", after->buffers);
}

static int write_group(FILE *out, const struct diff_group *group, enum diff_measure measure,
		       __u64 ts_ns)
{
	struct json_line line;

	json_line__begin(&line, "diff", ts_ns);
	if (group->type < TT_TYPE_COUNT)
		json_line__string(&line, line.root, "type", buffer_type__name(group->type));
	json_line__string(&line, line.root, "op", group->op->op);
	json_line__string(&line, line.root, "owner", group->op->owner);
	put_sums(&line, measure, &group->sums[DIFF_OLD].of[measure],
		 &group->sums[DIFF_NEW].of[measure]);
	json_line__stack(&line, line.root, group->stack);
	return json_line__write(&line, out);
}

int json_diff__write(FILE *out, const struct diff_view *view, const char *old_path,
		     const char *new_path, __u64 ts_ns)
{
	struct json_line line;
	int err = 0;

	for (__u32 i = 0; !err && i < view->num_groups; i++)
		err = write_group(out, view->groups[i], view->measure, ts_ns);
	if (err)
		return err;
	json_line__begin(&line, "diff_summary", ts_ns);
	json_line__string(&line, line.root, "old_file", old_path);
	json_line__string(&line, line.root, "new_file", new_path);
	put_sums(&line, view->measure, &view->total[DIFF_OLD], &view->total[DIFF_NEW]);
	json_line__number(&line, line.root, "stacks_changed", view->num_groups);
	json_line__bool(&line, line.root, "has_more", diff_view__has_more(view));
	return json_line__write(&line, out);
}
