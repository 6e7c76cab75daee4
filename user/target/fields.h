/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the fields of enum tt_field are: class, name, size, and what they are good for. A table.
 */
#ifndef TTTRACE_FIELDS_H
#define TTTRACE_FIELDS_H

#include <stdbool.h>
#include <linux/types.h>

#include "tttrace_config.h"

struct field_info {
	const char *class; /* as the source has it; the path begins at such an object */
	const char *name;
	__u8 size;	  /* bytes */
	bool in_body;	  /* of a Buffer, and carried in the record's body */
	const char *loss; /* what no longer works without it, in words for the user */
};

extern const struct field_info field_info[TT_FIELD_COUNT];

#endif
