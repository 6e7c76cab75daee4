/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The BPF side, as the rest of the program knows it: the only includer of the skeleton. Life:
 * prepare -> load -> attach_library, any number -> activate -> drain -> free. Nothing is recorded
 * before activate, and free (or the end of the process, by whatever signal) takes every probe
 * away. It interprets no record and prints no result.
 */
#ifndef TTTRACE_LOADER_H
#define TTTRACE_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <linux/types.h>

#include "tttrace_config.h"
#include "tttrace_record.h"

#include "trace/counters.h"
#include "trace/load_error.h"

struct library;
struct loader;

struct loader_opts {
	enum tt_scope scope;
	size_t ring_size;    /* bytes, rounded up to a power of two of pages */
	__u32 max_processes; /* that are traced at once */
	enum tt_mode mode;
	bool emit_views;
	__u32 stack_depth;	/* frames that are kept of the stack of an allocation; 0: none */
	__u32 pid_namespace;	/* see struct tt_config; set by the tracer */
	bool force_perf_events; /* do not use uprobe_multi, even where the kernel has it */
	bool quiet;		/* errors are not logged: loader__failure() has them */
};

/* Opens the BPF object and sets its knobs. Returns 0 or -errno, logged. */
int loader__prepare(const struct loader_opts *opts, struct loader **ret_loader);

/*
 * Loads programs and maps, and attaches those at tracepoints. If the kernel refuses a part without
 * which the rest works, that is left out: see loader__missing(). Returns 0 or -errno, logged.
 */
int loader__load(struct loader *loader);

/* Why a part is not there, in words; NULL: it is there, or was not asked for. */
const char *loader__missing(const struct loader *loader, enum tt_part part);

/* What failed last; .err is 0 if nothing has. */
const struct load_failure *loader__failure(const struct loader *loader);

/*
 * Attaches the probes of @lib that are in @set (see target/probe_set.h) to the inode that @path
 * leads to: one link. If that fails, loader__failure() says why. @ret_layout is the index under
 * which its records come, @ret_attached how many probes are in place. Returns 0; -E2BIG:
 * TT_MAX_LAYOUTS libraries; other -errno.
 */
int loader__attach_library(struct loader *loader, const struct library *lib, __u64 set,
			   const char *path, __u16 *ret_layout, unsigned int *ret_attached);

/* Takes the probes of a library away again. */
void loader__detach_library(struct loader *loader, __u16 layout);

/* The same, and its number may be another library's from now on. */
void loader__release_library(struct loader *loader, __u16 layout);

/* The same at functions of our own, to try it. */
int loader__attach_own(struct loader *loader, const char *path, const unsigned long *offsets,
		       const struct tt_cookie *cookies, size_t count);

/* Enters @pid into the set of traced processes. @flags: enum tt_process_flag. Logged. */
int loader__add_process(struct loader *loader, pid_t pid, __u32 flags);

/*
 * Whether the next library may have to be attached to by perf events, which may take CAP_SYS_ADMIN:
 * until uprobe_multi has been seen to work.
 */
bool loader__may_use_perf_events(const struct loader *loader);

/* Opens or closes the gate: from now on hits are recorded, or no longer. */
void loader__activate(struct loader *loader);
void loader__deactivate(struct loader *loader);

/* Removes all probes; what is in the ring can still be drained. */
void loader__detach(struct loader *loader);

int loader__ring_fd(const struct loader *loader);

/* Tells the BPF side that the reader is about to sleep, so that the next record wakes it. */
void loader__set_reader_idle(struct loader *loader, bool idle);

/* Totals over all CPUs. Returns 0 or -errno. */
int loader__read_counters(const struct loader *loader, struct tt_counters *ret_counters);

/* See counters__each_process(). */
void loader__each_process(const struct loader *loader, counters_process_fn fn, void *ctx);

/*
 * Calls @fn for each process that has lost records. Those that have ended are told of once: their
 * places are freed. Read the counters before: what these tell of is then among what @fn gets.
 */
void loader__each_loss(const struct loader *loader, counters_loss_fn fn, void *ctx);

/* The BPF side knows a stack again by @stack from now on. Returns 0 or -errno: there is no room. */
int loader__know_stack(const struct loader *loader, const struct tt_known_key *key,
		       const struct tt_known_stack *stack);
void loader__forget_stack(const struct loader *loader, const struct tt_known_key *key);

/*
 * @tgid has an interpreter of Python that keeps its frames so, as will its children have, until
 * each ends or calls exec. Returns 0 or -errno.
 */
int loader__know_python(const struct loader *loader, __u32 tgid, const struct tt_python *python);

void loader__free(struct loader *loader);

#endif
