/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the user side itself tells of, in records and, where somebody has to know, on stderr: the
 * libraries, those that are not traced, and parts that this machine does not allow.
 */
#ifndef TTTRACE_ANNOUNCER_H
#define TTTRACE_ANNOUNCER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <linux/types.h>

#include "lib/once.h"
#include "tttrace_config.h"
#include "tttrace_record.h"

struct library;
struct load_failure;

struct announcer {
	void (*on_record)(void *ctx, const void *record, size_t size);
	void *ctx;
	bool told[TT_PART_COUNT]; /* that they are missing */
	struct once builds;	  /* of libraries whose parts that are missing were told of */
	struct once untraced;	  /* names and reasons */
};

/* @lib stands under the number @layout in records; its probes of @set are in place. */
void announcer__library(struct announcer *announcer, const struct library *lib, __u64 set,
			__u16 layout, enum tt_mode mode, bool stacks);

/* @part is missing, once; @why NULL: it is not. */
void announcer__missing(struct announcer *announcer, enum tt_part part, const char *why);

/* @pid maps a runtime, @name, that is not traced, because of @failure; NULL: of @why. */
void announcer__untraced(struct announcer *announcer, pid_t pid, const char *name, const char *why,
			 const struct load_failure *failure);

/* The same for a file that cannot be read: -errno. */
void announcer__unread(struct announcer *announcer, pid_t pid, const char *name, int err);

#endif
