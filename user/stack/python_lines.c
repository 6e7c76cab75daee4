// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "stack/python_lines.h"

#include <stdbool.h>

enum {
	NO_LINE = -128, /* in place of a difference: the instructions have none */
	CODE_UNIT = 2,	/* bytes of an instruction */
};

__u32 python_lines__of_310(const __u8 *table, size_t size, __u32 first, __u64 offset)
{
	__u32 line = first, found = first;
	__u64 end = 0;

	for (size_t i = 0; i + 1 < size && end <= offset; i += 2) {
		__s8 difference = (__s8)table[i + 1];

		if (difference != NO_LINE)
			found = line += difference;
		end += table[i];
	}
	return found;
}

/* A number of 6 bits a byte, the lowest first; the seventh says that there are more. */
static __u32 read_varint(const __u8 *table, size_t size, size_t *at)
{
	__u32 value = 0, shift = 0;
	__u8 byte;

	do {
		if (*at >= size)
			return value;
		byte = table[(*at)++];
		if (shift < 32)
			value |= (__u32)(byte & 63) << shift;
		shift += 6;
	} while (byte & 64);
	return value;
}

/* The same with a sign, in the lowest bit. */
static __s32 read_signed(const __u8 *table, size_t size, size_t *at)
{
	__u32 value = read_varint(table, size, at);

	return value & 1 ? -(__s32)(value >> 1) : (__s32)(value >> 1);
}

/* The kinds of an entry: bits 3 to 6 of its first byte. */
enum {
	SAME_LINE_LAST = 9, /* 0 to 9: the same line, columns in a byte more */
	ONE_LINE_FIRST = 10,
	ONE_LINE_LAST = 12, /* so many lines on, columns in two bytes more */
	NO_COLUMNS = 13,
	LONG = 14,
	NONE = 15,
};

/* By how much the line changes; passes over what else there is. */
static __s32 read_change(const __u8 *table, size_t size, __u8 kind, size_t *at)
{
	__s32 change = 0;

	if (kind <= SAME_LINE_LAST) {
		*at += 1;
	} else if (kind <= ONE_LINE_LAST) {
		*at += 2;
		change = kind - ONE_LINE_FIRST;
	} else if (kind != NONE) {
		change = read_signed(table, size, at);
	}
	if (kind == LONG) {
		read_varint(table, size, at); /* lines on to the end */
		read_varint(table, size, at); /* columns */
		read_varint(table, size, at);
	}
	return change;
}

__u32 python_lines__of_311(const __u8 *table, size_t size, __u32 first, __u64 offset)
{
	__u32 line = first, found = first;
	__u64 end = 0;
	size_t at = 0;

	while (at < size && end <= offset) {
		__u8 head = table[at++], kind = head >> 3 & 15;

		line += read_change(table, size, kind, &at);
		if (kind != NONE)
			found = line;
		end += ((head & 7) + 1) * CODE_UNIT;
	}
	return found;
}
