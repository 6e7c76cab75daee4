/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* When a census is taken of which process: the ledger says of whom one is due, the tracer takes it.
 */
#ifndef TTTRACE_CENSUS_TAKER_H
#define TTTRACE_CENSUS_TAKER_H

#include <stdbool.h>
#include <linux/types.h>

struct ledger;
struct tracer;

struct census_taker {
	struct ledger *ledger;
	struct tracer *tracer;
	bool (*is_over)(void *ctx); /* asked before each: if so, no other census is begun */
	void *ctx;
	__u64 repair_ns; /* CLOCK_BOOTTIME: no repair before; 0: at any time */
};

/* What was there before the attach, at once. */
void census_taker__late(struct census_taker *taker);

/*
 * Mends what losses have left, and fills in what could not be read. A program that loses records
 * goes on losing them while it is read, perhaps: then not too often, so that the reader has time
 * for the ring.
 */
void census_taker__repair(struct census_taker *taker);

/* All that is due at the end of the trace, without a pause. */
void census_taker__finish(struct census_taker *taker);

/* Has all processes that have devices compared with their allocators. */
void census_taker__audit(struct census_taker *taker);

/* How long to sleep until a repair is due, in ms; -1: until something happens. */
int census_taker__wait_ms(const struct census_taker *taker);

#endif
