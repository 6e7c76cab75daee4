/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Demangled names of functions. A leaf, pure. */
#ifndef TTTRACE_FUNCTION_NAME_H
#define TTTRACE_FUNCTION_NAME_H

#include <stddef.h>

/* What reports show in place of what templates were made with. */
#define FUNCTION_NAME_DOTS "<\xe2\x80\xa6>"

/*
 * Writes @name without what its templates were made with, "ttnn::launch<…>" or, if @dots is empty,
 * "ttnn::launch", into @buf, cut at @size - 1 bytes: strlen(@name) + 1 keep it whole unless @dots
 * are longer than what they stand for. Returns @buf.
 */
const char *function_name__shorten(char *buf, size_t size, const char *name, const char *dots);

#endif
