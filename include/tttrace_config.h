/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What goes down, from the user side to BPF: which probe is which, where the fields of the
 * runtime's objects lie, and the knobs. It holds no path, no symbol name and no logic.
 *
 * Before it, include <vmlinux.h> on the BPF side and <linux/types.h> on the user side.
 */
#ifndef TTTRACE_CONFIG_H
#define TTTRACE_CONFIG_H

/*
 * The functions that are probed, always at or near their entry. The order is the order of
 * `tttrace --check`; a number is part of the tape format, so new ones go to the end.
 */
enum tt_probe {
	TT_PROBE_BUFFER_CREATE,	     /* {Buffer,BufferImpl}::create, the overload that allocates */
	TT_PROBE_BUFFER_CREATE_AT,   /* {Buffer,BufferImpl}::create at a given address: a view */
	TT_PROBE_ALLOCATE_IMPL,	     /* {Buffer,BufferImpl}::allocate_impl */
	TT_PROBE_DEALLOCATE_IMPL,    /* {Buffer,BufferImpl}::deallocate_impl */
	TT_PROBE_HOOK_ALLOCATE,	     /* GraphTracker::hook_allocate */
	TT_PROBE_HOOK_DEALLOCATE,    /* GraphTracker::hook_deallocate */
	TT_PROBE_TRACK_ALLOCATE,     /* GraphTracker::track_allocate: the Buffer is complete */
	TT_PROBE_TRACK_DEALLOCATE,   /* GraphTracker::track_deallocate */
	TT_PROBE_ALLOCATE_BUFFER,    /* {Allocator,AllocatorImpl}::allocate_buffer */
	TT_PROBE_DEALLOCATE_BUFFER,  /* {Allocator,AllocatorImpl}::deallocate_buffer */
	TT_PROBE_DEALLOCATE_BUFFERS, /* {Allocator,AllocatorImpl}::deallocate_buffers */
	TT_PROBE_CLEAR,		     /* {Allocator,AllocatorImpl}::clear */
	TT_PROBE_OVERRIDE_STATE,     /* {Allocator,AllocatorImpl}::override_state */
	TT_PROBE_ALLOCATOR_DESTROY,  /* ~{Allocator,AllocatorImpl} */
	TT_PROBE_FREE_LIST_ALLOCATE, /* allocator::FreeListOpt::allocate: bytes per bank */
	TT_PROBE_DEVICE_OPEN,	     /* Device::initialize */
	TT_PROBE_DEVICE_CLOSE,	     /* Device::close */
	TT_PROBE_MESH_OPEN,	     /* MeshDeviceImpl::initialize_impl, MeshDevice::initialize */
	TT_PROBE_MESH_CLOSE,	     /* MeshDevice::close: the program asked for it */
	TT_PROBE_MESH_CLOSING, /* MeshDeviceImpl::close_impl: closing begins, however it came */
	TT_PROBE_TRACK_ALLOCATE_CB,   /* GraphTracker::track_allocate_cb: a circular buffer */
	TT_PROBE_TRACK_DEALLOCATE_CB, /* GraphTracker::track_deallocate_cb: those of a program */
	TT_PROBE_REGISTER_PROGRAM,    /* between the circular buffers of two programs */
	TT_PROBE_PLACE_DATAFLOW,      /* ProgramImpl::allocate_dataflow_buffers, for a program */
	TT_PROBE_MARK_ADDRESS,	      /* CircularBufferAllocator::mark_address: one of them */
	TT_PROBE_CREATE_EMPTY,	      /* in TT_PROBE_BUFFER_CREATE: where the size is 0 */
	TT_PROBE_COUNT
};

/*
 * The fields that are read out of the runtime's objects. A field is a chain of offsets (struct
 * tt_path) that begins at the object named in the comment.
 */
enum tt_field {
	/* from a Buffer */
	TT_FIELD_DEVICE,    /* IDevice *device_ */
	TT_FIELD_SIZE,	    /* u64 size_: what was asked for, bytes */
	TT_FIELD_TYPE,	    /* u32 buffer_type_: enum tt_buffer_type */
	TT_FIELD_LAYOUT,    /* u32 buffer_layout_: enum tt_buffer_layout */
	TT_FIELD_BOTTOM_UP, /* u8 bottom_up_ */
	TT_FIELD_OWNS_DATA, /* u8 owns_data_ */
	TT_FIELD_ALLOCATOR, /* Allocator[Impl] *allocator_ */
	TT_FIELD_STATUS,    /* u8 allocation_status_: enum tt_buffer_status */
	TT_FIELD_HOOKED,    /* u8 hooked_allocation_ */
	TT_FIELD_ADDRESS,   /* u64 address_, in every bank of every chip */
	TT_FIELD_PAGE_SIZE, /* u64 page_size_, bytes, before alignment */
	TT_FIELD_UNIQUE_ID, /* u64 unique_id_ */
	/* from a Device */
	TT_FIELD_CHIP_ID,	     /* u32 id_ */
	TT_FIELD_DEVICE_INITIALIZED, /* u8 initialized_ */
	/* from a MeshDevice */
	TT_FIELD_MESH_ID,	   /* u32 mesh_id_: a counter of the process, not a chip */
	TT_FIELD_MESH_CHIPS,	   /* begin of the vector of its chips; the end is 8 bytes on */
	TT_FIELD_MESH_INITIALIZED, /* u8 is_internal_state_initialized */
	/* from an Allocator[Impl]: the BankManager * of one type */
	TT_FIELD_BANKS_DRAM,
	TT_FIELD_BANKS_L1,
	TT_FIELD_BANKS_L1_SMALL,
	TT_FIELD_BANKS_TRACE,
	TT_FIELD_ALLOCATED_BUFFERS, /* u64 element count of allocated_buffers_ */
	/* from a BankManager */
	TT_FIELD_NUM_BANKS, /* u32 */
	TT_FIELD_FREE_LIST, /* FreeListOpt * of the first (or only) allocator */
	/* from a FreeListOpt */
	TT_FIELD_FL_SIZE,  /* u64 max_size_bytes_: size of the bank, bytes */
	TT_FIELD_FL_MIN,   /* u64 min_allocation_size_, bytes */
	TT_FIELD_FL_ALIGN, /* u64 alignment_, bytes */
	TT_FIELD_FL_BASE,  /* u64 offset_bytes_: where the bank begins, bytes */
	/* its block table, one element a block: begins of vectors; the end is 8 bytes on */
	TT_FIELD_FL_ADDRESSES, /* u64 each: less TT_FIELD_FL_BASE */
	TT_FIELD_FL_SIZES,     /* u64 each, bytes */
	TT_FIELD_FL_ALLOCATED, /* u8 each: the block is taken */
	TT_FIELD_FL_META,      /* u8 each: the element is in use at all */
	/* its table of what is taken, by a hash of the address: see struct taken in space.bpf.h */
	TT_FIELD_FL_TAKEN,
	/* from a CoreRangeSet */
	TT_FIELD_CORE_RANGES, /* begin of the vector of CoreRange; the end is 8 bytes on */
	/* from a CircularBufferAllocator */
	TT_FIELD_L1_REGIONS, /* begin of the vector of regions: right before it the CoreRange */
	TT_FIELD_COUNT
};

/* BufferType of tt_metal/api/tt-metalium/buffer_types.hpp. */
enum tt_buffer_type {
	TT_TYPE_DRAM,
	TT_TYPE_L1,
	TT_TYPE_SYSTEM_MEMORY,
	TT_TYPE_L1_SMALL,
	TT_TYPE_TRACE,
	TT_TYPE_COUNT
};

/* TensorMemoryLayout, likewise; number 1 (SINGLE_BANK) is gone since 2025-06. */
enum tt_buffer_layout {
	TT_LAYOUT_INTERLEAVED,
	TT_LAYOUT_SINGLE_BANK,
	TT_LAYOUT_HEIGHT_SHARDED,
	TT_LAYOUT_WIDTH_SHARDED,
	TT_LAYOUT_BLOCK_SHARDED,
	TT_LAYOUT_ND_SHARDED,
	TT_LAYOUT_COUNT
};

/* Buffer::AllocationStatus. */
enum tt_buffer_status {
	TT_STATUS_REQUESTED,
	TT_STATUS_ALLOCATED,
	TT_STATUS_DEALLOCATED,
};

enum {
	TT_PATH_MAX = 4,
	TT_MAX_LAYOUTS = 256, /* different libraries at once */
	TT_MAX_ALLOCATOR_VTABLES = 8,
	TT_BODY_SIZE = 128, /* bytes of a Buffer's body that a record carries */
	TT_FREE_LIST_SIZE =
		128,	    /* bytes of a FreeListOpt, from TT_FIELD_FL_SIZE on, that are read */
	TT_MAX_CHIPS = 64,  /* of one mesh; a larger one is cut and says so */
	TT_MAX_RANGES = 32, /* of one circular buffer; more are cut and counted */
	TT_MAX_CORES = 32,  /* in a row or column: no chip has so many, what is beyond is none */
};

/*
 * Where a value lies: for off = {a, b, c} and len = 3 at *(*(object + a) + b) + c. len 0: the
 * field could not be established and is absent.
 */
struct tt_path {
	__u16 len;
	__u16 off[TT_PATH_MAX];
};

/*
 * All that BPF and the record decoder know of one build of the runtime.
 *
 * The fields of a Buffer are not read one by one: all of them lie in one "body" (the Buffer
 * itself, or from 0.79 on the BufferImpl that it points to), of which TT_BODY_SIZE bytes are
 * copied into the record. So for those fields the last offset of the path less body_start is the
 * place in the record. The invariant, established by layout__seal(): all paths from a Buffer but
 * TT_FIELD_UNIQUE_ID have the same length and the same offsets but the last.
 */
struct tt_layout {
	struct tt_path field[TT_FIELD_COUNT];
	__u16 body_start;   /* offset in the body at which the copy begins */
	__u16 chip_stride;  /* bytes of one element of the vector of chips */
	__u16 range_stride; /* bytes of one CoreRange */
	__u16 reserved;
	__u64 vtable_device; /* what the first word of a Device holds, less the load bias; 0:
				unknown */
	__u64 vtable_mesh;   /* the same of a MeshDevice */
	/* The same of the allocator classes, 0 behind the last; up to 0.70 they have no vtables. */
	__u64 vtable_allocator[TT_MAX_ALLOCATOR_VTABLES];
	/* vaddr of the counter that Buffers have their unique ids of, from 0.62 on; 0: unknown */
	__u64 next_unique_id;
};

/*
 * The attach cookie: what one probe hit means. vaddr is the probed instruction's address in the
 * file's own address space, so that PT_REGS_IP - vaddr is the load bias.
 */
struct tt_cookie {
	__u32 vaddr;
	__u16 layout; /* index into the array of layouts */
	__u8 probe;   /* enum tt_probe */
	__u8 arg;     /* which argument (0: rdi …) is the object that the probe is about; or */
};		      /* TT_ARG_REGISTER + the machine's number of the register that has it */

enum {
	TT_ARG_REGISTER = 16
};

/* How much of what the runtime does is probed: see target/probe_set.h. */
enum tt_mode {
	TT_MODE_DEFAULT,
	TT_MODE_LEAN, /* what gets and gives memory, and nothing else */
	TT_MODE_ALL,  /* every function, those as well that are only counted */
	TT_MODE_COUNT
};

/* How a process comes to be traced. */
enum tt_scope {
	TT_SCOPE_ALL,	 /* every process that passes a probe */
	TT_SCOPE_LISTED, /* those in the map of processes, and their children */
};

enum tt_process_flag {
	TT_PROCESS_BEFORE_ATTACH = 1 << 0, /* mapped the runtime before its probes were there */
	TT_PROCESS_FORKED = 1 << 1,	   /* a child of a traced process, at its birth */
	TT_PROCESS_ENDED = 1 << 2,	   /* and the record that tells of it was lost */
	/* something was done in it after which frees may be odd: those have stacks from then on */
	TT_PROCESS_ODD_FREES = 1 << 3,
};

/*
 * A traced process, as the map of processes holds it by tgid. Entered from outside with start_ns 0,
 * at fork and, in TT_SCOPE_ALL, at the first hit; removed at exit, or
 * by the user side if the record of the exit was lost, so that what else was lost is not forgotten.
 */
struct tt_process {
	__u64 start_ns;	  /* CLOCK_BOOTTIME; 0: not hit yet */
	__u32 flags;	  /* enum tt_process_flag */
	__u32 generation; /* counts exec: pointers of another generation mean nothing */
	/* records of it that were lost, by what their kind does: see TT_KINDS_BEGIN */
	__u32 lost_begin;
	__u32 lost_end;
	__u32 lost_other;
	__u32 exit_code; /* with TT_PROCESS_ENDED, as of wait(2) */
};

/* What is copied of the registers: those that a function hands back as they were. */
enum tt_stack_reg {
	TT_STACK_RBX,
	TT_STACK_RBP,
	TT_STACK_RSP,
	TT_STACK_R12,
	TT_STACK_R13,
	TT_STACK_R14,
	TT_STACK_R15,
	TT_STACK_RIP,
	TT_STACK_REGS
};

enum {
	/* bytes that are copied of a stack at most: what goes with a task is 64 KB at most */
	TT_STACK_MAX = 56 << 10,
	TT_STACK_WORDS = 512, /* words that a known stack may be told by */
	/* the offset, at which no word is, of the stack's number in its print: while BPF looks at a
	 * known stack the place may be given to another one, for an element of a hash table that
	 * is replaced is used again at once (alloc_htab_elem() in kernel/bpf/hashtab.c) */
	TT_STACK_NUMBER = 0xffff,
	TT_STACK_WAYS = 8,   /* known stacks with the same stack pointer and Python frames */
	TT_PYTHON_MAX = 128, /* frames of Python that are read */
	/* hits that may have scratch memory at a time, beside one for each CPU */
	TT_SCRATCH_SPARE = 16,
};

enum {
	TT_PYTHON_CODE_START = 40, /* in a PyCodeObject: where what is read of it begins */
	TT_PYTHON_CODE_WORDS = 4,
	/* bytes of the objects that say what a function in Python is: what is larger is not copied
	 */
	TT_PYTHON_CODE_SIZE = 144,	 /* of its PyCodeObject, those that are used */
	TT_PYTHON_TEXT_HEAD = 72,	 /* of a str: before its characters, at most */
	TT_PYTHON_NAME_SIZE = 328,	 /* of the str that is its name */
	TT_PYTHON_FILE_SIZE = 1096,	 /* of the str that is its file */
	TT_PYTHON_LINES_SIZE = 32 << 10, /* of the bytes that are its table of lines */
	TT_PYTHON_BYTES_LENGTH = 16,	 /* in such an object: how many there are … */
	TT_PYTHON_BYTES_DATA = 32,	 /* … and where they begin */
};

/*
 * Where the interpreter of a process has the frames of Python of a thread; see
 * user/stack/python.h. Offsets in bytes.
 */
struct tt_python {
	__u32 state;	 /* from the thread's %fs base: the PyThreadState * */
	__u16 thread_id; /* in that: the %fs base again, to tell that it is one */
	__u16 frame;	 /* in that: the innermost frame, or what leads to it … */
	__u16 indirect;	 /* … with the frame here; TT_PYTHON_DIRECT: it is the frame */
	/* in a frame */
	__u16 back;
	__u16 code;
	__u16 instruction;
	__u16 owner;	  /* a byte that says how the frame was entered; TT_PYTHON_DIRECT: none */
	__u16 none;	  /* … and from which of its values on it is no frame of a function */
	__u16 frame_size; /* bytes of it in which all that lies */
	__u16 row;	  /* bytes before it that are read with it: frames are there as well */
	/* in a code object, from TT_PYTHON_CODE_START on: words that tell it from another */
	__u16 words[TT_PYTHON_CODE_WORDS];
};

enum {
	TT_PYTHON_DIRECT = 0xffff,
	/* bytes in which all that is wanted lies: of a PyThreadState, from .frame on, … */
	TT_PYTHON_STATE_SIZE = 160,
	TT_PYTHON_FRAME_SIZE = 104,		    /* … of a frame, at most, … */
	TT_PYTHON_PRINT_SIZE = 104,		    /* … of a code object, of .words */
	TT_PYTHON_PART_SIZE = TT_PYTHON_STATE_SIZE, /* the largest of these */
	TT_PYTHON_ROW_SIZE = 1024,		    /* of a frame and .row, at most */
	/* bits of a frame's pointer to its code that are no part of the address: from 3.14 on it
	 * says in them whether it counts as a reference (pycore_stackref.h: Py_TAG_BITS) */
	TT_PYTHON_TAGS = 3,
	TT_PYTHON_OWNER_SHIFT = 56, /* of that byte in struct tt_python_frame::instruction */
};

/*
 * Prints: of code objects and of stacks, on both sides. Two words, and what there was before; 0:
 * nothing was. The constants are those of splitmix64.
 */
static inline __u64 tt_print__mix(__u64 print, __u64 a, __u64 b)
{
	print = (print ^ a) * 0xbf58476d1ce4e5b9;
	print = (print ^ print >> 27 ^ b) * 0x94d049bb133111eb;
	return print ^ print >> 31;
}

/* Which code objects need no copy any more. */
struct tt_code_key {
	__u64 print; /* see struct tt_python_frame */
	__u64 start_ns;
	__u32 tgid;
	__u32 generation;
};

/* A frame of Python, as its interpreter has it. */
struct tt_python_frame {
	__u64 code;	   /* PyCodeObject * */
	__u64 instruction; /* a pointer or an index, by version; and how the frame was entered */
	__u64 print;	   /* of the code object: see tt_print__mix() */
};

/*
 * A stack that was unwound before: where the stack pointer, these registers and these words are
 * the same again, it is the same (see user/stack/unwind.h), and needs no copy.
 */
struct tt_known_key {
	__u64 sp;
	__u64 start_ns; /* of the process, with which and the next two pointers mean something */
	__u32 tgid;
	__u32 generation;
	__u64 python; /* a hash of its frames of Python; 0: none */
	__u32 way;    /* 0 … TT_STACK_WAYS - 1, without gaps */
	__u32 reserved;
};

struct tt_known_stack {
	__u32 stack;	 /* its number */
	__u32 depth;	 /* bytes of the stack in which all its words lie */
	__u32 num_words; /* used of offset[] */
	__u32 regs_used; /* 1 << enum tt_stack_reg; TT_STACK_RIP always */
	__u64 regs[TT_STACK_REGS];
	/* the sum over the words of tt_print__mix(0, word, offset), and over the number: they do
	 * not wait for each other, so that the processor works at several at once */
	__u64 print;
	__u16 offset[TT_STACK_WORDS]; /* of each from the stack pointer, bytes */
};

/* Knobs, frozen at load. */
struct tt_config {
	__u32 scope;	     /* enum tt_scope */
	__u32 emit_views;    /* 1: a record for each view; 0: they are only counted */
	__u32 pid_namespace; /* inode of the PID namespace of which PIDs are told; 0: the initial */
	__u32 lean;	     /* 1: deallocate_buffer is all that is seen of a free */
	__u32 stacks;	     /* 1: the stacks of allocations are wanted */
	/* bytes in the ring; where more are waiting no stack is copied, so that records are not
	 * lost for the sake of their stacks */
	__u32 copy_limit;
};

_Static_assert(sizeof(struct tt_path) == 10, "packed without holes");
_Static_assert(sizeof(struct tt_cookie) == 8, "must fit the attach cookie");
_Static_assert(sizeof(struct tt_process) == 32, "no padding");
_Static_assert(sizeof(struct tt_python) == 32, "no padding");
_Static_assert(sizeof(struct tt_known_key) == 40, "no padding");
_Static_assert(sizeof(struct tt_known_stack) == 88 + 2 * TT_STACK_WORDS, "no padding");
_Static_assert(sizeof(struct tt_config) == 24, "no padding");

#endif
