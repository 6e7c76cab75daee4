/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The frames of Python that a thread is in, as its interpreter has them. They are read at the hit,
 * for the interpreter goes on. What their code objects are called is copied once, with the first
 * stack that is not known: a script may end, and its code with it, before the user side could look.
 */
#ifndef TTTRACE_PYTHON_BPF_H
#define TTTRACE_PYTHON_BPF_H

static __always_inline int read_pointer(__u64 addr, __u64 *ret_value)
{
	return bpf_probe_read_user(ret_value, sizeof(*ret_value), (void *)addr) || !*ret_value ? -1
											       : 0;
}

/* The word, and the byte, at @at of what was read; 0: it lies beyond. */
static __always_inline __u64 part_word(const struct scratch *scratch, __u32 at)
{
	return at > sizeof(scratch->part) - sizeof(__u64) ? 0
							  : *(const __u64 *)(scratch->part + at);
}

static __always_inline __u8 part_byte(const struct scratch *scratch, __u32 at)
{
	return at >= sizeof(scratch->part) ? 0 : scratch->part[at];
}

/*
 * The innermost frame of the current thread; 0: it has none. A read costs the same for a word and
 * for twenty: what is wanted of the thread's state is read at once.
 */
static __always_inline __u64 first_frame(const struct tt_python *python, struct scratch *scratch)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 base = task->thread.fsbase, state, frame;

	/* the interpreter keeps the state in the thread's own memory, but not so its frames */
	if (read_pointer(base + python->state, &state) ||
	    bpf_probe_read_user(scratch->part, TT_PYTHON_STATE_SIZE,
				(void *)(state + python->frame)) ||
	    part_word(scratch, python->thread_id - python->frame) != base)
		return 0;
	frame = part_word(scratch, 0);
	if (python->indirect != TT_PYTHON_DIRECT && read_pointer(frame + python->indirect, &frame))
		return 0;
	return frame;
}

/*
 * A print of the code object at @code. Code that is freed leaves its place to other code: by this
 * the two are told apart. Not while it is in the stack: what calls itself, or what each layer of a
 * model goes through, is looked at once.
 */
static __always_inline __u64 find_print(const struct tt_python *python, struct scratch *scratch,
					__u64 code)
{
	struct code_print *known = &scratch->prints[code / CODE_ALIGN % CODE_PRINTS];
	__u64 print;

	if (known->code == code)
		return known->print;
	if (bpf_probe_read_user(scratch->part, TT_PYTHON_PRINT_SIZE,
				(void *)(code + TT_PYTHON_CODE_START)))
		return 0;
	print = tt_print__mix(code, part_word(scratch, python->words[0]),
			      part_word(scratch, python->words[1]));
	known->print = tt_print__mix(print, part_word(scratch, python->words[2]),
				     part_word(scratch, python->words[3]));
	known->code = code;
	return known->print;
}

/* The frame at @addr, and those before it as far as they are in its page. */
static __always_inline int read_row(const struct tt_python *python, struct scratch *scratch,
				    __u64 addr)
{
	__u64 begin = addr - python->row, page = addr & -(__u64)PAGE_SIZE, size;

	if (begin < page)
		begin = page;
	size = addr - begin + python->frame_size;
	if (size > TT_PYTHON_ROW_SIZE ||
	    bpf_probe_read_user(scratch->part + TT_PYTHON_PART_SIZE, size, (void *)begin))
		return -1;
	scratch->row_begin = begin;
	scratch->row_last = addr;
	return 0;
}

/*
 * Reads the frame at @addr, and tells where in @scratch->part it is. From 3.11 on the interpreter
 * has frames on a stack of its own, one behind the other: they come in rows. Those that begin a
 * call of the interpreter are among the words of the thread's stack, and come alone.
 */
static __always_inline int read_frame(const struct tt_python *python, struct scratch *scratch,
				      __u64 addr, __u32 *ret_at)
{
	__u64 size = python->frame_size;

	if (!python->row || addr - scratch->copy.regs[TT_STACK_RSP] < TT_STACK_MAX) {
		*ret_at = 0;
		return size > TT_PYTHON_FRAME_SIZE ||
		       bpf_probe_read_user(scratch->part, size, (void *)addr);
	}
	if ((addr < scratch->row_begin || addr > scratch->row_last) &&
	    read_row(python, scratch, addr))
		return -1;
	*ret_at = TT_PYTHON_PART_SIZE + (__u32)(addr - scratch->row_begin);
	return 0;
}

/*
 * Takes the frame at @addr into @slot, with .code 0 if it cannot be read. Returns the address of
 * the one that called it; 0: none. Global for the same reason as field_address().
 */
__noinline __u64 read_python_frame(const struct tt_python *python, struct scratch *scratch,
				   __u64 addr, struct tt_python_frame *slot)
{
	__u64 owner = 0, back;
	__u32 at = 0;

	if (!slot)
		return 0;
	slot->code = 0;
	if (!python || !scratch || read_frame(python, scratch, addr, &at))
		return 0;
	if (python->owner != TT_PYTHON_DIRECT)
		owner = part_byte(scratch, at + python->owner);
	slot->code = part_word(scratch, at + python->code) & ~(__u64)TT_PYTHON_TAGS;
	slot->instruction =
		part_word(scratch, at + python->instruction) | owner << TT_PYTHON_OWNER_SHIFT;
	back = part_word(scratch, at + python->back);
	/* here, for it may be read to where the frame is */
	slot->print = owner < python->none ? find_print(python, scratch, slot->code) : 0;
	return back;
}

/* Into @scratch: all of them, as far as there is room. */
static __always_inline void read_python(struct scratch *scratch)
{
	__u32 tgid = scratch->copy.h.tgid, nr;
	const struct tt_python *python = bpf_map_lookup_elem(&pythons, &tgid);
	struct tt_python_frame *slot;
	__u64 frame, hash = 0;

	scratch->copy.num_python = 0;
	scratch->copy.python_more = 0;
	scratch->copy.python_hash = 0;
	if (!python)
		return;
	scratch->row_begin = ~0ull; /* none */
	__builtin_memset(scratch->prints, 0, sizeof(scratch->prints));
	frame = first_frame(python, scratch);
	for (nr = 0; nr < TT_PYTHON_MAX && frame; nr++) {
		slot = &scratch->python[nr];
		frame = read_python_frame(python, scratch, frame, slot);
		if (!slot->code)
			break; /* what was in its place before is another one's */
		hash = tt_print__mix(hash, slot->print, slot->instruction);
	}
	scratch->copy.num_python = nr;
	scratch->copy.python_more = frame != 0;
	scratch->copy.python_hash = hash;
}

/* The begin of a str: PyASCIIObject. */
struct text_head {
	__u64 references, type, length, hash;
	__u32 state; /* with the bytes of a character from bit 2 on */
};

/* A str at @addr into @slot, all of it. Returns how many bytes that is; 0: it is not there. */
static __always_inline __u32 copy_text(struct scratch *scratch, void *slot, const __u64 room,
				       __u64 addr)
{
	const struct text_head *head = (const void *)scratch->part;
	__u64 size;

	if (bpf_probe_read_user(scratch->part, sizeof(*head), (void *)addr) || head->length > room)
		return 0;
	size = TT_PYTHON_TEXT_HEAD + head->length * (head->state >> 2 & 7);
	if (size > room || bpf_probe_read_user(slot, size, (void *)addr))
		return 0;
	return size;
}

/* The same of a bytes object. */
static __always_inline __u32 copy_bytes(void *slot, const __u64 room, __u64 addr)
{
	__u64 size;

	if (bpf_probe_read_user(&size, sizeof(size), (void *)(addr + TT_PYTHON_BYTES_LENGTH)) ||
	    size > room)
		return 0;
	size += TT_PYTHON_BYTES_DATA;
	if (size > room || bpf_probe_read_user(slot, size, (void *)addr))
		return 0;
	return size;
}

static __always_inline __u64 code_word(const struct tt_record_python_code *rec, __u32 at)
{
	at += TT_PYTHON_CODE_START;
	return at > TT_PYTHON_CODE_SIZE - sizeof(__u64) ? 0 : *(const __u64 *)(rec->code + at);
}

#endif
