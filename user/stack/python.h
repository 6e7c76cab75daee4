/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The frames of Python in a stack: which interpreter a process has, where it keeps the frames of a
 * thread, and what function and line a frame is of. Read from outside, out of the process's memory.
 *
 * Where they lie is known by the minor version of CPython: see python_version.h. What a release
 * would have changed is noticed: a thread's state has to know the thread's own address, and from
 * 3.13 on the interpreter says itself where most of it is.
 *
 * A thread's state is found as PyGILState_GetThisThreadState() of 3.10 to 3.14 finds it, by a key
 * of pthread_getspecific(3): the C library keeps the values of the first 32 keys in the thread's
 * own memory (nptl/descr.h: struct pthread::specific_1stblock). So it is found as well while
 * another thread has the GIL.
 */
#ifndef TTTRACE_PYTHON_H
#define TTTRACE_PYTHON_H

#include <stdbool.h>

#include "stack/image.h"
#include "target/memory.h"
#include "tttrace_config.h"

struct python_version;

/* The interpreter of one process. */
struct python {
	const struct python_version *version;
	const struct image *image; /* with its code */
	struct tt_python layout;
	unsigned int major, minor;
	bool free_threaded; /* built without the GIL: such a one is not known */
};

/* Is there an interpreter in @image? Its version is then told. */
bool python__is_in(struct image *image, unsigned int *ret_major, unsigned int *ret_minor);

/*
 * The interpreter in @image, which the process of @memory maps with @bias. Returns 0; -ENOTSUP: its
 * version is not known, or it is not as that version is known; -EAGAIN: it has not begun yet;
 * -ENOENT: there is none; -errno of reading.
 */
int python__find(struct image *image, __u64 bias, struct memory *memory, struct python *ret_python);

/* Does the machine code that @frame calls go on with those of the frames after it? */
enum python_step {
	PYTHON_SAME, /* yes, they are in the same call of the interpreter */
	PYTHON_LAST, /* no, it is the last of its call */
	PYTHON_NONE, /* it is no frame of Python, but ends a call */
};
enum python_step python__step(const struct python *python, const struct tt_python_frame *frame);

#endif
