/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Records into the ring: reserve, zero, header, submit; or count the loss. The only user of the
 * ring and of the sequence numbers. It does not decide whether a record matters.
 *
 * A program at a uprobe may be preempted, and another hit handled on the same CPU, since Linux 6.0
 * (8c7dcb84e3b7, 88bf18581375). So nothing that a hit uses is shared by CPU: counters are added to
 * atomically, scratch memory is taken and given back, and the stack is that of the thread, not the
 * CPU's (decline()). The ring gives each record room of its own. Should two hits mix all the same,
 * it is noticed: by the thread and its stack pointer here, by the stamp at the end of a record in
 * user/trace/reader.c.
 */
#ifndef TTTRACE_EMIT_BPF_H
#define TTTRACE_EMIT_BPF_H

enum {
	WAKE_BYTES = 1 << 20
}; /* wake the reader at the latest when so much is waiting */

/*
 * What a program does while the gate is closed: nothing. Its tail call never finds a program, but
 * that it is there keeps the program off a private stack (since 6.13, a76ab5731e32: one for each
 * CPU, which a hit that preempts another would overwrite; check_max_stack_depth() in
 * kernel/bpf/verifier.c gives none to a program with a tail call).
 */
#define decline(ctx, no_programs) (bpf_tail_call(ctx, &(no_programs), 0), 0)

static __always_inline struct tt_counters *get_counters(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&counters, &zero);
}

static __always_inline void count_hit(__u32 probe)
{
	struct tt_counters *c = get_counters();

	if (c && probe < TT_PROBE_COUNT)
		__sync_fetch_and_add(&c->hits[probe], 1);
}

/*
 * The process first: who reads the counters, or a record that tells of total_lost, and then the
 * processes, finds there all that was told of.
 */
static __always_inline void count_lost(struct tt_process *process, __u32 kind)
{
	struct tt_counters *c = get_counters();

	if (1u << kind & TT_KINDS_BEGIN)
		__sync_fetch_and_add(&process->lost_begin, 1);
	else if (1u << kind & TT_KINDS_END)
		__sync_fetch_and_add(&process->lost_end, 1);
	else
		__sync_fetch_and_add(&process->lost_other, 1);
	__sync_fetch_and_add(&total_lost, 1);
	if (c && kind < TT_RECORD_LIBRARY)
		__sync_fetch_and_add(&c->lost[kind], 1);
}

/* A record that is not believed: it is not known of what kind it is, nor of which process. */
static __always_inline void count_torn(void)
{
	struct tt_counters *c = get_counters();

	__sync_fetch_and_add(&total_lost, 1);
	if (!c)
		return;
	__sync_fetch_and_add(&c->lost[TT_RECORD_NONE], 1);
	__sync_fetch_and_add(&c->orphaned_begin, 1);
	__sync_fetch_and_add(&c->orphaned_end, 1);
}

static __always_inline __u64 next_sequence(void)
{
	__u32 zero = 0;
	__u64 *seq = bpf_map_lookup_elem(&sequence, &zero);

	return seq ? __sync_fetch_and_add(seq, 1) : 0;
}

static __always_inline void fill_head(struct tt_record *rec, const struct hit *hit, __u16 kind,
				      __u64 seq)
{
	rec->kind = kind;
	rec->probe = hit->cookie.probe;
	rec->layout = hit->cookie.layout;
	rec->cpu = bpf_get_smp_processor_id();
	rec->tgid = hit->tgid;
	rec->tid = hit->tid;
	rec->ts_ns = bpf_ktime_get_boot_ns();
	rec->start_ns = hit->start_ns;
	rec->seq = seq;
	rec->lost = total_lost;
	rec->lost_begin = hit->process->lost_begin;
	rec->lost_end = hit->process->lost_end;
}

/* Is it still the hit that it was? If not, another one has written over what it knows. */
static __always_inline bool is_intact(const struct hit *hit)
{
	if ((__u32)bpf_get_current_task_btf()->pid != hit->pid)
		return false;
	return !hit->regs || LOAD_REGISTER(hit->regs, sp) == hit->sp;
}

static __always_inline void put_stamp(const struct hit *hit, struct tt_record *rec, __u64 size)
{
	*(__u64 *)((void *)rec + size) = tt_record__stamp(rec->ts_ns, hit->tgid, hit->tid);
}

/*
 * Room for a record of @size bytes (a constant) and its stamp, with its header filled and the rest
 * zero; NULL when the ring is full, which is then counted. bpf_ringbuf_reserve() does not clear
 * what it hands out, so a record that were not zeroed would carry bytes of older ones.
 */
static __always_inline void *emit_begin(const struct hit *hit, __u16 kind, const __u64 size)
{
	__u64 seq = next_sequence();
	struct tt_record *rec = bpf_ringbuf_reserve(&ring, size + TT_STAMP_SIZE, 0);

	if (!rec) {
		count_lost(hit->process, kind);
		return NULL;
	}
	__builtin_memset(rec, 0, size);
	fill_head(rec, hit, kind, seq);
	return rec;
}

/*
 * The reader is woken when it sleeps, or when much is waiting; in between it drains in batches, so
 * that a busy target does not pay for a wake-up with every record.
 */
static __always_inline __u64 wake_flags(void)
{
	if (reader_idle) {
		reader_idle = false;
		return BPF_RB_FORCE_WAKEUP;
	}
	return bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) > WAKE_BYTES ? BPF_RB_FORCE_WAKEUP
									: BPF_RB_NO_WAKEUP;
}

/* The record of @size bytes that emit_begin() gave room to is complete. */
static __always_inline void emit_end(const struct hit *hit, void *rec, const __u64 size)
{
	if (is_intact(hit)) {
		put_stamp(hit, rec, size);
		bpf_ringbuf_submit(rec, wake_flags());
	} else {
		bpf_ringbuf_discard(rec, 0);
		count_torn();
	}
}

/*
 * The same in one go for a record of any size, which is @size bytes at @rec with room for the stamp
 * behind them. Returns -1 if it was lost, which is then counted.
 */
static __always_inline int emit_whole(const struct hit *hit, __u16 kind, struct tt_record *rec,
				      __u64 size)
{
	fill_head(rec, hit, kind, next_sequence());
	put_stamp(hit, rec, size);
	if (!is_intact(hit)) {
		count_torn();
		return -1;
	}
	if (!bpf_ringbuf_output(&ring, rec, size + TT_STAMP_SIZE, wake_flags()))
		return 0;
	count_lost(hit->process, kind);
	return -1;
}

#endif
