/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Memory that no buffer owns: a block that is taken in an allocator's free list, and of which a
 * census found no buffer. A graph capture that suppresses a free leaves one behind. It is entered
 * as a buffer without a pointer, so that what is held and free is what the allocator says. Of a
 * free that was suppressed under our eyes the buffer itself stays, and is none of these.
 */
#ifndef TTTRACE_ORPHANS_H
#define TTTRACE_ORPHANS_H

#include "core/ledger_impl.h"

#define ORPHAN_WHY                                                                                 \
	"no buffer owns this block of its allocator: most likely the program freed it under a "    \
	"graph capture, which suppressed the free"

/* Takes a TT_RECORD_CENSUS_ORPHAN. Returns 0 or -ENOMEM. */
int orphans__take(struct ledger *ledger, const struct hit *hit);

/*
 * A buffer of @allocator takes @address: what was an orphan there is its block, or was given back.
 */
void orphans__yield(struct ledger *ledger, const struct hit *hit, struct allocator *allocator,
		    const struct body *body);

#endif
