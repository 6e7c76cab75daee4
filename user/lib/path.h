/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Names of files. A leaf, pure. */
#ifndef TTTRACE_PATH_H
#define TTTRACE_PATH_H

#include <string.h>

/* What is behind the last slash of @path. */
static inline const char *path__base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

#endif
