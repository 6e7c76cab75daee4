// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "core/snapshot_coverage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/ledger_impl.h"

void snapshot__add_earlier(const struct earlier *earlier, struct snapshot *snapshot)
{
	snapshot->earlier = *earlier;
	for (int i = 0; i < KIND_COUNT; i++)
		snapshot->allocs[i] += earlier->allocs[i];
	for (int i = 0; i < CLASS_COUNT; i++)
		snapshot->frees[i] += earlier->frees[i];
	snapshot->bulk_freed += earlier->bulk_freed;
	snapshot->coverage.buffers_pre_attach += earlier->pre_attach;
	snapshot->coverage.repaired += earlier->repaired;
	snapshot->coverage.buffers_mended += earlier->mended;
	snapshot->coverage.may_be_inherited += earlier->may_be_inherited;
	snapshot->coverage.may_be_own += earlier->may_be_own;
	snapshot->coverage.census_torn |= earlier->census_torn;
	verdict_sum__fold(&snapshot->leaks, &earlier->leaked);
	verdict_sum__fold(&snapshot->cut_off, &earlier->cut_off);
	verdict_sum__fold(&snapshot->doubtful, &earlier->doubtful);
	snapshot->leaking_processes += earlier->leaking;
	snapshot->leaks_on_many |= earlier->leaks_on_many;
}

static void take_library(const struct library_info *info, struct snapshot_coverage *coverage)
{
	struct snapshot_library *copy = &coverage->libraries[coverage->num_libraries];

	if (!info || info->is_second)
		return;
	memcpy(copy->path, info->path, sizeof(copy->path));
	copy->probes_wanted = info->probes_wanted;
	copy->probes_attached = info->probes_attached;
	coverage->mode = info->mode;
	coverage->probes |= info->probes;
	coverage->has_stacks |= info->has_stacks;
	coverage->probes_wanted += info->probes_wanted;
	coverage->probes_attached += info->probes_attached;
	coverage->num_libraries++;
}

static int take_libraries(const struct libraries *libraries, struct snapshot_coverage *coverage)
{
	if (!libraries->count)
		return 0;
	coverage->libraries = calloc((size_t)libraries->count + libraries->num_gone,
				     sizeof(*coverage->libraries));
	if (!coverage->libraries)
		return -ENOMEM;
	for (__u32 i = 0; i < libraries->num_gone; i++)
		take_library(libraries->gone[i], coverage);
	for (int i = 0; i < TT_MAX_LAYOUTS; i++)
		take_library(libraries->by_layout[i], coverage);
	return 0;
}

static void take_loss(const struct loss *loss, struct snapshot_coverage *coverage)
{
	coverage->has_hits = loss->counters_ns != 0;
	memcpy(coverage->hits, loss->counters.hits, sizeof(coverage->hits));
	memcpy(coverage->lost_kinds, loss->counters.lost, sizeof(coverage->lost_kinds));
	coverage->lost = loss__total(loss);
	coverage->lost_unexplained = loss__unexplained(loss);
	coverage->circular_exact = !coverage->lost_unexplained &&
				   !loss->counters.lost[TT_RECORD_CIRCULAR] &&
				   !loss->counters.lost[TT_RECORD_PROGRAM];
	coverage->process_map_full = loss->counters.process_map_full;
	coverage->allocator_map_full = loss->counters.allocator_map_full;
}

static void take_stats(const struct stats *stats, struct snapshot_coverage *coverage)
{
	for (int i = TT_RECORD_PROCESS_START; i < TT_RECORD_LIBRARY; i++)
		coverage->records += stats->records[i];
	coverage->bad_records = stats->bad_records;
	coverage->dropped_records = stats->dropped_records;
	memcpy(coverage->stacks, stats->stacks, sizeof(coverage->stacks));
	coverage->stacks_missing = stats->stacks_missing;
	coverage->stacks_copied = stats->records[TT_RECORD_STACK_TAKEN];
	coverage->footprint_unknown = stats->footprint_unknown;
	coverage->circular_unknown = stats->circular_unknown;
	coverage->reused_live = stats->reused_live;
	coverage->reused_lost = stats->reused_lost;
	coverage->forgotten = stats->forgotten;
	coverage->twice = stats->twice;
	coverage->processes_pre_attach = stats->processes_pre_attach;
}

static void conclude(struct snapshot *snapshot)
{
	struct snapshot_coverage *coverage = &snapshot->coverage;

	coverage->processes =
		snapshot->num_processes + snapshot->num_hidden + snapshot->earlier.processes;
	coverage->complete = coverage->lost == coverage->repaired && !coverage->lost_unexplained &&
			     !coverage->census_torn && !coverage->bad_records &&
			     !coverage->dropped_records && !coverage->process_map_full &&
			     !coverage->reused_live && !coverage->untraced.times &&
			     parts__are_enough(&coverage->missing) &&
			     !snapshot->frees[CLASS_UNKNOWN];
}

int snapshot__take_coverage(const struct ledger *ledger, struct snapshot *snapshot)
{
	int err = take_libraries(&ledger->libraries, &snapshot->coverage);

	if (err)
		return err;
	snapshot->coverage.is_look = libraries__are_unprobed(&ledger->libraries);
	take_loss(&ledger->loss, &snapshot->coverage);
	take_stats(&ledger->stats, &snapshot->coverage);
	snapshot->coverage.missing = ledger->parts;
	err = untraced__copy(&ledger->untraced, &snapshot->coverage.untraced);
	if (err)
		return err;
	conclude(snapshot);
	return 0;
}

bool snapshot__complete(const struct snapshot *snapshot)
{
	return snapshot->coverage.complete;
}

bool snapshot__saw_activity(const struct snapshot *snapshot)
{
	if (snapshot->num_processes || snapshot->num_hidden)
		return true;
	for (int i = 0; i < TT_PROBE_COUNT; i++) {
		if (snapshot->coverage.hits[i])
			return true;
	}
	return false;
}
