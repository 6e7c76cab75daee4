/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Takes a census of a process: finds which runtimes it maps, and where, has its allocators read,
 * and hands up the records. It knows neither BPF nor the ledger.
 */
#ifndef TTTRACE_SURVEY_H
#define TTTRACE_SURVEY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <linux/types.h>

#include "tttrace_config.h"
#include "tttrace_record.h"

struct discovery;
struct survey;

typedef void (*survey_record_fn)(void *ctx, const void *record, size_t size);

/* Called when the reading of an allocator is about to begin. */
typedef void (*survey_ready_fn)(void *ctx);

/* @discovery must outlive the survey. Returns 0 or -ENOMEM. */
int survey__new(struct discovery *discovery, survey_record_fn on_record, void *ctx,
		struct survey **ret_survey);
void survey__free(struct survey *survey);

/*
 * A build of the runtime is known from now on, with the layout under whose number @index it stands
 * in records, in place of another that had it. @tag: that of the discovery for its file, which is
 * @index + 1. Returns 0 or -ENOMEM.
 */
int survey__add_library(struct survey *survey, int *tag, const struct tt_layout *layout,
			__u16 index);

/* Tells of a process that is there (TT_RECORD_PROCESS_START). @flags: enum tt_process_flag. */
void survey__introduce(struct survey *survey, pid_t pid, __u32 flags);

/* The same of one that is known to have made no Buffer before its probes were in place. */
void survey__introduce_new(struct survey *survey, pid_t pid);

/*
 * Looks for allocators in the memory of @pid. If it has some it is introduced, @ready is called,
 * which hands up all records of until now, and they are told of (TT_RECORD_ALLOCATOR): if nothing
 * has told of the opening of their devices, that was before the probes were in place. Returns how
 * many there are; -ESRCH: the process has ended; -errno.
 */
int survey__find_allocators(struct survey *survey, pid_t pid, survey_ready_fn ready, void *ctx);

/*
 * Reads what @pid holds: in the @num allocators at @known, and with @search in all that can be
 * found in its memory. @ready may be NULL. Returns 0; -ESRCH: it has ended, or maps no runtime that
 * is known; -ENODATA: not all could be read; -errno.
 */
int survey__take(struct survey *survey, pid_t pid, const __u64 *known, size_t num, bool search,
		 survey_ready_fn ready, void *ctx);

/* Says that all records from before the end of a census have been handed up. @err: of its taking.
 */
void survey__settle(struct survey *survey, pid_t pid, enum tt_census_reason reason, int err);

#endif
