/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * An allocator of a process, for one device: how many banks it has, and what is live in it. Known
 * by (Allocator *, IDevice *). Once the object is gone it is dead: out of the table, but kept as
 * long as a buffer refers to it.
 */
#ifndef TTTRACE_ALLOCATOR_H
#define TTTRACE_ALLOCATOR_H

#include <sys/queue.h>

#include "core/buffers.h"
#include "core/device.h"
#include "core/table.h"

struct allocator_key {
	__u64 object;
	__u64 device;
};

struct allocator {
	struct allocator_key key;
	__u32 number; /* in the table below */
	struct device *device;
	__u32 num_banks[TT_TYPE_COUNT];	 /* 0: unknown */
	__u64 bank_size[TT_TYPE_COUNT];	 /* bytes; 0: unknown */
	__u64 bank_live[TT_TYPE_COUNT];	 /* bytes occupied in each bank */
	bool has_unsized[TT_TYPE_COUNT]; /* bank_live is less than the truth */
	struct buffer_list live;
	__u64 remembered; /* ended buffers that refer to it */
	bool dead;
	/* by address: made when it is first asked for, kept up to date from then on */
	bool addressed;
	struct buffer_index by_address[TT_TYPE_COUNT];
	TAILQ_ENTRY(allocator) entry; /* of all allocators of the process */
	UT_hash_handle hh;
};

TAILQ_HEAD(allocator_list, allocator);

/* Number → allocator, over all processes: an entry of a buffer has room for a number only. */
struct allocator_table {
	struct allocator **at;
	__u32 count;
	__u32 room;
};

/* NULL: not known, or dead. */
struct allocator *allocator__find(struct process *process, __u64 object, __u64 device);

/* Returns 0 or -ENOMEM. */
int allocator__new(struct allocator_table *table, struct device *device, __u64 object,
		   struct allocator **ret_allocator);

/* Its object is gone, or is another one now. Frees it when nothing refers to it. */
void allocator__kill(struct allocator_table *table, struct allocator *allocator);

/* Frees @allocator if it is dead and nothing refers to it any more. */
void allocator__drop(struct allocator_table *table, struct allocator *allocator);

/* Frees it, whatever refers to it. */
void allocator__free(struct allocator_table *table, struct allocator *allocator);

void allocator_table__done(struct allocator_table *table);

/*
 * The live buffer that occupies @address, other than those that lost it; BUFFER_NONE: none.
 * Returns 0 or -ENOMEM.
 */
int allocator__at_address(struct allocator *allocator, const struct buffers *buffers, __u32 type,
			  __u64 address, __u32 *ret_nr);

/* @buffer, number @nr, takes or gives back its memory. add: returns 0 or -ENOMEM. */
int allocator__occupy(struct allocator *allocator, const struct buffer *buffer, __u32 nr);
void allocator__vacate(struct allocator *allocator, const struct buffer *buffer, __u32 nr);

/* Bytes free in each bank for @type; 0: unknown. */
__u64 allocator__bank_free(const struct allocator *allocator, __u32 type);

#endif
