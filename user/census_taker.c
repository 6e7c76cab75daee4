// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "census_taker.h"

#include "core/ledger.h"
#include "lib/clock.h"
#include "tracer.h"

enum {
	CENSUS_ALLOCATORS = 256,
	CENSUS_PROCESSES = 1024,
	REPAIR_PAUSE = 4,		    /* times as long as a repair, until the next one, … */
	REPAIR_LEAST_NS = 50 * 1000 * 1000, /* … and so much more */
	LAST_REPAIRS = 4,		    /* of a program that goes on losing records */
};

/* Of one process: with a search for allocators that no record told of, unless it is asked often. */
static void take_census(struct census_taker *taker, pid_t pid, enum tt_census_reason reason)
{
	__u64 known[CENSUS_ALLOCATORS];
	size_t num = ledger__allocators(taker->ledger, pid, known, CENSUS_ALLOCATORS);
	bool search = reason != TT_CENSUS_AUDIT || num > CENSUS_ALLOCATORS;

	tracer__take_census(taker->tracer, pid, reason, known,
			    num < CENSUS_ALLOCATORS ? num : CENSUS_ALLOCATORS, search);
}

static void take_censuses(struct census_taker *taker, const __u32 *pids, size_t num,
			  enum tt_census_reason reason)
{
	for (size_t i = 0; i < num && !taker->is_over(taker->ctx); i++)
		take_census(taker, (pid_t)pids[i], reason);
}

void census_taker__late(struct census_taker *taker)
{
	__u32 pids[CENSUS_PROCESSES];
	size_t num;

	while (!taker->is_over(taker->ctx) &&
	       (num = ledger__late(taker->ledger, pids, CENSUS_PROCESSES)))
		take_censuses(taker, pids, num, TT_CENSUS_ATTACH);
}

/* Returns of how many processes one was due. */
static size_t repair(struct census_taker *taker)
{
	__u32 pids[CENSUS_PROCESSES];
	size_t num = ledger__incomplete(taker->ledger, pids, CENSUS_PROCESSES);

	if (num) {
		tracer__report_counters(taker->tracer);
		take_censuses(taker, pids, num, TT_CENSUS_REPAIR);
	} else {
		num = ledger__unsized(taker->ledger, pids, CENSUS_PROCESSES);
		take_censuses(taker, pids, num, TT_CENSUS_MEASURE);
	}
	return num;
}

void census_taker__repair(struct census_taker *taker)
{
	__u64 begin_ns = clock__now_ns();

	if (begin_ns < taker->repair_ns)
		return;
	taker->repair_ns = 0;
	if (repair(taker))
		taker->repair_ns = clock__now_ns() + REPAIR_PAUSE * (clock__now_ns() - begin_ns) +
				   REPAIR_LEAST_NS;
}

void census_taker__finish(struct census_taker *taker)
{
	census_taker__late(taker);
	/* the first may find what it cannot tell from what has just begun: the second can */
	for (int i = 0; i < LAST_REPAIRS && repair(taker); i++)
		;
}

void census_taker__audit(struct census_taker *taker)
{
	__u32 pids[CENSUS_PROCESSES];

	take_censuses(taker, pids, ledger__users(taker->ledger, pids, CENSUS_PROCESSES),
		      TT_CENSUS_AUDIT);
}

int census_taker__wait_ms(const struct census_taker *taker)
{
	__u64 now_ns = clock__now_ns();

	if (!taker->repair_ns)
		return -1;
	return taker->repair_ns > now_ns ? (int)((taker->repair_ns - now_ns) / 1000000) + 1 : 0;
}
