/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Which processes are traced, and their births and ends. The kernel's own pid filter of a uprobe
 * misses children, so the set is ours: grown at fork, emptied at exit.
 */
#ifndef TTTRACE_PROCESS_BPF_H
#define TTTRACE_PROCESS_BPF_H

/* Returns -1 when the record was lost. */
static __always_inline int emit_process(const struct hit *hit, __u16 kind, __u32 exit_code)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct tt_record_process *rec = emit_begin(hit, kind, sizeof(*rec));

	if (!rec)
		return -1;
	rec->h.probe = TT_PROBE_COUNT;
	rec->flags = hit->process->flags;
	rec->exit_code = exit_code;
	rec->lost_other = hit->process->lost_other;
	rec->parent_tgid = task_tgid(BPF_CORE_READ(task, real_parent));
	rec->parent_start_ns = BPF_CORE_READ(task, real_parent, group_leader, start_boottime);
	/* the name of the thread at hand may be another */
	BPF_CORE_READ_STR_INTO(&rec->comm, task, group_leader, comm);
	emit_end(hit, rec, sizeof(*rec));
	return 0;
}

/* The hit of a program that is no probe of a function. */
static __always_inline struct hit process_hit(__u32 tgid, __u32 tid, struct tt_process *process)
{
	struct hit hit = {
		.tgid = tgid,
		.tid = tid,
		.pid = bpf_get_current_pid_tgid(),
		.start_ns = process->start_ns,
		.process = process,
		.cookie.probe = TT_PROBE_COUNT,
	};

	return hit;
}

/* Another process takes the place of @process: what that lost is known of no process any more. */
static __always_inline void orphan_losses(struct tt_process *process)
{
	__u32 begin = __sync_lock_test_and_set(&process->lost_begin, 0);
	__u32 end = __sync_lock_test_and_set(&process->lost_end, 0);
	struct tt_counters *c = get_counters();

	if (c && begin)
		__sync_fetch_and_add(&c->orphaned_begin, begin);
	if (c && end)
		__sync_fetch_and_add(&c->orphaned_end, end);
}

static __always_inline struct tt_process *add_process(__u32 tgid, const struct tt_process *new)
{
	struct tt_process *process = NULL;
	struct tt_counters *c;

	/* another thread may have been quicker: the place is then the same, with what it counted */
	bpf_map_update_elem(&processes, &tgid, new, BPF_NOEXIST);
	process = bpf_map_lookup_elem(&processes, &tgid);
	c = process ? NULL : get_counters();
	if (c)
		__sync_fetch_and_add(&c->process_map_full, 1);
	return process;
}

/* A place that was made from outside, or of another process that had this PID before. */
static __always_inline int take_place(const struct hit *hit, struct tt_process *process)
{
	__u64 old = process->start_ns;

	if (old && knobs.scope != TT_SCOPE_ALL)
		return -1;
	if (__sync_val_compare_and_swap(&process->start_ns, old, hit->start_ns) == old && old) {
		orphan_losses(process);
		process->flags = 0;
		process->generation++;
	}
	return 0;
}

/* A process that is hit for the first time: entered from outside, or new and all are wanted. */
static __noinline int begin_process(struct hit *hit)
{
	struct tt_process new = { .start_ns = hit->start_ns };

	if (!hit->process && knobs.scope == TT_SCOPE_ALL)
		hit->process = add_process(hit->tgid, &new);
	if (!hit->process)
		return -1;
	if (hit->process->start_ns != hit->start_ns && take_place(hit, hit->process))
		return -1;
	emit_process(hit, TT_RECORD_PROCESS_START, 0);
	return 0;
}

/* Fills @hit for the current process; -1 when it is not to be traced. */
static __always_inline int enter_process(struct hit *hit)
{
	struct task_struct *task = bpf_get_current_task_btf();

	hit->pid = task->pid;
	if (identify_current(task, &hit->tgid, &hit->tid))
		return -1;
	hit->process = bpf_map_lookup_elem(&processes, &hit->tgid);
	if (!hit->process && knobs.scope != TT_SCOPE_ALL)
		return -1;
	hit->start_ns = task->group_leader->start_boottime;
	if (!hit->process || hit->process->start_ns != hit->start_ns) {
		if (begin_process(hit))
			return -1;
	}
	hit->generation = hit->process->generation;
	return 0;
}

static __always_inline void emit_fork(const struct hit *hit, struct task_struct *parent,
				      struct task_struct *child)
{
	struct tt_record_process *rec = emit_begin(hit, TT_RECORD_PROCESS_START, sizeof(*rec));

	if (!rec)
		return;
	rec->flags = hit->process->flags;
	rec->parent_tgid = task_tgid(parent);
	rec->parent_start_ns = BPF_CORE_READ(parent, group_leader, start_boottime);
	BPF_CORE_READ_STR_INTO(&rec->comm, child, comm);
	emit_end(hit, rec, sizeof(*rec));
}

/* A child has the interpreter of its parent, where that is. */
static __always_inline void inherit_python(__u32 parent_tgid, __u32 tgid)
{
	const struct tt_python *python = bpf_map_lookup_elem(&pythons, &parent_tgid);

	if (python)
		bpf_map_update_elem(&pythons, &tgid, python, BPF_ANY);
	else
		bpf_map_delete_elem(&pythons, &tgid);
}

/* A fork of a traced process: the child is traced as well. */
static __always_inline void on_fork(struct task_struct *parent, struct task_struct *child)
{
	struct tt_process *process, new = { .flags = TT_PROCESS_FORKED };
	__u32 parent_tgid = task_tgid(parent), tgid;
	struct hit hit;

	process = bpf_map_lookup_elem(&processes, &parent_tgid);
	if (!process || !task_is_leader(child))
		return; /* not traced, or a thread */
	new.start_ns = BPF_CORE_READ(child, start_boottime);
	new.generation = process->generation;
	tgid = task_tgid(child);
	process = bpf_map_lookup_elem(&processes, &tgid);
	if (process)
		orphan_losses(process);
	bpf_map_delete_elem(&processes, &tgid);
	process = add_process(tgid, &new);
	if (!process)
		return;
	if (knobs.stacks)
		inherit_python(parent_tgid, tgid);
	hit = process_hit(tgid, tgid, process);
	emit_fork(&hit, parent, child);
}

static __always_inline void on_exec(struct task_struct *task)
{
	__u32 tgid = task_tgid(task);
	struct tt_process *process = bpf_map_lookup_elem(&processes, &tgid);
	struct hit hit;

	if (!process)
		return;
	if (!process->start_ns)
		process->start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	process->generation++;
	if (knobs.stacks)
		bpf_map_delete_elem(&pythons, &tgid);
	process->flags = 0; /* a new address space: nothing of before, nothing of the parent's */
	hit = process_hit(tgid, task_tid(task), process);
	emit_process(&hit, TT_RECORD_PROCESS_EXEC, 0);
}

/*
 * A thread gets the name @comm; it does not have it yet. That of the first thread is the one of the
 * process. An exec renames as well, but the new name is not one of what goes with the exec: the
 * record of the exec tells it (begin_new_exec() in fs/exec.c: __set_task_comm() comes before
 * trace_sched_process_exec()).
 */
static __always_inline void on_rename(struct task_struct *task, const char *comm)
{
	struct tt_record_process *rec;
	struct tt_process *process;
	struct hit hit;
	__u32 tgid;

	if (!task_is_leader(task))
		return;
	tgid = task_tgid(task);
	process = bpf_map_lookup_elem(&processes, &tgid);
	if (!process || process->start_ns != BPF_CORE_READ(task, start_boottime) ||
	    BPF_CORE_READ_BITFIELD_PROBED(task, in_execve))
		return;
	hit = process_hit(tgid, tgid, process);
	rec = emit_begin(&hit, TT_RECORD_PROCESS_NAME, sizeof(*rec));
	if (!rec)
		return;
	bpf_probe_read_kernel_str(rec->comm, sizeof(rec->comm), comm);
	emit_end(&hit, rec, sizeof(*rec));
}

/* The last thread of a traced process ends. */
static __always_inline void on_exit(struct task_struct *task)
{
	__u32 tgid = task_tgid(task);
	struct tt_process *process = bpf_map_lookup_elem(&processes, &tgid);
	__u32 code;
	struct hit hit;

	/* do_exit() counts `live` down before the tracepoint */
	if (!process || BPF_CORE_READ(task, signal, live.counter) > 0)
		return;
	code = BPF_CORE_READ(task, signal, group_exit_code);
	if (!code)
		code = BPF_CORE_READ(task, exit_code);
	if (knobs.stacks)
		bpf_map_delete_elem(&pythons, &tgid);
	hit = process_hit(tgid, task_tid(task), process);
	if (process->start_ns && emit_process(&hit, TT_RECORD_PROCESS_EXIT, code)) {
		process->exit_code = code; /* the user side asks for it, and for the losses, yet */
		process->flags |= TT_PROCESS_ENDED;
	} else {
		bpf_map_delete_elem(&processes, &tgid);
	}
}

#endif
