/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Which functions of a library are the ones of enum tt_probe: the table of their names in all
 * generations of the runtime. It may use symbols.
 */
#ifndef TTTRACE_PROBES_H
#define TTTRACE_PROBES_H

#include <linux/types.h>

#include "tttrace_config.h"
#include "target/symbols.h"

struct probe_info {
	const char *name; /* in C++, without parameters: "GraphTracker::track_allocate" */
	const char *loss; /* what no longer works without it, in words for the user */
};

extern const struct probe_info probe_info[TT_PROBE_COUNT];

struct probe_site {
	enum tt_probe probe;
	const struct elf_symbol *symbol;
	__u8 arg; /* which integer argument is the object of interest, 0: rdi */
};

enum probe_state {
	PROBE_FOUND,
	PROBE_MISSING,
	PROBE_AMBIGUOUS, /* several functions fit, at different addresses: none is taken */
	PROBE_COVERED,	 /* its function is probed already, in a meaning that says more */
};

enum {
	PROBE_MAX_SITES = 4
};

/*
 * Where @probe is to be attached: up to PROBE_MAX_SITES different addresses (a destructor has
 * several), and their number. @ret_state says why there are none.
 */
size_t probes__find_sites(const struct symbols *symbols, enum tt_probe probe,
			  struct probe_site sites[PROBE_MAX_SITES], enum probe_state *ret_state);

/* 1: Allocator, Buffer; 2: AllocatorImpl, Buffer; 3: AllocatorImpl, BufferImpl; 0: unknown. */
int probes__generation(const struct symbols *symbols);

#endif
