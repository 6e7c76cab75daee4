/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Where the fields of the runtime's objects lie in a library without symbols: read off the objects
 * themselves, in a process that has some. It may use memory, census_search and classes; it neither
 * logs nor prints.
 *
 * There is no code to decode, for nobody can say which function is which. But the objects of
 *classes with virtual functions are found by their vtables, and they lead to the others; and what
 *they hold has to fit together:
 *
 *	FreeListOpt	five of its members, of all that are possible, describe blocks that follow
 *			each other without a gap and together are the bank
 *	BankManager	leads to a free list; each of the four of an allocator has a type of its own
 *	Buffer		its allocator holds it in a set, it names this allocator and a device, and
 *			where it lies is a block that is taken, of the manager of its type
 *	MeshDevice	the nearest list of chips; no other that it leads to has more
 *
 * A field is where these conditions hold for all objects of the process. Where they hold at several
 * places, and what is read there differs, it is absent. So what is established is true of the
 * objects of this moment, and is meant for one look: take it again for the next.
 */
#ifndef TTTRACE_LIVE_H
#define TTTRACE_LIVE_H

#include <stdbool.h>
#include <sys/types.h>
#include <linux/types.h>

#include "tttrace_config.h"
#include "target/classes.h"
#include "target/layout.h"

enum live_state {
	LIVE_NOTHING, /* no allocator, so no device is open; or none that holds anything */
	LIVE_KNOWN,   /* a census will find all that is held */
	LIVE_UNKNOWN, /* something is held, and a census would not find all of it */
};

struct live_result {
	enum live_state state;
	const char *why; /* LIVE_UNKNOWN: in words */
	/* bytes in each bank that are taken, but of no buffer: orphans, or the process goes on */
	__u64 unexplained;
};

/*
 * Looks at the objects of @pid, which maps the library at the load bias @bias, and fills in those
 * fields of @layout, and @fields, that it can establish; others keep what they have.
 * Returns 0; -EAGAIN: what was read does not fit together, for the process goes on; -ESRCH, -EPERM,
 * -EACCES, -ENOMEM.
 */
int live__establish(pid_t pid, __u64 bias, const struct class_vtables *classes,
		    struct tt_layout *layout, struct library_field fields[TT_FIELD_COUNT],
		    struct live_result *ret_result);

#endif
