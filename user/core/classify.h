/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Which kind a buffer is of, and which class a free. Pure functions of facts that the ledger
 * gathers; nothing here looks anything up.
 *
 * A free is seen at three places: deallocate_impl (every attempt), track_deallocate (only on a
 * living device) and deallocate_buffer (memory really goes back). Some classes can be told at the
 * first place; the others when the free has come to its end, which is deallocate_buffer, or
 * something else that the same thread does next.
 */
#ifndef TTTRACE_CLASSIFY_H
#define TTTRACE_CLASSIFY_H

#include <stdbool.h>

#include "core/buffers.h"
#include "core/event.h"
#include "core/record.h"

enum buffer_kind classify__buffer(const struct body *body, __u32 device_state);

/* The class of an attempt, or CLASS_COUNT: it must be seen to its end. */
enum free_class classify__attempt(const struct body *body);

/* What is known when memory has really gone back. */
struct done_facts {
	bool live;	       /* we have the buffer as live */
	bool ended;	       /* we had it; it ended without a free of its own */
	bool live_in_ancestor; /* a parent has it, from before the fork */
	bool before_attach;    /* the process used the runtime before it was traced */
	bool id_before_attach; /* and the buffer's id is below the first that we saw … */
	bool id_after_attach;  /* … or not */
	bool forked;
	bool may_be_lost;   /* allocations were lost */
	bool forgotten;	    /* ended buffers of this process had to be forgotten */
	bool device_closed; /* its device was closed before */
};

enum free_class classify__done(const struct done_facts *facts);

/* A free that ended without giving memory back. */
struct undone_facts {
	bool known;   /* we have the buffer, live or ended */
	bool tracked; /* track_deallocate was seen */
	bool lost;    /* records were lost while it went on */
	bool forked;
};

enum free_class classify__undone(const struct undone_facts *facts);

/* The general reason of a class, in words; NULL for CLASS_MATCHED. */
const char *free_class__why(enum free_class class);

/* A free that tells of a mistake, of the program or of ours; the others are harmless. */
bool free_class__is_harmless(enum free_class class);

/* What took the memory, in words: "deallocate_buffers()", … */
const char *buffer_ending__words(enum buffer_ending ending);

/* enum tt_probe of a bulk free to how its buffers end. */
enum buffer_ending classify__bulk(__u32 probe);

#endif
