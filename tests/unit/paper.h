/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* For tests of what people read: a text sink that writes into memory. */
#ifndef TTTRACE_TEST_PAPER_H
#define TTTRACE_TEST_PAPER_H

#include "stream.h"

/* A text sink into memory. */
struct paper {
	struct sink *sink;
	FILE *out;
	char *text;
	size_t size;
};

static inline void paper_open_with(struct paper *p, struct sink_opts opts)
{
	p->text = NULL;
	p->out = open_memstream(&p->text, &p->size);
	assert_non_null(p->out);
	opts.out = p->out;
	assert_int_equal(sink_text.open(&opts, &p->sink), 0);
}

static inline void paper_open(struct paper *p, bool verbose)
{
	paper_open_with(p, (struct sink_opts){ .verbose = verbose, .top = 10 });
}

static inline void paper_close(struct paper *p)
{
	sink_text.close(p->sink);
	fclose(p->out);
	free(p->text);
}

static inline void paper_attach(struct stream *s, struct paper *p)
{
	s->sink = p->sink;
	s->sink_ops = &sink_text;
}

static inline void paper_report(const struct stream *s, struct paper *p,
				const struct filter *filter)
{
	struct snapshot *snapshot;

	assert_int_equal(snapshot__take(s->ledger, filter, s->ts_ns, &snapshot), 0);
	assert_int_equal(sink_text.report(p->sink, snapshot), 0);
	snapshot__free(snapshot);
}

/* Columns, not bytes. */
static inline size_t width_of(const char *line)
{
	size_t width = 0;

	for (; *line && *line != '\n'; line++)
		width += (*line & 0xc0) != 0x80;
	return width;
}

#endif
