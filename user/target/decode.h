/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Reads facts about the layout of C++ objects out of machine code. It may use disasm, cpu and
 * value; it knows neither ELF nor the runtime.
 *
 * How it works: the function is executed, but with descriptions instead of numbers. At its entry
 * rdi holds "argument 0", rsi "argument 1". `mov rax, [rdi+0x10]` makes rax "*(argument 0 + 16)",
 * `mov rax, [rax+8]` makes it "*(*(argument 0 + 16) + 8)", and at `ret` that is what the function
 * returns: a getter has told where its field lies. Where a condition depends on what is not known,
 * both ways are gone. What can be seen on the way is handed out as events:
 *
 *	returned	Buffer::size() const		returns *(*(this + 0x10) + 8)
 *	stored		Buffer::Buffer(device, …)	stores argument 1 at this + 0x10
 *	compared	Buffer::deallocate_impl()	compares the byte *(this + 0x48) with 1
 *	called		Buffer::alignment() const	calls get_alignment(*(this + 0x40), …)
 *	divided by	FreeListOpt::allocate()		rounds up to a multiple of *(this + 0x20)
 *	subtracted	FreeListOpt::deallocate(addr)	takes *(this + 0x10) from argument 1
 *	span		extract_locals(vector const &)	elements of 16 bytes between *v and *(v + 8)
 *	element		is_address_in_alloc_table(addr)	reads an element of the array *(this + 0xe8)
 *
 * What it cannot do, by intention: loops are not unrolled, memory that is written is not followed
 * (but for the function's own stack), nothing is merged where ways meet: an instruction is looked
 * at a few times, each time with what was known on that way. So an event is a fact of one way
 * through the function; that the ways and the functions agree is for the caller to check.
 *
 * Hostile code costs a bounded number of steps and a bounded amount of memory.
 */
#ifndef TTTRACE_DECODE_H
#define TTTRACE_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "target/cpu.h"
#include "target/value.h"

/* A function; vaddr 0: it is not in this image. */
struct decode_function {
	const char *name; /* mangled; NULL: unknown */
	__u64 vaddr;
	__u64 size; /* bytes */
};

/* Where code and constants come from. All return 0 or -errno. */
struct decode_image {
	void *ctx;
	int (*read)(void *ctx, __u64 vaddr, void *buf, size_t size);
	/* The same, of memory that nobody writes to: tables of constants. */
	int (*read_const)(void *ctx, __u64 vaddr, void *buf, size_t size);
	/* The variable whose address the dynamic linker puts into the slot at @vaddr. */
	int (*slot)(void *ctx, __u64 vaddr, const char **ret_name);
	/* The variable at @vaddr itself. */
	int (*variable)(void *ctx, __u64 vaddr, const char **ret_name);
	/* What a call of @vaddr ends in, seen through the PLT. */
	int (*resolve)(void *ctx, __u64 vaddr, struct decode_function *ret_function);
};

enum decode_event_kind {
	DECODE_RETURNED,
	DECODE_STORED,	   /* value at the address `other` */
	DECODE_COMPARED,   /* value with other */
	DECODE_CALLED,	   /* callee with arg[] */
	DECODE_DIVIDED_BY, /* value */
	DECODE_SUBTRACTED, /* value, from `other` */
	DECODE_SPAN,	   /* value: the vector's begin pointer; size: of an element */
	DECODE_ELEMENT,	   /* value: an element of an array, of which something is read */
};

struct decode_event {
	enum decode_event_kind kind;
	struct value value, other;
	__u8 size;	    /* bytes */
	bool is_virtual;    /* DECODE_CALLED: through an object's vtable */
	const char *callee; /* DECODE_CALLED: mangled; NULL: unknown */
	struct value arg[CPU_REG_ARGS];
};

typedef void (*decode_event_fn)(const struct decode_event *event, void *ctx);

/*
 * What is taken for granted: the argument (len 0) or the memory (len > 0) that `place` names holds
 * `number`. So can "what does get_num_banks() read for DRAM" be asked.
 */
struct decode_given {
	struct value place;
	__s64 number;
};

struct decode_request {
	const struct decode_function *function;
	const struct decode_given *given; /* NULL: nothing */
	const char *into; /* calls of functions whose names begin so are followed; NULL: none */
	decode_event_fn fn;
	void *ctx;
};

/* -ENOEXEC: the function cannot be read; -ENOMEM. */
int decode__run(const struct decode_image *image, const struct decode_request *request);

#endif
