/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * One function that decode executes. Private to decode.c, which decides where control goes, and
 * walk.c, which knows what an instruction does to registers and memory.
 */
#ifndef TTTRACE_WALK_H
#define TTTRACE_WALK_H

#include "target/cpu.h"
#include "target/decode.h"

/* A way that is still to be gone: where, and with what is known. */
struct fork {
	__u64 vaddr;
	struct cpu cpu;
};

struct walk {
	const struct decode_image *image;
	const struct decode_request *request;
	decode_event_fn fn;
	void *ctx;
	int depth;
	int *steps; /* left; shared with the functions that are followed */
	const struct decode_function *function;
	__u8 *code, *visits;
	size_t size;
	struct fork *forks; /* grows with need */
	int num_forks, room;
	struct cpu cpu;
	__u64 vaddr;
};

/* Hands @event to whoever asked. */
void walk__emit(const struct walk *w, const struct decode_event *event);

struct value walk__read(const struct walk *w, const struct insn_operand *op);

/* Executes an instruction that is neither jump nor call nor return. */
void walk__step(struct walk *w, const struct insn *insn);

#endif
