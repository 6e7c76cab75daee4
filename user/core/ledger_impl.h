/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the parts of the ledger share; nobody else includes it but the snapshot.
 *
 *   ledger.c   the record comes in, its process is found, it goes to its part
 *   births.c   allocators and allocations
 *   census.c   what was read out of the process itself: what was missed comes in and goes
 *   orphans.c  memory that no buffer owns
 *   census_due.c  of which processes that is to be read
 *   frees.c    frees, from the attempt to the end
 *   release.c  one free at its end: its class, and what becomes of the buffer
 *   undecided.c frees for which no reason is known yet
 *   shortage.c why an allocation failed; what is free of an allocator
 *   endings.c  one buffer leaves: the only place where buffers stop to be live; bulk frees
 *   programs.c circular buffers, which are no buffers
 *   verdicts.c devices close, processes end: what leaked
 *
 * An entry of a buffer is in exactly one list: live of its allocator, ended (remembered) of its
 * process, or leaks of its device. What is live is counted in the usage of its device, process
 * and chips as long as it has BUFFER_COUNTED.
 */
#ifndef TTTRACE_LEDGER_IMPL_H
#define TTTRACE_LEDGER_IMPL_H

#include "core/allocator.h"
#include "core/buffers.h"
#include "core/classify.h"
#include "core/ledger.h"
#include "core/libraries.h"
#include "core/loss.h"
#include "core/parts.h"
#include "core/untraced.h"
#include "core/process.h"
#include "core/stacks.h"
#include "core/stats.h"

enum {
	WHY_SIZE = 320,
	ENDED_MAX = 1 << 18, /* ended buffers remembered, over all processes: 24 MB */
};

#define PENDING_MAX_NS 1000000000ull /* a free that has not come to its end by then will not */

struct ledger {
	struct ledger_opts opts;
	struct libraries libraries;
	struct parts parts;
	struct untraced untraced;
	bool has_second; /* a link was found to be of a file that has another */
	struct stacks stacks;
	struct buffers buffers;
	struct allocator_table allocators;
	struct processes processes;
	struct pending_list pending;
	struct loss loss;
	struct stats stats;
	struct undecided *undecided;
	__u32 num_undecided;
	__u64 num_ended;
	bool has_late; /* see ledger__late(), perhaps */
	__u64 now_ns;  /* the newest time that a record showed */
	char why[WHY_SIZE];
	struct event_shortage shortage; /* of the event at hand */
};

struct release;
struct undecided;

/* The record at hand, and whose it is. */
struct hit {
	const struct tt_record *h;
	struct process *process;
};

/* earlier.c: of the ended processes beyond those that are kept only the sums remain. */
void ledger__fold_ended(struct ledger *ledger);

/* ledger.c */
void ledger__emit(struct ledger *ledger, const struct event *ev);
__attribute__((format(printf, 2, 3))) const char *ledger__why(struct ledger *ledger,
							      const char *fmt, ...);

/*
 * The library that explains the record at hand, and its thread. Returns 0; -EBADMSG: the layout was
 * not explained; -ENOMEM.
 */
int ledger__look_up(struct ledger *ledger, const struct hit *hit,
		    const struct library_info **ret_info, struct thread **ret_thread);

/* introduce.c */
/* device__meet(), and the end of the device that it contradicts. */
int ledger__meet_device(struct ledger *ledger, const struct hit *hit, const struct tt_device *seen,
			struct device **ret_device);
/* Returns 0 or -ENOMEM. */
int ledger__new_allocator(struct ledger *ledger, struct device *device, __u64 object,
			  struct allocator **ret_allocator);
int ledger__take_allocator(struct ledger *ledger, const struct hit *hit);

/* births.c */
int ledger__take_space(struct ledger *ledger, const struct hit *hit);
int ledger__take_alloc(struct ledger *ledger, const struct hit *hit);
/* The copy of a stack came, and what it is of is known. */
int ledger__take_stack_taken(struct ledger *ledger, const struct hit *hit);
/*
 * The number of the stack that a record of @thread names as @named, be it by the ticket of the copy
 * before it; 0: it is not known. Counted for the coverage.
 */
__u32 ledger__take_stack(struct ledger *ledger, const struct thread *thread, __u32 named);
/*
 * Enters a live buffer as @rec shows it, which occupies what @space says and was allocated by the
 * stack of that number (0: not known). Its place must be clear.
 * Returns 0 or -ENOMEM: then nothing is entered.
 */
int ledger__add_buffer(struct ledger *ledger, const struct hit *hit,
		       const struct tt_record_buffer *rec, const struct library_info *info,
		       const struct space_note *space, __u32 stack, __u32 *ret_nr);
/* Enters @nr, filled, into index, list and totals. Returns 0 or -ENOMEM: then nothing is. */
int ledger__enter_buffer(struct ledger *ledger, struct allocator *allocator, __u32 nr,
			 bool has_stacks);
/* Sets the footprint of @buffer, which is not counted yet, if @space can be its. */
void ledger__measure(struct allocator *allocator, struct buffer *buffer,
		     const struct space_note *space);
/* Tells of @buffer; @class other than matched: its allocation was not seen, @why in words. */
void ledger__emit_alloc(struct ledger *ledger, const struct buffer *buffer, __u64 ts_ns, __u32 tid,
			enum free_class class, const char *why);
int ledger__take_create(struct ledger *ledger, const struct hit *hit);

/* frees.c */
int ledger__take_free_begin(struct ledger *ledger, const struct hit *hit);
int ledger__take_free_tracked(struct ledger *ledger, const struct hit *hit);
int ledger__take_free_done(struct ledger *ledger, const struct hit *hit);
int ledger__take_free(struct ledger *ledger, const struct hit *hit);
/* Decides the free of @thread that has not come to its end. */
void ledger__settle(struct ledger *ledger, struct thread *thread);
void ledger__settle_process(struct ledger *ledger, struct process *process);
/* Decides those that have waited for too long. */
void ledger__expire(struct ledger *ledger);
/*
 * The tracing ends, or a signal has ended @process (NULL: all of them). What was going on then is
 * no free that we can tell anything of.
 */
void ledger__finish_frees(struct ledger *ledger, const struct process *process);

/* census.c */
int ledger__take_census(struct ledger *ledger, const struct hit *hit);
int ledger__take_census_buffer(struct ledger *ledger, const struct hit *hit);
/* The allocator at @object, of @device, or of any if that is 0; NULL: none. */
struct allocator *ledger__census_allocator(struct process *process, __u64 object, __u64 device);
/* Tells of @nr, as of @ts_ns, if a census found it and nobody was told yet. */
void ledger__tell_found(struct ledger *ledger, __u64 ts_ns, __u32 tid, __u32 nr);
/* The same of all of @allocator, before they end together; drops what is of a later time. */
void ledger__tell_all_found(struct ledger *ledger, struct allocator *allocator, __u64 ts_ns,
			    __u32 tid);
/* A census found @nr, but it is of a later time than the record at hand: its own will come. */
void ledger__drop_found(struct ledger *ledger, __u32 nr);
/* The same of all that wait for the records of their allocations: none will come any more. */
void ledger__drop_untold(struct ledger *ledger, struct process *process);

/* census_due.c */
/* Has @process a live buffer of which it is not known what it occupies? */
bool process__is_unsized(const struct process *process);

/* shortage.c */
/* What is free of @type; @walk: even if that takes a walk over what is live. */
void ledger__survey(const struct ledger *ledger, const struct allocator *allocator, __u32 type,
		    bool walk, struct event_space *ret_space);
/* The same of all that @device has, at most SPACES_MAX. Returns how many. */
__u32 ledger__survey_device(const struct ledger *ledger, const struct device *device, bool walk,
			    struct event_space *ret_spaces);

/* undecided.c */
/* Puts a free aside for which no reason is known. Returns false if there is no room. */
bool ledger__defer(struct ledger *ledger, const struct release *rel);
/* Decides those of @process (NULL: of all). @last: nothing more will get known. */
void ledger__decide(struct ledger *ledger, const struct process *process, bool last);

/* endings.c */
static inline struct allocator *ledger__allocator_of(const struct ledger *ledger,
						     const struct buffer *buffer)
{
	return buffer->allocator == BUFFER_NONE ? NULL : ledger->allocators.at[buffer->allocator];
}

/* Tells and counts the free of @buffer, of which no record came: it follows from the one at hand.
 */
void ledger__emit_unseen_free(struct ledger *ledger, const struct hit *hit,
			      const struct buffer *buffer, enum free_class class, const char *why);
/* The buffer's memory is free; the entry stays where it is. */
void ledger__uncount(struct ledger *ledger, __u32 nr);
/* The entry, live, remembered or a leak's, cannot be reached by its pointer any more. */
void ledger__unindex(struct ledger *ledger, struct process *process, __u32 nr);
/* Ends live buffer @nr for good: kept if it leaked, else released. */
void ledger__end(struct ledger *ledger, struct process *process, __u32 nr);
/* Ends live buffer @nr, but remembers it in case that a free of it comes. */
void ledger__remember(struct ledger *ledger, struct process *process, __u32 nr,
		      enum buffer_ending ending);
/* Releases remembered buffer @nr. */
void ledger__forget(struct ledger *ledger, struct process *process, __u32 nr);
/* A remembered buffer that has been judged a leak is kept for the report instead. */
void ledger__condemn(struct ledger *ledger, struct process *process, __u32 nr);
void ledger__forget_all(struct ledger *ledger, struct process *process);
/* All live buffers with memory of @allocator end so. */
void ledger__end_all(struct ledger *ledger, struct process *process, struct allocator *allocator,
		     enum buffer_ending ending, __u64 *ret_buffers, __u64 *ret_bytes);
int ledger__take_bulk(struct ledger *ledger, const struct hit *hit);
void ledger__describe(const struct ledger *ledger, const struct buffer *buffer,
		      struct event_buffer *ret_buffer);

/* late.c: each notes it when @process must have opened a device before it was traced */
/* It uses @device: all chips of that were opened. */
void ledger__expect_opened(struct ledger *ledger, struct process *process,
			   const struct device *device);
/* It uses the IDevice at @object (0: not known which): that was met when it was opened. */
void ledger__expect_known(struct ledger *ledger, struct process *process, __u64 object);
/* It uses some device: at least one chip was opened. */
void ledger__expect_any(struct ledger *ledger, struct process *process);

/* programs.c */
int ledger__take_circular(struct ledger *ledger, const struct hit *hit);
int ledger__take_program(struct ledger *ledger, const struct hit *hit);

/* verdicts.c */
int ledger__take_device(struct ledger *ledger, const struct hit *hit);
/* What is live on @device is leaked, doubtful or held, with @why in words. */
void ledger__judge_device(struct ledger *ledger, struct device *device, __u64 ts_ns, __u32 tid,
			  const char *why);
/* The same for one buffer that was suppressed after the verdict on its device. */
void ledger__judge_late(struct ledger *ledger, __u32 nr, __u64 ts_ns, __u32 tid);
/* Ends @process: verdict, event, retirement. It is gone afterwards. */
void ledger__end_process(struct ledger *ledger, struct process *process, enum process_state how,
			 __u64 ts_ns, __u32 exit_code);
/* A loss of @process became known that goes back to @since_ns: leaks judged since are doubtful. */
void ledger__doubt(struct ledger *ledger, struct process *process, __u64 since_ns);
/* The same of a loss of which nobody knows the process. */
void ledger__doubt_all(struct ledger *ledger, __u64 since_ns);

#endif
