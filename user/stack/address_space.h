/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Which file an address of a process belongs to. Read from /proc when an address comes that lies in
 * no mapping that is known, and kept: it outlives the process.
 */
#ifndef TTTRACE_ADDRESS_SPACE_H
#define TTTRACE_ADDRESS_SPACE_H

#include "stack/image.h"

struct address_space;

/* @images must outlive it. Reads nothing yet. Returns 0 or -ENOMEM. */
int address_space__new(struct images *images, pid_t pid, struct address_space **ret_space);
void address_space__free(struct address_space *space);

/* Reads what is mapped now, so that nothing has to be read when an address comes. */
void address_space__prepare(struct address_space *space);

/* Calls @fn for each file that is mapped as code. Returns what @fn returned; 0 to go on. */
typedef int (*address_space_fn)(void *ctx, struct image *image, __u64 bias);
int address_space__each(struct address_space *space, address_space_fn fn, void *ctx);

/* Something was mapped: all is read again when it is needed, if the process still runs. */
void address_space__forget(struct address_space *space);

/*
 * The image that @addr lies in, and where in it. Returns 0; -ENOENT: in none, be it that no file is
 * mapped there or that the process has ended before it was known.
 */
int address_space__find(struct address_space *space, __u64 addr, struct image **ret_image,
			__u64 *ret_vaddr);

#endif
