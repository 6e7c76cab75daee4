/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Probes in a file, and the links that hold them: in both ways that kernels have. A link that is
 * closed takes its probes away. It knows no map.
 */
#ifndef TTTRACE_ATTACH_H
#define TTTRACE_ATTACH_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

struct bpf_link;
struct bpf_program;
struct library;
struct tt_cookie;

/* Where probes are to be, and what each means. */
struct attach_points {
	unsigned long *offsets; /* in the file */
	__u64 *cookies;
	size_t count;
};

/* Those probes of @lib that are in @set. Returns 0, -ENOMEM or -EOVERFLOW; done() after any. */
int attach_points__of_library(struct attach_points *points, const struct library *lib, __u64 set,
			      __u16 layout);
/* Copies of @count of them. Returns 0 or -ENOMEM. */
int attach_points__copy(struct attach_points *points, const unsigned long *offsets,
			const struct tt_cookie *cookies, size_t count);
void attach_points__done(struct attach_points *points);

struct links {
	struct bpf_link **links;
	size_t count;
};

/* Takes @link over, also if that fails. Returns 0 or -ENOMEM. */
int links__add(struct links *links, struct bpf_link *link);
/* Closes @count of them from number @from on; the others keep their numbers. */
void links__close(struct links *links, size_t from, size_t count);
/* Closes those from number @from on. */
void links__drop(struct links *links, size_t from);
void links__done(struct links *links);

/* Those of one library. */
struct link_range {
	bool is_taken;
	size_t from, count;
};

/* The first of @count ranges that is not taken; @count: there is none. */
__u32 link_ranges__free(const struct link_range *ranges, __u32 count);

/* Attach to the file that @path leads to, for all processes. Return 0 or -errno. */
int links__attach_multi(struct links *links, const struct bpf_program *prog,
			const struct attach_points *points, const char *path);
/* Kernels before 6.6: one perf event for each probe. Those up to the first that fails remain. */
int links__attach_perf_events(struct links *links, const struct bpf_program *prog,
			      const struct attach_points *points, const char *path);

#endif
