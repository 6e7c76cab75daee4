// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "core/loss.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/record.h"

/* Beyond any of these, a missing number is not late but lost. */
enum {
	LATE_MAX = 64,	     /* missing at once: no CPU is preempted so often in a row */
	LATE_RECORDS = 4096, /* that came after it on its CPU */
	LATE_NS = 500000000,
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

static void give_up(struct loss *loss, struct loss_cpu *cpu, __u64 ts_ns)
{
	cpu->missing += cpu->open;
	loss->missing += cpu->open;
	loss->open -= cpu->open;
	cpu->open = 0;
	loss->missing_ns = ts_ns;
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
	if (h->lost > loss->told) {
		loss->told = h->lost;
		loss->missing_ns = h->ts_ns;
		loss->epoch++;
	}
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
	if (cpu->open && is_too_late(cpu, h))
		give_up(loss, cpu, h->ts_ns);
	return 0;
}

void loss__give_up(struct loss *loss, __u64 ts_ns)
{
	for (__u32 i = 0; i < loss->num_cpus; i++) {
		if (loss->cpus[i].open)
			give_up(loss, &loss->cpus[i], ts_ns);
	}
}

bool loss__kind_ends(__u32 kind)
{
	switch (kind) {
	case TT_RECORD_FREE_BEGIN:
	case TT_RECORD_FREE_TRACKED:
	case TT_RECORD_FREE_DONE:
	case TT_RECORD_BULK:
	case TT_RECORD_PROCESS_EXEC:
		return true;
	default:
		return false;
	}
}

static bool kind_begins(__u32 kind)
{
	return kind == TT_RECORD_ALLOC || kind == TT_RECORD_PROCESS_START;
}

static __u64 subtract(__u64 newer, __u64 older)
{
	return newer > older ? newer - older : 0;
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
		if (delta && loss__kind_ends(i))
			loss->counted_end_ns = rec->h.ts_ns;
		if (delta && kind_begins(i))
			loss->counted_begin = true;
	}
	ret_delta->process_map_full = subtract(rec->c.process_map_full, old->process_map_full);
	ret_delta->allocator_map_full =
		subtract(rec->c.allocator_map_full, old->allocator_map_full);
	loss->counted += sum;
	loss->epoch += sum ? 1 : 0;
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

bool loss__may_hide_alloc(const struct loss *loss)
{
	return loss->counted_begin || loss__unexplained(loss);
}

bool loss__may_hide_free(const struct loss *loss, __u64 alloc_ts_ns)
{
	if (loss->counted_end_ns && alloc_ts_ns <= loss->counted_end_ns)
		return true;
	return loss__unexplained(loss) && alloc_ts_ns <= loss->missing_ns;
}

void loss__done(struct loss *loss)
{
	free(loss->cpus);
	memset(loss, 0, sizeof(*loss));
}
