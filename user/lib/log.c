// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "lib/log.h"

#include <stdio.h>

static enum log_level max_level = LOG_LEVEL_NOTE;

void log__set_level(enum log_level level)
{
	max_level = level;
}

enum log_level log__level(void)
{
	return max_level;
}

void log__vprint(enum log_level level, const char *fmt, va_list ap)
{
	if (level > max_level)
		return;
	fflush(NULL); /* results that come before it, wherever they go */
	flockfile(stderr);
	fputs(level == LOG_LEVEL_WARN ? "tttrace: warning: " : "tttrace: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	funlockfile(stderr);
}

void log__print(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log__vprint(level, fmt, ap);
	va_end(ap);
}
