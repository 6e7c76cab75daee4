// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "runtimes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "announcer.h"
#include "gap.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "rewrites.h"
#include "survey.h"
#include "target/discovery.h"
#include "target/library.h"
#include "target/mapped_files.h"
#include "target/probe_set.h"
#include "trace/loader.h"

enum {
	OF_ONE_USER = TT_MAX_LAYOUTS / 2,
	COLLECT_NS = 1000000000, /* between two searches for places to give back, at least, … */
	COLLECT_PAUSE = 10,	 /* … and so many times as long as the last one took */
};

void runtimes__tell_missing(struct runtimes *runtimes)
{
	for (int part = 0; part < TT_PART_COUNT; part++)
		announcer__missing(runtimes->announcer, part,
				   loader__missing(runtimes->loader, part));
}

/* --- places ---------------------------------------------------------------------------------- */

static void forget(struct runtimes *runtimes, struct runtime *runtime)
{
	if (runtime->watch)
		rewrites__forget(runtimes->rewrites_fd, runtime->watch);
	free(runtime->name);
	*runtime = (struct runtime){};
}

static void take_probes_out(struct runtimes *runtimes, int tag)
{
	/* of its last process all that was recorded has been read by then */
	gap__prepare(runtimes->gap);
	loader__release_library(runtimes->loader, (__u16)(tag - 1));
	discovery__forget(runtimes->discovery, tag);
}

static void give_back(struct runtimes *runtimes, int tag)
{
	take_probes_out(runtimes, tag);
	forget(runtimes, &runtimes->by_tag[tag]);
}

static int find_watch(const struct runtimes *runtimes, int watch)
{
	for (int tag = 1; tag <= TT_MAX_LAYOUTS; tag++)
		if (runtimes->by_tag[tag].watch == watch)
			return tag;
	return 0;
}

void runtimes__take_rewrites(struct runtimes *runtimes)
{
	int watch;

	while ((watch = rewrites__next(runtimes->rewrites_fd)) != 0) {
		int tag = find_watch(runtimes, watch);

		if (!tag)
			continue;
		take_probes_out(runtimes, tag);
		announcer__untraced(runtimes->announcer, runtimes->by_tag[tag].pid,
				    runtimes->by_tag[tag].name,
				    "the file was overwritten, so its probes were taken out; put a "
				    "new library beside the old one and rename it (mv)",
				    NULL);
		forget(runtimes, &runtimes->by_tag[tag]);
	}
}

void runtimes__done(struct runtimes *runtimes)
{
	for (int tag = 1; tag <= TT_MAX_LAYOUTS; tag++)
		forget(runtimes, &runtimes->by_tag[tag]);
	if (runtimes->rewrites_fd >= 0)
		close(runtimes->rewrites_fd);
}

static void give_back_unmapped(struct runtimes *runtimes)
{
	struct mapped_file files[TT_MAX_LAYOUTS + 1];
	unsigned int num = 0;

	for (int tag = 1; tag <= TT_MAX_LAYOUTS; tag++)
		files[tag] = (struct mapped_file){ runtimes->by_tag[tag].dev,
						   runtimes->by_tag[tag].ino, false };
	if (mapped_files__find(files + 1, TT_MAX_LAYOUTS))
		return;
	for (int tag = 1; tag <= TT_MAX_LAYOUTS; tag++) {
		if (!runtimes->by_tag[tag].is_taken || files[tag].is_mapped)
			continue;
		give_back(runtimes, tag);
		num++;
	}
	pr_info("%u libraries that nobody maps any more have no probes from now on", num);
}

static void collect(struct runtimes *runtimes)
{
	__u64 begin_ns = clock__now_ns();

	if (begin_ns < runtimes->collect_ns)
		return;
	give_back_unmapped(runtimes);
	runtimes->collect_ns =
		clock__now_ns() + COLLECT_NS + COLLECT_PAUSE * (clock__now_ns() - begin_ns);
}

/* Is there none left, or none for one more file of @uid? */
static bool is_full(const struct runtimes *runtimes, uid_t uid)
{
	int taken = 0, own = 0;

	for (int tag = 1; tag <= TT_MAX_LAYOUTS; tag++) {
		taken += runtimes->by_tag[tag].is_taken;
		own += runtimes->by_tag[tag].is_taken && runtimes->by_tag[tag].uid == uid;
	}
	return taken == TT_MAX_LAYOUTS || (uid && own >= OF_ONE_USER);
}

/* Is @now, of the same inode, the same library still? As far as @now has been read. */
static bool is_touched(const struct runtime *old, const struct runtime *now)
{
	if (now->print)
		return old->print == now->print;
	return now->build_id[0] && old->size == now->size && !strcmp(old->build_id, now->build_id);
}

/* The tag under which the same inode is known; 0: none. */
static int find_inode(const struct runtimes *runtimes, const struct runtime *runtime)
{
	for (int tag = 1; tag <= TT_MAX_LAYOUTS; tag++) {
		const struct runtime *old = &runtimes->by_tag[tag];

		if (old->is_taken && old->dev == runtime->dev && old->ino == runtime->ino)
			return tag;
	}
	return 0;
}

/* It has its probes already: the file was touched, its times are others. */
static bool is_attached(struct runtimes *runtimes, const struct discovery_find *find,
			const struct runtime *runtime)
{
	int tag = find_inode(runtimes, runtime);

	if (!tag || !is_touched(&runtimes->by_tag[tag], runtime))
		return false;
	*find->tag = tag;
	runtimes__meet(runtimes, find, false);
	return true;
}

/* --- attach ---------------------------------------------------------------------------------- */

static void tell_attached(struct runtimes *runtimes, const struct discovery_find *find,
			  const struct library *lib, __u64 set, __u16 layout, unsigned int num)
{
	if (!runtimes->active && !proc__exists(find->pid))
		announcer__untraced(runtimes->announcer, find->pid, lib->name,
				    "the process had ended before it could be probed", NULL);
	pr_info("attached to '%s' (build %s, %u probes, through process '%d')", lib->name,
		lib->build_id, num, find->pid);
	announcer__library(runtimes->announcer, lib, set, layout, runtimes->mode, runtimes->stacks);
}

void runtimes__meet(struct runtimes *runtimes, const struct discovery_find *find, bool is_new)
{
	const struct runtime *runtime = &runtimes->by_tag[*find->tag];
	__u64 ts_ns = find->mapping->ts_ns;

	if (runtimes->active && (ts_ns ? ts_ns < runtime->attached_ns : is_new))
		gap__enter(runtimes->gap, find, runtime->counter, is_new);
}

static int watch_file(const struct runtimes *runtimes, const struct discovery_find *find,
		      struct runtime *runtime)
{
	int fd = runtimes->rewrites_fd;
	int watch = fd < 0 ? fd : rewrites__watch(fd, find->path);

	runtime->pid = find->pid;
	runtime->name = strdup(find->name);
	if (watch > 0)
		runtime->watch = watch;
	else
		pr_warn("cannot watch '%s': %s; do not overwrite it while it is traced: what maps "
			"it then may crash",
			find->name, strerror(-watch));
	return runtime->name ? 0 : -ENOMEM;
}

static int attach_library(struct runtimes *runtimes, const struct discovery_find *find,
			  const struct library *lib, struct runtime *runtime)
{
	__u64 set =
		probe_set__of(runtimes->mode, runtimes->views, &lib->layout, library__probes(lib));
	unsigned int attached;
	__u16 layout;
	int err;

	if (runtimes->active)
		gap__prepare(runtimes->gap);
	err = watch_file(runtimes, find, runtime); /* first: what comes between is seen, too */
	if (err)
		return err;
	err = loader__attach_library(runtimes->loader, lib, set, find->path, &layout, &attached);
	runtimes__tell_missing(runtimes);
	if (err) {
		forget(runtimes, runtime);
		announcer__untraced(runtimes->announcer, find->pid, find->name, NULL,
				    loader__failure(runtimes->loader));
		return err;
	}
	err = survey__add_library(runtimes->survey, find->tag, &lib->layout, layout);
	if (err) {
		loader__release_library(runtimes->loader, layout);
		forget(runtimes, runtime);
		return err;
	}
	runtime->is_taken = true;
	runtime->attached_ns = clock__now_ns();
	runtimes->by_tag[*find->tag] = *runtime;
	runtimes->num++;
	runtimes__meet(runtimes, find, true);
	tell_attached(runtimes, find, lib, set, layout, attached);
	return 0;
}

/* Returns 0: there is a place for it. */
static int find_place(struct runtimes *runtimes, const struct discovery_find *find, uid_t uid)
{
	char why[TT_WHY_SIZE];

	if (is_full(runtimes, uid))
		collect(runtimes);
	if (!is_full(runtimes, uid))
		return 0;
	snprintf(why, sizeof(why),
		 "too many libraries are traced already: %d at most, %d of one user",
		 TT_MAX_LAYOUTS, OF_ONE_USER);
	announcer__untraced(runtimes->announcer, find->pid, find->name, why, NULL);
	return -E2BIG;
}

static int describe(const struct discovery_find *find, struct runtime *ret_runtime)
{
	struct stat st;

	*ret_runtime = (struct runtime){};
	if (stat(find->path, &st))
		return -errno;
	ret_runtime->dev = st.st_dev;
	ret_runtime->ino = st.st_ino;
	ret_runtime->size = st.st_size;
	ret_runtime->uid = st.st_uid;
	return library__read_build_id(find->path, ret_runtime->build_id,
				      sizeof(ret_runtime->build_id));
}

/*
 * Of an inode that is known something else was written: the probes that it has are not in the
 * functions that are there now.
 */
static int attach_read(struct runtimes *runtimes, const struct discovery_find *find,
		       const struct library *lib, struct runtime *runtime)
{
	int err, tag;

	runtime->counter = lib->counter;
	runtime->print = library__print(lib);
	if (is_attached(runtimes, find, runtime))
		return 0;
	tag = find_inode(runtimes, runtime);
	if (tag)
		give_back(runtimes, tag);
	err = find_place(runtimes, find, runtime->uid);
	return err ? err : attach_library(runtimes, find, lib, runtime);
}

int runtimes__attach(struct runtimes *runtimes, const struct discovery_find *find)
{
	struct runtime runtime;
	struct library *lib;
	int err = describe(find, &runtime);

	if (!err && is_attached(runtimes, find, &runtime))
		return 0;
	if (!err)
		err = library__open(find->path, find->name, &lib);
	if (err) {
		announcer__unread(runtimes->announcer, find->pid, find->name, err);
		return err;
	}
	err = attach_read(runtimes, find, lib, &runtime);
	library__free(lib);
	return err;
}
