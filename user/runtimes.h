/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The runtimes that have probes. A find of the discovery that is new is read, attached to, and told
 * of; one that cannot be is told of as well.
 *
 * There are places for TT_MAX_LAYOUTS of them, and other users' files could take them all. So a
 * file that was touched keeps the place that it has; where there is no other, the places of files
 * that nobody maps any more are given back; and files of one user other than root get no more than
 * half of them.
 */
#ifndef TTTRACE_RUNTIMES_H
#define TTTRACE_RUNTIMES_H

#include <stdbool.h>
#include <sys/types.h>
#include <linux/types.h>

#include "tttrace_config.h"

struct announcer;
struct discovery;
struct discovery_find;
struct gap;
struct library;
struct loader;
struct survey;

struct runtime {
	bool is_taken;
	__u64 attached_ns; /* CLOCK_BOOTTIME: since when it has all of its probes */
	__u64 counter;	   /* as struct library has it */
	int watch;	   /* of what is written to it, see rewrites.h; 0: none */
	pid_t pid;	   /* that mapped it, … */
	char *name;	   /* … under that name */
	/* of its file */
	__u64 dev, ino;
	__u64 size; /* bytes */
	uid_t uid;
	char build_id[64 + 1]; /* hex; empty: it has none, or was not read yet */
	__u64 print;	       /* of what it is, see library__print(); 0: was not read yet */
};

struct runtimes {
	enum tt_mode mode;
	bool views;
	bool stacks;
	struct loader *loader;
	struct discovery *discovery;
	struct survey *survey;
	struct announcer *announcer;
	struct gap *gap;
	bool active; /* processes are traced by now, and may have come before the probes */
	unsigned int num;
	int rewrites_fd;  /* readable when there is something to take; -errno: not open */
	__u64 collect_ns; /* when places may be looked for again that can be given back */
	struct runtime by_tag[TT_MAX_LAYOUTS + 1];
};

void runtimes__done(struct runtimes *runtimes);

/* Tells of the parts that the loader has had to leave out so far. */
void runtimes__tell_missing(struct runtimes *runtimes);

/* Gives back the places of files that were written to, and tells of that. */
void runtimes__take_rewrites(struct runtimes *runtimes);

/*
 * A process maps one that has its probes: perhaps since before they were in place, see gap.h.
 * @is_new: they have been put there just now, and nobody has been told of it yet.
 */
void runtimes__meet(struct runtimes *runtimes, const struct discovery_find *find, bool is_new);

/*
 * Attaches to the runtime that was found, and meets the process. Returns 0: *find->tag is set;
 * -errno: it is not probed, which has been told.
 */
int runtimes__attach(struct runtimes *runtimes, const struct discovery_find *find);

#endif
