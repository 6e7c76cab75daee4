// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "untraced_log.h"

#include <stdio.h>

#include "lib/log.h"
#include "target/host.h"
#include "trace/load_error.h"
#include "written.h"

void untraced_log__tell(struct once *told, pid_t pid, const char *name, const char *why,
			const char *advice, struct tt_record_untraced *ret_rec)
{
	*ret_rec = (struct tt_record_untraced){ .h = written__head(TT_RECORD_UNTRACED, pid) };
	written__path(ret_rec->path, name);
	snprintf(ret_rec->why, sizeof(ret_rec->why), "%s", why);
	if (once__tell(told, name, why) != ONCE_NEW)
		return;
	pr_warn("'%s' of process '%d' is not traced: %s", name, pid, why);
	if (advice)
		pr_warn("%s", advice);
	if (told->num == ONCE_MAX)
		pr_warn("further runtimes that are not traced are only counted");
}

void untraced_log__tell_refused(struct once *told, pid_t pid, const char *name,
				const struct load_failure *failure,
				struct tt_record_untraced *ret_rec)
{
	char why[LOAD_TEXT_SIZE];
	struct host host;

	host__read(&host);
	load_error__why(failure, &host, why, sizeof(why));
	untraced_log__tell(told, pid, name, why,
			   load_error__advice(load_error__cause(failure, &host)), ret_rec);
}
