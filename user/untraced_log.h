/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Runtimes that were seen and are not traced: said on stderr once for each file, and in the result.
 */
#ifndef TTTRACE_UNTRACED_LOG_H
#define TTTRACE_UNTRACED_LOG_H

#include <sys/types.h>
#include <linux/types.h>

#include "lib/once.h"
#include "tttrace_config.h"
#include "tttrace_record.h"

struct load_failure;

/*
 * Process @pid maps the runtime @name, which is not traced: @why. Fills in @ret_rec, and warns,
 * with the @advice if that is not NULL, but only once of the same, as @told knows.
 */
void untraced_log__tell(struct once *told, pid_t pid, const char *name, const char *why,
			const char *advice, struct tt_record_untraced *ret_rec);

/* The same for what the kernel refused. */
void untraced_log__tell_refused(struct once *told, pid_t pid, const char *name,
				const struct load_failure *failure,
				struct tt_record_untraced *ret_rec);

#endif
