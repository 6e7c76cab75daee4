// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/magic.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <zlib.h>

#include "lib/cleanup.h"

/* The first line of the file at @path, without its end; "" if it cannot be read. */
static bool read_line(const char *path, char *buf, size_t size)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");

	buf[0] = '\0';
	if (!file || !fgets(buf, (int)size, file))
		return false;
	buf[strcspn(buf, "\n")] = '\0';
	return true;
}

static int read_number(const char *path)
{
	char text[32];

	return read_line(path, text, sizeof(text)) ? atoi(text) : HOST_UNKNOWN;
}

enum host_lockdown host__parse_lockdown(const char *text)
{
	if (strstr(text, "[none]"))
		return LOCKDOWN_NONE;
	if (strstr(text, "[integrity]"))
		return LOCKDOWN_INTEGRITY;
	if (strstr(text, "[confidentiality]"))
		return LOCKDOWN_CONFIDENTIALITY;
	return LOCKDOWN_UNKNOWN;
}

const char *host__lockdown_name(enum host_lockdown lockdown)
{
	static const char *const names[] = {
		[LOCKDOWN_UNKNOWN] = "not known",
		[LOCKDOWN_NONE] = "none",
		[LOCKDOWN_INTEGRITY] = "integrity",
		[LOCKDOWN_CONFIDENTIALITY] = "confidentiality",
	};

	return names[lockdown];
}

void host__parse_choice(const char *text, char *buf, size_t size)
{
	const char *begin = text + strcspn(text, "[(");
	size_t len;

	begin = *begin ? begin + 1 : text;
	len = strcspn(begin, "])\n");
	snprintf(buf, size, "%.*s", (int)len, begin);
}

/* Where debugfs does not say it, only what was built in can be known. */
static void read_preemption(struct host *host)
{
	char text[HOST_TEXT_SIZE];

	if (read_line("/sys/kernel/debug/sched/preempt", text, sizeof(text)))
		host__parse_choice(text, host->preemption, sizeof(host->preemption));
	else if (strstr(host->version, "PREEMPT_DYNAMIC"))
		snprintf(host->preemption, sizeof(host->preemption), "chosen at boot");
	else if (strstr(host->version, "PREEMPT_RT"))
		snprintf(host->preemption, sizeof(host->preemption), "real time");
	else if (strstr(host->version, "PREEMPT_LAZY"))
		snprintf(host->preemption, sizeof(host->preemption), "lazy");
	else if (strstr(host->version, "PREEMPT"))
		snprintf(host->preemption, sizeof(host->preemption), "full");
	else
		snprintf(host->preemption, sizeof(host->preemption), "none or voluntary");
}

static void read_status(struct host *host)
{
	_cleanup_fclose_ FILE *status = fopen("/proc/self/status", "re");
	char line[256];

	while (status && fgets(line, sizeof(line), status)) {
		if (!strncmp(line, "CapEff:", 7))
			host->capabilities = strtoull(line + 7, NULL, 16);
		else if (!strncmp(line, "Seccomp:", 8))
			host->seccomp = atoi(line + 8) != 0;
	}
}

/* The initial user namespace maps all IDs to themselves: user_namespaces(7). */
static bool in_user_namespace(void)
{
	unsigned long inside, outside, count;
	char text[64];

	if (!read_line("/proc/self/uid_map", text, sizeof(text)))
		return false;
	return sscanf(text, "%lu %lu %lu", &inside, &outside, &count) != 3 || inside || outside ||
	       count != 4294967295;
}

static bool has_sysfs(void)
{
	struct statfs st;

	return !statfs("/sys", &st) && st.f_type == SYSFS_MAGIC;
}

void host__read(struct host *ret_host)
{
	char text[HOST_TEXT_SIZE];
	struct rlimit files;
	struct utsname uts;

	memset(ret_host, 0, sizeof(*ret_host));
	uname(&uts);
	snprintf(ret_host->release, sizeof(ret_host->release), "%s", uts.release);
	snprintf(ret_host->version, sizeof(ret_host->version), "%s", uts.version);
	ret_host->has_sysfs = has_sysfs();
	ret_host->has_btf = !access("/sys/kernel/btf/vmlinux", R_OK);
	ret_host->has_uprobes = !access("/sys/bus/event_source/devices/uprobe/type", R_OK);
	read_line("/sys/kernel/security/lsm", ret_host->modules, sizeof(ret_host->modules));
	if (read_line("/sys/kernel/security/lockdown", text, sizeof(text)))
		ret_host->lockdown = host__parse_lockdown(text);
	ret_host->unprivileged_bpf = read_number("/proc/sys/kernel/unprivileged_bpf_disabled");
	ret_host->perf_paranoid = read_number("/proc/sys/kernel/perf_event_paranoid");
	ret_host->ptrace_scope = read_number("/proc/sys/kernel/yama/ptrace_scope");
	ret_host->user_namespace = in_user_namespace();
	ret_host->files = getrlimit(RLIMIT_NOFILE, &files) ? 0 : files.rlim_max;
	read_preemption(ret_host);
	read_status(ret_host);
}

bool host__is_older(const struct host *host, int major, int minor)
{
	int major_here, minor_here;

	if (sscanf(host->release, "%d.%d", &major_here, &minor_here) != 2)
		return false;
	return major_here < major || (major_here == major && minor_here < minor);
}

static bool matters(const char *line)
{
	static const char *const options[] = {
		"CONFIG_BPF",	  "CONFIG_DEBUG_INFO_BTF", "CONFIG_HAVE_EBPF_JIT",
		"CONFIG_PREEMPT", "CONFIG_UPROBE",	   "CONFIG_SECURITY_LOCKDOWN",
		"CONFIG_LSM=",
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (!strncmp(line, options[i], strlen(options[i])))
			return true;
	return false;
}

char *host__config(void)
{
	gzFile config = gzopen("/proc/config.gz", "re");
	char *text = NULL, line[512];
	struct utsname uts;
	size_t size;
	FILE *copy;

	if (!config) {
		uname(&uts);
		snprintf(line, sizeof(line), "/boot/config-%s", uts.release);
		config = gzopen(line, "re");
	}
	if (!config)
		return NULL;
	copy = open_memstream(&text, &size);
	while (copy && gzgets(config, line, sizeof(line)))
		if (matters(line))
			fputs(line, copy);
	if (copy)
		fclose(copy);
	gzclose(config);
	return text;
}
