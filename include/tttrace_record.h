/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What comes up, from BPF to the user side: the records of the ring buffer, and of a tape. Every
 * record begins with struct tt_record; its `kind` says which struct it is. Fixed widths, explicit
 * padding, zeroed before filling. A field that could not be read has its bit in `faults` set.
 *
 * Include <vmlinux.h> or <linux/types.h>, and tttrace_config.h, before it.
 */
#ifndef TTTRACE_RECORD_H
#define TTTRACE_RECORD_H

enum tt_record_kind {
	TT_RECORD_NONE,
	TT_RECORD_PROCESS_START, /* struct tt_record_process: first hit of a process, or a child */
	TT_RECORD_PROCESS_EXEC,	 /* struct tt_record_process: its address space is gone */
	TT_RECORD_PROCESS_EXIT,	 /* struct tt_record_process: its last thread has ended */
	TT_RECORD_ALLOCATOR,	 /* struct tt_record_allocator: before the first buffer in it */
	TT_RECORD_SPACE,	 /* struct tt_record_space: bytes per bank, for what follows */
	TT_RECORD_ALLOC,	 /* struct tt_record_buffer, at track_allocate */
	TT_RECORD_ZERO_SIZE,	 /* struct tt_record_create: a create() of size 0 */
	TT_RECORD_VIEW,		 /* struct tt_record_create: a create() at a given address */
	TT_RECORD_FREE_BEGIN,	 /* struct tt_record_buffer, at deallocate_impl: every attempt */
	TT_RECORD_FREE_TRACKED,	 /* struct tt_record_step, at track_deallocate: device alive */
	TT_RECORD_FREE_DONE,	 /* struct tt_record_step, at deallocate_buffer: memory goes back */
	TT_RECORD_BULK,		 /* struct tt_record_object: allocator loses all at once */
	TT_RECORD_DEVICE,	 /* struct tt_record_device: opened, closed */
	TT_RECORD_STEP,		 /* struct tt_record_step: a probe that is otherwise only counted */
	/* written by the user side, so that a stream of records explains itself */
	TT_RECORD_LIBRARY,  /* struct tt_record_library: before the first record that needs it */
	TT_RECORD_COUNTERS, /* struct tt_record_counters: totals so far */
	TT_RECORD_KIND_COUNT
};

enum tt_record_fault {
	TT_FAULT_OBJECT = 1 << 0, /* the object itself could not be read */
	TT_FAULT_UNIQUE_ID = 1 << 1,
	TT_FAULT_DEVICE = 1 << 2, /* neither Device nor MeshDevice, or not readable */
	TT_FAULT_CHIPS = 1 << 3,  /* chips not read, or more than TT_MAX_CHIPS */
	TT_FAULT_BANKS = 1 << 4,  /* number of banks of a type not read */
	TT_FAULT_SPACE = 1 << 5,  /* alignment of the free list not read */
};

struct tt_record {
	__u16 kind;   /* enum tt_record_kind */
	__u8 probe;   /* enum tt_probe; TT_PROBE_COUNT: none */
	__u8 faults;  /* enum tt_record_fault */
	__u16 layout; /* index of the layout to read it with */
	__u16 cpu;
	__u32 tgid; /* in the initial PID namespace */
	__u32 tid;
	__u64 ts_ns;	/* CLOCK_BOOTTIME */
	__u64 start_ns; /* start of the process, CLOCK_BOOTTIME: tells reused PIDs apart */
	__u64 seq;	/* counts the records of this CPU, lost ones included */
	__u64 lost;	/* records that were lost on all CPUs before this one was written */
};

struct tt_record_process {
	struct tt_record h;
	__u32 parent_tgid;
	__u32 exit_code; /* as of wait(2): signal in bits 0-6, status in bits 8-15 */
	__u64 parent_start_ns;
	char comm[16];
	__u32 flags; /* enum tt_process_flag */
	__u32 reserved;
};

enum tt_device_kind {
	TT_DEVICE_UNKNOWN,
	TT_DEVICE_CHIP, /* Device */
	TT_DEVICE_MESH, /* MeshDevice */
};

#define TT_NO_MESH 0xffffffffu
#define TT_NO_CHIP 0xffffffffu

/* An IDevice, as it was at the hit. */
struct tt_device {
	__u64 object;	 /* IDevice * */
	__u32 kind;	 /* enum tt_device_kind */
	__u32 mesh_id;	 /* TT_NO_MESH when not a mesh, or not read */
	__u32 num_chips; /* used of chips[] */
	__u32 reserved;
	__u32 chips[TT_MAX_CHIPS]; /* chip ids; TT_NO_CHIP: a chip of another host */
};

struct tt_record_allocator {
	struct tt_record h;
	__u64 allocator;
	struct tt_device device;
	__u64 bank_size[TT_TYPE_COUNT];	 /* bytes; 0: not read */
	__u64 bank_align[TT_TYPE_COUNT]; /* bytes; 0: not read */
	__u32 num_banks[TT_TYPE_COUNT];	 /* 0: no such memory, or not read */
	__u32 reserved;
};

struct tt_record_space {
	struct tt_record h;
	__u64 free_list;
	__u64 asked;	/* bytes per bank */
	__u64 per_bank; /* bytes per bank after rounding as the free list does; 0: not read */
};

struct tt_record_buffer {
	struct tt_record h;
	__u64 buffer;	    /* Buffer * */
	__u64 unique_id;    /* 0 with TT_FAULT_UNIQUE_ID, or where the layout has none */
	__u32 device_state; /* enum tt_device_state at this moment */
	__u32 reserved;
	__u8 body[TT_BODY_SIZE];
};

enum tt_device_state {
	TT_STATE_UNKNOWN,
	TT_STATE_OPENING, /* its `initialized` flag is not set */
	TT_STATE_OPEN,
};

struct tt_record_create {
	struct tt_record h;
	__u64 device;
	__u64 address; /* of a view */
	__u64 size;
	__u64 page_size;
	__u32 type;
	__u32 reserved;
};

struct tt_record_step {
	struct tt_record h;
	__u64 object;	 /* the Buffer *; for probes without one the probe's object */
	__u64 allocator; /* at TT_RECORD_FREE_DONE */
};

struct tt_record_object {
	struct tt_record h;
	__u64 object; /* Allocator[Impl] * */
};

struct tt_record_device {
	struct tt_record h;
	struct tt_device device;
};

enum {
	TT_PATH_SIZE = 256
};

struct tt_record_library {
	struct tt_record h; /* h.layout: the index that is explained here */
	__u32 probes_wanted;
	__u32 probes_attached;
	struct tt_layout map;
	char path[TT_PATH_SIZE]; /* as the process sees it; cut in front if longer */
};

/* Totals since the start, over all CPUs. */
struct tt_counters {
	__u64 hits[TT_PROBE_COUNT];
	__u64 lost[TT_RECORD_LIBRARY]; /* by record kind: the ring had no room */
	__u64 process_map_full;	       /* hits of processes that could not be entered */
	__u64 allocator_map_full;      /* allocators introduced again and again */
};

struct tt_record_counters {
	struct tt_record h;
	struct tt_counters c;
};

_Static_assert(sizeof(struct tt_record) == 48, "header");
_Static_assert(sizeof(struct tt_record_process) == 88, "no padding");
_Static_assert(sizeof(struct tt_record_allocator) == 440, "no padding");
_Static_assert(sizeof(struct tt_record_space) == 72, "no padding");
_Static_assert(sizeof(struct tt_record_buffer) == 200, "no padding");
_Static_assert(sizeof(struct tt_record_create) == 88, "no padding");
_Static_assert(sizeof(struct tt_record_step) == 64, "no padding");
_Static_assert(sizeof(struct tt_record_object) == 56, "no padding");
_Static_assert(sizeof(struct tt_record_device) == 328, "no padding");
_Static_assert(sizeof(struct tt_layout) % 8 == 0, "no padding at the end");
_Static_assert(sizeof(struct tt_record_library) == 56 + sizeof(struct tt_layout) + TT_PATH_SIZE,
	       "no padding");

#endif
