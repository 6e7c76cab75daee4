/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Who maps a runtime: of the processes that were asked for, what they map when it is mapped, as the
 * side band tells it, and what they have mapped, out of /proc. What is looked at goes to the
 * discovery, which hands over the finds; it attaches nothing.
 *
 * The time that this takes is in proportion to what is new: a mapping like the one before is
 * counted only, and a process that goes on mapping runtimes is passed over, which is told.
 */
#ifndef TTTRACE_FINDER_H
#define TTTRACE_FINDER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <linux/types.h>

#include "tttrace_config.h"
#include "tttrace_record.h"

struct discovery;
struct discovery_find;
struct finder;
struct proc_mapping;

struct finder_opts {
	bool all; /* each process is asked for */
	struct discovery *discovery;
	/* Has the records of births and ends that are there by now handed to finder__note(). */
	void (*catch_up)(void *ctx);
	/* A process, wanted or not, has mapped something. */
	void (*on_mapping)(void *ctx, const struct proc_mapping *mapping);
	/* @mapping of a runtime and what follows in its process is not looked at any more. */
	void (*on_excess)(void *ctx, const struct proc_mapping *mapping);
	void *ctx;
};

/* Returns 0 or -ENOMEM. */
int finder__new(const struct finder_opts *opts, struct finder **ret_finder);
void finder__free(struct finder *finder);

/* Has the kernel tell of mappings from now on. Returns 0 or as of sideband__open(). */
int finder__watch(struct finder *finder);
/* For epoll, once it watches: readable when something was mapped. */
int finder__fd(const struct finder *finder);

/* Asks for @pid, and what will descend from it. Returns 0 or -ENOMEM. */
int finder__add(struct finder *finder, pid_t pid);
/* Was @pid itself asked for? */
bool finder__lists(const struct finder *finder, pid_t pid);
size_t finder__num_listed(const struct finder *finder);
/* Was @pid, which runs, or what it descends from asked for? */
bool finder__wants(const struct finder *finder, pid_t pid);

/* Takes note of a record of the BPF side: births and ends. */
void finder__note(struct finder *finder, const struct tt_record *h);
/* The mapping at hand is one of a runtime. */
void finder__note_find(struct finder *finder, const struct discovery_find *find);

/* Looks at all that @pid maps. Returns 0; -ESRCH: it has ended; -EACCES, …; -ENOMEM. */
int finder__scan_process(struct finder *finder, pid_t pid);
/* The same of all processes that are wanted; who may not be looked at is passed over. */
int finder__scan_all(struct finder *finder);

/* Looks at what was mapped since the last time. */
void finder__drain(struct finder *finder);

#endif
