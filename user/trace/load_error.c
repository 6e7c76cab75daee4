// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "trace/load_error.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/capability.h"
#include "target/host.h"

void load_failure__done(struct load_failure *failure)
{
	free(failure->log);
	memset(failure, 0, sizeof(*failure));
}

/* --- the last words of the verifier ---------------------------------------------------------- */

static bool begins_with(const char *line, size_t len, const char *with)
{
	return len >= strlen(with) && !strncmp(line, with, strlen(with));
}

/*
 * print_verification_stats() and print_verifier_state() of kernel/bpf/log.c, and the instructions
 * and lines of source between them: what was looked at, not what is wrong.
 */
static bool is_noise(const char *line, size_t len)
{
	static const char *const noise[] = {
		"processed ",
		"verification time ",
		"stack depth ",
		";",
		"from ",
		"-- ",
		"parent ",
		"last_idx ",
		"regs=",
		"mark_precise",
		"Func#",
		"Validating ",
		"arg#",
		"func#",
		"caller:",
		"callee:",
		"returning from ",
		"cur state:",
		"frame1",
		"old state:",
	};
	size_t at = 0;

	if (!len)
		return true;
	for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]); i++)
		if (begins_with(line, len, noise[i]))
			return true;
	/* an instruction or a state: "123: (79) r1 = …", "123: R0=…", or "R0_w=…" alone */
	if (line[0] == 'R')
		at = 1;
	while (at < len && isdigit((unsigned char)line[at]))
		at++;
	if (line[0] != 'R')
		return at && at < len && line[at] == ':';
	if (at > 1 && at < len && line[at] == '_')
		while (at < len && line[at] != '=' && !isspace((unsigned char)line[at]))
			at++;
	return at > 1 && at < len && line[at] == '=';
}

/* The line that ends at @end: where it begins, and how long it is without blanks around it. */
static const char *line_before(const char *log, const char *end, size_t *ret_len)
{
	const char *begin = end;

	while (begin > log && begin[-1] != '\n')
		begin--;
	while (begin < end && isspace((unsigned char)*begin))
		begin++;
	while (end > begin && isspace((unsigned char)end[-1]))
		end--;
	*ret_len = (size_t)(end - begin);
	return begin;
}

bool load_error__last_words(const char *log, char *buf, size_t size)
{
	const char *end = log + strlen(log), *line;
	size_t len;

	buf[0] = '\0';
	while (end > log) {
		line = line_before(log, end, &len);
		if (!is_noise(line, len)) {
			snprintf(buf, size, "%.*s", (int)len, line);
			return true;
		}
		while (end > log && end[-1] != '\n')
			end--;
		if (end > log)
			end--; /* the end of the line before */
	}
	return false;
}

/* --- the cause ------------------------------------------------------------------------------- */

static __u64 missing_to_load(const struct host *host)
{
	return capability__missing(host->capabilities) & CAPABILITIES_TO_LOAD;
}

/* -EPERM or -EACCES: the kernel uses either, and so do filters. */
static enum load_cause cause_of_denial(const struct load_failure *failure, const struct host *host)
{
	if (missing_to_load(host))
		return LOAD_CAUSE_CAPABILITIES;
	if (host->user_namespace)
		return LOAD_CAUSE_USER_NAMESPACE;
	/* perf_uprobe_event_init(), since "perf: Revert to requiring CAP_SYS_ADMIN for uprobes" */
	if (failure->step == LOAD_STEP_PROBES && failure->err == -EACCES &&
	    !(host->capabilities & CAPABILITY_MASK(CAP_SYS_ADMIN)))
		return LOAD_CAUSE_ADMIN;
	if (failure->is_verifier)
		return LOAD_CAUSE_VERIFIER;
	if (host->lockdown == LOCKDOWN_CONFIDENTIALITY)
		return LOAD_CAUSE_LOCKDOWN;
	return host->seccomp ? LOAD_CAUSE_SECCOMP : LOAD_CAUSE_SECURITY_MODULE;
}

/* What is wrong with the program itself, as the kernel has it. */
static enum load_cause cause_of_refusal(const struct load_failure *failure, const struct host *host)
{
	if (host__is_older(host, 5, 15))
		return LOAD_CAUSE_OLD_KERNEL;
	/* then the helper that reads memory is not offered: bpf_base_func_proto() */
	if (host->lockdown == LOCKDOWN_CONFIDENTIALITY)
		return LOAD_CAUSE_LOCKDOWN;
	return failure->is_verifier ? LOAD_CAUSE_VERIFIER : LOAD_CAUSE_OTHER;
}

enum load_cause load_error__cause(const struct load_failure *failure, const struct host *host)
{
	bool loads = failure->step == LOAD_STEP_LOAD;
	bool attaches = failure->step == LOAD_STEP_ATTACH || failure->step == LOAD_STEP_PROBES;

	switch (failure->err) {
	case -EMFILE:
	case -ENFILE:
		return LOAD_CAUSE_FILES;
	case -ENOMEM:
		return LOAD_CAUSE_MEMORY;
	case -E2BIG:
		if (failure->step == LOAD_STEP_ATTACH && !failure->is_verifier)
			return LOAD_CAUSE_LIBRARIES;
		break;
	case -EPERM:
	case -EACCES:
		return cause_of_denial(failure, host);
	case -ENOSYS:
		return host->seccomp ? LOAD_CAUSE_SECCOMP : LOAD_CAUSE_NO_BPF;
	}
	if (!failure->is_verifier && loads && !host->has_btf)
		return host->has_sysfs ? LOAD_CAUSE_NO_BTF : LOAD_CAUSE_NO_SYSFS;
	if (attaches && !host->has_uprobes)
		return host->has_sysfs ? LOAD_CAUSE_NO_UPROBES : LOAD_CAUSE_NO_SYSFS;
	return cause_of_refusal(failure, host);
}

bool load_error__may_do_with_less(enum load_cause cause)
{
	return cause == LOAD_CAUSE_VERIFIER || cause == LOAD_CAUSE_MEMORY ||
	       cause == LOAD_CAUSE_OTHER;
}

/* --- in words -------------------------------------------------------------------------------- */

static const char *say_missing(const struct host *host, char *buf, size_t size)
{
	char names[LOAD_WORDS_SIZE];
	__u64 missing = missing_to_load(host);

	capability__names(names, sizeof(names), missing);
	snprintf(buf, size, "this process does not have %s%s", names,
		 host->seccomp ? ", and a seccomp filter restricts it" : "");
	return buf;
}

static const char *say_other(const struct load_failure *failure, char *buf, size_t size)
{
	const char *error = strerror(-failure->err);

	if (!failure->words[0])
		snprintf(buf, size, "%s", error);
	else if (strstr(failure->words, error))
		snprintf(buf, size, "%s", failure->words);
	else
		snprintf(buf, size, "%s (%s)", failure->words, error);
	return buf;
}

const char *load_error__why(const struct load_failure *failure, const struct host *host, char *buf,
			    size_t size)
{
	const char *error = strerror(-failure->err);

	switch (load_error__cause(failure, host)) {
	case LOAD_CAUSE_CAPABILITIES:
		return say_missing(host, buf, size);
	case LOAD_CAUSE_ADMIN:
		snprintf(buf, size,
			 "without uprobe_multi this kernel attaches probes only with "
			 "CAP_SYS_ADMIN (%s)",
			 error);
		return buf;
	case LOAD_CAUSE_VERIFIER:
		snprintf(buf, size, "the kernel's verifier refuses it: %s (%s)", failure->words,
			 error);
		return buf;
	case LOAD_CAUSE_USER_NAMESPACE:
		snprintf(buf, size, "capabilities of a user namespace are not enough for BPF (%s)",
			 error);
		return buf;
	case LOAD_CAUSE_LOCKDOWN:
		snprintf(buf, size,
			 "kernel lockdown in mode 'confidentiality' does not let BPF programs read "
			 "memory (%s)",
			 error);
		return buf;
	case LOAD_CAUSE_SECCOMP:
		snprintf(buf, size, "a seccomp filter does not allow %s (%s)",
			 failure->step == LOAD_STEP_MAPPINGS ? "perf_event_open()" : "it", error);
		return buf;
	case LOAD_CAUSE_SECURITY_MODULE:
		snprintf(buf, size, "a security module of the kernel does not allow it (%s; %s)",
			 host->modules[0] ? host->modules : "which is not known", error);
		return buf;
	case LOAD_CAUSE_NO_SYSFS:
		snprintf(buf, size, "/sys is not mounted (%s)", error);
		return buf;
	case LOAD_CAUSE_NO_BTF:
		snprintf(buf, size,
			 "this kernel has no BTF: there is no '/sys/kernel/btf/vmlinux'");
		return buf;
	case LOAD_CAUSE_NO_BPF:
		snprintf(buf, size, "this kernel has no BPF (%s)", error);
		return buf;
	case LOAD_CAUSE_NO_UPROBES:
		snprintf(buf, size, "this kernel has no uprobes (%s)", error);
		return buf;
	case LOAD_CAUSE_OLD_KERNEL:
		snprintf(buf, size, "Linux %s is too old (%s%s%s)", host->release, error,
			 failure->words[0] ? ": " : "", failure->words);
		return buf;
	case LOAD_CAUSE_FILES:
		snprintf(buf, size, "too many open files: %lu are allowed", host->files);
		return buf;
	case LOAD_CAUSE_LIBRARIES:
		snprintf(buf, size, "%s", failure->words);
		return buf;
	case LOAD_CAUSE_MEMORY:
	case LOAD_CAUSE_OTHER:
	case LOAD_CAUSE_COUNT:
		break;
	}
	return say_other(failure, buf, size);
}

static const char report_it[] =
	"try `--no-stacks` or `--lean`, and please report it with the file that `tttrace --check "
	"--output FILE` writes";

const char *load_error__advice(enum load_cause cause)
{
	static const char *const advice[LOAD_CAUSE_COUNT] = {
		[LOAD_CAUSE_OTHER] = report_it,
		[LOAD_CAUSE_VERIFIER] = report_it,
		[LOAD_CAUSE_CAPABILITIES] =
			"run as root (sudo), or give the binary these capabilities: `setcap "
			"cap_bpf,cap_perfmon+ep FILE` (see docs/privileges.md)",
		[LOAD_CAUSE_ADMIN] =
			"run as root (sudo), or give the binary cap_sys_admin as well (see "
			"docs/privileges.md); Linux 6.6 and later need it for --perf-events only",
		[LOAD_CAUSE_USER_NAMESPACE] =
			"run tttrace as root of the host, or in a container that shares its user "
			"namespace (--privileged)",
		[LOAD_CAUSE_LOCKDOWN] =
			"start the kernel with lockdown=integrity (or none): that is enough",
		[LOAD_CAUSE_SECCOMP] =
			"allow bpf() and perf_event_open() in the seccomp profile of the container or "
			"the service (--privileged, or --security-opt seccomp=…; SystemCallFilter=)",
		[LOAD_CAUSE_SECURITY_MODULE] =
			"`dmesg` or the audit log names the rule: allow bpf and perf_event to tttrace",
		[LOAD_CAUSE_NO_SYSFS] = "mount it: `mount -t sysfs sysfs /sys`",
		[LOAD_CAUSE_NO_BTF] =
			"use a kernel that was built with CONFIG_DEBUG_INFO_BTF=y, as "
			"those of distributions are",
		[LOAD_CAUSE_NO_BPF] = "use a kernel that was built with CONFIG_BPF_SYSCALL=y",
		[LOAD_CAUSE_NO_UPROBES] = "use a kernel that was built with CONFIG_UPROBE_EVENTS=y",
		[LOAD_CAUSE_OLD_KERNEL] = "Linux 5.15 or later is needed",
		[LOAD_CAUSE_FILES] =
			"raise the hard limit (`ulimit -Hn`, LimitNOFILE= of a service), "
			"or probe less with `--lean`",
		[LOAD_CAUSE_LIBRARIES] = "trace fewer processes at once: -p PID, or -- COMMAND",
		[LOAD_CAUSE_MEMORY] = "raise the memory limit of the container or service, or use "
				      "less: `--no-stacks`, `--ring-size`, `--max-processes`",
	};
	return advice[cause];
}
