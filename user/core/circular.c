// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "core/circular.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	NUM_CORES = TT_MAX_CORES * TT_MAX_CORES
};

/* What the program that a thread is just placing takes on one core. */
struct core_now {
	__u64 bytes;
	__u64 begin, end; /* of its last buffer */
};

struct placing {
	__u32 tid;
	bool any; /* false: of no program, and free for another thread */
	struct placing *next;
	struct core_now cores[NUM_CORES];
};

struct circular {
	struct circular_sum sum; /* bytes and cores are in most[] */
	struct placing *placing;
	__u64 most[NUM_CORES]; /* bytes of one program; 0: none had any there */
};

int circular__new(struct circular **ret_circular)
{
	struct circular *circular = calloc(1, sizeof(*circular));

	if (!circular)
		return -ENOMEM;
	*ret_circular = circular;
	return 0;
}

void circular__free(struct circular *circular)
{
	struct placing *placing;

	if (!circular)
		return;
	while ((placing = circular->placing)) {
		circular->placing = placing->next;
		free(placing);
	}
	free(circular);
}

static __u32 kept_ranges(const struct tt_record_circular *rec)
{
	return rec->num_ranges < TT_MAX_RANGES ? rec->num_ranges : TT_MAX_RANGES;
}

bool circular__is_sane(const struct tt_record_circular *rec)
{
	if (!rec->num_ranges || !rec->size || rec->address + rec->size < rec->address)
		return false;
	for (__u32 i = 0; i < kept_ranges(rec); i++) {
		const struct tt_core_range *r = &rec->ranges[i];

		if (r->start_x > r->end_x || r->start_y > r->end_y || r->end_x >= TT_MAX_CORES ||
		    r->end_y >= TT_MAX_CORES)
			return false;
	}
	return true;
}

/* That of @tid, or one that is free, or a new one. */
static int find_placing(struct circular *circular, __u32 tid, struct placing **ret_placing)
{
	struct placing *placing, *unused = NULL;

	for (placing = circular->placing; placing; placing = placing->next) {
		if (placing->any && placing->tid == tid)
			break;
		if (!placing->any)
			unused = placing;
	}
	if (!placing)
		placing = unused;
	if (!placing) {
		placing = calloc(1, sizeof(*placing));
		if (!placing)
			return -ENOMEM;
		placing->next = circular->placing;
		circular->placing = placing;
	}
	if (!placing->any)
		circular->sum.programs++;
	placing->any = true;
	placing->tid = tid;
	*ret_placing = placing;
	return 0;
}

static void place_on_core(struct circular *circular, struct placing *placing, __u32 core,
			  const struct tt_record_circular *rec)
{
	struct core_now *now = &placing->cores[core];
	__u64 end = rec->address + rec->size;

	if (rec->address == now->begin && end == now->end)
		return; /* ranges of cores overlap, and each is told of */
	if (rec->address < now->end)
		now->bytes = 0; /* another program, or this one again */
	now->bytes += rec->size;
	now->begin = rec->address;
	now->end = end;
	if (circular->most[core] < now->bytes)
		circular->most[core] = now->bytes;
}

static void place_on_range(struct circular *circular, struct placing *placing,
			   const struct tt_core_range *range, const struct tt_record_circular *rec)
{
	for (__u32 y = range->start_y; y <= range->end_y; y++) {
		for (__u32 x = range->start_x; x <= range->end_x; x++)
			place_on_core(circular, placing, y * TT_MAX_CORES + x, rec);
	}
}

int circular__place(struct circular *circular, __u32 tid, const struct tt_record_circular *rec)
{
	struct circular_sum *sum = &circular->sum;
	struct placing *placing;
	int err = find_placing(circular, tid, &placing);

	if (err)
		return err;
	if (!sum->buffers++ || rec->address < sum->from)
		sum->from = rec->address;
	if (sum->to < rec->address + rec->size)
		sum->to = rec->address + rec->size;
	sum->cut += rec->num_ranges > TT_MAX_RANGES;
	for (__u32 i = 0; i < kept_ranges(rec); i++)
		place_on_range(circular, placing, &rec->ranges[i], rec);
	return 0;
}

void circular__divide(struct circular *circular, __u32 tid)
{
	for (struct placing *placing = circular->placing; placing; placing = placing->next) {
		if (!placing->any || placing->tid != tid)
			continue;
		placing->any = false;
		memset(placing->cores, 0, sizeof(placing->cores));
	}
}

void circular__end_program(struct circular *circular)
{
	circular->sum.ended++;
}

void circular__sum(const struct circular *circular, struct circular_sum *ret_sum)
{
	*ret_sum = (struct circular_sum){};
	if (!circular)
		return;
	*ret_sum = circular->sum;
	for (__u32 i = 0; i < NUM_CORES; i++) {
		ret_sum->cores += circular->most[i] != 0;
		if (ret_sum->bytes < circular->most[i])
			ret_sum->bytes = circular->most[i];
	}
}
