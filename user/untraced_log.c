// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "untraced_log.h"

#include <stdbool.h>
#include <stdio.h>

#include "lib/log.h"
#include "target/host.h"
#include "trace/load_error.h"
#include "written.h"

/* FNV-1a. */
static __u64 hash(__u64 value, const char *text)
{
	for (; *text; text++)
		value = (value ^ (unsigned char)*text) * 0x100000001b3;
	return value;
}

static bool is_new(struct untraced_log *log, const char *name, const char *why)
{
	__u64 key = hash(hash(0xcbf29ce484222325, name), why);

	for (unsigned int i = 0; i < log->num_told; i++)
		if (log->told[i] == key)
			return false;
	if (log->num_told == UNTRACED_LOG_SIZE)
		return false;
	log->told[log->num_told++] = key;
	return true;
}

void untraced_log__tell(struct untraced_log *log, pid_t pid, const char *name, const char *why,
			const char *advice, struct tt_record_untraced *ret_rec)
{
	*ret_rec = (struct tt_record_untraced){ .h = written__head(TT_RECORD_UNTRACED, pid) };
	written__path(ret_rec->path, name);
	snprintf(ret_rec->why, sizeof(ret_rec->why), "%s", why);
	if (!is_new(log, name, why))
		return;
	pr_warn("'%s' of process '%d' is not traced: %s", name, pid, why);
	if (advice)
		pr_warn("%s", advice);
	if (log->num_told == UNTRACED_LOG_SIZE)
		pr_warn("further runtimes that are not traced are only counted");
}

void untraced_log__tell_refused(struct untraced_log *log, pid_t pid, const char *name,
				const struct load_failure *failure,
				struct tt_record_untraced *ret_rec)
{
	char why[LOAD_TEXT_SIZE];
	struct host host;

	host__read(&host);
	load_error__why(failure, &host, why, sizeof(why));
	untraced_log__tell(log, pid, name, why,
			   load_error__advice(load_error__cause(failure, &host)), ret_rec);
}
