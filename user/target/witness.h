/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Which function of the runtime testifies to which field, and what of its code has to be looked
 * at. The table is in witness_table.c; here is what can be said in it. It may use decode.
 */
#ifndef TTTRACE_WITNESS_H
#define TTTRACE_WITNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "tttrace_config.h"
#include "target/decode.h"

/*
 * Things that are on the way to a field in some generations. They are established like fields,
 * and before them.
 */
enum layout_part {
	PART_NONE = TT_FIELD_COUNT,
	PART_BUFFER_IMPL, /* Buffer → BufferImpl, from generation 3 on */
	PART_MESH_IMPL,	  /* MeshDevice → MeshDeviceImpl, from 0.66 on */
	PART_MESH_VIEW,	  /* MeshDevice → MeshDeviceView */
	PART_END,
};

/* What the function does with the field. */
enum witness_sees {
	SEES_RETURNED,	      /* returns it */
	SEES_ARGUMENT_STORED, /* stores its argument n in it */
	SEES_MEMBER_STORED,   /* stores in it what it read out of its argument n */
	SEES_RESULT_STORED,   /* stores in it what came from `callee` */
	SEES_CONST_STORED,    /* stores the number n in it */
	SEES_ELEMENT_STORED,  /* stores its argument n in an element of the array that it begins */
	SEES_ELEMENT_SET,     /* stores the number n in an element of that array */
	SEES_ELEMENT_READ,    /* reads an element of that array */
	SEES_APPENDED,	    /* stores its argument n where the pointer 8 bytes on leads: a vector */
	SEES_COMPARED,	    /* compares it with the number n */
	SEES_TESTED,	    /* compares it with 0 or 1, as one tests a bool */
	SEES_COMPARED_LESS, /* compares it less n with a number, as a range check does */
	SEES_COMPARED_WITH, /* compares it with its argument n */
	SEES_PASSED,	    /* passes it as argument n to `callee` */
	SEES_PASSED_VIRTUAL, /* passes it as argument n to a virtual function */
	SEES_DIVIDED_BY,     /* divides by it */
	SEES_SUBTRACTED,     /* takes it from its argument n */
	SEES_SPAN,	     /* counts the elements of the vector whose begin pointer it is */
	SEES_VECTOR,	     /* compares the begin pointer of a vector, which it is, with the end */
};

/* Which part of the path that is seen leads to the field. */
enum witness_takes {
	TAKES_ALL,
	TAKES_FIRST,	    /* the first dereference */
	TAKES_LAST,	    /* the last one: the rest leads to the field's object */
	TAKES_ALL_BUT_LAST, /* the last one reads a field of what the pointer leads to */
	TAKES_ADDRESS, /* the address of an object at whose begin the field lies, plus `plus` */
};

enum {
	WITNESS_MAX_NAMES = 2,
	WITNESS_MAX_PATHS = 24
};

struct witness {
	int field; /* enum tt_field or enum layout_part */
	/* Mangled prefixes, newest first: the first that the library has is the witness. */
	const char *function[WITNESS_MAX_NAMES];
	enum witness_sees sees;
	__s32 n;
	__u8 size;	    /* of the access or, in SEES_SPAN, of an element, bytes; 0: any */
	const char *callee; /* mangled prefix */
	const char *into;   /* calls of such functions are followed: mangled prefix */
	enum witness_takes takes;
	__u8 plus; /* TAKES_ADDRESS: bytes */
	__u8 arg;  /* the argument that is the object */
	int base;  /* how to come from the field's object to that one; 0: it is that */
	/* What is taken for granted of argument 1: nothing; its value; that of what it points to.
	 */
	enum {
		GIVEN_NOTHING,
		GIVEN_ARG1,
		GIVEN_POINTEE1,
		GIVEN_TYPE1
	} given;
	__s32 number;
};

extern const struct witness witnesses[];
extern const size_t num_witnesses;

/* Different paths that fit. */
struct witness_paths {
	struct tt_path path[WITNESS_MAX_PATHS];
	size_t count;
	__u8 span_size; /* SEES_SPAN: bytes of an element */
	bool span_differs;
};

/*
 * Lets @function testify. @given: NULL, or what the witness takes for granted.
 * Returns 0, also when it has seen nothing; -ENOEXEC, -ENOMEM.
 */
int witness__ask(const struct witness *witness, const struct decode_image *image,
		 const struct decode_function *function, const struct decode_given *given,
		 struct witness_paths *ret_paths);

/*
 * Is what it sees the field's alone, as what a getter returns? Other members may be compared with
 * 1 or set to 0 as well: such a witness needs another one that agrees.
 */
bool witness__is_strong(const struct witness *witness);

/* What it has seen, in words: "returned by Buffer::size". Cut off at @size. */
void witness__describe(const struct witness *witness, const char *function, char *buf, size_t size);

#endif
