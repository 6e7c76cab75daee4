/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What functions in Python are called, and which line of its file a frame is at: out of their code
 * objects, as BPF has copied them while they were being called. What is too large to be copied, or
 * was lost on its way, is read out of the process, if it is still there.
 */
#ifndef TTTRACE_PYTHON_CODE_H
#define TTTRACE_PYTHON_CODE_H

#include "stack/python.h"
#include "tttrace_record.h"

/*
 * The code objects of one process that were seen, by their prints: what they are called, and the
 * tables of their lines. A module's code is freed when it has run, and other code may take its
 * place. Zeroed: none.
 */
struct python_codes {
	struct python_code *table;
};

void python_codes__done(struct python_codes *codes);

/*
 * Takes a copy, of @lines_size bytes of the table of lines. Returns 0, also if it is known already;
 * -EBADMSG: it is cut, or not all of it is there; -ENOMEM.
 */
int python_codes__add(const struct python *python, struct python_codes *codes,
		      const struct tt_record_python_code *copy);

/* Of a function in Python; the names are those of @codes. */
struct python_place {
	const char *function;
	const char *file;
	__u32 line;
};

/*
 * What @frame is of. @memory: of the process; NULL: it is not there any more. Returns 0; -ESTALE:
 * its code object is not there any more; -EBADMSG: it is none; -ENODATA; -ENOMEM; -errno of
 * reading.
 */
int python__place(const struct python *python, struct python_codes *codes, struct memory *memory,
		  const struct tt_python_frame *frame, struct python_place *ret_place);

#endif
