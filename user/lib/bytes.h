/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Bytes that become more. A zeroed struct is an empty one; free @data when it is done. A leaf. */
#ifndef TTTRACE_BYTES_H
#define TTTRACE_BYTES_H

#include <stddef.h>

struct bytes {
	char *data;
	size_t size;
	size_t room;
};

/* Puts @size bytes at the end. Returns 0 or -ENOMEM, and then nothing has changed. */
int bytes__append(struct bytes *bytes, const void *from, size_t size);
/* Room for @size bytes more at the end, which are not counted yet. Returns the same. */
int bytes__reserve(struct bytes *bytes, size_t size);

/* @bytes rounded up to a power of two of pages. */
size_t bytes__round_up(size_t bytes);

#endif
