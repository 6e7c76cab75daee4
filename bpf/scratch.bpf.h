/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Scratch memory of a hit: a slot that it takes for itself and gives back. Neither memory per CPU
 * will do, for a hit may be preempted by another one on its CPU, nor task storage: since Linux 7.0
 * it has no more than 8 KiB at a probe, and before 6.2 a thread does not get it while another one
 * is getting its own on the same CPU (bpf_task_storage_trylock() in
 * kernel/bpf/bpf_task_storage.c).
 *
 * There is a slot for each CPU, and TT_SCRATCH_SPARE for those that preempt others. Where none is
 * free there is no stack (the record says so), or no footprint: nothing waits.
 */
#ifndef TTTRACE_SCRATCH_BPF_H
#define TTTRACE_SCRATCH_BPF_H

enum {
	NO_SLOT = 0xffffffff
};

/* Never 0: the stack pointer of a thread is not. */
static __always_inline __u64 owner_stamp(__u32 pid, __u64 sp)
{
	return (__u64)pid << 32 | (__u32)sp | 1;
}

static __always_inline __u32 owner_pid(const struct scratch *scratch)
{
	return scratch->owner >> 32;
}

static __always_inline bool try_slot(__u32 slot, __u64 stamp)
{
	struct scratch *scratch = bpf_map_lookup_elem(&scratches, &slot);

	if (!scratch || __sync_val_compare_and_swap(&scratch->owner, 0, stamp))
		return false;
	scratch->owner_end = stamp;
	return true;
}

/* The number of a slot that was free. Global for the same reason as field_address(). */
__noinline __u32 take_slot(__u64 stamp)
{
	__u32 slot = TT_SCRATCH_SPARE + bpf_get_smp_processor_id();

	if (try_slot(slot, stamp))
		return slot;
	for (slot = 0; slot < TT_SCRATCH_SPARE; slot++) {
		if (try_slot(slot, stamp))
			return slot;
	}
	return NO_SLOT;
}

/* NULL: none is free. */
static __always_inline struct scratch *take_scratch(const struct hit *hit)
{
	__u32 slot = take_slot(owner_stamp(hit->pid, hit->sp));

	return bpf_map_lookup_elem(&scratches, &slot);
}

static __always_inline void give_back(struct scratch *scratch)
{
	__sync_lock_test_and_set(&scratch->owner, 0);
}

#endif
