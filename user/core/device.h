/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A device of a process: one life of a Device or MeshDevice object, from the first that is seen of
 * it to its closing. When the object is opened again, or another one is made at its address, that
 * is a new struct device. Kept for the report until its process is dropped.
 */
#ifndef TTTRACE_DEVICE_H
#define TTTRACE_DEVICE_H

#include "core/buffers.h"
#include "core/event.h"
#include "core/sites.h"
#include "core/usage.h"

struct allocator;
struct process;

enum {
	DEVICES_MIN = 64
}; /* lives of devices kept apart in a process before any are folded */

enum {
	SPACES_MAX = 8
}; /* types of memory of the allocators of a device that are told of */

/* What the verdict found. */
struct verdict_sum {
	__u64 buffers;
	__u64 bytes;   /* footprint, on each chip */
	__u64 size;    /* asked for */
	__u64 unsized; /* buffers of unknown footprint, missing in bytes */
};

/* Where the buffers of one type lie, in each of its banks: of all allocators of the device. */
struct region {
	__u64 from, to; /* addresses; to 0: unknown, or there is none */
	__u32 banks;
};

struct device {
	struct event_device pub;
	__u32 chips[TT_MAX_CHIPS];
	__u32 chip_slots[TT_MAX_CHIPS]; /* places of those in the process's array */
	struct process *process;
	struct device *next; /* the one that was known before */
	__u32 number;	     /* in the process, from 0 */
	__u32 lives;	     /* how many lives are folded into this one: usually 1 */
	__u32 allocators;    /* that refer to it */
	__u32 kind;	     /* enum tt_device_kind */
	bool opened;	     /* its opening was seen */
	bool asked;	     /* the program itself asked for the closing */
	bool closed;	     /* the verdict has been given */
	bool is_covered;     /* it has had memory: see chips.h */
	__u64 open_ts_ns;    /* when first seen */
	__u64 close_ts_ns;
	struct region regions[TT_TYPE_COUNT];
	struct usage usage; /* on each of its chips */
	struct sites sites; /* by what code; empty where stacks are not wanted */
	__u32 newest;	    /* its live buffer that was allocated last; BUFFER_NONE: freed since */
	__u64 allocs[KIND_COUNT];
	__u64 live[KIND_COUNT];
	__u64 frees; /* that gave memory back */
	__u64 bulk_freed;
	struct verdict_sum leaked;
	struct verdict_sum cut_off; /* ended with the process, which a signal ended */
	struct verdict_sum doubtful;
	struct verdict_sum held;	       /* by the runtime itself: live, or at the verdict */
	struct verdict_sum orphans;	       /* blocks that no buffer owns: likewise */
	struct event_space spaces[SPACES_MAX]; /* what was free when it was closed, or ended */
	__u32 num_spaces;
	struct buffer_list leaks; /* leaked, cut off, doubtful or held, and gone since */
};

/* The latest life of @object in @process, or NULL. */
struct device *device__find(const struct process *process, __u64 object);

/*
 * The life that @seen belongs to: the latest one of its object if that is not closed and
 * contradicts nothing, else a new one. What was unknown of it is filled in. Returns 0 or -ENOMEM.
 * *ret_old, if not NULL, is the open life that the new one contradicts, else NULL.
 */
int device__meet(struct process *process, struct buffers *buffers, const struct tt_device *seen,
		 __u8 faults, __u64 ts_ns, struct device **ret_old, struct device **ret_device);

/* A device of which only the address is known. Returns 0 or -ENOMEM. */
int device__meet_object(struct process *process, struct buffers *buffers, __u64 object, __u64 ts_ns,
			struct device **ret_device);

/*
 * A program may open and close its devices ten thousand times, as tests do. Lives that are over and
 * left nothing behind are folded into the latest one of the same chips: when there are too many,
 * and then, once no more can come, all of them, so that their number is not that of some.
 */
void device__fold_all(struct process *process, struct buffers *buffers);

/* It is in no list. */
void device__free(struct device *device);

/* A buffer comes to, or leaves, the totals of its device, of its chips and of its process. */
void device__add(struct allocator *allocator, const struct buffers *buffers,
		 const struct buffer *buffer);
void device__sub(struct allocator *allocator, const struct buffer *buffer);

/* Buffer @nr is allocated; or it was none, and is taken out of the number of those that were. */
void device__count_alloc(struct device *device, const struct buffer *buffer, __u32 nr);
void device__take_back(struct device *device, const struct buffer *buffer);
/* What @buffer, which was counted when that was not known, occupies is known now. */
void device__add_footprint(struct device *device, const struct buffer *buffer);
/* Live buffer @nr is freed, by a free of its own; it leaves, in whatever way. */
void device__count_free(struct device *device, const struct buffer *buffer, __u32 nr);
void device__count_end(struct device *device, const struct buffer *buffer, __u32 nr);

/* @buffer, which is counted, is of @kind. */
void device__change_kind(struct device *device, struct buffer *buffer, enum buffer_kind kind);

/* The verdict on @buffer: it leaked; or not, after all. */
void device__add_leak(struct device *device, const struct buffer *buffer);
void device__sub_leak(struct device *device, const struct buffer *buffer);

void verdict_sum__add(struct verdict_sum *sum, const struct buffer *buffer);
void verdict_sum__sub(struct verdict_sum *sum, const struct buffer *buffer);
void verdict_sum__fold(struct verdict_sum *sum, const struct verdict_sum *other);
void verdict_sum__take(struct verdict_sum *sum, const struct verdict_sum *other);
/* What is @on_each chip of @device: all of them together. */
void verdict_sum__add_on_all_chips(struct verdict_sum *sum, const struct verdict_sum *on_each,
				   const struct event_device *device);

#endif
