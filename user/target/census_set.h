/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A libstdc++ std::unordered_set of pointers in another process (bits/hashtable.h). Private to the
 * census*.c.
 *
 * Its nodes are a chain, which takes a system call a node to follow. But each bucket leads to the
 * node before its first one, so the buckets together lead to most nodes at once, and those to the
 * rest: so the nodes are read hundreds at a time, and the chain is followed here.
 */
#ifndef TTTRACE_CENSUS_SET_H
#define TTTRACE_CENSUS_SET_H

#include "target/memory.h"

struct set_header {
	__u64 buckets, num_buckets, first, count;
};

enum {
	SET_COUNT_AT = 24, /* where in the set its count is, bytes */
	SET_MAX_ELEMENTS = 1 << 22,
};

/* What was found, in the order of the chain. To be zeroed before, freed by census_set__done(). */
struct census_set {
	struct set_header header;
	__u64 *elements;
	size_t count;
	bool is_copy; /* of the bytes of another set: of its buckets none leads to this one */
};

/*
 * Reads the set at @addr. Returns 0; -ENOENT: that is no set, or it is empty; -EAGAIN: its chain is
 * a ring, or not as long as the set says, as while an element comes or goes; -ENODATA, -EFAULT: it
 * leads to where nothing can be read; all with what was found until then; -ESRCH, -EPERM, -ENOMEM.
 */
int census_set__read(struct memory *memory, __u64 addr, struct census_set *set);
void census_set__done(struct census_set *set);

/* Has a set with @header no elements? */
bool census_set__is_empty(const struct set_header *header);

bool census_set__equal(const struct census_set *a, const struct census_set *b);

#endif
