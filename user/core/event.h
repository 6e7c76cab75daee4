/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the ledger tells: one struct event for each thing that a user would want to see in a trace.
 * The ledger makes them, sinks write them. An event and all it points to is valid only during the
 * call that hands it over. Plain data; may include nothing of the project but include/.
 */
#ifndef TTTRACE_EVENT_H
#define TTTRACE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "tttrace_config.h"
#include "tttrace_record.h"

enum event_kind {
	EVENT_ALLOC,
	EVENT_FREE,
	EVENT_ALLOC_FAILED,
	EVENT_BULK_FREE,
	EVENT_DEVICE_OPEN,
	EVENT_DEVICE_CLOSE,
	EVENT_PROCESS_START,
	EVENT_PROCESS_EXIT,
	EVENT_LOST,
	EVENT_CENSUS,
	EVENT_LEAK,
	EVENT_ENDED, /* with its process, which a signal ended: no leak */
	EVENT_KIND_COUNT
};

/* What a buffer is: the words of design.md. */
enum buffer_kind {
	KIND_OWNING,
	KIND_VIEW,
	KIND_HOOKED,
	KIND_ZERO_SIZE,
	KIND_SYSTEM,
	KIND_COUNT
};

/* What a free is: the words of design.md. */
enum free_class {
	CLASS_MATCHED,
	CLASS_ZERO_SIZE,
	CLASS_HOOKED,
	CLASS_VIEW,
	CLASS_DEVICE_CLOSED,
	CLASS_REPEATED,
	CLASS_FAILED_ALLOC,
	CLASS_PRE_ATTACH,
	CLASS_BULK_FREED,
	CLASS_FOREIGN,
	CLASS_SUPPRESSED,
	CLASS_LOST,
	CLASS_UNKNOWN,
	CLASS_COUNT
};

/* What its memory is for, as the stack of its allocation tells, or its type. */
enum owner {
	OWNER_UNKNOWN,
	OWNER_TENSOR,
	OWNER_KERNEL_BINARY, /* of a program in the cache */
	OWNER_PROGRAM_CACHE, /* what else a program in the cache holds */
	OWNER_TRACE,
	OWNER_SEMAPHORE,       /* a global one */
	OWNER_CIRCULAR_BUFFER, /* what a global one lies in */
	OWNER_SOCKET,
	OWNER_OTHER,
	OWNER_COUNT
};

/* Where a buffer is: one allocator's device, as far as it is known. */
struct event_device {
	__u64 object; /* IDevice * */
	bool is_mesh;
	__u32 mesh_id; /* TT_NO_MESH: not a mesh, or unknown */
	__u32 num_chips;
	const __u32 *chips; /* sorted chip ids */
	bool chips_cut;	    /* the mesh has more chips than a record carries */
};

struct event_process {
	__u32 pid;
	__u64 start_ns;
	const char *comm;
};

/* One frame of a stack: the call that was going on there. */
struct event_frame {
	const char *function; /* demangled, without its parameters; NULL: not known */
	const char *image; /* the file, as the first process that showed it saw it; of Python: the
			      source */
	__u32 line;	   /* in that; 0: it is machine code */
	__u64 vaddr;	   /* in the file */
	__u64 offset;	   /* behind the begin of the function */
};

#define STACK_NO_FRAME 0xffffffffu

struct event_stack {
	__u32 number;
	enum tt_stack_end end;
	enum owner owner;
	const char *op;	     /* the operation, see origin.h; NULL: there is none */
	const char *factory; /* that made a program for the cache, see origin.h; NULL: none */
	__u32 op_frame;	     /* in which it was called; STACK_NO_FRAME */
	__u32 num_frames;
	const struct event_frame *frames[]; /* innermost first */
};

struct event_buffer {
	__u64 buffer; /* Buffer * */
	__u64 id;     /* the runtime's unique_id_ */
	bool has_id;
	__u64 allocator;
	__u64 address;
	bool has_address;
	__u64 size;	 /* asked for, bytes */
	__u64 footprint; /* occupied on each chip, all banks together, bytes */
	bool has_footprint;
	__u32 num_banks; /* 0: unknown */
	__u32 type;	 /* enum tt_buffer_type; TT_TYPE_COUNT: unknown */
	__u32 layout;	 /* enum tt_buffer_layout; TT_LAYOUT_COUNT: unknown */
	__u64 page_size;
	enum buffer_kind kind;
	__u64 alloc_ts_ns;		 /* 0: unknown */
	bool is_older;			 /* allocated before that: a census found it */
	bool is_orphan;			 /* a block that no buffer owns: .size is its footprint */
	const struct event_stack *stack; /* of its allocation; NULL: not known, or not wanted */
	enum owner owner;
};

/* The banks of one type of memory of one allocator: all are alike. Bytes are in each bank. */
struct event_space {
	__u64 allocator;
	__u32 type;	 /* enum tt_buffer_type */
	__u32 num_banks; /* 0: unknown */
	__u64 size;	 /* of a bank; 0: unknown */
	__u64 held;	 /* by what is live, as far as it was seen */
	bool has_free;
	__u64 free;
	bool has_hole;
	__u64 hole;	 /* the largest one */
	const char *why; /* why free, or the hole, is not known; else NULL */
};

/* Who holds a part of it: live buffers of one kind whose sizes are alike. */
struct event_holder {
	enum buffer_kind kind;
	__u32 size_class; /* see size_class.h */
	__u64 buffers;
	__u64 size;	 /* asked for, bytes */
	__u64 footprint; /* on each chip, bytes */
	__u64 per_bank;	 /* in each bank, bytes; 0: unknown */
	__u64 unsized;	 /* buffers of unknown footprint, missing in both */
	bool has_ages;
	bool is_older;	 /* some were found by a census: the oldest may be older than that */
	__u64 oldest_ns; /* age */
	__u64 newest_ns;
};

/* The same by the code that allocated it. */
struct event_held {
	const struct event_stack *stack; /* NULL: not known */
	enum owner owner;
	__u64 buffers;
	__u64 footprint; /* on each chip, bytes */
	__u64 per_bank;	 /* in each bank, bytes */
};

/* Another allocator, of the same or another process, that holds the same memory of these chips. */
struct event_rival {
	const struct event_process *process;
	const struct event_device *device;
	__u64 buffers;
	__u64 bytes; /* on each of its chips */
};

/* Would it have fitted? */
enum fit {
	FIT_UNKNOWN,
	FIT_TOO_LARGE,	/* not even into an empty bank */
	FIT_FULL,	/* less is free than was asked for */
	FIT_FRAGMENTED, /* enough is free, but no hole is as large */
	FIT_REFUSED,	/* there is a hole that is large enough: it failed for another reason */
	FIT_COUNT
};

enum {
	HOLDERS_MAX = 130, /* two kinds, 65 classes of size */
	RIVALS_MAX = 16,
	HELD_MAX = 8,
};

/* Why an allocation failed. */
struct event_shortage {
	struct event_space space;
	__u64 asked; /* in each bank, rounded as the free list does; 0: unknown */
	enum fit fit;
	struct event_holder holders[HOLDERS_MAX]; /* most bytes first */
	__u32 num_holders;
	struct event_held held[HELD_MAX]; /* most bytes first; none where stacks are not known */
	__u32 num_held;
	__u64 held_left_out; /* stacks for which there was no room */
	struct event_rival rivals[RIVALS_MAX];
	__u32 num_rivals;
	__u64 rivals_left_out; /* for which there was no room */
};

struct event {
	enum event_kind kind;
	__u64 ts_ns;
	__u32 tid;
	const struct event_process *process; /* NULL: of no process */
	const struct event_device *device;   /* NULL: of no device, or unknown */
	const struct event_buffer *buffer;   /* NULL: of no buffer */
	/* EVENT_FREE; EVENT_ALLOC of a buffer whose allocation was not seen: pre_attach or lost */
	enum free_class class;
	/* EVENT_FREE of another class than matched: by what code; NULL: not known */
	const struct event_stack *stack;
	/* EVENT_FREE of another class than matched, EVENT_BULK_FREE, EVENT_LEAK …: in words */
	const char *why;
	/* EVENT_BULK_FREE, EVENT_DEVICE_CLOSE: what went, or was live */
	__u64 num_buffers;
	__u64 bytes; /* on each chip */
	/*
	 * EVENT_CENSUS: num_buffers and bytes were found, .orphans of them blocks without a buffer;
	 * what the ledger had wrong; which free lists that was compared with, and which could not
	 * be read (1 << enum tt_buffer_type); enum tt_census_reason; whether all could be read
	 */
	__u64 orphans;
	__u64 orphan_bytes;
	__u64 added;
	__u64 removed;
	__u64 resized;
	__u32 types;
	__u32 types_unread;
	__u32 reason;
	bool whole;
	/* EVENT_ALLOC_FAILED */
	const struct event_shortage *shortage;
	/* EVENT_PROCESS_EXIT: as of wait(2) */
	__u32 exit_code;
	/* EVENT_LOST: since the last such event; see struct tt_counters. NULL: of unknown kinds */
	const struct tt_counters *lost;
	__u64 lost_records; /* how many records that is in all, or of the process alone */
};

const char *event__kind_name(enum event_kind kind);   /* "alloc", … of the JSON contract */
const char *buffer_kind__name(enum buffer_kind kind); /* "owning", … */
const char *free_class__name(enum free_class class);  /* "matched", … */
const char *owner__name(enum owner owner);	      /* "tensor", …; NULL: unknown */
const char *fit__name(enum fit fit);		      /* "fragmented", …; "unknown" */
const char *buffer_type__name(__u32 type);	      /* "DRAM", …; "?" */
const char *buffer_layout__name(__u32 layout);	      /* "INTERLEAVED", …; "?" */
const char *probe__name(__u32 probe);		      /* enum tt_probe: "buffer_create", … */
const char *mode__name(enum tt_mode mode);	      /* "default", "lean", "all" */
const char *record_kind__name(__u32 kind);	      /* enum tt_record_kind: "alloc", … */
const char *stack_end__name(enum tt_stack_end end);   /* "complete", "cut", … */
const char *census_reason__name(__u32 reason);	      /* "attach", "repair", "audit" */

#endif
