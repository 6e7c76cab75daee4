/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The memory of another process, read from outside: process_vm_readv(2), which neither stops nor
 * changes it. Pages that are not present are not touched, as /proc/PID/pagemap tells them: reading
 * must neither bring in what was swapped out nor fill what was never used. It may use nothing of
 * the project but lib; it does not know what lies in the memory.
 *
 * What has been read is kept, so that a page is read once in a look; memory__forget() begins the
 * next look. Needs what ptrace(2) calls PTRACE_MODE_ATTACH_REALCREDS: root, or the same user where
 * Yama permits it.
 */
#ifndef TTTRACE_MEMORY_H
#define TTTRACE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <linux/types.h>

struct memory;

/* Returns 0; -ESRCH: no such process; -EACCES; -ENOMEM. */
int memory__open(pid_t pid, struct memory **ret_memory);
void memory__free(struct memory *memory);

static inline void memory__free_p(struct memory **memory)
{
	memory__free(*memory);
}

/*
 * Copies @size bytes at @addr. Meant for what is small and lies near to each other.
 * Returns 0; -ENODATA: swapped out; -EFAULT: not mapped, or never used; -ESRCH: the process has
 * ended; -EPERM.
 */
int memory__read(struct memory *memory, __u64 addr, void *buf, size_t size);

/* One of many places that are read together; they may be large. */
struct memory_part {
	__u64 addr;
	void *buf;
	size_t size; /* bytes; 0: not wanted */
	int err;     /* set: 0 or as of memory__read() */
};

/*
 * Reads @count places, past what is kept, hundreds with one system call. Returns 0 if only single
 * places failed; -ESRCH, -EPERM: nothing can be read any more.
 */
int memory__gather(struct memory *memory, struct memory_part *parts, size_t count);

/*
 * Present memory in [@start, @end): where the first begins, and how much of it there is without a
 * gap, but at most @max bytes. false: none.
 */
bool memory__next_present(struct memory *memory, __u64 start, __u64 end, size_t max,
			  __u64 *ret_start, size_t *ret_size);

/* How many bytes of [@start, @end) are swapped out. */
__u64 memory__swapped(struct memory *memory, __u64 start, __u64 end);

/*
 * Whether the memory is that of the process still. What is told of pages that are not present is
 * worth nothing otherwise: those of one that has ended, or called exec(3), are told to be none.
 * Returns 0 or -ESRCH.
 */
int memory__check(const struct memory *memory);

/* Begins a new look: all that is asked for from now on is read again. */
void memory__forget(struct memory *memory);

#endif
