/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A free that has come to its end: which class it is of, who hears of it, and what becomes of the
 * buffer. Part of the ledger.
 */
#ifndef TTTRACE_RELEASE_H
#define TTTRACE_RELEASE_H

#include "core/ledger_impl.h"

struct release {
	struct process *process;
	const struct free_note *note; /* what deallocate_impl showed; NULL: it was not seen */
	__u64 pointer;
	__u64 allocator; /* object; 0: not known */
	__u64 ts_ns;
	__u32 tid;
	__u32 nr;		     /* the entry of the buffer, BUFFER_NONE */
	const struct process *owner; /* the ancestor that has it, or NULL */
};

/* The entry of a Buffer, unless another generation of it is what we have. */
__u32 release__find_entry(const struct ledger *ledger, const struct process *process, __u64 pointer,
			  const struct free_note *note);

/* What is known of the buffer. Returns its device, or NULL. */
const struct device *release__describe(const struct ledger *ledger, const struct release *rel,
				       struct event_buffer *ret_buffer);

/* Why the allocation whose end @rel is failed; valid until the next one. @note: what it asked for.
 */
const struct event_shortage *ledger__explain(struct ledger *ledger, const struct release *rel,
					     const struct space_note *note);

/* Decided at deallocate_impl itself: no memory is concerned. */
void release__attempt(struct ledger *ledger, const struct release *rel, enum free_class class,
		      struct space_note *space);
/* Memory has gone back. Returns 0 or -ENOMEM. */
int release__done(struct ledger *ledger, const struct release *rel);
/* No memory has gone back. */
void release__undone(struct ledger *ledger, const struct release *rel);

#endif
