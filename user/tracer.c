// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "tracer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/epoll.h>

#include "announcer.h"
#include "arrivals.h"
#include "finder.h"
#include "gap.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "own_namespace.h"
#include "rewrites.h"
#include "runtimes.h"
#include "stack_taker.h"
#include "survey.h"
#include "target/discovery.h"
#include "target/host.h"
#include "target/library.h"
#include "trace/load_error.h"
#include "trace/reader.h"
#include "written.h"

enum {
	COUNTERS_NS = 100000000, /* how often the counters are read while records come in */
	/* how long who has mapped a runtime is attended to until it is another's turn, … */
	ATTEND_NS = 10000000,
	ATTEND_FIRST_NS = 1000000000, /* … and before anything is traced */
};

struct tracer {
	bool is_command;
	tracer_record_fn on_record;
	void *ctx;
	struct loader *loader;
	struct reader *reader;
	struct discovery *discovery;
	struct survey *survey;
	struct stack_taker *stacks; /* NULL: they are not wanted */
	struct finder *finder;
	struct runtimes runtimes;
	struct arrivals arrivals;
	struct gap gap;
	int epoll_fd;
	unsigned int num_finds; /* mappings of a runtime that were seen */
	__u64 counters_ns;	/* when the counters were last handed up … */
	bool counters_stale;	/* … and whether records have come since */
	__u64 lost;		/* as the counters were when processes were last asked for theirs */
	struct announcer announcer;
};

static void on_unread(void *ctx, const struct proc_mapping *mapping, int err)
{
	struct tracer *tracer = ctx;

	announcer__unread(&tracer->announcer, mapping->pid, mapping->name, err);
}

static int on_find(void *ctx, const struct discovery_find *find)
{
	struct tracer *tracer = ctx;
	int err = 0;

	tracer->num_finds++;
	finder__note_find(tracer->finder, find);
	if (find->is_stripped) {
		announcer__untraced(&tracer->announcer, find->pid, find->name,
				    library_stripped_advice, NULL);
		return 0;
	}
	/* what maps the runtime at the start may hold buffers already */
	if (!tracer->runtimes.active) {
		loader__add_process(tracer->loader, find->pid, TT_PROCESS_BEFORE_ATTACH);
		survey__introduce(tracer->survey, find->pid, TT_PROCESS_BEFORE_ATTACH);
	}
	/* a census may have met the file first */
	if (!*find->tag) {
		if (tracer->stacks)
			stack_taker__meet(tracer->stacks, find->pid);
		err = runtimes__attach(&tracer->runtimes, find);
	} else {
		runtimes__meet(&tracer->runtimes, find, false);
	}
	arrivals__add(&tracer->arrivals, find->pid);
	return err;
}

static void on_mapping(void *ctx, const struct proc_mapping *mapping)
{
	struct tracer *tracer = ctx;

	if (tracer->stacks)
		stack_taker__forget_mappings(tracer->stacks, mapping->pid);
}

static void on_excess(void *ctx, const struct proc_mapping *mapping)
{
	struct tracer *tracer = ctx;

	announcer__untraced(&tracer->announcer, mapping->pid, mapping->name,
			    "its process maps runtimes too often to be looked at any further",
			    NULL);
}

static void catch_up(void *ctx)
{
	struct tracer *tracer = ctx;

	reader__catch_up(tracer->reader);
}

static void hand_up(void *ctx, const void *record, size_t size)
{
	struct tracer *tracer = ctx;

	tracer->on_record(tracer->ctx, record, size);
}

/* Stacks are told by what they are, not by their bytes. */
static void on_ring_record(void *ctx, const void *record, size_t size)
{
	struct tracer *tracer = ctx;
	const struct tt_record *h = record;

	if (size < sizeof(*h))
		return hand_up(tracer, record, size);
	finder__note(tracer->finder, h);
	gap__note(&tracer->gap, h);
	if (tracer->stacks) {
		if (h->kind == TT_RECORD_STACK_COPY)
			return stack_taker__take(tracer->stacks, record, size);
		if (h->kind == TT_RECORD_PYTHON_CODE)
			stack_taker__take_code(tracer->stacks, record, size);
		if (h->kind == TT_RECORD_PROCESS_EXIT || h->kind == TT_RECORD_PROCESS_EXEC)
			stack_taker__end_process(tracer->stacks, h);
	}
	hand_up(tracer, record, size);
}

static int watch(struct tracer *tracer, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(tracer->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

/*
 * Without it only libraries that are mapped already can be traced. A command maps none yet, so that
 * nothing would be left.
 */
static int watch_mappings(struct tracer *tracer)
{
	struct load_failure failure = { .step = LOAD_STEP_MAPPINGS };
	char why[LOAD_TEXT_SIZE];
	struct host host;

	failure.err = finder__watch(tracer->finder);
	if (!failure.err)
		return watch(tracer, finder__fd(tracer->finder));
	host__read(&host);
	load_error__why(&failure, &host, why, sizeof(why));
	if (!tracer->is_command) {
		announcer__missing(&tracer->announcer, TT_PART_MAPPINGS, why);
		return 0;
	}
	pr_err("cannot find out what libraries the command maps, so nothing of it can be traced: %s",
	       why);
	pr_err("%s", load_error__advice(load_error__cause(&failure, &host)));
	return failure.err;
}

static int open_finder(struct tracer *tracer, bool all)
{
	const struct finder_opts opts = {
		.all = all,
		.discovery = tracer->discovery,
		.catch_up = catch_up,
		.on_mapping = on_mapping,
		.on_excess = on_excess,
		.ctx = tracer,
	};

	return finder__new(&opts, &tracer->finder);
}

static int open_parts(struct tracer *tracer, const struct loader_opts *given)
{
	struct loader_opts opts = *given;
	int err;

	tracer->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (tracer->epoll_fd < 0)
		return -errno;
	err = own_namespace__find(&opts.pid_namespace);
	if (!err)
		err = loader__prepare(&opts, &tracer->loader);
	if (!err)
		err = loader__load(tracer->loader);
	if (!err)
		err = reader__new(tracer->loader, on_ring_record, tracer, &tracer->reader);
	if (!err)
		err = discovery__new(on_find, on_unread, tracer, &tracer->discovery);
	if (!err)
		err = open_finder(tracer, opts.scope == TT_SCOPE_ALL);
	if (!err)
		err = survey__new(tracer->discovery, hand_up, tracer, &tracer->survey);
	if (!err && opts.stack_depth && !loader__missing(tracer->loader, TT_PART_STACKS))
		err = stack_taker__new(tracer->loader, opts.stack_depth, hand_up, tracer,
				       &tracer->stacks);
	if (!err)
		err = watch(tracer, reader__fd(tracer->reader));
	if (err)
		return err;
	tracer->runtimes = (struct runtimes){
		.mode = opts.mode,
		.views = opts.emit_views,
		.stacks = tracer->stacks,
		.loader = tracer->loader,
		.discovery = tracer->discovery,
		.survey = tracer->survey,
		.announcer = &tracer->announcer,
		.gap = &tracer->gap,
		.rewrites_fd = rewrites__open(), /* if it is not, each library tells */
	};
	tracer->arrivals = (struct arrivals){ .stacks = tracer->stacks, .gap = &tracer->gap };
	tracer->gap = (struct gap){
		.survey = tracer->survey,
		.announcer = &tracer->announcer,
		.catch_up = catch_up,
		.ctx = tracer,
	};
	runtimes__tell_missing(&tracer->runtimes);
	if (tracer->runtimes.rewrites_fd >= 0)
		err = watch(tracer, tracer->runtimes.rewrites_fd);
	return err ? err : watch_mappings(tracer);
}

int tracer__open(const struct tracer_opts *opts, tracer_record_fn on_record, void *ctx,
		 struct tracer **ret_tracer)
{
	struct tracer *tracer = calloc(1, sizeof(*tracer));
	int err;

	if (!tracer)
		return -ENOMEM;
	tracer->epoll_fd = tracer->runtimes.rewrites_fd = -1;
	tracer->is_command = opts->is_command;
	tracer->on_record = on_record;
	tracer->ctx = ctx;
	tracer->announcer = (struct announcer){ .on_record = on_record, .ctx = ctx };
	err = open_parts(tracer, &opts->load);
	if (err) {
		tracer__free(tracer);
		return err;
	}
	*ret_tracer = tracer;
	return 0;
}

int tracer__add_child(struct tracer *tracer, pid_t pid)
{
	int err = finder__add(tracer->finder, pid);

	return err ? err : loader__add_process(tracer->loader, pid, 0);
}

static int add_descendant(void *ctx, pid_t pid)
{
	struct tracer *tracer = ctx;

	if (finder__lists(tracer->finder, pid) || !finder__wants(tracer->finder, pid))
		return 0;
	if (finder__scan_process(tracer->finder, pid) == -ENOMEM)
		return -ENOMEM;
	return tracer__add_child(tracer, pid);
}

/*
 * Those that run already; from a process that was added the BPF side follows each fork. One may
 * have forked before it was added, and after /proc was read: until there are no new ones.
 */
static int add_descendants(struct tracer *tracer)
{
	size_t before;
	int err;

	do {
		before = finder__num_listed(tracer->finder);
		err = proc__each_pid(add_descendant, tracer);
	} while (!err && finder__num_listed(tracer->finder) > before);
	return err;
}

int tracer__add_process(struct tracer *tracer, pid_t pid)
{
	unsigned int before = tracer->num_finds;
	int err;

	if (proc__is_hidden(pid)) {
		pr_err("process '%d' is hidden: /proc is mounted with hidepid; run as root (sudo), "
		       "or as a member of the group of its option gid",
		       pid);
		return -EACCES;
	}
	if (!proc__exists(pid)) {
		pr_err("there is no process '%d': `ps` shows those that run", pid);
		return -ESRCH;
	}
	err = finder__scan_process(tracer->finder, pid);
	if (err && err != -ESRCH) {
		pr_err("cannot read what process '%d' maps: %s; run as root (sudo)", pid,
		       strerror(-err));
		return err;
	}
	err = tracer__add_child(tracer, pid);
	if (!err)
		err = add_descendants(tracer);
	if (!err && tracer->num_finds == before)
		pr_warn("process '%d' uses no Tenstorrent runtime yet: waiting until it does", pid);
	return err;
}

void tracer__each_process(const struct tracer *tracer, counters_process_fn fn, void *ctx)
{
	loader__each_process(tracer->loader, fn, ctx);
}

int tracer__scan_all(struct tracer *tracer)
{
	int err = finder__scan_all(tracer->finder);

	if (err)
		pr_err("cannot look through the processes in /proc: %s", strerror(-err));
	return err;
}

void tracer__activate(struct tracer *tracer)
{
	arrivals__attend(&tracer->arrivals, ATTEND_FIRST_NS);
	loader__activate(tracer->loader);
	tracer->runtimes.active = true;
}

int tracer__fd(const struct tracer *tracer)
{
	return tracer->epoll_fd;
}

/* Losses are to be known soon: while records come in, and when they have ceased. */
static void refresh_counters(struct tracer *tracer, bool ceased)
{
	if (!tracer->counters_stale)
		return;
	if (ceased || clock__now_ns() - tracer->counters_ns > COUNTERS_NS)
		tracer__report_counters(tracer);
}

bool tracer__dispatch(struct tracer *tracer)
{
	bool attended;
	int drained;

	runtimes__take_rewrites(&tracer->runtimes);
	finder__drain(tracer->finder);
	attended = arrivals__attend(&tracer->arrivals, ATTEND_NS);
	drained = reader__drain(tracer->reader);
	if (!drained)
		drained = reader__sleep(tracer->reader);
	if (drained)
		tracer->counters_stale = true;
	refresh_counters(tracer, !drained);
	return !drained && attended;
}

void tracer__look_once_more(struct tracer *tracer)
{
	finder__drain(tracer->finder);
	arrivals__attend(&tracer->arrivals, ~0ull >> 1);
}

void tracer__take_census(struct tracer *tracer, pid_t pid, enum tt_census_reason reason,
			 const __u64 *known, size_t num, bool search)
{
	int err, late;

	err = survey__take(tracer->survey, pid, known, num, search, catch_up, tracer);
	late = reader__catch_up(tracer->reader);
	survey__settle(tracer->survey, pid, reason, err ? err : late);
}

static void report_loss(void *ctx, __u32 tgid, const struct tt_process *process)
{
	struct tracer *tracer = ctx;
	struct tt_record_process rec = {
		.h = written__head(TT_RECORD_PROCESS_LOST, (pid_t)tgid),
		.flags = process->flags,
		.exit_code = process->exit_code,
		.lost_other = process->lost_other,
	};

	if (process->flags & TT_PROCESS_ENDED)
		reader__catch_up(tracer->reader); /* all that it did comes before its end */
	rec.h.tid = tgid;
	rec.h.start_ns = process->start_ns;
	rec.h.lost_begin = process->lost_begin;
	rec.h.lost_end = process->lost_end;
	/* the record of its end may be among those that were lost */
	finder__note(tracer->finder, &rec.h);
	if (process->flags & TT_PROCESS_ENDED && tracer->stacks)
		stack_taker__end_process(tracer->stacks, &rec.h);
	tracer->on_record(tracer->ctx, &rec, sizeof(rec));
}

/* Who has lost what @counters tell of. */
static void report_losses(struct tracer *tracer, const struct tt_counters *counters)
{
	__u64 lost = 0;

	for (int kind = 0; kind < TT_RECORD_LIBRARY; kind++)
		lost += counters->lost[kind];
	if (lost != tracer->lost)
		loader__each_loss(tracer->loader, report_loss, tracer);
	tracer->lost = lost;
}

void tracer__report_counters(struct tracer *tracer)
{
	struct tt_record_counters rec = {};
	int err = loader__read_counters(tracer->loader, &rec.c);

	if (err) {
		pr_warn("cannot read the counters of lost records: %s", strerror(-err));
		return;
	}
	report_losses(tracer, &rec.c);
	rec.h = written__head(TT_RECORD_COUNTERS, 0);
	tracer->counters_ns = rec.h.ts_ns;
	tracer->counters_stale = false;
	tracer->on_record(tracer->ctx, &rec, sizeof(rec));
}

void tracer__stop(struct tracer *tracer)
{
	loader__deactivate(tracer->loader);
	loader__detach(tracer->loader);
	while (reader__drain(tracer->reader) > 0)
		;
	tracer__report_counters(tracer);
}

bool tracer__may_use_perf_events(const struct tracer *tracer)
{
	return loader__may_use_perf_events(tracer->loader);
}

void tracer__detach_library(struct tracer *tracer, __u16 layout)
{
	loader__detach_library(tracer->loader, layout);
}

bool tracer__missed_libraries(const struct tracer *tracer)
{
	return tracer->announcer.untraced.num;
}

unsigned int tracer__num_libraries(const struct tracer *tracer)
{
	return tracer->runtimes.num;
}

void tracer__free(struct tracer *tracer)
{
	if (!tracer)
		return;
	survey__free(tracer->survey);
	stack_taker__free(tracer->stacks);
	finder__free(tracer->finder);
	runtimes__done(&tracer->runtimes);
	arrivals__done(&tracer->arrivals);
	gap__done(&tracer->gap);
	discovery__free(tracer->discovery);
	reader__free(tracer->reader);
	loader__free(tracer->loader);
	if (tracer->epoll_fd >= 0)
		close(tracer->epoll_fd);
	free(tracer);
}
