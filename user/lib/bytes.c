// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "lib/bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int bytes__reserve(struct bytes *bytes, size_t size)
{
	size_t room = bytes->room ? bytes->room : 64;
	char *data;

	while (room - bytes->size < size) {
		if (room > (size_t)-1 / 2)
			return -ENOMEM;
		room *= 2;
	}
	if (room == bytes->room)
		return 0;
	data = realloc(bytes->data, room);
	if (!data)
		return -ENOMEM;
	bytes->data = data;
	bytes->room = room;
	return 0;
}

int bytes__append(struct bytes *bytes, const void *from, size_t size)
{
	int err = bytes__reserve(bytes, size);

	if (err)
		return err;
	if (size)
		memcpy(bytes->data + bytes->size, from, size);
	bytes->size += size;
	return 0;
}

size_t bytes__round_up(size_t bytes)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);

	while (size < bytes)
		size *= 2;
	return size;
}
