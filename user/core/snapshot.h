/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The ledger at one moment, for reports: immutable, sorted, and independent of the ledger, but for
 * the stacks, which are the ledger's and never change. The
 * totals are the truth; the lists (leaks, cut off, doubtful, live) hold what passes the filter, and
 * say how much it hides.
 *
 * Bytes are on each chip of a device, and on all chips together for a process and for the whole.
 */
#ifndef TTTRACE_SNAPSHOT_H
#define TTTRACE_SNAPSHOT_H

#include "core/device.h"
#include "core/event.h"
#include "core/filter.h"
#include "core/ledger.h"
#include "core/parts.h"
#include "core/process.h"
#include "core/untraced.h"
#include "core/usage.h"

enum {
	SNAPSHOT_ROWS = 64
}; /* rows kept of a list, of each of the two orders */

struct snapshot_row {
	struct event_buffer buffer;
	__u64 age_ns;	 /* at the verdict, or at the snapshot */
	bool suppressed; /* its free gave nothing back */
	bool victim;	 /* its memory was given away by another buffer's free */
};

/* Buffers of one type whose size is in (2^(size_class-1), 2^size_class]. */
struct snapshot_group {
	__u32 type; /* TT_TYPE_COUNT: unknown */
	__u32 size_class;
	struct verdict_sum sum;
	__u64 oldest_ns; /* age of the oldest */
	bool is_older;	 /* some were found by a census: the oldest may be older than that */
};

/* Buffers of one type that were allocated by the same stack. */
struct snapshot_stack {
	const struct event_stack *stack; /* of the ledger; NULL: those whose stack is not known */
	__u32 type;
	struct verdict_sum sum;
	__u64 oldest_ns; /* age of the oldest */
	bool is_older;	 /* as in a group */
};

struct snapshot_list {
	struct verdict_sum sum; /* of all that pass the filter */
	struct verdict_sum hidden;
	struct verdict_sum suppressed; /* of leaks, those that are known */
	__u64 untold;		       /* buffers of it that the program cache may hold */
	struct snapshot_group *groups; /* most bytes first */
	__u32 num_groups;
	struct snapshot_stack *stacks; /* most bytes first; none if no stack is known */
	__u32 num_stacks;
	struct snapshot_row *largest; /* by footprint, or size where that is unknown */
	__u32 num_largest;
	struct snapshot_row *oldest;
	__u32 num_oldest;
};

/* A stack that allocated memory of one type on a device: see sites.h. No filter is asked. */
struct snapshot_site {
	const struct event_stack *stack; /* of the ledger; NULL: those whose stack is not known */
	__u32 type;
	enum owner owner;
	struct site_sum live, at_peak, leaked, allocated;
	__u64 temporary;
};

/* What is held for one purpose. */
struct snapshot_owner {
	struct site_sum live, leaked, allocated;
};

struct snapshot_device {
	struct event_device pub;
	__u32 chips[TT_MAX_CHIPS];
	__u32 number; /* in the process */
	__u32 kind;   /* enum tt_device_kind */
	__u32 lives;  /* how often it was opened and closed, if these are shown as one */
	bool opened;
	bool asked;
	bool closed;
	__u64 open_ts_ns;
	__u64 close_ts_ns;
	struct region regions[TT_TYPE_COUNT];
	struct usage usage;
	__u64 allocs[KIND_COUNT];
	__u64 live_kinds[KIND_COUNT];
	__u64 frees;
	__u64 bulk_freed;
	struct verdict_sum leaked_all; /* whatever the filter says */
	struct verdict_sum cut_off_all;
	struct verdict_sum doubtful_all;
	struct verdict_sum held_all;
	struct verdict_sum orphans; /* blocks that no buffer owns: live, or at the verdict */
	struct event_space spaces[SPACES_MAX]; /* at its close or end, else now */
	__u32 num_spaces;
	struct snapshot_list leaks;
	struct snapshot_list cut_off; /* ended with the process, which a signal ended */
	struct snapshot_list doubtful;
	struct snapshot_list live;   /* owning, with no verdict */
	struct snapshot_list held;   /* by the runtime itself: live, or at the verdict */
	struct snapshot_site *sites; /* by type, most bytes at the peak first */
	__u32 num_sites;
	struct snapshot_owner owners[OWNER_COUNT]; /* of all sites */
};

struct snapshot_chip {
	__u32 id;
	struct usage usage;
	struct circular_sum circular[CIRCULAR_KINDS]; /* zero where the filter hides the chip */
};

struct snapshot_process {
	struct event_process pub;
	char comm[COMM_SIZE];
	__u32 flags;
	enum process_state state;
	__u32 exit_code;
	__u64 first_ts_ns;
	__u64 end_ts_ns; /* of the process, or of the snapshot */
	struct usage usage;
	__u64 allocs[KIND_COUNT];
	__u64 frees[CLASS_COUNT];
	__u64 bulk_freed;
	__u64 footprint_unknown;
	__u64 lost;		     /* records of it */
	struct snapshot_chip *chips; /* by id */
	__u32 num_chips;
	struct snapshot_device *
		*devices; /* used ones first, by the number of the mesh, then as they came */
	__u32 num_devices;
};

struct snapshot_library {
	char path[TT_PATH_SIZE];
	__u32 probes_wanted;
	__u32 probes_attached;
};

struct snapshot_coverage {
	struct snapshot_library *libraries;
	__u32 num_libraries;
	__u64 probes_wanted;
	__u64 probes_attached;
	enum tt_mode mode; /* of all of them */
	__u64 probes;	   /* 1 << enum tt_probe: those that are attached anywhere */
	bool has_hits;	   /* the counters were read */
	__u64 hits[TT_PROBE_COUNT];
	__u64 records; /* that came out of the target, all kinds */
	__u64 lost;
	__u64 lost_kinds[TT_RECORD_LIBRARY];
	__u64 lost_unexplained; /* of no known kind */
	__u64 repaired;
	__u64 bad_records;
	__u64 dropped_records;
	__u64 process_map_full;
	__u64 allocator_map_full;
	__u64 footprint_unknown;
	__u64 circular_unknown;
	bool circular_exact; /* no record of a circular buffer was lost */
	__u64 reused_live;
	__u64 reused_lost;
	__u64 twice; /* records of hits that came by another link before: passed over */
	__u64 forgotten;
	__u64 processes;
	__u64 processes_pre_attach;
	__u64 buffers_pre_attach; /* that a census found */
	__u64 buffers_mended;	  /* rows that a later census had to add or to remove */
	__u64 may_be_inherited;	  /* buffers that a parent may have allocated before a fork */
	__u64 may_be_own;	  /* blocks without a buffer that are taken for inherited */
	bool has_stacks;	  /* the stacks of allocations were wanted */
	__u64 stacks[TT_STACK_END_COUNT]; /* of allocations, by how they ended */
	__u64 stacks_missing;		  /* allocations whose stack was lost */
	__u64 stacks_copied;		  /* stacks that BPF did not know yet */
	bool census_torn; /* what a process held before the attach could not be read */
	bool is_look;	  /* a census is all that there is: no probe */
	struct parts missing;
	struct untraced untraced;
	bool complete; /* nothing was lost or left unexplained */
};

/* A rule by which leaks are known, and what it has hidden. */
struct snapshot_rule {
	const char *pattern; /* of the filter */
	struct verdict_sum sum;
};

struct snapshot {
	__u64 ts_ns;
	__u64 duration_ns;
	struct snapshot_process **processes; /* most leaked bytes first, then by PID */
	__u32 num_processes;
	__u32 num_hidden;	/* processes that the filter hides */
	struct earlier earlier; /* ended before those, and in the totals only */
	__u64 allocs[KIND_COUNT];
	__u64 frees[CLASS_COUNT];
	__u64 bulk_freed;
	struct verdict_sum leaks; /* that pass the filter; bytes on all chips together */
	struct verdict_sum leaks_hidden;
	struct verdict_sum suppressed;
	__u64 leaks_untold;	     /* leaks that the program cache may hold */
	struct snapshot_rule *rules; /* those that were asked for */
	__u32 num_rules;
	struct verdict_sum cut_off;
	struct verdict_sum doubtful;
	__u32 leaking_processes;
	bool leaks_on_many; /* some of them are on more than one chip each */
	struct snapshot_coverage coverage;
};

/*
 * @filter may be NULL: all pass. @ts_ns is the time of the snapshot, CLOCK_BOOTTIME. Returns 0 or
 * -ENOMEM.
 */
int snapshot__take(const struct ledger *ledger, const struct filter *filter, __u64 ts_ns,
		   struct snapshot **ret_snapshot);
/* The same without lists: takes no longer with ten million live buffers than with ten. */
int snapshot__take_totals(const struct ledger *ledger, const struct filter *filter, __u64 ts_ns,
			  struct snapshot **ret_snapshot);
void snapshot__free(struct snapshot *snapshot);

/* Leaks that pass the filter: how many, and their bytes on all chips together. */
__u64 snapshot__leaks(const struct snapshot *snapshot, __u64 *ret_bytes);
/* Was everything seen from beginning to end? If not, numbers are lower bounds. */
bool snapshot__complete(const struct snapshot *snapshot);
/* Did any process do anything at all with a traced runtime? */
bool snapshot__saw_activity(const struct snapshot *snapshot);
/* Live bytes of one chip of one process, by type; NULL: it does not use that chip. */
const struct usage *snapshot_process__chip(const struct snapshot_process *process, __u32 chip);
/* Was a buffer ever created on it? */
bool snapshot_device__is_used(const struct snapshot_device *device);
/* Least k with size <= 2^k: size_class__of(). */
__u32 snapshot__size_class(__u64 size);

#endif
