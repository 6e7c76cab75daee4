/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the stream said about the libraries: layout number → offsets, path, how many probes. Owns
 * copies of it.
 */
#ifndef TTTRACE_LIBRARIES_H
#define TTTRACE_LIBRARIES_H

#include "core/record.h"

enum {
	LIBRARIES_GONE_MAX = 1024
};

struct library_info {
	__u16 layout;
	__u32 probes_wanted;
	__u32 probes_attached;
	enum tt_mode mode;
	bool has_stacks; /* of allocations */
	__u64 probes;	 /* 1 << enum tt_probe: those that are attached */
	char path[TT_PATH_SIZE];
	struct body_map map;
	bool has_id;	/* unique_id_ can be read */
	bool is_second; /* another name of a file that has a link already: see twice.h */
	/* nothing is seen of a free but that memory goes back: not those that give none */
	bool is_lean;
};

struct libraries {
	struct library_info *by_layout[TT_MAX_LAYOUTS];
	__u32 count;
	/* those whose number is another's by now, as long as there are not too many of them */
	struct library_info *gone[LIBRARIES_GONE_MAX];
	__u32 num_gone;
};

/* @layout is a second name of the file of @of, which is no second one. Returns whether that is new.
 */
bool libraries__mark_second(struct libraries *libraries, __u16 layout, __u16 of);

/* A later record for the same number replaces the earlier. Returns 0, -EBADMSG or -ENOMEM. */
int libraries__add(struct libraries *libraries, const struct tt_record_library *rec);
/* NULL: not explained. */
const struct library_info *libraries__find(const struct libraries *libraries, __u16 layout);
/* Are some known, but none of them probed? Then a census is all that is known of processes. */
bool libraries__are_unprobed(const struct libraries *libraries);
void libraries__done(struct libraries *libraries);

#endif
