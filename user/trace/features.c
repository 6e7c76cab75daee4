// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "trace/features.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/syscall.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>

#include "lib/cleanup.h"

#define UPROBE_TYPE "/sys/bus/event_source/devices/uprobe/type"

/* r0 = 0; exit */
static const struct bpf_insn return_zero[] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
	{ .code = BPF_JMP | BPF_EXIT },
};

static int load_return_zero(enum bpf_attach_type attach_type)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = attach_type);
	int fd = bpf_prog_load(BPF_PROG_TYPE_KPROBE, NULL, "GPL", return_zero, 2, &opts);

	return fd < 0 ? -errno : fd;
}

bool features__uprobe_multi(void)
{
	unsigned long offset = 0;
	LIBBPF_OPTS(bpf_link_create_opts, opts, .uprobe_multi.path = "/",
		    .uprobe_multi.offsets = &offset, .uprobe_multi.cnt = 1);
	_cleanup_close_ int prog = load_return_zero(BPF_TRACE_UPROBE_MULTI);
	_cleanup_close_ int link = -1;

	if (prog < 0)
		return false;
	link = bpf_link_create(prog, -1, BPF_TRACE_UPROBE_MULTI, &opts);
	return link < 0 && errno == EBADF;
}

int features__bpf(void)
{
	_cleanup_close_ int prog = load_return_zero(0);

	if (prog >= 0)
		return 0;
	return prog == -ENOSYS || prog == -EINVAL ? -EOPNOTSUPP : prog;
}

int features__perf_uprobes(void)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.uprobe_path = (__u64)(uintptr_t) "/",
	};
	_cleanup_fclose_ FILE *type = fopen(UPROBE_TYPE, "re");
	int fd;

	if (!type || fscanf(type, "%u", &attr.type) != 1)
		return 0; /* what lacks is not a privilege */
	fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd >= 0)
		close(fd);
	return fd < 0 && (errno == EACCES || errno == EPERM) ? -errno : 0;
}

bool features__uprobes(void)
{
	return !access(UPROBE_TYPE, R_OK);
}

bool features__btf(void)
{
	return !access("/sys/kernel/btf/vmlinux", R_OK);
}
