/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Every map, every knob and the gate of the BPF side. No functions.
 */
#ifndef TTTRACE_MAPS_BPF_H
#define TTTRACE_MAPS_BPF_H

/* Frozen at load. */
const volatile struct tt_config knobs;

/* The gate: set when every link exists, so that a half-attached tracer invents no odd frees. */
bool active;

/* Records lost so far, on all CPUs: the next record that gets through tells of it. Added to
 * atomically. */
__u64 total_lost;

/* Set by the reader before it sleeps; the record that finds it set wakes the reader. */
bool reader_idle;

/* The processes that are traced. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384); /* --max-processes */
	__type(key, __u32);	    /* tgid */
	__type(value, struct tt_process);
} processes SEC(".maps");

/*
 * The allocators that were introduced by a TT_RECORD_ALLOCATOR. LRU on purpose: what is evicted
 * is introduced again, and nothing is lost by that.
 */
struct allocator_key {
	__u64 allocator;
	__u32 tgid;
	__u32 generation;
};

struct allocator {
	__u64 owner; /* see allocator_owner() */
	__u64 start_ns;
	__u64 device;
	__u64 introduced_ns; /* tells it from one at the same address before */
	__u32 open;	     /* the device was seen with its `initialized` flag set */
	__u32 device_kind;
	__u32 buffers; /* counts them */
	__u32 reserved;
	__u64 free_list[TT_TYPE_COUNT]; /* 0: not read */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct allocator_key);
	__type(value, struct allocator);
} allocators SEC(".maps");

/*
 * What an interleaved buffer takes in each bank, as it was looked up for one like it. LRU: what is
 * evicted is looked up again. An element that is evicted is used again at once, while another hit
 * may still read it (htab_lru_map_update_elem() in kernel/bpf/hashtab.c): so it names its key.
 */
struct space_key {
	__u64 allocator;
	__u64 introduced_ns;
	__u64 size;
	__u64 page_size;
	__u32 tgid;
	__u32 type;
};

struct space_value {
	__u64 per_bank;
	__u64 check; /* see space_check() */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct space_key);
	__type(value, struct space_value);
} spaces SEC(".maps");

/*
 * The stacks that need no copy any more; kept by the user side. Its memory is taken at the load, as
 * that of the other hash tables: kernels before 6.1 warn of a program like ours that has it taken
 * as it goes (check_map_prog_compatibility() in kernel/bpf/verifier.c).
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384); /* 20 MB; 1 where no stacks are wanted */
	__type(key, struct tt_known_key);
	__type(value, struct tt_known_stack);
} known_stacks SEC(".maps");

/* The processes that have an interpreter of Python: entered by the user side, or at fork. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384); /* --max-processes */
	__type(key, __u32);	    /* tgid */
	__type(value, struct tt_python);
} pythons SEC(".maps");

/* The code objects of Python that were copied. LRU: what is evicted is copied again. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384); /* 1 where no stacks are wanted */
	__type(key, struct tt_code_key);
	__type(value, __u8);
} known_codes SEC(".maps");

enum {
	CODE_ALIGN = 16, /* of objects of Python: ALIGNMENT of its obmalloc.c */
	CODE_PRINTS = 16
};

struct code_print {
	__u64 code; /* PyCodeObject *; 0: none */
	__u64 print;
};

/* An entry of a free list's table of what is taken: see space.bpf.h. */
struct taken {
	__u64 address; /* less TT_FIELD_FL_BASE */
	__u64 block;
};

/* What is read of a free list at once: too much for the stack. */
struct free_list_head {
	__u64 words[TT_FREE_LIST_SIZE / sizeof(__u64)];
	/* what find_block() looks at */
	__u64 bucket[2];
	struct taken taken;
};

/*
 * The scratch memory of one hit. A hit takes a slot for itself and gives it back: see
 * scratch.bpf.h. A thread's stack is copied to .bytes to be compared, and right behind the frames
 * of Python to be sent.
 */
struct scratch {
	__u64 owner; /* stamp of the hit that has taken it; 0: free */
	struct free_list_head free_list;
	struct tt_record_stack_copy copy;
	struct tt_python_frame python[TT_PYTHON_MAX];
	__u8 bytes[TT_STACK_MAX];
	/* of the interpreter's memory: the object at hand, and behind it a row of frames, … */
	__u8 part[TT_PYTHON_PART_SIZE + TT_PYTHON_ROW_SIZE];
	__u64 row_begin; /* … the address of the first byte of it, and of its last frame */
	__u64 row_last;
	struct code_print prints[CODE_PRINTS]; /* of code objects that are in this stack */
	__u32 compared;			       /* bytes of the stack that are in .bytes */
	__u32 reserved;
	__u64 owner_end; /* the same stamp as .owner */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TT_SCRATCH_SPARE + 1); /* and one for each CPU: set at load */
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TT_MAX_LAYOUTS);
	__type(key, __u32);
	__type(value, struct tt_layout);
} layouts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20); /* --ring-size */
} ring SEC(".maps");

/* Shared by the hits of a CPU, which may preempt each other: only ever added to, atomically. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tt_counters);
} counters SEC(".maps");

/*
 * Numbers the records of each CPU, lost ones included. Only ever added to, atomically. A hit that
 * is preempted between its number and its place in the ring comes out of order: user/core/loss.h.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} sequence SEC(".maps");

/*
 * Empty for ever: a program that could make a tail call runs on the stack of its thread, see
 * decline(). Two, for a map of programs takes those of one type only.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} no_uprobe_programs SEC(".maps"), no_tracepoint_programs SEC(".maps");

#endif
