/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* For tests of JSON lines: a JSON sink that writes into memory, and what it wrote, as JSON. */
#ifndef TTTRACE_TEST_LINES_H
#define TTTRACE_TEST_LINES_H

#include "stream.h"

#include <json.h>

enum {
	LINES_MAX = 64
};

/* What a JSON sink has written, line by line. */
struct lines {
	struct sink *sink;
	FILE *out;
	char *text;
	size_t size;
	struct json_object *at[LINES_MAX];
	int count;
};

static inline void lines_open(struct lines *l, struct stream *s)
{
	struct sink_opts opts = { 0 };

	memset(l, 0, sizeof(*l));
	l->out = open_memstream(&l->text, &l->size);
	assert_non_null(l->out);
	opts.out = l->out;
	assert_int_equal(sink_json.open(&opts, &l->sink), 0);
	s->sink = l->sink;
	s->sink_ops = &sink_json;
}

static inline struct json_object *parse(const char *line, int length)
{
	struct json_tokener *tokener = json_tokener_new_ex(32);
	struct json_object *o;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(tokener, line, length);
	if (!o || json_tokener_get_error(tokener) != json_tokener_success)
		fail_msg("not JSON: %.*s", length, line);
	json_tokener_free(tokener);
	return o;
}

static inline void lines_read(struct lines *l)
{
	assert_int_equal(sink_json.flush(l->sink), 0);
	for (const char *line = l->text; *line; line = strchr(line, '\n') + 1) {
		assert_non_null(strchr(line, '\n'));
		assert_true(l->count < LINES_MAX);
		l->at[l->count++] = parse(line, strcspn(line, "\n") + 1);
	}
}

static inline void lines_close(struct lines *l)
{
	for (int i = 0; i < l->count; i++)
		json_object_put(l->at[i]);
	sink_json.close(l->sink);
	fclose(l->out);
	free(l->text);
}

static inline struct json_object *get(struct json_object *o, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(o, key, &value))
		fail_msg("no key \"%s\" in %s", key, json_object_to_json_string(o));
	return value;
}

static inline const char *get_string(struct json_object *o, const char *key)
{
	return json_object_get_string(get(o, key));
}

static inline __u64 get_number(struct json_object *o, const char *key)
{
	assert_int_equal(json_object_get_type(get(o, key)), json_type_int);
	return json_object_get_uint64(get(o, key));
}

static inline bool has(struct json_object *o, const char *key)
{
	return json_object_object_get_ex(o, key, NULL);
}

/* Line @n of those of event @name, from 0. */
static inline struct json_object *nth(const struct lines *l, const char *name, int n)
{
	for (int i = 0; i < l->count; i++) {
		if (!strcmp(get_string(l->at[i], "event"), name) && !n--)
			return l->at[i];
	}
	fail_msg("no line of event \"%s\"", name);
	return NULL;
}

static inline void write_report(struct stream *s, struct lines *l)
{
	struct snapshot *snapshot = stream_snapshot(s);

	assert_int_equal(sink_json.report(l->sink, snapshot), 0);
	snapshot__free(snapshot);
}

#endif
