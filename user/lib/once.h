/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What is said once only: texts that were told of, by their hashes. A leaf. */
#ifndef TTTRACE_ONCE_H
#define TTTRACE_ONCE_H

#include <linux/types.h>

enum {
	ONCE_MAX = 64 /* texts that are remembered */
};

/* Zeroed: nothing was told yet. */
struct once {
	__u64 told[ONCE_MAX];
	unsigned int num;
};

enum once_answer {
	ONCE_NEW,  /* not told yet; it counts as told from now on */
	ONCE_TOLD, /* told before */
	ONCE_FULL, /* not among those that are remembered, and there is no room for it */
};

enum once_answer once__tell(struct once *once, const char *text, const char *more);

#endif
