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
	TT_RECORD_PROCESS_NAME,	 /* struct tt_record_process: its first thread has a new name */
	TT_RECORD_ALLOCATOR,	 /* struct tt_record_allocator: before the first buffer in it */
	TT_RECORD_SPACE,	 /* struct tt_record_space: bytes per bank, for what follows */
	TT_RECORD_ALLOC,	 /* struct tt_record_buffer, at track_allocate */
	TT_RECORD_ZERO_SIZE,	 /* struct tt_record_create: a create() of size 0 */
	TT_RECORD_VIEW,		 /* struct tt_record_create: a create() at a given address */
	TT_RECORD_FREE_BEGIN,	 /* struct tt_record_buffer, at deallocate_impl: every attempt */
	TT_RECORD_FREE_TRACKED,	 /* struct tt_record_step, at track_deallocate: device alive */
	TT_RECORD_FREE_DONE,	 /* struct tt_record_step, at deallocate_buffer: memory goes back */
	TT_RECORD_FREE,		 /* struct tt_record_buffer, the same where no attempt is seen */
	TT_RECORD_BULK,		 /* struct tt_record_object: allocator loses all at once */
	TT_RECORD_DEVICE,	 /* struct tt_record_device: opened, closed */
	TT_RECORD_CIRCULAR,	 /* struct tt_record_circular: one circular buffer is placed */
	TT_RECORD_PROGRAM, /* struct tt_record_program: its circular buffers are placed, or end */
	TT_RECORD_STACK_COPY,  /* struct tt_record_stack_copy: of a stack that is not known yet */
	TT_RECORD_PYTHON_CODE, /* struct tt_record_python_code: before the first copy that has it */
	/* written by the user side, so that a stream of records explains itself */
	TT_RECORD_LIBRARY, /* struct tt_record_library: before the first record that needs it */
	TT_RECORD_PROCESS_LOST, /* struct tt_record_process: what it has lost so far */
	TT_RECORD_COUNTERS, /* struct tt_record_counters: totals so far; those of processes first */
	TT_RECORD_CENSUS,   /* struct tt_record_census: one look at one allocator, begin and end */
	TT_RECORD_CENSUS_BUFFER, /* struct tt_record_census_buffer: one that it holds */
	TT_RECORD_CENSUS_ORPHAN, /* struct tt_record_census_orphan: memory that no buffer owns */
	TT_RECORD_FRAME,	 /* struct tt_record_frame: before the first stack that has it */
	TT_RECORD_STACK,	 /* struct tt_record_stack: before it is first named */
	TT_RECORD_STACK_TAKEN,	 /* struct tt_record_stack_taken: in place of a copy */
	TT_RECORD_MISSING,	 /* struct tt_record_missing: a part that cannot be had here */
	TT_RECORD_UNTRACED,	 /* struct tt_record_untraced: a runtime that was seen only */
	TT_RECORD_KIND_COUNT
};

/* What is not known after a loss: that something began, or that it ended. 1 << enum tt_record_kind
 */
enum {
	TT_KINDS_BEGIN =
		1 << TT_RECORD_PROCESS_START | 1 << TT_RECORD_ALLOC | 1 << TT_RECORD_DEVICE,
	TT_KINDS_END = 1 << TT_RECORD_PROCESS_EXEC | 1 << TT_RECORD_FREE_BEGIN |
		       1 << TT_RECORD_FREE_TRACKED | 1 << TT_RECORD_FREE_DONE |
		       1 << TT_RECORD_FREE | 1 << TT_RECORD_BULK,
};

enum tt_record_fault {
	TT_FAULT_OBJECT = 1 << 0, /* the object itself could not be read */
	TT_FAULT_UNIQUE_ID = 1 << 1,
	TT_FAULT_DEVICE = 1 << 2, /* neither Device nor MeshDevice, or not readable */
	TT_FAULT_CHIPS = 1 << 3,  /* chips not read, or more than TT_MAX_CHIPS */
	TT_FAULT_BANKS = 1 << 4,  /* number of banks of a type not read */
	TT_FAULT_SPACE = 1 << 5,  /* alignment of the free list not read */
	TT_FAULT_RANGES = 1 << 6, /* cores of a circular buffer not read, or not credible */
};

struct tt_record {
	__u16 kind;   /* enum tt_record_kind */
	__u8 probe;   /* enum tt_probe; TT_PROBE_COUNT: none */
	__u8 faults;  /* enum tt_record_fault */
	__u16 layout; /* index of the layout to read it with */
	__u16 cpu;
	__u32 tgid; /* in the PID namespace of tttrace, as all PIDs */
	__u32 tid;
	__u64 ts_ns;	/* CLOCK_BOOTTIME */
	__u64 start_ns; /* start of the process, CLOCK_BOOTTIME: tells reused PIDs apart;
			 * 0: not known, the one that runs */
	__u64 seq;	/* counts the records of this CPU, lost ones included */
	__u64 lost;	/* records that were lost on all CPUs before this one was written */
	/* of them, those of this process: of TT_KINDS_BEGIN and of TT_KINDS_END, modulo 2^32 */
	__u32 lost_begin;
	__u32 lost_end;
};

enum {
	TT_STAMP_SIZE = 8 /* a record of the ring ends with its stamp */
};

/*
 * The stamp of a record. The BPF side writes it last, by what the hit knows of itself: where it is
 * not that of the header, two hits have written to one record.
 */
static inline __u64 tt_record__stamp(__u64 ts_ns, __u32 tgid, __u32 tid)
{
	return ts_ns ^ ((__u64)tid << 32 | tgid);
}

struct tt_record_process {
	struct tt_record h;
	__u32 parent_tgid;
	__u32 exit_code; /* as of wait(2): signal in bits 0-6, status in bits 8-15 */
	__u64 parent_start_ns;
	char comm[16];	  /* of its first thread, as ps shows it */
	__u32 flags;	  /* enum tt_process_flag */
	__u32 lost_other; /* records of it that were lost and neither begin nor end anything */
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
	__u64 bank_base[TT_TYPE_COUNT];	 /* the address at which a bank begins; 0: not read */
	__u32 num_banks[TT_TYPE_COUNT];	 /* 0: no such memory, or not read */
	__u32 reserved;
};

struct tt_record_space {
	struct tt_record h;
	__u64 free_list;
	__u64 asked;	 /* bytes per bank */
	__u64 per_bank;	 /* bytes per bank after rounding as the free list does; 0: not read */
	__u64 bank_size; /* of a bank, now: it can be shrunk; bytes, 0: not read */
};

/* Read out of a free list's own table. Bytes; 0: not read. */
struct tt_space {
	__u64 per_bank;	 /* what the block has */
	__u64 bank_size; /* as in struct tt_record_space */
};

struct tt_record_buffer {
	struct tt_record h;
	__u64 buffer;	       /* Buffer * */
	__u64 unique_id;       /* 0 with TT_FAULT_UNIQUE_ID, or where the layout has none */
	__u32 device_state;    /* enum tt_device_state at this moment */
	__u32 stack;	       /* a number or a ticket, see below; 0: none, as of most frees */
	struct tt_space space; /* in lean mode, at TT_RECORD_ALLOC */
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
	__u64 object;	 /* the Buffer * */
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

/* A rectangle of cores, in logical coordinates, both ends included. */
struct tt_core_range {
	__u8 start_x, start_y;
	__u8 end_x, end_y;
};

/*
 * At TT_PROBE_TRACK_ALLOCATE_CB a circular buffer. At TT_PROBE_MARK_ADDRESS a dataflow buffer, or
 * the part of it that concerns one range of cores: that does not say on which device.
 */
struct tt_record_circular {
	struct tt_record h;
	__u64 device; /* IDevice * */
	__u64 address;
	__u64 size;		  /* bytes on each core */
	__u32 device_kind;	  /* enum tt_device_kind */
	__u32 chip;		  /* of a TT_DEVICE_CHIP; TT_NO_CHIP: not read */
	__u32 num_ranges;	  /* that it has; ranges[] holds at most TT_MAX_RANGES of them */
	__u32 globally_allocated; /* 1: it lies in a Buffer, which holds the memory */
	struct tt_core_range ranges[TT_MAX_RANGES];
};

/*
 * At TT_PROBE_REGISTER_PROGRAM what the thread placed on this device before, and what it places
 * later, are of different programs; at TT_PROBE_PLACE_DATAFLOW the same of dataflow buffers. At
 * TT_PROBE_TRACK_DEALLOCATE_CB a program ends.
 */
struct tt_record_program {
	struct tt_record h;
	__u64 device;	   /* IDevice * */
	__u32 device_kind; /* enum tt_device_kind */
	__u32 chip;	   /* as in struct tt_record_circular */
};

enum {
	TT_PATH_SIZE = 256
};

struct tt_record_library {
	struct tt_record h; /* h.layout: the index that is explained here */
	__u32 probes_wanted;
	__u32 probes_attached;
	__u32 mode;   /* enum tt_mode */
	__u32 stacks; /* 1: allocations have stacks */
	__u64 probes; /* 1 << enum tt_probe: those of the mode; 0: none, or of an older tttrace */
	struct tt_layout map;
	char path[TT_PATH_SIZE]; /* as the process sees it; cut in front if longer */
};

/* Parts of the tracer without which the rest works. */
enum tt_part {
	TT_PART_STACKS,
	TT_PART_FORK, /* the tracepoint, as the next three */
	TT_PART_EXEC,
	TT_PART_EXIT,
	TT_PART_RENAME,
	TT_PART_MAPPINGS,     /* libraries that are mapped after the start are found */
	TT_PART_UPROBE_MULTI, /* a link for each library instead of a perf event for each probe */
	TT_PART_COUNT
};

enum {
	TT_WHY_SIZE = 256
};

/* h.tgid 0 */
struct tt_record_missing {
	struct tt_record h;
	__u32 part; /* enum tt_part */
	__u32 reserved;
	char why[TT_WHY_SIZE]; /* in words; cut if longer */
};

/* h.tgid: the process that maps it */
struct tt_record_untraced {
	struct tt_record h;
	char path[TT_PATH_SIZE]; /* as the process sees it; cut in front if longer */
	char why[TT_WHY_SIZE];
};

/* Totals since the start, over all CPUs. */
struct tt_counters {
	__u64 hits[TT_PROBE_COUNT];
	__u64 lost[TT_RECORD_LIBRARY]; /* by record kind: the ring had no room */
	__u64 process_map_full;	       /* hits of processes that could not be entered */
	__u64 allocator_map_full;      /* allocators introduced again and again */
	/* of those lost: of a process whose PID another one had before anybody read them */
	__u64 orphaned_begin;
	__u64 orphaned_end;
};

struct tt_record_counters {
	struct tt_record h;
	struct tt_counters c;
};

enum tt_census_phase {
	TT_CENSUS_BEGIN,
	TT_CENSUS_END,	/* all that it holds has been told */
	TT_CENSUS_TORN, /* the same, but it could not be read as a whole: something may be missing
			 */
	/* of a process: all allocators were read, and all records from before the end of it came */
	TT_CENSUS_SETTLED,
	TT_CENSUS_FAILED, /* of a process: not all allocators could be found or read */
	/* of a process: it had made no Buffer when its probes were in place; nothing was read */
	TT_CENSUS_NOTHING,
};

/* Why there is a census. */
enum tt_census_reason {
	TT_CENSUS_ATTACH,  /* what was there before the probes */
	TT_CENSUS_REPAIR,  /* records were lost */
	TT_CENSUS_AUDIT,   /* to compare */
	TT_CENSUS_MEASURE, /* to learn what buffers occupy of which no record told it */
};

/* h.ts_ns: when the reading began (BEGIN) or was over (the others). h.tid is 0. */
struct tt_record_census {
	struct tt_record h;
	__u64 allocator;
	__u64 device;
	__u32 phase;	   /* enum tt_census_phase */
	__u32 reason;	   /* enum tt_census_reason; SETTLED and FAILED only */
	__u64 num_buffers; /* BEGIN: elements that the set claims; END: those that were told */
	/* END: 1 << enum tt_buffer_type: whose free lists were read, and could not be */
	__u32 types;
	__u32 types_unread;
	__u32 inherits; /* END: it holds what was allocated before a fork, which is not told */
	__u32 reserved;
};

struct tt_record_census_buffer {
	struct tt_record_buffer b; /* as of TT_RECORD_ALLOC: unique id, body, device_state */
	__u64 per_bank;		   /* bytes, from the allocator's block table; 0: not known */
	__u64 allocator;
	__u32 may_be_inherited; /* perhaps allocated before a fork, and freed by the parent */
	__u32 reserved;
};

/* May a block be no orphan of this process? Where a row is known to be there, it is that one's. */
enum tt_orphan_doubt {
	TT_ORPHAN_SURE,
	TT_ORPHAN_FRESH,     /* it was none a moment before: a buffer may be on its way to it */
	TT_ORPHAN_INHERITED, /* the parent has the like */
};

/*
 * A block that is taken in the free list of its type, and that no buffer in the allocator's set
 * owns: a graph capture has suppressed the free of its Buffer, or that is about to come, or is
 * just going.
 */
struct tt_record_census_orphan {
	struct tt_record h;
	__u64 allocator;
	__u64 device; /* 0: not known */
	__u64 address;
	__u64 per_bank; /* bytes */
	__u32 type;	/* enum tt_buffer_type */
	__u32 doubt;	/* enum tt_orphan_doubt */
};

/*
 * Stacks. One that was seen before is named by its number, TT_RECORD_STACK tells what that is. Of a
 * new one the thread's registers and memory come first, with a ticket: the record behind it that
 * has the same ticket is of that stack. The user side unwinds the copy, gives the stack a number
 * and hands up TT_RECORD_STACK_TAKEN, which has the header of the copy, in its place.
 */
enum {
	TT_STACK_TICKET = 1u << 31, /* a ticket, no number */
};

struct tt_record_stack_copy {
	struct tt_record h;
	__u32 ticket;
	__u32 generation;	   /* of the process, see struct tt_process */
	__u64 regs[TT_STACK_REGS]; /* enum tt_stack_reg */
	__u32 num_python;
	__u32 python_more; /* 1: there are more than these */
	__u64 python_hash; /* of all of them */
	__u64 size;	   /* bytes of the stack */
	/* then .num_python struct tt_python_frame, innermost first, and the stack from its pointer
	 * on */
};

/*
 * What a function in Python is: its code object and those that this points to, as they are in the
 * memory of the process while it is being called. Later they may have gone.
 */
struct tt_record_python_code {
	struct tt_record h;
	__u64 print;	  /* as in struct tt_python_frame */
	__u32 generation; /* of the process */
	/* bytes that were copied of each of the three; 0: it could not be read, or is too large */
	__u32 name_size, file_size, lines_size;
	__u8 code[TT_PYTHON_CODE_SIZE];
	__u8 name[TT_PYTHON_NAME_SIZE];
	__u8 file[TT_PYTHON_FILE_SIZE];
	__u8 lines[];
};

struct tt_record_stack_taken {
	struct tt_record h;
	__u32 ticket;
	__u32 stack; /* its number */
};

/* h.tgid 0, for the same code means the same in all processes. */
struct tt_record_frame {
	struct tt_record h;
	__u32 frame;  /* its number */
	__u32 line;   /* of a function in Python: in the file, from 1 on; 0: of machine code */
	__u64 vaddr;  /* in the file: of the call, not of where it returns to */
	__u64 offset; /* behind the begin of the function */
	__u16 function_len; /* bytes of text[] that are its name, mangled; 0: not known */
	__u16 image_len;    /* those that follow: the path of the file */
	__u32 reserved2;
	char text[];
};

/* How a stack ended. */
enum tt_stack_end {
	TT_STACK_COMPLETE,  /* with the outermost frame: main's caller, or the begin of a thread */
	TT_STACK_CUT,	    /* it goes on beyond what was copied */
	TT_STACK_DEEP,	    /* it has more frames than are kept */
	TT_STACK_NO_CODE,   /* at an address in no file */
	TT_STACK_NO_RULE,   /* in a file that does not say how to go on */
	TT_STACK_BROKEN,    /* what it says leads nowhere */
	TT_STACK_NO_PYTHON, /* frames of Python in it could not be read */
	TT_STACK_END_COUNT
};

struct tt_record_stack {
	struct tt_record h; /* h.tgid 0 */
	__u32 stack;	    /* its number */
	__u32 end;	    /* enum tt_stack_end */
	__u64 num_frames;
	__u32 frames[]; /* their numbers, innermost first */
};

_Static_assert(sizeof(struct tt_record) == 56, "header");
_Static_assert(sizeof(struct tt_record_process) == 96, "no padding");
_Static_assert(sizeof(struct tt_record_allocator) == 488, "no padding");
_Static_assert(sizeof(struct tt_record_space) == 88, "no padding");
_Static_assert(sizeof(struct tt_record_buffer) == 224, "no padding");
_Static_assert(sizeof(struct tt_record_create) == 96, "no padding");
_Static_assert(sizeof(struct tt_record_step) == 72, "no padding");
_Static_assert(sizeof(struct tt_record_object) == 64, "no padding");
_Static_assert(sizeof(struct tt_record_device) == 336, "no padding");
_Static_assert(sizeof(struct tt_record_circular) == 224, "no padding");
_Static_assert(sizeof(struct tt_record_program) == 72, "no padding");
_Static_assert(sizeof(struct tt_record_census) == 104, "no padding");
_Static_assert(sizeof(struct tt_record_census_buffer) == 248, "no padding");
_Static_assert(sizeof(struct tt_record_census_orphan) == 96, "no padding");
_Static_assert(sizeof(struct tt_record_stack_copy) == 152, "no padding");
_Static_assert(sizeof(struct tt_record_python_code) == 80 + 1568, "no padding");
_Static_assert(sizeof(struct tt_record_stack_taken) == 64, "no padding");
_Static_assert(sizeof(struct tt_record_missing) == 64 + TT_WHY_SIZE, "no padding");
_Static_assert(sizeof(struct tt_record_untraced) == 56 + TT_PATH_SIZE + TT_WHY_SIZE, "no padding");
_Static_assert(sizeof(struct tt_record_frame) == 88, "no padding");
_Static_assert(sizeof(struct tt_record_stack) == 72, "no padding");
_Static_assert(sizeof(struct tt_layout) % 8 == 0, "no padding at the end");
_Static_assert(sizeof(struct tt_record_library) == 80 + sizeof(struct tt_layout) + TT_PATH_SIZE,
	       "no padding");

#endif
