/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Which stack a thread has. It is not unwound here: one that was unwound before is known again by
 * the words that decided how it goes on, and any other is copied for the user side to unwind.
 *
 * That costs a copy of the stack each time, up to its outermost frame. It is cheaper than it looks:
 * 12 KB take 0.4 us, as much as four reads of a word, and a hash of the same bytes takes four times
 * as long; of the stack of a program in Python some 60 words matter, of 1,500.
 */
#ifndef TTTRACE_STACK_BPF_H
#define TTTRACE_STACK_BPF_H

/* The print of the words of the copy that are those of @known. Global as field_address() is. */
__noinline __u64 stack_print(const struct tt_known_stack *known, const struct scratch *scratch)
{
	__u64 print = 0;
	__u32 at;

	if (!known || !scratch)
		return 0;
	for (__u32 i = 0; i < TT_STACK_WORDS; i++) {
		if (i >= known->num_words)
			break;
		at = known->offset[i];
		if (at > TT_STACK_MAX - sizeof(__u64))
			return 0;
		print += tt_print__mix(0, *(const __u64 *)(scratch->bytes + at), at);
	}
	return print;
}

static __always_inline bool has_registers(const struct tt_known_stack *known, const __u64 *regs)
{
	for (__u32 i = 0; i < TT_STACK_REGS; i++) {
		if (known->regs_used >> i & 1 && known->regs[i] != regs[i])
			return false;
	}
	return true;
}

enum {
	NEXT_WAY = 1u << 31 /* no number: this way it is not, look at the next one */
};

/*
 * The number of the stack in @scratch if it is the one that is known by @way; 0: there is no such
 * way, nor any behind it; NEXT_WAY. Global as field_address() is: verified once, not for each way.
 */
__noinline __u32 match_way(struct scratch *scratch, __u32 way)
{
	const struct tt_record_stack_copy *copy;
	const struct tt_known_stack *known;
	struct tt_known_key key = {};
	__u32 depth, stack;

	if (!scratch)
		return 0;
	copy = &scratch->copy;
	key.sp = copy->regs[TT_STACK_RSP];
	key.start_ns = copy->h.start_ns;
	key.tgid = copy->h.tgid;
	key.generation = copy->generation;
	key.python = copy->python_hash;
	key.way = way;
	known = bpf_map_lookup_elem(&known_stacks, &key);
	if (!known)
		return 0;
	depth = known->depth;
	if (depth > TT_STACK_MAX || !has_registers(known, copy->regs))
		return NEXT_WAY;
	if (depth > scratch->compared) {
		if (bpf_probe_read_user(scratch->bytes, depth, (void *)key.sp))
			return NEXT_WAY;
		scratch->compared = depth;
	}
	stack = *(const volatile __u32 *)&known->stack;
	return stack_print(known, scratch) + tt_print__mix(0, stack, TT_STACK_NUMBER) ==
			       known->print
		       ? stack
		       : NEXT_WAY;
}

/* 0: it is none that is known. */
static __always_inline __u32 find_known(struct scratch *scratch)
{
	__u32 stack = NEXT_WAY;

	scratch->compared = 0;
	for (__u32 way = 0; way < TT_STACK_WAYS && stack == NEXT_WAY; way++)
		stack = match_way(scratch, way);
	return stack == NEXT_WAY ? 0 : stack;
}

/*
 * Where the stack ends at the latest: of the first thread where the kernel put it
 * (mm->start_stack), of others before what the C library keeps of the thread, which is at the end
 * of the stack that it made and where %fs points. A stack that somebody made otherwise ends
 * somewhere else.
 */
static __always_inline __u64 limit_stack(__u64 sp)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__u64 ends[2] = { BPF_CORE_READ(task, mm, start_stack),
			  BPF_CORE_READ(task, thread.fsbase) };
	__u64 size = TT_STACK_MAX;

	for (int i = 0; i < 2; i++) {
		if (ends[i] > sp && ends[i] - sp < size)
			size = ends[i] - sp;
	}
	return size;
}

/*
 * @size bytes of the stack to @at, counted from the frames of Python on. The barriers keep the
 * compiler from dropping these checks, or making them of a copy: verifiers before 6.14 know of
 * a value only what was checked of this very register.
 */
static __always_inline int copy_part(struct scratch *scratch, __u64 at, __u64 size, __u64 sp)
{
	barrier_var(at);
	barrier_var(size);
	if (at > sizeof(scratch->python) + TT_STACK_MAX - PAGE_SIZE || size > PAGE_SIZE)
		return -1;
	return bpf_probe_read_user((void *)scratch->python + at, size, (void *)sp) ? -1 : 0;
}

static __always_inline int copy_all(struct scratch *scratch, __u64 at, __u64 size, __u64 sp)
{
	barrier_var(at);
	barrier_var(size);
	if (at > sizeof(scratch->python) || size > TT_STACK_MAX)
		return -1;
	return bpf_probe_read_user((void *)scratch->python + at, size, (void *)sp) ? -1 : 0;
}

/* As much of the stack as there is, up to its limit, to @at. Returns how many bytes that is. */
static __always_inline __u64 copy_stack(struct scratch *scratch, __u64 at, __u64 sp)
{
	__u64 size = limit_stack(sp), step = PAGE_SIZE - sp % PAGE_SIZE, done = 0;

	if (!copy_all(scratch, at, size, sp))
		return size;
	for (int i = 0; i < TT_STACK_MAX / PAGE_SIZE; i++) {
		if (done + step > TT_STACK_MAX || copy_part(scratch, at + done, step, sp + done))
			break;
		done += step;
		step = PAGE_SIZE;
	}
	return done;
}

/* The ticket; 0: it was lost. */
static __always_inline __u32 send_copy(const struct hit *hit, struct scratch *scratch)
{
	struct tt_record_stack_copy *copy = &scratch->copy;
	__u64 frames = copy->num_python * sizeof(scratch->python[0]);
	__u64 size = copy_stack(scratch, frames, copy->regs[TT_STACK_RSP]);

	copy->size = size;
	copy->ticket = TT_STACK_TICKET | ((__u32)bpf_ktime_get_boot_ns() & ~TT_STACK_TICKET);
	size += sizeof(*copy) + frames;
	barrier_var(size);
	if (size > sizeof(*copy) + sizeof(scratch->python) + TT_STACK_MAX ||
	    emit_whole(hit, TT_RECORD_STACK_COPY, &copy->h, size))
		return 0;
	return copy->ticket;
}

static __always_inline bool has_room(void)
{
	return bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) <= knobs.copy_limit;
}

static __always_inline void copy_registers(const struct pt_regs *ctx, __u64 *regs)
{
	regs[TT_STACK_RBX] = LOAD_REGISTER(ctx, bx);
	regs[TT_STACK_RBP] = LOAD_REGISTER(ctx, bp);
	regs[TT_STACK_RSP] = LOAD_REGISTER(ctx, sp);
	regs[TT_STACK_R12] = LOAD_REGISTER(ctx, r12);
	regs[TT_STACK_R13] = LOAD_REGISTER(ctx, r13);
	regs[TT_STACK_R14] = LOAD_REGISTER(ctx, r14);
	regs[TT_STACK_R15] = LOAD_REGISTER(ctx, r15);
	regs[TT_STACK_RIP] = LOAD_REGISTER(ctx, ip);
}

/* Whose stack is in @scratch. Returns -1: it is not traced any more, or another hit wrote there. */
static __always_inline int take_hit(const struct scratch *scratch, struct hit *hit)
{
	if (scratch->owner != scratch->owner_end ||
	    scratch->owner != owner_stamp(owner_pid(scratch), scratch->copy.regs[TT_STACK_RSP]))
		return -1;
	hit->tgid = scratch->copy.h.tgid;
	hit->tid = scratch->copy.h.tid;
	hit->pid = owner_pid(scratch);
	hit->start_ns = scratch->copy.h.start_ns;
	hit->cookie.probe = scratch->copy.h.probe;
	hit->cookie.layout = scratch->copy.h.layout;
	hit->generation = scratch->copy.generation;
	hit->process = bpf_map_lookup_elem(&processes, &hit->tgid);
	return hit->process ? 0 : -1;
}

/*
 * The number of the stack whose thread and registers are in @scratch; 0: it is none that is known.
 * Global for the same reason as field_address(), and so is what comes next: stacks are asked for at
 * allocations and at frees, and the verifier takes longer to look at this than at all the rest.
 */
__noinline __u32 find_stack(struct scratch *scratch)
{
	if (!scratch)
		return 0;
	read_python(scratch);
	return find_known(scratch);
}

/*
 * The code object of frame @nr, if it was not copied before, so that it is known what the function
 * is called. Returns -1: there is no room for it.
 */
__noinline int send_code(struct scratch *scratch, __u32 nr)
{
	struct tt_record_python_code *rec;
	const struct tt_python_frame *frame;
	const struct tt_python *python;
	struct tt_code_key key = {};
	struct hit hit = {};
	__u32 lines_size;
	__u8 sent = 1;

	if (!scratch || nr >= TT_PYTHON_MAX || take_hit(scratch, &hit))
		return -1;
	python = bpf_map_lookup_elem(&pythons, &hit.tgid);
	if (!python)
		return -1;
	rec = (void *)scratch->bytes; /* a stack is copied there before and afterwards */
	frame = &scratch->python[nr];
	key.print = frame->print;
	key.start_ns = hit.start_ns;
	key.tgid = hit.tgid;
	key.generation = hit.generation;
	if (!frame->print || bpf_map_lookup_elem(&known_codes, &key))
		return 0;
	if (bpf_probe_read_user(rec->code, sizeof(rec->code), (void *)frame->code))
		return 0;
	rec->print = frame->print;
	rec->generation = hit.generation;
	rec->name_size =
		copy_text(scratch, rec->name, sizeof(rec->name), code_word(rec, python->words[0]));
	rec->file_size =
		copy_text(scratch, rec->file, sizeof(rec->file), code_word(rec, python->words[1]));
	lines_size = copy_bytes(rec->lines, TT_PYTHON_LINES_SIZE, code_word(rec, python->words[2]));
	rec->lines_size = lines_size;
	if (lines_size > TT_PYTHON_LINES_SIZE ||
	    emit_whole(&hit, TT_RECORD_PYTHON_CODE, &rec->h, sizeof(*rec) + lines_size))
		return -1;
	bpf_map_update_elem(&known_codes, &key, &sent, BPF_ANY);
	return 0;
}

static __always_inline void send_codes(struct scratch *scratch)
{
	for (__u32 nr = 0; nr < TT_PYTHON_MAX; nr++) {
		if (nr >= scratch->copy.num_python || send_code(scratch, nr))
			break;
	}
}

/* The ticket of its copy; 0: it could not be had. */
__noinline __u32 send_stack(struct scratch *scratch)
{
	struct hit hit = {};

	return !scratch || take_hit(scratch, &hit) ? 0 : send_copy(&hit, scratch);
}

static __always_inline __u32 read_stack(const struct hit *hit, struct scratch *scratch)
{
	__u32 stack;

	scratch->copy.h.tgid = hit->tgid;
	scratch->copy.h.tid = hit->tid;
	scratch->copy.h.start_ns = hit->start_ns;
	scratch->copy.h.probe = hit->cookie.probe;
	scratch->copy.h.layout = hit->cookie.layout;
	scratch->copy.generation = hit->generation;
	copy_registers(hit->regs, scratch->copy.regs);
	stack = find_stack(scratch);
	if (stack || !has_room())
		return stack;
	send_codes(scratch);
	return send_stack(scratch);
}

static __always_inline __u32 take_stack(const struct hit *hit)
{
	struct scratch *scratch = take_scratch(hit);
	__u32 stack;

	if (!scratch)
		return 0;
	stack = read_stack(hit, scratch);
	give_back(scratch);
	return stack;
}

#endif
