/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * How many files tttrace may have open. Each one that traced processes map is held open, so that it
 * can be unwound and named after they have ended: some 200 for a program in Python, where 1024 is a
 * usual limit.
 */
#ifndef TTTRACE_FILES_LIMIT_H
#define TTTRACE_FILES_LIMIT_H

#include <sys/resource.h>

/*
 * As many open files as may be had. *ret_old: how many it were, which is for those who are to have
 * no more; where that cannot be read, the limit is left alone. Returns 0; -EMFILE, logged: they are
 * fewer than any trace needs.
 */
int files_limit__raise(struct rlimit *ret_old);

#endif
