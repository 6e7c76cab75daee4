// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "finder.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/clock.h"
#include "lib/table.h"
#include "target/discovery.h"
#include "target/proc.h"
#include "target/sideband.h"
#include "wanted.h"

enum {
	MAPPERS_MIN = 64,
	AGAIN_NS = 100000000, /* until it is asked again whether a PID is another process's now */
};

/* A process that has mapped a runtime. */
struct mapper {
	pid_t pid;
	__u32 num_finds;
	bool is_told; /* that it is passed over */
	__u64 start;  /* as of proc__start(), when it was met */
	__u64 asked_ns;
	UT_hash_handle hh;
};

/* A mapping, to know the next one like it by. */
struct last_mapping {
	struct proc_mapping mapping; /* .pid 0: there is none */
	char name[PATH_MAX];	     /* of it */
	struct mapper *mapper;	     /* NULL: it was none of a runtime */
};

struct finder {
	struct finder_opts opts;
	struct sideband *sideband; /* NULL: it does not watch */
	struct wanted wanted;
	struct mapper *mappers; /* by PID */
	unsigned int mappers_max;
	struct last_mapping last;
};

int finder__new(const struct finder_opts *opts, struct finder **ret_finder)
{
	struct finder *finder = calloc(1, sizeof(*finder));

	if (!finder)
		return -ENOMEM;
	finder->opts = *opts;
	finder->wanted.all = opts->all;
	finder->mappers_max = MAPPERS_MIN;
	*ret_finder = finder;
	return 0;
}

void finder__free(struct finder *finder)
{
	struct mapper *mapper, *next;

	if (!finder)
		return;
	HASH_ITER (hh, finder->mappers, mapper, next) {
		HASH_DEL(finder->mappers, mapper);
		free(mapper);
	}
	sideband__close(finder->sideband);
	wanted__done(&finder->wanted);
	free(finder);
}

/* --- who is wanted --------------------------------------------------------------------------- */

int finder__add(struct finder *finder, pid_t pid)
{
	return wanted__add(&finder->wanted, pid);
}

bool finder__lists(const struct finder *finder, pid_t pid)
{
	return wanted__lists(&finder->wanted, pid);
}

size_t finder__num_listed(const struct finder *finder)
{
	return finder->wanted.num_added;
}

bool finder__wants(const struct finder *finder, pid_t pid)
{
	return wanted__has(&finder->wanted, pid);
}

void finder__note(struct finder *finder, const struct tt_record *h)
{
	wanted__note(&finder->wanted, h);
}

/* The record of its birth may not have been read yet, and /proc tells only of those that run. */
static bool was_wanted(struct finder *finder, pid_t pid, __u64 ts_ns)
{
	if (wanted__knows(&finder->wanted, pid, ts_ns))
		return true;
	finder->opts.catch_up(finder->opts.ctx);
	return wanted__knows(&finder->wanted, pid, ts_ns) || wanted__has(&finder->wanted, pid);
}

/* --- those that map a runtime ---------------------------------------------------------------- */

static struct mapper *find_mapper(const struct finder *finder, pid_t pid)
{
	struct mapper *mapper;

	HASH_FIND(hh, finder->mappers, &pid, sizeof(pid), mapper);
	return mapper;
}

static void forget_last(struct finder *finder)
{
	finder->last.mapping.pid = 0;
	finder->last.mapper = NULL;
}

static void forget_ended(struct finder *finder)
{
	struct mapper *mapper, *next;

	forget_last(finder);
	HASH_ITER (hh, finder->mappers, mapper, next) {
		if (proc__exists(mapper->pid))
			continue;
		HASH_DEL(finder->mappers, mapper);
		free(mapper);
	}
	finder->mappers_max = MAPPERS_MIN + 2 * HASH_COUNT(finder->mappers);
}

/* NULL: no memory. */
static struct mapper *meet_mapper(struct finder *finder, pid_t pid)
{
	struct mapper *mapper = find_mapper(finder, pid);

	if (mapper)
		return mapper;
	if (HASH_COUNT(finder->mappers) >= finder->mappers_max)
		forget_ended(finder);
	mapper = calloc(1, sizeof(*mapper));
	if (!mapper)
		return NULL;
	mapper->pid = pid;
	mapper->start = proc__start(pid);
	HASH_ADD(hh, finder->mappers, pid, sizeof(mapper->pid), mapper);
	if (table__has(mapper))
		return mapper;
	free(mapper);
	return NULL;
}

/* Of the many: is it still the same process? */
static bool is_same_process(struct mapper *mapper)
{
	__u64 now_ns = clock__now_ns();

	if (now_ns < mapper->asked_ns + AGAIN_NS)
		return true;
	mapper->asked_ns = now_ns;
	return proc__start(mapper->pid) == mapper->start;
}

static bool is_passed_over(struct finder *finder, const struct proc_mapping *mapping)
{
	struct mapper *mapper = find_mapper(finder, mapping->pid);

	if (!mapper || mapper->num_finds < DISCOVERY_FINDS_MAX)
		return false;
	if (!is_same_process(mapper)) {
		mapper->num_finds = 0;
		mapper->is_told = false;
		mapper->start = proc__start(mapper->pid);
		return false;
	}
	if (!mapper->is_told)
		finder->opts.on_excess(finder->opts.ctx, mapping);
	mapper->is_told = true;
	return true;
}

void finder__note_find(struct finder *finder, const struct discovery_find *find)
{
	struct mapper *mapper = meet_mapper(finder, find->pid);

	if (!mapper)
		return;
	mapper->num_finds++;
	finder->last.mapper = mapper;
}

/* --- mappings -------------------------------------------------------------------------------- */

static bool is_like_last(const struct last_mapping *last, const struct proc_mapping *mapping)
{
	return last->mapping.pid == mapping->pid && proc__is_same_file(&last->mapping, mapping);
}

/* The same file in the same process once more: nothing is to be learnt of it. */
static bool is_repeated(struct finder *finder, const struct proc_mapping *mapping)
{
	struct last_mapping *last = &finder->last;

	if (is_like_last(last, mapping)) {
		if (last->mapper)
			last->mapper->num_finds++;
		return true;
	}
	snprintf(last->name, sizeof(last->name), "%s", mapping->name);
	last->mapping = *mapping;
	last->mapping.name = last->name;
	last->mapper = NULL;
	return false;
}

/* Returns 0; -EOVERFLOW: no more of this process; -ENOMEM. */
static int look_at(struct finder *finder, const struct proc_mapping *mapping)
{
	int err;

	if (is_passed_over(finder, mapping))
		return -EOVERFLOW;
	if (is_repeated(finder, mapping))
		return 0;
	err = discovery__look_at(finder->opts.discovery, mapping);
	return err == -ENOMEM ? err : 0;
}

static void take_mapping(void *ctx, const struct proc_mapping *mapping)
{
	struct finder *finder = ctx;

	finder->opts.on_mapping(finder->opts.ctx, mapping);
	if (was_wanted(finder, mapping->pid, mapping->ts_ns))
		look_at(finder, mapping);
}

static int scan_mapping(void *ctx, const struct proc_mapping *mapping)
{
	return look_at(ctx, mapping);
}

int finder__scan_process(struct finder *finder, pid_t pid)
{
	struct mapper *mapper = find_mapper(finder, pid);
	int err;

	if (mapper && !mapper->is_told)
		mapper->num_finds = 0; /* all that it maps comes once more */
	forget_last(finder);
	err = proc__each_mapping(pid, scan_mapping, finder);
	forget_last(finder);
	return err == -EOVERFLOW ? 0 : err;
}

static int scan_pid(void *ctx, pid_t pid)
{
	struct finder *finder = ctx;

	if (!wanted__has(&finder->wanted, pid))
		return 0;
	return finder__scan_process(finder, pid) == -ENOMEM ? -ENOMEM : 0;
}

int finder__scan_all(struct finder *finder)
{
	finder->opts.catch_up(finder->opts.ctx);
	return proc__each_pid(scan_pid, finder);
}

int finder__watch(struct finder *finder)
{
	return sideband__open(take_mapping, finder, &finder->sideband);
}

int finder__fd(const struct finder *finder)
{
	return sideband__fd(finder->sideband);
}

void finder__drain(struct finder *finder)
{
	bool lost = finder->sideband && sideband__drain(finder->sideband);

	forget_last(finder);
	if (lost)
		finder__scan_all(finder);
}
