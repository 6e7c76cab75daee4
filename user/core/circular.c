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
	bool any;		      /* false: of no program, and free for another thread */
	struct circular_largest size; /* so far */
	struct placing *next;
	struct core_now cores[NUM_CORES];
};

struct circular {
	struct circular_sum sum;
	struct placing *placing;
	bool used[NUM_CORES]; /* some program has some there */
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

static void begin_program(struct placing *placing)
{
	placing->size = (struct circular_largest){ 0 };
	memset(placing->cores, 0, sizeof(placing->cores));
}

/* Ranges of cores overlap, and each is told of. */
static bool is_placed(const struct core_now *now, const struct tt_record_circular *rec)
{
	return rec->address == now->begin && rec->address + rec->size == now->end;
}

static void place_on_core(struct circular *circular, struct placing *placing, __u32 core,
			  const struct tt_record_circular *rec)
{
	struct core_now *now = &placing->cores[core];

	if (is_placed(now, rec))
		return;
	placing->size.cores += !now->bytes;
	circular->sum.cores += !circular->used[core];
	circular->used[core] = true;
	now->bytes += rec->size;
	now->begin = rec->address;
	now->end = rec->address + rec->size;
	if (placing->size.bytes < now->bytes)
		placing->size.bytes = now->bytes;
}

typedef void (*core_fn)(struct circular *circular, struct placing *placing, __u32 core,
			const struct tt_record_circular *rec);

static void each_core(struct circular *circular, struct placing *placing,
		      const struct tt_record_circular *rec, core_fn fn)
{
	for (__u32 i = 0; i < kept_ranges(rec); i++) {
		const struct tt_core_range *range = &rec->ranges[i];

		for (__u32 y = range->start_y; y <= range->end_y; y++)
			for (__u32 x = range->start_x; x <= range->end_x; x++)
				fn(circular, placing, y * TT_MAX_CORES + x, rec);
	}
}

/* An address that was passed: another program, or this one again. */
static void notice_begin(struct circular *circular, struct placing *placing, __u32 core,
			 const struct tt_record_circular *rec)
{
	const struct core_now *now = &placing->cores[core];

	(void)circular;
	if (!is_placed(now, rec) && rec->address < now->end)
		begin_program(placing);
}

static bool is_larger(const struct circular_largest *a, const struct circular_largest *b)
{
	return a->bytes > b->bytes || (a->bytes == b->bytes && a->cores > b->cores);
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
	each_core(circular, placing, rec, notice_begin);
	each_core(circular, placing, rec, place_on_core);
	if (placing->size.to < rec->address + rec->size)
		placing->size.to = rec->address + rec->size;
	if (is_larger(&placing->size, &sum->largest))
		sum->largest = placing->size;
	return 0;
}

void circular__divide(struct circular *circular, __u32 tid)
{
	for (struct placing *placing = circular->placing; placing; placing = placing->next) {
		if (!placing->any || placing->tid != tid)
			continue;
		placing->any = false;
		begin_program(placing);
	}
}

void circular__end_program(struct circular *circular)
{
	circular->sum.ended++;
}

void circular__sum(const struct circular *circular, struct circular_sum *ret_sum)
{
	*ret_sum = circular ? circular->sum : (struct circular_sum){ 0 };
}
