/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the BPF side has counted, and what the kernel has counted of it. */
#ifndef TTTRACE_COUNTERS_H
#define TTTRACE_COUNTERS_H

#include <linux/types.h>

#include "tttrace_config.h"
#include "tttrace_record.h"

struct bpf_map;
struct bpf_object;

/*
 * The totals of @map over all CPUs. Runs of the programs of @object that the kernel has left out
 * are among them, as losses of which neither kind nor process is known. Returns 0 or -errno.
 */
int counters__read(const struct bpf_map *map, const struct bpf_object *object,
		   struct tt_counters *ret_counters);

/* The losses of one process, as the map of processes has them. */
typedef void (*counters_loss_fn)(void *ctx, __u32 tgid, const struct tt_process *process);

/* A process that runs. */
typedef void (*counters_process_fn)(void *ctx, __u32 tgid);

/* Calls @fn for each process of @map that has not ended; for some perhaps twice. */
void counters__each_process(const struct bpf_map *map, counters_process_fn fn, void *ctx);

/* Calls @fn for each process of @map that has lost records; takes those out that have ended. */
void counters__each_loss(const struct bpf_map *map, counters_loss_fn fn, void *ctx);

#endif
