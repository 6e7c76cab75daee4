// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "trace/trial.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "target/host.h"
#include "target/proc.h"
#include "target/sideband.h"
#include "trace/reader.h"

/* What is passed. Their instructions differ, so that the compiler does not make one of the two. */
__attribute__((noinline)) static void pass_clear(const void *object)
{
	__asm__ volatile("nop" : : "r"(object) : "memory");
}

__attribute__((noinline)) static void pass_allocate(const void *object)
{
	__asm__ volatile("nop\n\tnop" : : "r"(object) : "memory");
}

enum {
	PASSED_CLEAR,	 /* its record needs no layout */
	PASSED_ALLOCATE, /* and this one takes a stack */
	PASSED_COUNT
};

/* What came out of the ring. */
struct trial {
	struct loader *loader;
	struct reader *reader;
	struct trial_result *result;
	pid_t child;
	bool cleared, has_stack, forked, exited, renamed;
};

static void on_record(void *ctx, const void *record, size_t size)
{
	const struct tt_record *h = record;
	struct trial *trial = ctx;
	bool own = size >= sizeof(*h) && (pid_t)h->tgid == getpid();

	if (!own && (size < sizeof(*h) || (pid_t)h->tgid != trial->child))
		return;
	switch (h->kind) {
	case TT_RECORD_BULK:
		trial->cleared |= own && ((const struct tt_record_object *)record)->object ==
						 (__u64)(uintptr_t)trial;
		break;
	case TT_RECORD_STACK_COPY:
		trial->has_stack |= own;
		break;
	case TT_RECORD_PROCESS_START:
		trial->forked |= !own;
		break;
	case TT_RECORD_PROCESS_EXIT:
		trial->exited |= !own;
		break;
	case TT_RECORD_PROCESS_NAME:
		trial->renamed |= own;
		break;
	}
}

struct place {
	__u64 address;
	unsigned long offset; /* in the file; 0: not found */
};

static int find_place(void *ctx, const struct proc_mapping *mapping)
{
	struct place *place = ctx;

	if (place->address >= mapping->start && place->address < mapping->end)
		place->offset = place->address - mapping->start + mapping->offset;
	return 0;
}

static int attach(struct trial *trial)
{
	struct place places[PASSED_COUNT] = {
		[PASSED_CLEAR] = { .address = (__u64)(uintptr_t)pass_clear },
		[PASSED_ALLOCATE] = { .address = (__u64)(uintptr_t)pass_allocate },
	};
	const struct tt_cookie cookies[PASSED_COUNT] = {
		[PASSED_CLEAR] = { .probe = TT_PROBE_CLEAR },
		[PASSED_ALLOCATE] = { .probe = TT_PROBE_TRACK_ALLOCATE },
	};
	unsigned long offsets[PASSED_COUNT];
	int err;

	for (int i = 0; i < PASSED_COUNT; i++) {
		err = proc__each_mapping(getpid(), find_place, &places[i]);
		if (err || !places[i].offset)
			return err ? err : -ENOENT;
		offsets[i] = places[i].offset;
	}
	return loader__attach_own(trial->loader, "/proc/self/exe", offsets, cookies, PASSED_COUNT);
}

static void pass(struct trial *trial)
{
	char name[PROC_COMM_SIZE] = "";

	pass_clear(trial);
	pass_allocate(trial);
	prctl(PR_GET_NAME, name);
	prctl(PR_SET_NAME, name);
	trial->child = fork();
	if (!trial->child)
		_exit(0);
	if (trial->child > 0)
		waitpid(trial->child, NULL, 0);
}

static void note_missing(struct trial_result *result, enum tt_part part, const char *why)
{
	result->missing |= 1u << part;
	if (!result->why[0])
		snprintf(result->why, sizeof(result->why), "%s", why);
}

/* Parts that the kernel took, and that do nothing. */
static void judge(struct trial *trial, bool stacks)
{
	const struct {
		enum tt_part part;
		bool works;
		const char *why;
	} parts[] = {
		{ TT_PART_STACKS, trial->has_stack || !stacks, "no stack was recorded at a probe" },
		{ TT_PART_FORK, trial->forked || trial->child < 0, "a fork was not recorded" },
		/* of a child that was not entered at its fork no end is seen */
		{ TT_PART_EXIT, trial->exited || !trial->forked, "an exit was not recorded" },
		{ TT_PART_RENAME, trial->renamed, "a new name of a thread was not recorded" },
	};
	struct trial_result *result = trial->result;

	result->works = trial->cleared;
	if (!trial->cleared) {
		snprintf(result->why, sizeof(result->why),
			 "a probe was passed, and no record of it came");
		return;
	}
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (!parts[i].works && !(result->missing & 1u << parts[i].part))
			note_missing(result, parts[i].part, parts[i].why);
}

static void explain(struct trial_result *result, const struct load_failure *failure, int err)
{
	struct host host;

	host__read(&host);
	if (failure->err) {
		load_error__why(failure, &host, result->why, sizeof(result->why));
		result->advice = load_error__advice(load_error__cause(failure, &host));
	} else {
		snprintf(result->why, sizeof(result->why), "%s", strerror(-err));
	}
	if (failure->log)
		result->log = strdup(failure->log);
}

static void ignore_mapping(void *ctx, const struct proc_mapping *mapping)
{
	(void)ctx;
	(void)mapping;
}

/* Libraries that are mapped later are told of by perf events of another kind. */
static void try_sideband(struct trial_result *result)
{
	struct load_failure failure = { .step = LOAD_STEP_MAPPINGS };
	struct sideband *sideband = NULL;
	char why[LOAD_TEXT_SIZE];
	struct host host;

	failure.err = sideband__open(ignore_mapping, NULL, &sideband);
	if (!failure.err) {
		sideband__close(sideband);
		return;
	}
	host__read(&host);
	load_error__why(&failure, &host, why, sizeof(why));
	note_missing(result, TT_PART_MAPPINGS, why);
}

static int try_it(struct trial *trial, const struct loader_opts *opts)
{
	int err = loader__load(trial->loader);

	if (!err)
		err = reader__new(trial->loader, on_record, trial, &trial->reader);
	if (!err)
		err = loader__add_process(trial->loader, getpid(), 0);
	if (!err)
		err = attach(trial);
	if (err)
		return err;
	for (int part = 0; part < TT_PART_COUNT; part++)
		if (loader__missing(trial->loader, part))
			note_missing(trial->result, part, loader__missing(trial->loader, part));
	loader__activate(trial->loader);
	pass(trial);
	loader__deactivate(trial->loader);
	reader__catch_up(trial->reader);
	judge(trial, opts->stack_depth);
	try_sideband(trial->result);
	return 0;
}

void trial__run(const struct loader_opts *given, struct trial_result *ret_result)
{
	struct trial trial = { .result = ret_result };
	struct loader_opts opts = *given;
	int err;

	memset(ret_result, 0, sizeof(*ret_result));
	opts.scope = TT_SCOPE_LISTED;
	opts.quiet = true;
	err = proc__pid_namespace(&opts.pid_namespace);
	if (!err)
		err = loader__prepare(&opts, &trial.loader);
	if (err) {
		explain(ret_result, &(struct load_failure){ .err = err }, err);
		return;
	}
	err = try_it(&trial, &opts);
	if (err)
		explain(ret_result, loader__failure(trial.loader), err);
	reader__free(trial.reader);
	loader__free(trial.loader);
}

void trial_result__done(struct trial_result *result)
{
	free(result->log);
	memset(result, 0, sizeof(*result));
}
