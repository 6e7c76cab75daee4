// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "announcer.h"

#include <stdio.h>
#include <string.h>

#include "core/parts.h"
#include "lib/log.h"
#include "library_log.h"
#include "target/library.h"
#include "target/probe_set.h"
#include "untraced_log.h"
#include "written.h"

void announcer__library(struct announcer *announcer, const struct library *lib, __u64 set,
			__u16 layout, enum tt_mode mode, bool stacks)
{
	__u64 attached = set & library__probes(lib);
	struct tt_record_library rec = {
		.h = written__head(TT_RECORD_LIBRARY, 0),
		.probes_wanted = set ? library_log__tell(&announcer->builds, lib, set) : 0,
		.probes_attached = (__u32)__builtin_popcountll(attached),
		.mode = mode,
		.stacks = stacks,
		.probes = attached,
		.map = lib->layout,
	};

	rec.h.layout = layout;
	written__path(rec.path, lib->name);
	announcer->on_record(announcer->ctx, &rec, sizeof(rec));
}

void announcer__missing(struct announcer *announcer, enum tt_part part, const char *why)
{
	struct tt_record_missing rec = { .h = written__head(TT_RECORD_MISSING, 0), .part = part };

	if (!why || announcer->told[part])
		return;
	announcer->told[part] = true;
	pr_warn("%s: %s", part__loss(part), why);
	snprintf(rec.why, sizeof(rec.why), "%s", why);
	announcer->on_record(announcer->ctx, &rec, sizeof(rec));
}

void announcer__untraced(struct announcer *announcer, pid_t pid, const char *name, const char *why,
			 const struct load_failure *failure)
{
	struct tt_record_untraced rec;

	if (failure)
		untraced_log__tell_refused(&announcer->untraced, pid, name, failure, &rec);
	else
		untraced_log__tell(&announcer->untraced, pid, name, why, NULL, &rec);
	announcer->on_record(announcer->ctx, &rec, sizeof(rec));
}

void announcer__unread(struct announcer *announcer, pid_t pid, const char *name, int err)
{
	char why[TT_WHY_SIZE];

	snprintf(why, sizeof(why), "it cannot be read: %s", strerror(-err));
	announcer__untraced(announcer, pid, name, why, NULL);
}
