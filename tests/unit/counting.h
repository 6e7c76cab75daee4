/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* For streams in which a census is taken: of HEAP on MESH, as the user side writes it. */
#ifndef TTTRACE_TEST_COUNTING_H
#define TTTRACE_TEST_COUNTING_H

#include "losing.h"

enum {
	ALL_TYPES = (1 << TT_TYPE_COUNT) - 1,
};

/* Buffers of which each occupies the same. */
enum {
	OBJECT_FOOTPRINT = 12 * 1024,
};

static inline struct object object(__u64 number)
{
	return stream_object(0x5000 + number * 0x1000, 0x100 + number * 0x1000, OBJECT_FOOTPRINT);
}

/* How many of them are live. */
static inline __u64 held(const struct stream *s)
{
	return stream_live(s) / OBJECT_FOOTPRINT;
}

static inline const struct event *last_census(const struct stream *s)
{
	return &stream_last(s, EVENT_CENSUS)->ev;
}

/* A graph capture suppresses a free: its thread allocates, and has not come to the end of it. */
static inline void suppress(struct stream *s, const struct actor *a, const struct object *o)
{
	stream_buffer(s, a, TT_RECORD_FREE_BEGIN, o);
	stream_tracked(s, a, o);
	stream_space(s, a, 32);
	stream_expect_free(s, CLASS_SUPPRESSED);
}

static inline struct tt_record written(struct stream *s, const struct actor *a, __u16 kind)
{
	struct tt_record h = stream_header(s, a, kind, TT_PROBE_COUNT);

	s->seq[a->cpu]--; /* it has no number */
	h.seq = 0;
	h.tid = 0;
	h.start_ns = 0;
	return h;
}

/* @types: whose free lists were read; of none of the others they could be. */
static inline void phase_with(struct stream *s, const struct actor *a, enum tt_census_phase phase,
			      enum tt_census_reason reason, __u32 types)
{
	struct tt_record_census rec = {
		.h = written(s, a, TT_RECORD_CENSUS),
		.allocator = HEAP,
		.device = MESH,
		.phase = phase,
		.reason = reason,
		.types = types,
		.types_unread = ALL_TYPES & ~types,
	};

	stream_apply(s, &rec, sizeof(rec));
	assert_int_equal(s->err, 0);
}

static inline void phase(struct stream *s, const struct actor *a, enum tt_census_phase phase,
			 enum tt_census_reason reason)
{
	phase_with(s, a, phase, reason, 0);
}

/* @a was there before it was traced, as the user side tells it, with HEAP on MESH. */
static inline void begin_late(struct stream *s, const struct actor *a)
{
	const struct actor unhit = { a->tgid, a->tid, 0, a->cpu }; /* when it began is not known */
	struct tt_record_process rec = {
		.h = written(s, a, TT_RECORD_PROCESS_START),
		.flags = TT_PROCESS_BEFORE_ATTACH,
		.comm = "python",
	};

	stream_apply(s, &rec, sizeof(rec));
	stream_allocator(s, &unhit, HEAP, stream_mesh(MESH, 0, 0, 1));
}

static inline void tell(struct stream *s, const struct actor *a, const struct object *o)
{
	struct tt_record_census_buffer rec = {
		.b = stream_buffer_record(written(s, a, TT_RECORD_CENSUS_BUFFER), o),
		.per_bank = stream_per_bank(o),
		.allocator = HEAP,
	};

	stream_apply(s, &rec, sizeof(rec));
	assert_int_equal(s->err, 0);
}

static inline void read_all(struct stream *s, const struct actor *a, const struct object *objects,
			    size_t num)
{
	phase(s, a, TT_CENSUS_BEGIN, 0);
	for (size_t i = 0; i < num; i++)
		tell(s, a, &objects[i]);
	phase(s, a, TT_CENSUS_END, 0);
}

static inline void look(struct stream *s, const struct actor *a, const struct object *objects,
			size_t num)
{
	read_all(s, a, objects, num);
	phase(s, a, TT_CENSUS_SETTLED, TT_CENSUS_AUDIT);
}

#endif
