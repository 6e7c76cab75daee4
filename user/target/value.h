/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What decode knows of the content of a register or of a stack slot: where it came from. Plain
 * values, no memory is owned. A leaf.
 */
#ifndef TTTRACE_VALUE_H
#define TTTRACE_VALUE_H

#include <stdbool.h>
#include <linux/types.h>

#include "tttrace_config.h"

enum value_kind {
	VALUE_UNKNOWN,
	VALUE_CONST, /* number */
	VALUE_STACK, /* rsp at the function's entry + number */
	/*
	 * Argument `arg`, dereferenced `len` times, + number. For the argument a, off = {16, 8},
	 * len = 2, number = 4 it is *(*(a + 16) + 8) + 4; for len = 0 a + number.
	 */
	VALUE_PATH,
	VALUE_ELEMENT, /* somewhere in the array whose begin pointer lies at the path */
	VALUE_SPAN,    /* end less begin of the vector whose begin pointer lies at the path */
	VALUE_RESULT,  /* what came from the function or variable `source`; NULL: unnamed */
};

struct value {
	enum value_kind kind;
	__u8 arg;
	__u8 len;
	__s32 off[TT_PATH_MAX];
	__s64 number;
	const char *source;
};

struct value value__unknown(void);
struct value value__const(__s64 number);
struct value value__arg(int arg);
struct value value__result(const char *source);

/* The same place: for paths all of arg, off and number. Unknown ones are never equal. */
bool value__equal(const struct value *a, const struct value *b);

/* What lies at the address @address: one dereference more; unknown where paths end. */
struct value value__load(const struct value *address);

struct value value__add(const struct value *a, const struct value *b);
struct value value__sub(const struct value *a, const struct value *b);

/*
 * @base + @index * @scale + @displacement, as in an address. With an index that is not known and a
 * pointer as its base it is an element of an array.
 */
struct value value__address(const struct value *base, const struct value *index, __u8 scale,
			    __s64 displacement);

#endif
