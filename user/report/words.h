/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Small pieces of text that more than one sink needs. They write into buffers of the caller, never
 * beyond, and return the buffer. Pure.
 */
#ifndef TTTRACE_WORDS_H
#define TTTRACE_WORDS_H

#include <stddef.h>

#include "core/event.h"
#include "core/process.h"

enum {
	WORDS_SIZE = 64, /* enough for words__bytes, words__age, words__size_class */
	WORDS_PLACE_SIZE =
		768, /* enough for words__chips, words__place: 64 chips, no two adjacent */
};

/* "300.0 MiB"; below 1 KiB "12 B". */
const char *words__bytes(char buf[WORDS_SIZE], __u64 bytes);
/* "250 ms", "12.3 s", "4 min 05 s", "3 h 02 min". */
const char *words__age(char buf[WORDS_SIZE], __u64 ns);
/*
 * The same of a buffer that, if @is_older, was there already when it was found: "> 3 s". "?" where
 * it was found just now, by a look at a process.
 */
const char *words__least_age(char buf[WORDS_SIZE], __u64 ns, bool is_older);
/* "64-128 MiB", the bounds of a class of snapshot__size_class(). */
const char *words__size_class(char buf[WORDS_SIZE], __u32 size_class);
/* "0", "0-7", "0-3,8": ids are sorted. */
const char *words__chips(char buf[WORDS_PLACE_SIZE], const __u32 *chips, __u32 num_chips);
/* "device 0", "devices 0-7", "mesh 1 (chips unknown)", "an unknown device". */
const char *words__place(char buf[WORDS_PLACE_SIZE], const struct event_device *device);
/*
 * @src as valid UTF-8 without control characters: what is neither becomes U+FFFD. @size at least
 * 3 * strlen(@src) + 1 to keep it whole; it is cut between characters.
 */
const char *words__clean(char *buf, size_t size, const char *src);
/* "ended with status 0", "killed by signal 9 (SIGKILL)", "still running", … */
const char *words__state(char buf[WORDS_SIZE], enum process_state state, __u32 exit_code);
/* "buffer" or "buffers", as @count wants it. */
const char *words__plural(__u64 count, const char *one, const char *many);

/* "at least " if a sum lacks what is @unknown of it; else "". */
const char *words__at_least(__u64 unknown);

/* "cut short", …: in words why a stack is not complete. */
const char *words__stack_end(enum tt_stack_end end);

#endif
