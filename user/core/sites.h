/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Where the memory of a device was allocated: for each stack and type of memory what is live, what
 * was live when the device held the most of that type, and what was ever allocated. Kept up to date
 * with each buffer, for at a report the peak is long past. Bytes are on each chip.
 *
 * What the peak was made of needs no copy of it: a site notes what it had at the peak only when it
 * changes afterwards (see settle()).
 */
#ifndef TTTRACE_SITES_H
#define TTTRACE_SITES_H

#include "core/buffers.h"
#include "lib/table.h"

struct site_key {
	__u32 stack; /* number of the stack; 0: not known */
	__u32 type;  /* enum tt_buffer_type; TT_TYPE_COUNT: unknown */
};

struct site_sum {
	__u64 buffers;
	__u64 bytes; /* footprint */
};

static inline void site_sum__add(struct site_sum *sum, const struct buffer *buffer)
{
	sum->buffers++;
	sum->bytes += buffer->footprint;
}

static inline void site_sum__sub(struct site_sum *sum, const struct buffer *buffer)
{
	sum->buffers--;
	sum->bytes -= buffer->footprint;
}

static inline void site_sum__fold(struct site_sum *sum, const struct site_sum *other)
{
	sum->buffers += other->buffers;
	sum->bytes += other->bytes;
}

struct site {
	struct site_key key;
	struct site_sum live;
	struct site_sum at_peak; /* as of peak number … */
	__u64 peak;		 /* … this; see site__at_peak() */
	struct site_sum leaked;	 /* the verdict */
	struct site_sum allocated;
	__u64 temporary; /* freed again before the next allocation on the device */
	UT_hash_handle hh;
};

/* Zeroed: none. */
struct sites {
	struct site *table;
	__u64 peak[TT_TYPE_COUNT + 1]; /* how often the most that was held has risen, by type */
};

/* Makes sure that there is a site of @stack and @type. Returns 0 or -ENOMEM. */
int sites__meet(struct sites *sites, __u32 stack, __u32 type);
/* NULL: there is none. */
struct site *sites__find(const struct sites *sites, __u32 stack, __u32 type);

/* @buffer comes, or goes; nothing if it has no site. */
void sites__add(struct sites *sites, const struct buffer *buffer);
void sites__sub(struct sites *sites, const struct buffer *buffer);
/*
 * The stack of @buffer, which has come, gets known: it goes over to its site, which there is, and
 * takes its part of the peak along. Where that is not known any more, since the site that it comes
 * from has changed after the peak, the part stays behind.
 */
void sites__explain(struct sites *sites, struct buffer *buffer, __u32 stack);
/* What is live now of @type is the most so far. */
void sites__mark_peak(struct sites *sites, __u32 type);

/* What @site had when its device held the most of its type. */
struct site_sum site__at_peak(const struct sites *sites, const struct site *site);

/*
 * The sites of another life of the same device, which is over, come to @sites, and nothing is left
 * in @other. Of each type in @higher (1 << type) the peak is that of @other.
 */
void sites__fold(struct sites *sites, struct sites *other, __u32 higher);
void sites__done(struct sites *sites);

#endif
