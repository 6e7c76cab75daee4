// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "result.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "result_line.h"

enum {
	LINE_MAX_BYTES = 64 << 20, /* no line of ours is as long */
	STEP = 1 << 16,
	NAME_SHOWN = 24,
};

/*
 * Is it one of ours that tells nothing to us? Of a long trace nearly all are, and to look at the
 * begin takes a tenth of the time that json-c takes. Others write the same in another form, so it
 * is only a short cut.
 */
static bool can_be_skipped(const struct bytes *line)
{
	static const char begin[] = "{\"event\":\"";
	const size_t len = sizeof(begin) - 1;
	const char *event = line->data + len, *quote;

	if (line->size < len + NAME_SHOWN || memcmp(line->data, begin, len))
		return false;
	quote = memchr(event, '"', NAME_SHOWN);
	return quote && line->data[line->size - 1] == '}' &&
	       !result_line__is_wanted(event, (size_t)(quote - event));
}

/* NULL: it is no JSON. */
static struct json_object *parse_json(struct result_reading *r, const struct bytes *line)
{
	struct json_object *root;

	json_tokener_reset(r->tokener);
	root = json_tokener_parse_ex(r->tokener, line->data, (int)line->size);
	if (root && json_tokener_get_parse_end(r->tokener) == line->size)
		return root;
	json_object_put(root);
	return NULL;
}

/* The last line may have been cut: then it has no newline. */
static int parse_line(struct result_reading *r, const struct bytes *line, bool has_newline)
{
	struct json_object *root;
	int err;

	if (!r->has_summary && can_be_skipped(line))
		return 0;
	root = parse_json(r, line);
	if (!root && !has_newline && !r->has_summary && r->line > 1)
		return 0;
	err = root ? result_line__parse(r, root)
		   : result_line__refuse(r, "it is not JSON, one object a line");
	json_object_put(root);
	return err;
}

/* The next line, without its end. 0: there is none; 1: there is, *@ret_newline: with an end. */
static int read_line(FILE *file, struct bytes *line, bool *ret_newline)
{
	int c;

	line->size = 0;
	while ((c = getc_unlocked(file)) != EOF && c != '\n') {
		if (line->size == line->room && bytes__reserve(line, STEP))
			return -ENOMEM;
		line->data[line->size++] = (char)c;
		if (line->size > LINE_MAX_BYTES)
			return -EFBIG;
	}
	if (ferror(file))
		return -(errno ? errno : EIO);
	*ret_newline = c == '\n';
	return line->size || c == '\n';
}

static bool is_blank(struct bytes *line)
{
	for (; line->size; line->size--) {
		char c = line->data[line->size - 1];

		if (c != ' ' && c != '\t' && c != '\r')
			return false;
	}
	return true;
}

static int read_lines(struct result_reading *r, FILE *file)
{
	struct bytes line = { 0 };
	bool has_newline = false;
	int err = 0, got;

	errno = 0;
	while (!err && (got = read_line(file, &line, &has_newline)) > 0) {
		r->line++;
		err = is_blank(&line) ? 0 : parse_line(r, &line, has_newline);
	}
	if (!err && got == -EFBIG) {
		r->line++;
		err = result_line__refuse(r, "it is longer than %d MiB", LINE_MAX_BYTES >> 20);
	}
	free(line.data);
	return err ? err : got;
}

/* --- the whole ------------------------------------------------------------------------------ */

static int read_file(struct result_reading *r)
{
	_cleanup_fclose_ FILE *file = fopen(r->path, "re");
	int err = file ? 0 : -errno;

	r->tokener = json_tokener_new();
	if (!err)
		err = r->tokener ? 0 : -ENOMEM;
	if (!err) {
		json_tokener_set_flags(r->tokener, JSON_TOKENER_STRICT);
		err = read_lines(r, file);
	}
	if (r->tokener)
		json_tokener_free(r->tokener);
	return err;
}

static void complain(const struct result_reading *r, int err)
{
	if (err == -EBADMSG)
		pr_err("'%s', line %llu: %s; give a whole result of `tttrace -j`", r->path, r->line,
		       r->why);
	else if (err == -ENOMEM)
		pr_err("cannot keep what is in '%s': out of memory", r->path);
	else
		pr_err("cannot read the result '%s': %s", r->path, strerror(-err));
}

/* Is there something to compare? */
static int judge(const struct result_reading *r)
{
	if (!r->line) {
		pr_err("'%s' is empty: give a result of `tttrace -j`", r->path);
		return -ENODATA;
	}
	if (!r->has_summary && !r->sites) {
		pr_err("'%s' was cut before it says who held memory: trace again, and let tttrace "
		       "end (Ctrl-C)",
		       r->path);
		return -ENODATA;
	}
	if (!r->sites && !r->has_stacks) {
		pr_err("no stacks in '%s': trace again, with stacks", r->path);
		return -ENODATA;
	}
	if (!r->has_summary)
		pr_warn("'%s' was cut: it has no summary at its end, what else it lacks counts as "
			"nothing; trace again, and let tttrace end (Ctrl-C)",
			r->path);
	return 0;
}

int result__read(const char *path, enum diff_side side, struct diff *diff)
{
	struct result_reading r = { .path = path, .side = side, .diff = diff };
	int err = read_file(&r);

	if (err) {
		complain(&r, err);
		return err;
	}
	return judge(&r);
}
