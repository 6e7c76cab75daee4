/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Sizes in classes that double: class k holds what is in (2^(k-1), 2^k], class 0 what is at most 1.
 */
#ifndef TTTRACE_SIZE_CLASS_H
#define TTTRACE_SIZE_CLASS_H

#include <linux/types.h>

enum {
	SIZE_CLASSES = 65
};

static inline __u32 size_class__of(__u64 size)
{
	return size <= 1 ? 0 : 64 - __builtin_clzll(size - 1);
}

static inline __u64 size_class__least(__u32 size_class)
{
	return size_class ? (1ull << (size_class - 1)) + 1 : 0;
}

static inline __u64 size_class__most(__u32 size_class)
{
	return size_class < SIZE_CLASSES - 1 ? 1ull << size_class : ~0ull;
}

#endif
