/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The census: all buffers that the allocators of a process hold at this moment, read out of its own
 * memory, from outside. It does not stop the process and needs no probe. It may use memory, object,
 * block_table and proc; it neither prints nor interprets.
 *
 * What is occupied the free lists of the allocator say; the buffers explain it. A graph capture
 * that suppresses a free leaves a block that no buffer owns: an orphan.
 *
 * The allocator keeps its buffers in a set, and that is walked while the program may be changing
 * it. So everything is read twice: only when the set was the same before and after its buffers were
 * looked at, and every one of them belongs to this allocator and is allocated, it is taken as
 * whole. Otherwise the look is repeated, and if that does not help either, what was read is told
 * with TT_CENSUS_TORN.
 *
 * Where the allocators are: what the caller knows of probe records, or (census_target.search) what
 * memory shows that begins with the vtable of an allocator class. Up to 0.70 they have none: there
 * the devices are found by theirs, then what points to a device as a Buffer does, and that names
 * the allocator. Freed memory is full of the dead; an object whose set is not one of its own live
 * buffers is not taken for an allocator.
 */
#ifndef TTTRACE_CENSUS_H
#define TTTRACE_CENSUS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <linux/types.h>

#include "tttrace_config.h"
#include "tttrace_record.h"
#include "target/proc.h"

/* A runtime that the process maps. */
struct census_library {
	const struct tt_layout *layout;
	__u16 index; /* for tt_record.layout */
	__u64 bias;  /* of census__find_bias() */
};

struct census_target {
	pid_t pid;
	pid_t parent;	/* that it was forked from, without exec since; 0: none */
	__u64 start_ns; /* for the records: what BPF writes for this process */
	const struct census_library *libraries;
	size_t num_libraries;
	const __u64 *allocators; /* that are known; dead ones do no harm */
	size_t num_allocators;
	bool search;	    /* for others as well */
	__u64 search_bytes; /* at most; 0: CENSUS_SEARCH_BYTES */
	/*
	 * Where probes record what the process does: called before each look, so that what came
	 * before is taken first. Then a look is whole although the set changes under it, for the
	 * records tell what did. NULL: there are none.
	 */
	void (*ready)(void *ctx);
	void *ctx;
};

static const __u64 CENSUS_SEARCH_BYTES = 8ull << 30;

struct census_result {
	size_t allocators;    /* that hold buffers, whole or torn */
	size_t buffers;	      /* that were told */
	size_t orphans;	      /* blocks without a buffer, that were told */
	size_t torn;	      /* allocators that could not be read as a whole */
	size_t unreadable;    /* objects that may be allocators, whose buffers could not be read */
	size_t unknown_sizes; /* buffers without per_bank */
	__u64 searched_bytes;
	__u64 swapped_bytes; /* that were not searched: allocators may be missing */
	bool search_cut; /* there was more memory: than search_bytes, or 64 GiB in one mapping */
	__u64 duration_ns;
};

/* Returns 0 to go on, anything else to stop; that is then what census__take() returns. */
typedef int (*census_record_fn)(void *ctx, const void *record, size_t size);

/*
 * Hands up, for each pair of an allocator and a device that its buffers are on:
 * TT_RECORD_ALLOCATOR, TT_RECORD_CENSUS with TT_CENSUS_BEGIN, one TT_RECORD_CENSUS_BUFFER for each
 * buffer, one TT_RECORD_CENSUS_ORPHAN for each block without one, and TT_RECORD_CENSUS with
 * TT_CENSUS_END or TT_CENSUS_TORN. An allocator without buffers has no records, unless the caller
 * knows it: then BEGIN and END with device 0. Returns 0; -ESRCH: the process has ended; -EPERM,
 * -EACCES: its memory may not be read; -ENOENT: a field that a census takes is absent in all of the
 * libraries; -ENOMEM.
 */
int census__take(const struct census_target *target, census_record_fn fn, void *ctx,
		 struct census_result *ret_result);

/*
 * The load bias of the runtime at @path in the process that has @mapping of it.
 * Returns 0; -ENOENT: the mapping is none of its code; or as of elf_file__open().
 */
int census__find_bias(const char *path, const struct proc_mapping *mapping, __u64 *ret_bias);

#endif
