/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Which of some files anybody maps for execution, under whatever name. */
#ifndef TTTRACE_MAPPED_FILES_H
#define TTTRACE_MAPPED_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

struct mapped_file {
	__u64 dev, ino; /* as stat(2) tells them */
	bool is_mapped; /* filled in */
};

/*
 * Looks through all processes: each file that is mapped is opened once, by however many. What
 * may not be looked at is passed over: that takes root. Returns 0; -ENOMEM; -errno.
 */
int mapped_files__find(struct mapped_file *files, size_t count);

#endif
