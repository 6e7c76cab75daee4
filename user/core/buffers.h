/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The table of buffers: one slab of 72-byte entries for all processes, doubly linked lists
 * through them, and an index from Buffer * to entry for each process.
 *
 * The index is a JudyL array (libjudy), not a hash table: it grows by small steps, where a table
 * that doubles stops the tracer. Measured for ten million pointers 560 bytes apart: JudyL 19
 * bytes and 133 ns an insertion, 1.8 ms the longest; uthash 56 bytes, 658 ns, 988 ms.
 *
 * Entries are named by a number, which is stable until buffers__release(). Knows nothing of
 * processes, allocators or records.
 */
#ifndef TTTRACE_BUFFERS_H
#define TTTRACE_BUFFERS_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "tttrace_config.h"

#define BUFFER_NONE 0xffffffffu

/* In which list an entry is. */
enum buffer_state {
	BUFFER_UNUSED,
	BUFFER_LIVE,	 /* of its allocator */
	BUFFER_ENDED,	 /* ended without a free of its own; remembered in case one comes */
	BUFFER_LEAK_ROW, /* judged and gone; kept for the report */
};

/* How a buffer ended without a free of its own. */
enum buffer_ending {
	ENDING_NONE,
	ENDING_DEALLOCATE_BUFFERS,
	ENDING_CLEAR,
	ENDING_OVERRIDE_STATE,
	ENDING_ALLOCATOR_DESTROYED,
	ENDING_COUNT
};

enum buffer_flag {
	BUFFER_HAS_ID = 1 << 0,
	BUFFER_HAS_ADDRESS = 1 << 1,
	BUFFER_HAS_FOOTPRINT = 1 << 2,
	BUFFER_INDEXED = 1 << 3,      /* reachable by its pointer */
	BUFFER_COUNTED = 1 << 4,      /* its bytes are in the totals */
	BUFFER_LEAKED = 1 << 5,	      /* the verdict: a leak */
	BUFFER_DOUBTFUL = 1 << 6,     /* the verdict: unknown, for records were lost */
	BUFFER_HELD = 1 << 7,	      /* the verdict: held by the runtime itself */
	BUFFER_SUPPRESSED = 1 << 8,   /* its free gave nothing back */
	BUFFER_VICTIM = 1 << 9,	      /* its memory was given back by another buffer's free */
	BUFFER_FREEING = 1 << 10,     /* a free of it has begun on another thread */
	BUFFER_OVERTAKEN = 1 << 11,   /* taken back in bulk while a free of it had begun */
	BUFFER_UNSEEN = 1 << 12,      /* its allocation was not seen: a census found it */
	BUFFER_COUNTED_NOW = 1 << 13, /* told by the census that goes on */
	BUFFER_UNTOLD = 1 << 15,      /* nobody was told of it yet: its allocation may still come */
	BUFFER_MISSING = 1 << 14,     /* not told by the last census */
	BUFFER_CUT_OFF = 1 << 16,     /* the verdict: ended with its process, which was killed */
	BUFFER_ORPHAN = 1 << 17,      /* a block that no buffer owns; without a pointer */
};

struct buffer {
	__u64 pointer;
	__u64 id;
	__u64 address;
	__u64 size;
	__u64 footprint;
	__u64 alloc_ts_ns;
	__u32 allocator; /* number of its allocator in the ledger */
	__u32 page_size; /* bytes; a page fits into a bank */
	__u32 prev;
	__u32 next;
	__u32 stack;	  /* number of the stack of its allocation; 0: not known */
	__u32 flags : 18; /* enum buffer_flag */
	__u32 type : 3;	  /* enum tt_buffer_type */
	__u32 layout : 3; /* enum tt_buffer_layout */
	__u32 kind : 3;	  /* enum buffer_kind */
	__u32 state : 2;  /* enum buffer_state */
	__u32 ending : 3; /* enum buffer_ending */
};

_Static_assert(TT_TYPE_COUNT < 1 << 3 && TT_LAYOUT_COUNT < 1 << 3, "they fit");

_Static_assert(sizeof(struct buffer) == 72, "ten million of them shall fit");

enum {
	BUFFERS_PER_CHUNK = 4096
};

struct buffers {
	struct buffer **chunks;
	__u32 num_chunks;
	__u32 free_head; /* through .next */
	__u64 num_used;
};

struct buffer_list {
	__u32 head;
	__u32 tail;
	__u64 count;
};

/* From Buffer *, or an address, to the number of an entry. Zeroed: empty. */
struct buffer_index {
	void *judy;
};

void buffers__init(struct buffers *b);
void buffers__done(struct buffers *b);
/* A zeroed entry. Returns 0 or -ENOMEM. */
int buffers__take(struct buffers *b, __u32 *ret_nr);
void buffers__release(struct buffers *b, __u32 nr);

static inline struct buffer *buffers__at(const struct buffers *b, __u32 nr)
{
	return &b->chunks[nr / BUFFERS_PER_CHUNK][nr % BUFFERS_PER_CHUNK];
}

void buffer_list__init(struct buffer_list *list);
void buffer_list__append(struct buffer_list *list, struct buffers *b, __u32 nr);
void buffer_list__remove(struct buffer_list *list, struct buffers *b, __u32 nr);

/* Returns BUFFER_NONE when there is none. */
__u32 buffer_index__find(const struct buffer_index *index, __u64 key);
/* Replaces what was there. Returns 0 or -ENOMEM. */
int buffer_index__put(struct buffer_index *index, __u64 key, __u32 nr);
/* Returns 0, or -ENOMEM: Judy packs its arrays anew. */
int buffer_index__remove(struct buffer_index *index, __u64 key);
void buffer_index__done(struct buffer_index *index);
/* Bytes that the index occupies. */
size_t buffer_index__memory(const struct buffer_index *index);

#endif
