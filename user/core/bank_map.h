/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What occupies the banks of one type of memory of one allocator, in order of address: where the
 * holes are, and who holds the rest. All banks of a type are alike: allocation is in lock-step.
 *
 * Everything is kept up to date with each buffer that comes or goes, so that a thousand failed
 * allocations in a row cost no walk over what is live. For that the holes between two neighbours
 * are counted by their length; those at the edges of the bank depend on where it begins and ends,
 * which is for the asker to say.
 *
 * Contradictions (two buffers at one place) are counted, not resolved: as long as there is one the
 * holes are unknown. A map is an index that can be made again from the list of live buffers; when
 * memory runs out it says so, and is only fit to be freed then.
 */
#ifndef TTTRACE_BANK_MAP_H
#define TTTRACE_BANK_MAP_H

#include <stdbool.h>
#include <linux/types.h>

#include "core/buffers.h"
#include "core/event.h"

struct bank_map;

/* @buffers must outlive it. Returns 0 or -ENOMEM. */
int bank_map__new(const struct buffers *buffers, __u32 num_banks, struct bank_map **ret_map);
void bank_map__free(struct bank_map *map);

/* Buffer @nr comes, or goes. What is read of it must not change in between. 0 or -ENOMEM. */
int bank_map__put(struct bank_map *map, __u32 nr);
int bank_map__remove(struct bank_map *map, __u32 nr);

/* The buffer that begins at @address, or BUFFER_NONE. */
__u32 bank_map__at(const struct bank_map *map, __u64 address);

/*
 * The longest hole in a bank of @size bytes from @base. Returns false if that is not known: what
 * is there overlaps, or does not lie in the bank.
 */
bool bank_map__largest_hole(const struct bank_map *map, __u64 base, __u64 size, __u64 *ret_bytes);

/*
 * Who holds what, by kind and class of size, most bytes first. Writes at most HOLDERS_MAX, which
 * is as many as there can be. Ages are at @ts_ns.
 */
__u32 bank_map__holders(const struct bank_map *map, __u64 ts_ns, struct event_holder *ret_holders);

#endif
