/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The PIDs of tasks, as tttrace knows them: in its own PID namespace. It reads /proc, is given PIDs
 * by the user and gets those of the perf side band, all of them in that namespace. Where it is the
 * initial one, the knob is 0 and the verifier removes the rest.
 */
#ifndef TTTRACE_TASK_BPF_H
#define TTTRACE_TASK_BPF_H

enum {
	PID_LEVELS_MAX = 32 /* MAX_PID_NS_LEVEL of linux/pid_namespace.h */
};

/*
 * The number of the struct pid at @pid in our namespace, 0 if it has none: it is outside. A pid has
 * one number at each level, the initial namespace being level 0 (struct pid in linux/pid.h).
 * Global for the same reason as field_address().
 */
__noinline __u32 number_in_namespace(__u64 pid)
{
	__u64 numbers = pid + bpf_core_field_offset(struct pid, numbers);
	__u32 level = BPF_CORE_READ((struct pid *)pid, level);
	struct upid upid;

	for (__u32 i = 1; i <= PID_LEVELS_MAX; i++) {
		if (i > level)
			break;
		if (bpf_probe_read_kernel(&upid, sizeof(upid),
					  (void *)(numbers + i * sizeof(upid))))
			break;
		if (BPF_CORE_READ(upid.ns, ns.inum) == knobs.pid_namespace)
			return upid.nr;
	}
	return 0;
}

/* 0: not in our namespace. */
static __always_inline __u32 task_tgid(struct task_struct *task)
{
	if (!knobs.pid_namespace)
		return BPF_CORE_READ(task, tgid);
	return number_in_namespace((__u64)BPF_CORE_READ(task, signal, pids[PIDTYPE_TGID]));
}

static __always_inline __u32 task_tid(struct task_struct *task)
{
	if (!knobs.pid_namespace)
		return BPF_CORE_READ(task, pid);
	return number_in_namespace((__u64)BPF_CORE_READ(task, thread_pid));
}

/* Both of the current task @task, by no call where that will do; -1: not in our namespace. */
static __always_inline int identify_current(struct task_struct *task, __u32 *ret_tgid,
					    __u32 *ret_tid)
{
	*ret_tgid = knobs.pid_namespace ? task_tgid(task) : task->tgid;
	*ret_tid = knobs.pid_namespace ? task_tid(task) : task->pid;
	return *ret_tgid ? 0 : -1;
}

/* Is it the first thread of its process? */
static __always_inline bool task_is_leader(struct task_struct *task)
{
	return BPF_CORE_READ(task, pid) == BPF_CORE_READ(task, tgid);
}

#endif
