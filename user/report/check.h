/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Prints what would work with one build of the runtime: `tttrace --check LIB`. It reads a struct
 * library and writes; it opens nothing. Names out of the file are made harmless first: whoever
 * wrote the file chose them.
 */
#ifndef TTTRACE_CHECK_H
#define TTTRACE_CHECK_H

#include <stdbool.h>
#include <stdio.h>

#include "target/library.h"

/*
 * Writes to @out: a table of at most 100 columns, or with @json one object a line, with `event` =
 * `check` and `item` = `library`, `symbol`, `field` or `probe`, and @ts_ns (CLOCK_BOOTTIME).
 * Returns 0; -ENOMEM; -EIO: not all could be written.
 */
int check__library(FILE *out, bool json, __u64 ts_ns, const struct library *lib);

#endif
