// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "lib/once.h"

/* FNV-1a. */
static __u64 hash(__u64 value, const char *text)
{
	for (; *text; text++)
		value = (value ^ (unsigned char)*text) * 0x100000001b3;
	return value;
}

enum once_answer once__tell(struct once *once, const char *text, const char *more)
{
	__u64 key = hash(hash(0xcbf29ce484222325, text), more);

	for (unsigned int i = 0; i < once->num; i++)
		if (once->told[i] == key)
			return ONCE_TOLD;
	if (once->num == ONCE_MAX)
		return ONCE_FULL;
	once->told[once->num++] = key;
	return ONCE_NEW;
}
