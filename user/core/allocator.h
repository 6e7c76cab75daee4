/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * An allocator of a process, for one device: how many banks it has, and what is live in it. Known
 * by (Allocator *, IDevice *). Once the object is gone it is dead: out of the table, but kept as
 * long as a buffer refers to it.
 */
#ifndef TTTRACE_ALLOCATOR_H
#define TTTRACE_ALLOCATOR_H

#include <sys/queue.h>

#include "core/bank_map.h"
#include "core/buffers.h"
#include "core/device.h"
#include "lib/table.h"

struct allocator_key {
	__u64 object;
	__u64 device;
};

struct allocator {
	struct allocator_key key;
	__u32 number; /* in the table below */
	struct device *device;
	__u32 num_banks[TT_TYPE_COUNT];	 /* 0: unknown */
	__u64 bank_size[TT_TYPE_COUNT];	 /* bytes, the latest that was seen; 0: unknown */
	__u64 bank_base[TT_TYPE_COUNT];	 /* the address at which a bank begins; 0: unknown */
	__u64 bank_live[TT_TYPE_COUNT];	 /* bytes occupied in each bank */
	bool has_unsized[TT_TYPE_COUNT]; /* bank_live is less than the truth */
	__u64 bank_most[TT_TYPE_COUNT];	 /* the most that a bank was seen to have */
	bool has_untyped;		 /* what holds memory of an unknown type */
	bool is_overridden;		 /* ranges were marked for which there is no buffer */
	struct buffer_list live;
	__u64 orphans;	  /* of these, see orphans.h */
	__u64 remembered; /* ended buffers that refer to it */
	__u64 census_ns;  /* when it was last read as a whole */
	bool dead;
	bool inherits;	  /* a census saw what its process has of its parent */
	bool is_beside;	  /* its device had one already: of a sub-device, with banks of its own */
	bool maps_always; /* make them at the first buffer, not when they are asked for */
	struct bank_map *map[TT_TYPE_COUNT]; /* NULL: none yet; up to date once it is there */
	TAILQ_ENTRY(allocator) entry;	     /* of all allocators of the process */
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

/* Is there a live buffer of which it is not known what it occupies? */
bool allocator__is_unsized(const struct allocator *allocator);

/* What was told of unknown footprints may have got known for all that live. */
void allocator__recheck(struct allocator *allocator, const struct buffers *buffers);

/* Buffer @nr, not in the list of live ones yet, or no more, takes or gives back its memory. */
void allocator__occupy(struct allocator *allocator, const struct buffers *buffers, __u32 nr);
void allocator__vacate(struct allocator *allocator, const struct buffers *buffers, __u32 nr);

/* The banks of @type are seen to have @bytes each. */
void allocator__resize(struct allocator *allocator, __u32 type, __u64 bytes);

/* Makes the map of @type if there is none. Returns 0 or -ENOMEM. */
int allocator__map(struct allocator *allocator, const struct buffers *buffers, __u32 type);

/*
 * How much of @type is free, and the largest hole, which takes a map: without one, one is made for
 * the occasion if @walk, in a time that grows with what is live.
 */
void allocator__survey(const struct allocator *allocator, const struct buffers *buffers, __u32 type,
		       bool walk, struct event_space *ret_space);

#endif
