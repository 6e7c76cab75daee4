/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Which processes map a runtime, and which files those runtimes are. The runtime is recognised by
 * its symbols, or the names of its classes, not by a file name: 0.60.1 keeps it in _ttnncpp.so,
 * programs and plugins link it statically.
 *
 * A file is looked at once: files are known by (device, inode, size, time of change), so that an
 * inode number that is used again by another file is another file. It attaches nothing.
 */
#ifndef TTTRACE_DISCOVERY_H
#define TTTRACE_DISCOVERY_H

#include <stdbool.h>

#include "target/proc.h"

struct discovery;

enum {
	DISCOVERY_FINDS_MAX = 4096 /* mappings of runtimes in one process that are looked at */
};

struct discovery_find {
	pid_t pid;
	const char *path;		    /* a way to the file from here, good during the call */
	const char *name;		    /* as the process sees it */
	bool is_new;			    /* a file not found before */
	bool is_stripped;		    /* see enum library_kind */
	const struct proc_mapping *mapping; /* where; good during the call */
	int *tag; /* what the finder wants to remember of the file; at first 0 */
};

/*
 * Called for each mapping of a runtime that is seen, also of files that were found before. When it
 * returns other than 0 the file is forgotten, and new again the next time.
 */
typedef int (*discovery_fn)(void *ctx, const struct discovery_find *find);

/* Called for a mapping whose file cannot be read, -errno: it may be one of a runtime. */
typedef void (*discovery_unread_fn)(void *ctx, const struct proc_mapping *mapping, int err);

/* Returns 0 or -ENOMEM. */
int discovery__new(discovery_fn fn, discovery_unread_fn unread, void *ctx,
		   struct discovery **ret_discovery);
void discovery__free(struct discovery *discovery);

/* Files with that tag are new from now on. */
void discovery__forget(struct discovery *discovery, int tag);

/* Looks at one mapping. Returns 0 or -errno; a process that has ended meanwhile is no error. */
int discovery__look_at(struct discovery *discovery, const struct proc_mapping *mapping);

/*
 * Looks at all that @pid maps. Returns 0; -ESRCH: it has ended; -E2BIG: it maps more than
 * DISCOVERY_FINDS_MAX; -EACCES, … .
 */
int discovery__scan_process(struct discovery *discovery, pid_t pid);

/* Calls @fn with @ctx for each mapping of a runtime in @pid instead; likewise. */
int discovery__each_runtime(struct discovery *discovery, pid_t pid, discovery_fn fn, void *ctx);

#endif
