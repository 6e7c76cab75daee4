/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* For streams in which a process loses records, one process of a stream. */
#ifndef TTTRACE_TEST_LOSING_H
#define TTTRACE_TEST_LOSING_H

#include "stream.h"

/* @a loses @records of @kind: its next record tells of it. */
static inline void losing(struct stream *s, const struct actor *a, __u32 kind, __u32 records)
{
	s->loser_tgid = a->tgid;
	if (1u << kind & TT_KINDS_BEGIN)
		s->loser.lost_begin += records;
	else if (1u << kind & TT_KINDS_END)
		s->loser.lost_end += records;
	else
		s->loser.lost_other += records;
}

/* What the map of processes has of @a. */
static inline struct tt_record_process losing_process(struct stream *s, const struct actor *a)
{
	return (struct tt_record_process){
		.h = { .kind = TT_RECORD_PROCESS_LOST,
		       .probe = TT_PROBE_COUNT,
		       .tgid = a->tgid,
		       .tid = a->tgid,
		       .start_ns = a->start_ns,
		       .ts_ns = ++s->ts_ns,
		       .lost_begin = s->loser.lost_begin,
		       .lost_end = s->loser.lost_end },
		.lost_other = s->loser.lost_other,
	};
}

static inline void losing_tell(struct stream *s, const struct actor *a)
{
	struct tt_record_process rec = losing_process(s, a);

	stream_apply(s, &rec, sizeof(rec));
}

/* The same after @a has ended with @exit_code, when the record of that is among what was lost. */
static inline void losing_end(struct stream *s, const struct actor *a, __u32 exit_code)
{
	struct tt_record_process rec;

	losing(s, a, TT_RECORD_PROCESS_EXIT, 1);
	rec = losing_process(s, a);
	rec.flags = TT_PROCESS_ENDED;
	rec.exit_code = exit_code;
	stream_apply(s, &rec, sizeof(rec));
}

/* The same when the counters, which are zero but for this, are read afterwards. */
static inline void losing_counted(struct stream *s, const struct actor *a, __u32 kind,
				  __u32 records)
{
	struct tt_counters counters = { 0 };

	counters.lost[kind] = records;
	losing(s, a, kind, records);
	losing_tell(s, a);
	stream_counters(s, &counters);
}

#endif
