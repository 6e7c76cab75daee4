// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "survey.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/log.h"
#include "target/census.h"
#include "target/discovery.h"
#include "target/proc.h"
#include "written.h"

enum {
	LIBRARIES_MAX = 8 /* different runtimes in one process */
};

/* A build of the runtime. */
struct build {
	struct tt_layout layout;
	__u16 index;
};

struct survey {
	struct discovery *discovery;
	survey_record_fn on_record;
	void *ctx;
	struct build *builds[TT_MAX_LAYOUTS]; /* by index */
};

int survey__new(struct discovery *discovery, survey_record_fn on_record, void *ctx,
		struct survey **ret_survey)
{
	struct survey *survey = calloc(1, sizeof(*survey));

	if (!survey)
		return -ENOMEM;
	survey->discovery = discovery;
	survey->on_record = on_record;
	survey->ctx = ctx;
	*ret_survey = survey;
	return 0;
}

void survey__free(struct survey *survey)
{
	if (!survey)
		return;
	for (int i = 0; i < TT_MAX_LAYOUTS; i++)
		free(survey->builds[i]);
	free(survey);
}

int survey__add_library(struct survey *survey, int *tag, const struct tt_layout *layout,
			__u16 index)
{
	struct build *build = malloc(sizeof(*build));

	if (!build)
		return -ENOMEM;
	build->layout = *layout;
	build->index = index;
	free(survey->builds[index]);
	survey->builds[index] = build;
	*tag = index + 1; /* 0: none */
	return 0;
}

void survey__introduce(struct survey *survey, pid_t pid, __u32 flags)
{
	struct tt_record_process rec = { .flags = flags };
	pid_t parent;

	if (proc__comm(pid, rec.comm) || proc__parent(pid, &parent))
		return; /* it has ended */
	rec.h = written__head(TT_RECORD_PROCESS_START, pid);
	rec.parent_tgid = (__u32)parent;
	if (proc__is_forked(pid, parent))
		rec.flags |= TT_PROCESS_FORKED;
	survey->on_record(survey->ctx, &rec, sizeof(rec));
}

void survey__introduce_new(struct survey *survey, pid_t pid)
{
	struct tt_record_census rec = {
		.h = written__head(TT_RECORD_CENSUS, pid),
		.phase = TT_CENSUS_NOTHING,
		.reason = TT_CENSUS_ATTACH,
	};

	survey__introduce(survey, pid, 0);
	survey->on_record(survey->ctx, &rec, sizeof(rec));
}

/* The runtimes of one process. */
struct collection {
	const struct survey *survey;
	struct census_library libraries[LIBRARIES_MAX];
	size_t num;
};

static int collect_library(void *ctx, const struct discovery_find *find)
{
	struct collection *collection = ctx;
	struct census_library *library = &collection->libraries[collection->num];

	if (!*find->tag || collection->num == LIBRARIES_MAX)
		return 0;
	/* it was read before: if it cannot be now, the process has ended */
	if (census__find_bias(find->path, find->mapping, &library->bias))
		return 0;
	library->layout = &collection->survey->builds[*find->tag - 1]->layout;
	library->index = collection->survey->builds[*find->tag - 1]->index;
	collection->num++;
	return 0;
}

static int hand_up(void *ctx, const void *record, size_t size)
{
	struct survey *survey = ctx;

	survey->on_record(survey->ctx, record, size);
	return 0;
}

/* Whose allocators it has a copy of; 0: nobody's. */
static pid_t find_parent(pid_t pid)
{
	pid_t parent;

	return !proc__parent(pid, &parent) && proc__is_forked(pid, parent) ? parent : 0;
}

/* Takes a census of @target, of which the libraries are not set yet. As census__take(). */
static int take(struct survey *survey, struct census_target *target, census_record_fn fn, void *ctx,
		struct census_result *ret_result)
{
	struct collection collection = { .survey = survey };
	int err;

	err = discovery__each_runtime(survey->discovery, target->pid, collect_library, &collection);
	if (err || !collection.num)
		return err ? err : -ESRCH;
	target->libraries = collection.libraries;
	target->num_libraries = collection.num;
	return census__take(target, fn, ctx, ret_result);
}

/* Allocators that were found. */
struct findings {
	struct tt_record_allocator *records;
	size_t num;
};

static int note_allocator(void *ctx, const void *record, size_t size)
{
	const struct tt_record *h = record;
	struct tt_record_allocator *records;
	struct findings *findings = ctx;

	if (h->kind != TT_RECORD_ALLOCATOR || size != sizeof(*records))
		return 0;
	records = array__append(findings->records, findings->num, sizeof(*records));
	if (!records)
		return -ENOMEM;
	findings->records = records;
	memcpy(&records[findings->num++], record, size);
	return 0;
}

/* A record about the end of @pid is yet to come, or it would be begun anew. */
static void tell_found(struct survey *survey, pid_t pid, const struct findings *findings,
		       survey_ready_fn ready, void *ctx)
{
	survey__introduce(survey, pid, 0);
	ready(ctx);
	for (size_t i = 0; i < findings->num; i++)
		survey->on_record(survey->ctx, &findings->records[i], sizeof(findings->records[i]));
}

int survey__find_allocators(struct survey *survey, pid_t pid, survey_ready_fn ready, void *ctx)
{
	struct census_target target = { .pid = pid, .search = true };
	struct findings findings = {};
	struct census_result result;
	int err = take(survey, &target, note_allocator, &findings, &result);

	if (!err && findings.num && !proc__exists(pid))
		err = -ESRCH;
	if (!err && findings.num)
		tell_found(survey, pid, &findings, ready, ctx);
	free(findings.records);
	return err ? err : (int)findings.num;
}

int survey__take(struct survey *survey, pid_t pid, const __u64 *known, size_t num, bool search,
		 survey_ready_fn ready, void *ctx)
{
	struct census_target target = {
		.pid = pid,
		.parent = find_parent(pid),
		.allocators = known,
		.num_allocators = num,
		.search = search,
		.ready = ready,
		.ctx = ctx,
	};
	struct census_result result;
	int err = take(survey, &target, hand_up, survey, &result);

	if (err)
		return err;
	pr_info("census of process '%d': %zu buffers in %zu allocators, %llu MiB searched, %llu us",
		pid, result.buffers, result.allocators,
		(unsigned long long)(result.searched_bytes >> 20),
		(unsigned long long)(result.duration_ns / 1000));
	if (result.search_cut)
		pr_warn("process '%d' has more memory than is searched: it may hold buffers that were "
			"not found",
			pid);
	return result.torn || result.unreadable || result.search_cut ? -ENODATA : 0;
}

void survey__settle(struct survey *survey, pid_t pid, enum tt_census_reason reason, int err)
{
	struct tt_record_census rec = {
		.h = written__head(TT_RECORD_CENSUS, pid),
		.phase = err ? TT_CENSUS_FAILED : TT_CENSUS_SETTLED,
		.reason = reason,
	};

	survey->on_record(survey->ctx, &rec, sizeof(rec));
}
