/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A runtime without its symbols in one process: what of it can be had by one look at what it holds,
 * and what is to be said of the rest.
 */
#ifndef TTTRACE_STRIPPED_H
#define TTTRACE_STRIPPED_H

#include <stddef.h>

#include "target/discovery.h"
#include "target/library.h"

enum stripped_state {
	STRIPPED_NOTHING, /* the process holds nothing by it */
	STRIPPED_KNOWN,	  /* a census with the layout of the library finds all that it holds */
	STRIPPED_UNKNOWN, /* a census would not; why is written */
};

/*
 * Fills in the fields of @lib, which was found by @find, as the objects of that process tell them.
 * @why: TT_WHY_SIZE bytes. Returns enum stripped_state, or -errno: its memory may not be read, or
 * it has ended.
 */
int stripped__establish(const struct discovery_find *find, struct library *lib, char *why);

#endif
