/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Diagnostics, always to stderr: stdout carries results only. A leaf. Whoever creates an error
 * logs it, once, with path, symbol and pid in quotes, and says what to do about it; those who pass
 * it on are silent.
 */
#ifndef TTTRACE_LOG_H
#define TTTRACE_LOG_H

#include <stdarg.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_NOTE,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

/* Shows messages up to @level; the default is LOG_LEVEL_NOTE. */
void log__set_level(enum log_level level);
enum log_level log__level(void);

/* Prints "tttrace: " and one line; the newline is added. */
__attribute__((format(printf, 2, 3))) void log__print(enum log_level level, const char *fmt, ...);
__attribute__((format(printf, 2, 0))) void log__vprint(enum log_level level, const char *fmt,
						       va_list ap);

#define pr_err(...)   log__print(LOG_LEVEL_ERROR, __VA_ARGS__)
#define pr_warn(...)  log__print(LOG_LEVEL_WARN, __VA_ARGS__)
#define pr_note(...)  log__print(LOG_LEVEL_NOTE, __VA_ARGS__)
#define pr_info(...)  log__print(LOG_LEVEL_INFO, __VA_ARGS__)
#define pr_debug(...) log__print(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
