/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Which machine code of CPython is the loop of its interpreter, in whose place the frames of Python
 * are shown. By its name, _PyEval_EvalFrameDefault, which every build exports; but that names only
 * one part of it:
 *
 * - What the compiler takes for rarely run it puts apart from the rest, and in the python3.14 of
 *   Debian that is nearly all of the loop. The name of such a part is local, and a stripped file
 *   has none. But no code jumps into the middle of another function: where one without a name jumps
 *   into the middle of one with a name, it is a part of it.
 * - A build with tail calls (3.14, --with-tail-call-interp) has a function for each instruction,
 *   _TAIL_CALL_LOAD_ATTR and so on, each of which jumps to the next. The one that something is
 *   called from lies between the loop and that.
 */
#ifndef TTTRACE_PYTHON_LOOP_H
#define TTTRACE_PYTHON_LOOP_H

#include "stack/image.h"

enum python_part {
	PYTHON_OTHER, /* nothing of the loop */
	PYTHON_LOOP,  /* a call of it, of which the frames are those of python__step() */
	PYTHON_INNER, /* called by it, and no call of its own */
};

/* What was found out. Zeroed: nothing yet. */
struct python_loop {
	struct known_part *parts;
};

void python_loop__done(struct python_loop *loop);

/* What the code at @vaddr of @image, an interpreter that lives as long as @loop, is of its loop. */
enum python_part python_loop__part(struct python_loop *loop, struct image *image, __u64 vaddr);

/* What a function of this name is. */
enum python_part python_loop__part_named(const char *name);

/*
 * The name, to be freed, of the function of which the code at @vaddr, in no function that has one,
 * was split off. -ENOENT: of none; -ENOMEM; -errno of reading.
 */
int python_loop__whole(struct image *image, __u64 vaddr, char **ret_name);

#endif
