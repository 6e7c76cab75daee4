/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * One look at one allocator: what its set holds, whether it could be read as a whole, what each
 * buffer occupies, and what is occupied by none. Private to the census*.c.
 *
 * A block may be taken whose buffer is not in the set yet. So the look is repeated, and orphans are
 * the blocks that remain.
 */
#ifndef TTTRACE_CENSUS_LOOK_H
#define TTTRACE_CENSUS_LOOK_H

#include "target/census.h"
#include "target/object.h"

enum {
	LOOK_MAX_DEVICES = 64 /* that the buffers of one allocator are on; one or two in practice */
};

struct look_buffer {
	__u64 buffer, unique_id;
	__u64 body_at;	       /* where its body lies, which it may have apart */
	__u64 per_bank;	       /* bytes; 0: not known */
	struct block *block;   /* while it is measured */
	int device;	       /* index into census_look.devices */
	__u8 faults;	       /* enum tt_record_fault */
	bool is_absent;	       /* swapped out */
	bool is_freed;	       /* its memory went in bulk */
	bool is_valid;	       /* belongs to this allocator, and is allocated */
	bool is_inherited;     /* from the process that this one was forked from */
	bool may_be_inherited; /* the parent may have freed it since */
	__u8 body[TT_BODY_SIZE];
};

/* A block that is taken, and that no buffer of the allocator owns. */
struct look_orphan {
	__u64 address;
	__u64 per_bank; /* bytes */
	enum tt_buffer_type type;
	enum tt_orphan_doubt doubt;
};

struct look_device {
	struct tt_device device;
	__u8 faults;
	__u32 state;	    /* enum tt_device_state */
	size_t num_buffers; /* valid ones */
};

struct census_look {
	__u64 begin_ns, end_ns; /* CLOCK_BOOTTIME */
	__u64 claimed;		/* elements, as the set says */
	bool is_whole;
	bool is_absent; /* part of the set itself is swapped out */
	bool has_lists; /* of each type, and none contradicts itself: it is no dead allocator's */
	bool is_alive;	/* so an allocator lives here, whatever its set leads to */
	bool is_empty;	/* a set, but without elements */
	bool is_explained; /* of what changes meanwhile there are records */
	bool inherits;	   /* some of it is the parent's, see census_parent.h */
	struct look_buffer *buffers;
	size_t num_buffers, num_valid;
	/* 1 << enum tt_buffer_type: whose free lists were read, and could not be */
	__u32 types, types_unread;
	__u32 types_unsure; /* of the unread: no buffer has a block; they may have come and gone */
	struct look_orphan *orphans;
	size_t num_orphans;
	struct look_device devices[LOOK_MAX_DEVICES];
	int num_devices;
};

/*
 * Looks until the look is whole, or long enough. @is_known: an allocator is there, so even one of
 * which no buffer is whole at the moment is looked at again.
 * Returns 0; -ENOENT: that is no allocator, or it has no buffers; -ENODATA: its buffers are not
 * present; -ESRCH, -EPERM: nothing of the process can be read; -ENOMEM. To be released by
 * census_look__done() in any case.
 */
int census_look__take(const struct object_space *space, const struct census_target *target,
		      __u64 allocator, bool is_known, struct census_look *ret_look);
void census_look__done(struct census_look *look);

#endif
