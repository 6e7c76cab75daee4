/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the running kernel can do, found by trying it. It prints nothing. */
#ifndef TTTRACE_FEATURES_H
#define TTTRACE_FEATURES_H

#include <stdbool.h>

/*
 * Whether the kernel has uprobe_multi links (6.6, commit 89ae89f53d20), by an attempt that fails
 * in two different ways: a link to "/" gives EBADF only where the link type is known.
 */
bool features__uprobe_multi(void);

/* Whether a BPF program may be loaded at all: 0, -EPERM, -EOPNOTSUPP (no BPF in the kernel). */
int features__bpf(void);

/*
 * Whether this process may attach uprobes by perf events, by an attempt that fails otherwise if it
 * may: 0, or -EACCES, -EPERM (of a filter, say).
 */
int features__perf_uprobes(void);

/* Whether the kernel has uprobes: its perf event source is there. */
bool features__uprobes(void);

/* Whether the kernel describes its types (/sys/kernel/btf/vmlinux), which fork and exit need. */
bool features__btf(void);

#endif
