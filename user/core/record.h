/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * From the bytes of a record to what they mean: sizes checked, and the fields of a Buffer taken
 * out of the copied body with the offsets of its library. Trusts nothing that it reads. Pure.
 */
#ifndef TTTRACE_RECORD_DECODE_H
#define TTTRACE_RECORD_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "tttrace_config.h"
#include "tttrace_record.h"

enum {
	BODY_FIELDS = TT_FIELD_UNIQUE_ID
}; /* those that lie in the body of a Buffer */

/* Where the fields of one layout lie in the copied body; -1: absent. */
struct body_map {
	__s16 at[BODY_FIELDS];
};

/* A Buffer as a record carries it. A field is valid if its bit, 1 << enum tt_field, is in has. */
struct body {
	__u64 device;
	__u64 size;
	__u64 allocator;
	__u64 address;
	__u64 page_size;
	__u32 type;   /* TT_TYPE_COUNT: unknown */
	__u32 layout; /* TT_LAYOUT_COUNT: unknown */
	__u8 bottom_up;
	__u8 owns_data;
	__u8 status; /* enum tt_buffer_status */
	__u8 hooked;
	__u32 has;
};

static inline bool body__has(const struct body *body, enum tt_field field)
{
	return body->has & (1u << field);
}

/*
 * Is it a record of a known kind, as long as its struct, and sane in what is used as a length?
 * Returns 0 or -EBADMSG.
 */
int record__check(const void *record, size_t size);

/* Does it stand for one hit on one CPU, with a number of that CPU's sequence? */
bool record__is_numbered(const struct tt_record *h);

void body_map__init(struct body_map *map, const struct tt_layout *layout);
void body__decode(const struct body_map *map, const struct tt_record_buffer *rec,
		  struct body *ret_body);

#endif
