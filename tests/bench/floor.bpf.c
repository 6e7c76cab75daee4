// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * What tttrace is held against: a program that does nothing, which is the least that a hit can
 * cost, and the work of libbpf-tools' memleak at a pair of functions: at the entry of an allocation
 * the size is put aside, at its return a row with the stack is made, at the entry of a free it is
 * deleted. (memleak.bpf.c: gen_alloc_enter, gen_alloc_exit2, gen_free_enter.)
 */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

enum {
	BPF_F_USER = 1 << 8, /* BPF_F_USER_STACK of linux/bpf.h */
	STACK_DEPTH = 127,
};

struct pending {
	__u64 object;
	__u64 size;
};

struct row {
	__u64 size;
	__u64 ts_ns;
	__s32 stack;
	__u32 reserved;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, __u32);
	__type(value, struct pending);
} requests SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1000000);
	__type(key, __u64);
	__type(value, struct row);
} rows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 10240);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, STACK_DEPTH * sizeof(__u64));
} stacks SEC(".maps");

SEC("uprobe.multi")
int on_nothing(struct pt_regs *ctx)
{
	(void)ctx;
	return 0;
}

SEC("uprobe.multi")
int on_enter(struct pt_regs *ctx)
{
	struct pending pending = { .object = PT_REGS_PARM2(ctx) };
	__u32 tid = bpf_get_current_pid_tgid();

	bpf_map_update_elem(&requests, &tid, &pending, BPF_ANY);
	return 0;
}

SEC("uretprobe.multi")
int on_return(struct pt_regs *ctx)
{
	__u32 tid = bpf_get_current_pid_tgid();
	struct pending *pending = bpf_map_lookup_elem(&requests, &tid);
	struct row row = {};
	__u64 object;

	if (!pending)
		return 0;
	object = pending->object;
	row.size = pending->size;
	row.ts_ns = bpf_ktime_get_ns();
	row.stack = bpf_get_stackid(ctx, &stacks, BPF_F_USER);
	bpf_map_delete_elem(&requests, &tid);
	bpf_map_update_elem(&rows, &object, &row, BPF_ANY);
	return 0;
}

SEC("uprobe.multi")
int on_free(struct pt_regs *ctx)
{
	__u64 object = PT_REGS_PARM2(ctx);

	bpf_map_delete_elem(&rows, &object);
	return 0;
}
