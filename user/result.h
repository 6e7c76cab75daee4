/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Reads what `tttrace -j` has written, for a comparison: of all its lines the stacks, the sites and
 * the summary at the end. The file may be anything: what is not as the contract wants it is an
 * error, with the file and the number of the line.
 */
#ifndef TTTRACE_RESULT_H
#define TTTRACE_RESULT_H

#include "core/diff.h"

/*
 * Puts the stacks and sites of the result in file @path into @diff, as those of @side. Returns 0;
 * -EBADMSG: a line is wrong; -ENODATA: there is nothing in it to compare; -ENOMEM; -errno when it
 * cannot be read. It has said what is wrong and what to do. A result that was cut, or in which
 * something was lost, is taken with a warning.
 */
int result__read(const char *path, enum diff_side side, struct diff *diff);

#endif
