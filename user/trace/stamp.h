/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The stamp at the end of each record of the ring: see tt_record__stamp(). */
#ifndef TTTRACE_STAMP_H
#define TTTRACE_STAMP_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether one hit alone has written the @size bytes at @record, its stamp included. If not, nothing
 * of it may be believed.
 */
bool stamp__is_right(const void *record, size_t size);

#endif
