/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Where each version of CPython keeps what is read of it. The structs are those of its internal
 * headers (Include/internal/pycore_frame.h, from 3.14 on pycore_interpframe_structs.h;
 * pycore_runtime.h, cpython/pystate.h, cpython/code.h), of which an offset is the same in all
 * releases of a minor version; read off their debug information, and compiled from them. Pure.
 *
 * From 3.13 on an interpreter begins with its own words on it: _PyRuntime starts with a struct
 * _Py_DebugOffsets, which says where most of it is, and whether this is a build without the GIL
 * (3.13t, 3.14t), whose structs are others. What it says is no substitute for the table, for it
 * knows nothing of the key of a thread's state; but where the two disagree the table is wrong.
 */
#ifndef TTTRACE_PYTHON_VERSION_H
#define TTTRACE_PYTHON_VERSION_H

#include <stdbool.h>
#include <linux/types.h>

/* Offsets in bytes. */
struct python_version {
	unsigned int minor; /* of 3 */
	__u16 key;	    /* autoTSSkey in _PyRuntime */
	/* PyThreadState */
	__u16 frame, indirect, thread_id;
	/* a frame; its size: from 3.11 on of all that is before its local variables */
	__u16 back, code, instruction, owner, frame_size;
	/* PyCodeObject */
	__u16 first_line, file, name, lines, first_instruction; /* 0: the instruction is an index */
	/* PyASCIIObject, PyCompactUnicodeObject: where the characters begin */
	__u16 ascii, compact;
	/* where in its own words on it those on these structs begin; 0: it has none */
	__u16 own_thread, own_frame, own_code, own_ascii;
};

/* NULL: it is not known. */
const struct python_version *python_version__find(unsigned int major, unsigned int minor);

enum {
	PYTHON_OWN_SINCE = 13, /* the first minor version with them */
	PYTHON_OWN_WORDS = 81, /* as many words of 8 bytes of them as are looked at */
	PYTHON_OWN_HEAD = 3,   /* of which these are the same in all versions */
};

/* Is it one without the GIL? @own: the PYTHON_OWN_HEAD first of its own words. */
bool python_version__is_free_threaded(const __u64 *own);

/* Is all that it says itself as it is known of @version? @own: PYTHON_OWN_WORDS. */
bool python_version__agrees(const struct python_version *version, const __u64 *own);

#endif
