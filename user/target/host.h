/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What decides on this machine whether processes can be traced: kernel, its security settings, and
 * our own privileges, as /proc and /sys tell them. It only reads; what cannot be read is "not
 * known", no error.
 */
#ifndef TTTRACE_HOST_H
#define TTTRACE_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

enum {
	HOST_UNKNOWN = -1, /* of a number that could not be read */
	HOST_TEXT_SIZE = 128,
};

/* The mode of kernel_lockdown(7). */
enum host_lockdown {
	LOCKDOWN_UNKNOWN, /* securityfs is not mounted, or the kernel has no lockdown */
	LOCKDOWN_NONE,
	LOCKDOWN_INTEGRITY,
	LOCKDOWN_CONFIDENTIALITY, /* BPF may not read memory */
};

struct host {
	char release[HOST_TEXT_SIZE]; /* uname(2) */
	char version[HOST_TEXT_SIZE];
	char modules[HOST_TEXT_SIZE];	 /* /sys/kernel/security/lsm; "": not known */
	char preemption[HOST_TEXT_SIZE]; /* none, voluntary, full or lazy; "": not known */
	bool has_sysfs;			 /* /sys is mounted */
	bool has_btf;			 /* the kernel describes its types */
	bool has_uprobes;		 /* the perf event source of uprobes is there */
	enum host_lockdown lockdown;
	int unprivileged_bpf; /* kernel.unprivileged_bpf_disabled, or HOST_UNKNOWN */
	int perf_paranoid;    /* kernel.perf_event_paranoid */
	int ptrace_scope;     /* kernel.yama.ptrace_scope; HOST_UNKNOWN where there is no Yama */
	bool seccomp;	      /* a filter decides about our system calls */
	bool user_namespace;  /* not the initial one: capabilities do not count for BPF */
	__u64 capabilities;   /* effective, see lib/capability.h */
	unsigned long files;  /* RLIMIT_NOFILE, the hard limit */
};

void host__read(struct host *ret_host);

/* Is the kernel older than Linux @major.@minor? false if its release does not say. */
bool host__is_older(const struct host *host, int major, int minor);

/* "none [integrity] confidentiality" */
enum host_lockdown host__parse_lockdown(const char *text);
const char *host__lockdown_name(enum host_lockdown lockdown);

/* The word in brackets or parentheses, "none voluntary (full)", or all of it; cut to fit. */
void host__parse_choice(const char *text, char *buf, size_t size);

/*
 * Those lines of the kernel's configuration that matter, to be freed. NULL: it is neither in
 * /proc/config.gz nor in /boot, or there is no memory.
 */
char *host__config(void);

#endif
