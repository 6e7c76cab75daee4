/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Frames of stacks, each kept once, for a comparison of two traces. Two frames are at the same
 * place if they are in the same function of a file of the same name, wherever that file lies and
 * whatever was built or edited since: offsets and lines do not count. Where the function is not
 * known, the address in the file is all there is. Owns copies of all that it hands out. Pure.
 */
#ifndef TTTRACE_FRAME_SET_H
#define TTTRACE_FRAME_SET_H

#include "core/event.h"

struct kept_frame;

/* A zeroed one is empty. */
struct frame_set {
	struct kept_frame *frames; /* uthash */
	struct frame_place *places;
};

/* *@ret_frame is the same for all that are the same, and lives as long as @set. 0 or -ENOMEM. */
int frame_set__add(struct frame_set *set, const struct event_frame *frame,
		   const struct event_frame **ret_frame);
/* The number of the place of a frame that frame_set__add() returned. */
__u32 frame_set__place(const struct event_frame *frame);
void frame_set__done(struct frame_set *set);

#endif
