/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the records that the user side writes have in common. */
#ifndef TTTRACE_WRITTEN_H
#define TTTRACE_WRITTEN_H

#include <string.h>
#include <sys/types.h>
#include <linux/types.h>

#include "lib/clock.h"
#include "tttrace_config.h"
#include "tttrace_record.h"

/* The head of a record of now, about @pid; 0: about no process. Its start is not known. */
static inline struct tt_record written__head(enum tt_record_kind kind, pid_t pid)
{
	return (struct tt_record){
		.kind = kind,
		.probe = TT_PROBE_COUNT,
		.tgid = (__u32)pid,
		.ts_ns = clock__now_ns(),
	};
}

/* @name into the @path of a record, which is zeroed; cut in front if it is longer. */
static inline void written__path(char path[TT_PATH_SIZE], const char *name)
{
	size_t len = strlen(name), cut = len < TT_PATH_SIZE ? 0 : len - TT_PATH_SIZE + 1;

	memcpy(path, name + cut, len - cut);
}

#endif
