// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "runtimes.h"

#include "announcer.h"
#include "gap.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "survey.h"
#include "target/discovery.h"
#include "target/library.h"
#include "target/probe_set.h"
#include "trace/loader.h"

void runtimes__tell_missing(struct runtimes *runtimes)
{
	for (int part = 0; part < TT_PART_COUNT; part++)
		announcer__missing(runtimes->announcer, part,
				   loader__missing(runtimes->loader, part));
}

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

void runtimes__meet(struct runtimes *runtimes, const struct discovery_find *find)
{
	const struct runtime *runtime = &runtimes->by_tag[*find->tag];
	__u64 ts_ns = find->mapping->ts_ns;

	if (runtimes->active && (find->is_new || (ts_ns && ts_ns < runtime->attached_ns)))
		gap__enter(runtimes->gap, find, runtime->counter);
}

static int attach_library(struct runtimes *runtimes, const struct discovery_find *find,
			  const struct library *lib)
{
	__u64 set =
		probe_set__of(runtimes->mode, runtimes->views, &lib->layout, library__probes(lib));
	unsigned int attached;
	__u16 layout;
	int err;

	if (runtimes->active)
		gap__prepare(runtimes->gap);
	err = loader__attach_library(runtimes->loader, lib, set, find->path, &layout, &attached);
	runtimes__tell_missing(runtimes);
	if (err) {
		announcer__untraced(runtimes->announcer, find->pid, find->name, NULL,
				    loader__failure(runtimes->loader));
		return err;
	}
	err = survey__add_library(runtimes->survey, find->tag, &lib->layout, layout);
	if (err)
		return err;
	runtimes->by_tag[*find->tag] = (struct runtime){ clock__now_ns(), lib->counter };
	runtimes->num++;
	runtimes__meet(runtimes, find);
	tell_attached(runtimes, find, lib, set, layout, attached);
	return 0;
}

int runtimes__attach(struct runtimes *runtimes, const struct discovery_find *find)
{
	struct library *lib;
	int err = library__open(find->path, find->name, &lib);

	if (err) {
		announcer__unread(runtimes->announcer, find->pid, find->name, err);
		return err;
	}
	err = attach_library(runtimes, find, lib);
	library__free(lib);
	return err;
}
