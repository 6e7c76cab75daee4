/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Numbers with units, as users write them. A leaf. Each returns 0, or -EINVAL / -ERANGE. */
#ifndef TTTRACE_PARSE_H
#define TTTRACE_PARSE_H

#include <linux/types.h>

/* "4096", "64K", "1.5G": bytes; K, M, G, T are powers of 1024. */
int parse__bytes(const char *text, __u64 *ret_bytes);

/* "5", "0.5", "500ms", "5s", "2m", "1h": seconds; without a unit seconds. */
int parse__seconds(const char *text, double *ret_seconds);

/* A decimal number from @least to @most. */
int parse__number(const char *text, long least, long most, long *ret_number);

#endif
