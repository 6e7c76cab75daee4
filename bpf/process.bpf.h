/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Which processes are traced, and their births and ends. The kernel's own pid filter of a uprobe
 * misses children, so the set is ours: grown at fork, emptied at exit.
 */
#ifndef TTTRACE_PROCESS_BPF_H
#define TTTRACE_PROCESS_BPF_H

static __always_inline void emit_process(const struct hit *hit, __u16 kind,
					 const struct tt_process *process, __u32 exit_code)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct tt_record_process *rec = emit_begin(hit, kind, sizeof(*rec));

	if (!rec)
		return;
	rec->h.probe = TT_PROBE_COUNT;
	rec->flags = process->flags;
	rec->exit_code = exit_code;
	rec->parent_tgid = BPF_CORE_READ(task, real_parent, tgid);
	rec->parent_start_ns = BPF_CORE_READ(task, real_parent, group_leader, start_boottime);
	bpf_get_current_comm(rec->comm, sizeof(rec->comm));
	emit_end(rec);
}

/* The hit of a program that is no probe of a function: of @tgid, which began at @start_ns. */
static __always_inline struct hit process_hit(__u32 tgid, __u64 start_ns)
{
	struct hit hit = {
		.tgid = tgid,
		.tid = (__u32)bpf_get_current_pid_tgid(),
		.start_ns = start_ns,
		.cookie.probe = TT_PROBE_COUNT,
	};

	return hit;
}

/* A process that is hit for the first time: entered from outside, or new and all are wanted. */
static __always_inline int begin_process(struct hit *hit, struct tt_process *known)
{
	struct tt_process new = { .start_ns = hit->start_ns };

	if (!known && knobs.scope != TT_SCOPE_ALL)
		return -1;
	if (known && !known->start_ns)
		new.flags = known->flags;
	else if (known && knobs.scope != TT_SCOPE_ALL)
		return -1; /* another process with the PID of one that has ended */
	if (bpf_map_update_elem(&processes, &hit->tgid, &new, BPF_ANY)) {
		struct tt_counters *c = get_counters();

		if (c)
			__sync_fetch_and_add(&c->process_map_full, 1);
		return -1;
	}
	emit_process(hit, TT_RECORD_PROCESS_START, &new, 0);
	return 0;
}

/* Fills @hit for the current process; -1 when it is not to be traced. */
static __always_inline int enter_process(struct hit *hit)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 id = bpf_get_current_pid_tgid();
	struct tt_process *process;

	hit->tgid = id >> 32;
	hit->tid = (__u32)id;
	process = bpf_map_lookup_elem(&processes, &hit->tgid);
	if (!process && knobs.scope != TT_SCOPE_ALL)
		return -1;
	hit->start_ns = task->group_leader->start_boottime;
	if (process && process->start_ns == hit->start_ns) {
		hit->generation = process->generation;
		return 0;
	}
	return begin_process(hit, process);
}

/* A fork of a traced process: the child is traced as well. */
static __always_inline void on_fork(struct task_struct *parent, struct task_struct *child)
{
	__u32 parent_tgid = BPF_CORE_READ(parent, tgid), tgid = BPF_CORE_READ(child, tgid);
	struct tt_process *process, new = { .flags = TT_PROCESS_FORKED };
	struct tt_record_process *rec;
	struct hit hit;

	if (tgid == parent_tgid || (__u32)BPF_CORE_READ(child, pid) != tgid)
		return; /* a thread */
	process = bpf_map_lookup_elem(&processes, &parent_tgid);
	if (!process)
		return;
	new.start_ns = BPF_CORE_READ(child, start_boottime);
	new.generation = process->generation;
	if (bpf_map_update_elem(&processes, &tgid, &new, BPF_ANY)) {
		struct tt_counters *c = get_counters();

		if (c)
			__sync_fetch_and_add(&c->process_map_full, 1);
		return;
	}
	hit = process_hit(tgid, new.start_ns);
	hit.tid = tgid;
	rec = emit_begin(&hit, TT_RECORD_PROCESS_START, sizeof(*rec));
	if (!rec)
		return;
	rec->flags = new.flags;
	rec->parent_tgid = parent_tgid;
	rec->parent_start_ns = BPF_CORE_READ(parent, group_leader, start_boottime);
	bpf_get_current_comm(rec->comm, sizeof(rec->comm));
	emit_end(rec);
}

static __always_inline void on_exec(struct task_struct *task)
{
	__u32 tgid = BPF_CORE_READ(task, tgid);
	struct tt_process *process = bpf_map_lookup_elem(&processes, &tgid);
	struct hit hit;

	if (!process)
		return;
	if (!process->start_ns)
		process->start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	process->generation++;
	process->flags = 0; /* a new address space: nothing of before, nothing of the parent's */
	hit = process_hit(tgid, process->start_ns);
	emit_process(&hit, TT_RECORD_PROCESS_EXEC, process, 0);
}

/* The last thread of a traced process ends. */
static __always_inline void on_exit(struct task_struct *task)
{
	__u32 tgid = BPF_CORE_READ(task, tgid);
	struct tt_process *process = bpf_map_lookup_elem(&processes, &tgid);
	__u32 code;
	struct hit hit;

	/* do_exit() counts `live` down before the tracepoint */
	if (!process || BPF_CORE_READ(task, signal, live.counter) > 0)
		return;
	code = BPF_CORE_READ(task, signal, group_exit_code);
	if (!code)
		code = BPF_CORE_READ(task, exit_code);
	if (process->start_ns) {
		hit = process_hit(tgid, process->start_ns);
		emit_process(&hit, TT_RECORD_PROCESS_EXIT, process, code);
	}
	bpf_map_delete_elem(&processes, &tgid);
}

#endif
