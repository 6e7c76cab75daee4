// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "trace/features.h"

#include <errno.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "lib/cleanup.h"

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

bool features__uprobes(void)
{
	return !access("/sys/bus/event_source/devices/uprobe/type", R_OK);
}

bool features__btf(void)
{
	return !access("/sys/kernel/btf/vmlinux", R_OK);
}
