/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The file of --suppressions: core/suppressions.h says what is in it. */
#ifndef TTTRACE_SUPPRESSION_FILE_H
#define TTTRACE_SUPPRESSION_FILE_H

#include "core/suppressions.h"

/*
 * Reads all of @path. Returns 0; -EINVAL: a line of it is no rule; -EFBIG: it is no file of rules;
 * -ENOMEM; -errno when it cannot be read. It has said what is wrong: the exit status is EXIT_USAGE.
 */
int suppression_file__read(const char *path, struct suppressions **ret_suppressions);

#endif
