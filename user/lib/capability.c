// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "lib/capability.h"

#include <errno.h>
#include <stdio.h>
#include <sys/capability.h>

static const struct capability table[] = {
	{ CAP_BPF, CAPABILITY_MASK(CAP_SYS_ADMIN), "CAP_BPF",
	  "BPF programs cannot be loaded: nothing can be traced" },
	{ CAP_PERFMON, CAPABILITY_MASK(CAP_SYS_ADMIN), "CAP_PERFMON",
	  "probes cannot be attached: nothing can be traced" },
	{ CAP_SYS_PTRACE, 0, "CAP_SYS_PTRACE",
	  "the memory and the libraries of processes of other users cannot be read: libraries that "
	  "they map are not found, lost records are not repaired, their stacks have no names" },
	{ CAP_DAC_READ_SEARCH, CAPABILITY_MASK(CAP_DAC_OVERRIDE), "CAP_DAC_READ_SEARCH",
	  "files that this user may not read are not read: libraries, debug files, /proc/PID/pagemap "
	  "of other users" },
	/* proc_map_files_get_link() of fs/proc/base.c */
	{ CAP_CHECKPOINT_RESTORE, CAPABILITY_MASK(CAP_SYS_ADMIN), "CAP_CHECKPOINT_RESTORE",
	  "/proc/PID/map_files cannot be used: libraries that were deleted or replaced while they "
	  "are mapped are not traced" },
};

enum {
	TABLE_SIZE = sizeof(table) / sizeof(table[0])
};

const struct capability *capability__table(size_t *ret_count)
{
	*ret_count = TABLE_SIZE;
	return table;
}

__u64 capability__missing(__u64 have)
{
	__u64 missing = 0;

	for (size_t i = 0; i < TABLE_SIZE; i++)
		if (!(have & (CAPABILITY_MASK(table[i].number) | table[i].instead)))
			missing |= CAPABILITY_MASK(table[i].number);
	return missing;
}

__u64 capability__used(__u64 have)
{
	__u64 used = 0;

	for (size_t i = 0; i < TABLE_SIZE; i++) {
		__u64 mask = CAPABILITY_MASK(table[i].number);

		used |= have & mask ? mask : have & table[i].instead;
	}
	return used;
}

int capability__keep(__u64 keep)
{
	static const cap_flag_t flags[] = { CAP_EFFECTIVE, CAP_PERMITTED, CAP_INHERITABLE };
	cap_t caps = cap_get_proc();
	int err = caps ? 0 : -errno;

	for (cap_value_t cap = 0; !err && cap < cap_max_bits(); cap++) {
		if (keep & CAPABILITY_MASK(cap))
			continue;
		for (size_t i = 0; !err && i < sizeof(flags) / sizeof(flags[0]); i++)
			err = cap_set_flag(caps, flags[i], 1, &cap, CAP_CLEAR) ? -errno : 0;
	}
	if (!err && cap_set_proc(caps))
		err = -errno;
	cap_free(caps);
	return err;
}

const char *capability__names(char *buf, size_t size, __u64 set)
{
	const char *names[TABLE_SIZE];
	size_t count = 0, used = 0;

	for (size_t i = 0; i < TABLE_SIZE; i++)
		if (set & CAPABILITY_MASK(table[i].number))
			names[count++] = table[i].name;
	buf[0] = '\0';
	for (size_t i = 0; i < count && used < size; i++) {
		const char *sep = !i ? "" : i + 1 < count ? ", " : " and ";

		used += (size_t)snprintf(buf + used, size - used, "%s%s", sep, names[i]);
	}
	return buf;
}
