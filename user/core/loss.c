// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "core/loss.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/record.h"

/*
 * Beyond any of these, a missing number is not late but lost. A thread that was preempted waits for
 * its turn among all that are ready, while the others of its CPU write hundreds of thousands of
 * records; what the ring had no room for is known of the BPF side's own counts, without waiting.
 */
enum {
	LATE_MAX = 64,		/* missing at once: so many threads preempt each other */
	LATE_RECORDS = 1 << 20, /* that came after it on its CPU */
	LATE_NS = 2000000000,
};

static int grow_cpus(struct loss *loss, __u32 cpu)
{
	struct loss_cpu *cpus = realloc(loss->cpus, (cpu + 1) * sizeof(*cpus));

	if (!cpus)
		return -ENOMEM;
	memset(cpus + loss->num_cpus, 0, (cpu + 1 - loss->num_cpus) * sizeof(*cpus));
	/* number 0 stands for "not numbered": the first that proves anything is 1 */
	for (__u32 i = loss->num_cpus; i <= cpu; i++)
		cpus[i].next = 1;
	loss->cpus = cpus;
	loss->num_cpus = cpu + 1;
	return 0;
}

static __u64 subtract(__u64 newer, __u64 older)
{
	return newer > older ? newer - older : 0;
}

/* Missing numbers of which BPF knows nothing: of whichever process. */
static __u64 unowned(const struct loss *loss)
{
	return subtract(loss->missing, loss->told > loss->counted ? loss->told : loss->counted);
}

static void give_up(struct loss *loss, struct loss_cpu *cpu, __u64 ts_ns)
{
	cpu->missing += cpu->open;
	loss->missing += cpu->open;
	loss->open -= cpu->open;
	cpu->open = 0;
	loss->missing_ns = ts_ns;
	if (cpu->open_ts_ns < loss->gap_ns)
		loss->gap_ns = cpu->open_ts_ns;
	if (unowned(loss))
		loss->epoch++;
}

static void note_late(struct loss *loss, struct loss_cpu *cpu)
{
	if (cpu->open) {
		cpu->open--;
		loss->open--;
	} else if (cpu->missing) {
		cpu->missing--;
		loss->missing--;
	}
}

static void note_gap(struct loss *loss, struct loss_cpu *cpu, const struct tt_record *h)
{
	__u64 missing = h->seq - cpu->next;

	if (!cpu->open) {
		cpu->open_seq = cpu->next;
		cpu->open_ts_ns = h->ts_ns;
	}
	cpu->open += missing;
	loss->open += missing;
	cpu->next = h->seq + 1;
}

static bool is_too_late(const struct loss_cpu *cpu, const struct tt_record *h)
{
	return cpu->open > LATE_MAX || cpu->next - cpu->open_seq > LATE_RECORDS ||
	       h->ts_ns > cpu->open_ts_ns + LATE_NS;
}

int loss__note(struct loss *loss, const struct tt_record *h)
{
	struct loss_cpu *cpu;
	int err;

	if (!record__is_numbered(h))
		return 0;
	if (h->lost > loss->told)
		loss->told = h->lost;
	if (h->cpu >= loss->num_cpus) {
		err = grow_cpus(loss, h->cpu);
		if (err)
			return err;
	}
	cpu = &loss->cpus[h->cpu];
	if (h->seq == cpu->next)
		cpu->next++;
	else if (h->seq < cpu->next)
		note_late(loss, cpu);
	else
		note_gap(loss, cpu, h);
	loss->gap_ns = UINT64_MAX;
	if (cpu->open && is_too_late(cpu, h))
		give_up(loss, cpu, h->ts_ns);
	return 0;
}

void loss__give_up(struct loss *loss, __u64 ts_ns)
{
	loss->gap_ns = UINT64_MAX;
	for (__u32 i = 0; i < loss->num_cpus; i++) {
		if (loss->cpus[i].open)
			give_up(loss, &loss->cpus[i], ts_ns);
	}
}

bool loss__count(struct loss *loss, const struct tt_record_counters *rec,
		 struct tt_counters *ret_delta)
{
	struct tt_counters *old = &loss->counters;
	__u64 sum = 0;

	memset(ret_delta, 0, sizeof(*ret_delta));
	for (__u32 i = 0; i < TT_RECORD_LIBRARY; i++) {
		__u64 delta = subtract(rec->c.lost[i], old->lost[i]);

		ret_delta->lost[i] = delta;
		sum += delta;
	}
	ret_delta->process_map_full = subtract(rec->c.process_map_full, old->process_map_full);
	ret_delta->allocator_map_full =
		subtract(rec->c.allocator_map_full, old->allocator_map_full);
	ret_delta->orphaned_begin = subtract(rec->c.orphaned_begin, old->orphaned_begin);
	ret_delta->orphaned_end = subtract(rec->c.orphaned_end, old->orphaned_end);
	if (ret_delta->orphaned_end)
		loss->orphan_ns = rec->h.ts_ns;
	if (ret_delta->orphaned_begin || ret_delta->orphaned_end)
		loss->epoch++;
	loss->counted += sum;
	loss->counters = rec->c;
	loss->counters_ns = rec->h.ts_ns;
	return sum || ret_delta->process_map_full || ret_delta->allocator_map_full;
}

/* What the records themselves prove. */
static __u64 proved(const struct loss *loss)
{
	return loss->missing > loss->told ? loss->missing : loss->told;
}

__u64 loss__unexplained(const struct loss *loss)
{
	return subtract(proved(loss), loss->counted);
}

__u64 loss__total(const struct loss *loss)
{
	return proved(loss) > loss->counted ? proved(loss) : loss->counted;
}

/* Counts of one process come out of order, too, and may pass 2^32. */
static __u32 grow(__u32 newer, __u32 older)
{
	__u32 delta = newer - older;

	return delta <= INT32_MAX ? delta : 0;
}

bool loss_process__note(struct loss_process *own, const struct tt_record *h)
{
	__u32 begin = grow(h->lost_begin, own->begin), end = grow(h->lost_end, own->end);

	own->begin += begin;
	own->end += end;
	own->records += (__u64)begin + end;
	if (begin && own->begin_ns < h->ts_ns)
		own->begin_ns = h->ts_ns;
	if (end && own->end_ns < h->ts_ns)
		own->end_ns = h->ts_ns;
	if (begin || end)
		own->epoch++;
	/* one that tells less than is known was late itself */
	if (h->lost_begin == own->begin && h->lost_end == own->end && own->clean_ns < h->ts_ns)
		own->clean_ns = h->ts_ns;
	return end;
}

__u64 loss_process__epoch_at(const struct loss_process *own, const struct tt_record *h)
{
	return own->epoch - (h->lost_begin != own->begin || h->lost_end != own->end);
}

void loss_process__note_other(struct loss_process *own, const struct tt_record_process *rec)
{
	__u32 other = grow(rec->lost_other, own->other);

	own->other += other;
	own->records += other;
}

void loss_process__exec(struct loss_process *own, const struct tt_record_process *rec)
{
	*own = (struct loss_process){
		.begin = rec->h.lost_begin,
		.end = rec->h.lost_end,
		.other = rec->lost_other,
		.clean_ns = rec->h.ts_ns,
	};
}

void loss_process__suspect(struct loss_process *own, __u64 ts_ns)
{
	own->begin_ns = own->end_ns = ts_ns;
	own->epoch++;
}

void loss_process__repair(struct loss_process *own, __u64 ts_ns)
{
	if (own->begin_ns <= ts_ns)
		own->begin_ns = 0;
	if (own->end_ns <= ts_ns)
		own->end_ns = 0;
	if (!own->begin_ns && !own->end_ns)
		own->repaired = own->records;
}

__u64 loss__clean_ns(const struct loss *loss, const struct loss_process *own)
{
	return own->clean_ns < loss->counters_ns ? own->clean_ns : loss->counters_ns;
}

__u64 loss__epoch(const struct loss *loss, const struct loss_process *own)
{
	return loss->epoch + own->epoch;
}

bool loss__may_hide_any(const struct loss *loss, const struct loss_process *own)
{
	return loss_process__is_open(own) || loss->epoch;
}

bool loss__may_hide_alloc(const struct loss *loss, const struct loss_process *own)
{
	return own->begin_ns || loss->counters.orphaned_begin || loss->counters.process_map_full ||
	       unowned(loss);
}

bool loss__may_hide_free(const struct loss *loss, const struct loss_process *own, __u64 alloc_ts_ns)
{
	if (own->end_ns && alloc_ts_ns <= own->end_ns)
		return true;
	if (loss->orphan_ns && alloc_ts_ns <= loss->orphan_ns)
		return true;
	return unowned(loss) && alloc_ts_ns <= loss->missing_ns;
}

void loss__done(struct loss *loss)
{
	free(loss->cpus);
	memset(loss, 0, sizeof(*loss));
}
