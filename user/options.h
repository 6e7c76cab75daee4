/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The command line, parsed once into one struct that is passed on as const. Alone it knows argp.
 */
#ifndef TTTRACE_OPTIONS_H
#define TTTRACE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/filter.h"
#include "report/sink.h"

/* The exit status of tttrace; with a command, the command's own (128 + signal). */
enum exit_status {
	EXIT_OK = 0,
	EXIT_ERROR = 1, /* an internal or system error */
	EXIT_USAGE = 2,
	EXIT_NOTHING = 3,	   /* nothing to attach to */
	EXIT_INCOMPLETE = 4,	   /* loss that could not be repaired */
	EXIT_NOT_EXECUTABLE = 126, /* as the shell has them */
	EXIT_NOT_FOUND = 127,
};

enum {
	STACK_DEPTH_MAX = 512, /* frames of a stack, and that are kept: UNWIND_FRAMES_MAX */
	TOP = 10,
};

struct options {
	pid_t *pids;
	size_t num_pids;
	char **command; /* NULL-terminated; NULL: none */
	bool check;
	const char *check_target; /* a file or a PID; NULL: the machine only */
	bool json;
	enum folded_what folded; /* FOLDED_NONE: another format */
	bool quiet;
	bool verbose;
	bool debug;	     /* what libbpf says as well */
	const char *output;  /* NULL: stdout */
	double interval_s;   /* 0: none */
	double duration_s;   /* 0: until it ends */
	double audit_s;	     /* between two comparisons with the allocators; 0: none */
	pid_t snapshot_pid;  /* 0: none */
	int error_exitcode;  /* 0: leaks do not change the exit status */
	size_t ring_size;    /* bytes */
	__u32 max_processes; /* traced at once */
	__u32 stack_depth;   /* frames that are kept of the stack of an allocation; 0: none */
	bool no_stacks;
	__u32 top;	  /* stacks that are shown of a list */
	__u32 top_peak;	  /* see struct sink_opts */
	bool perf_events; /* do not use uprobe_multi */
	enum tt_mode mode;
	/* a file of known leaks; NULL: none */
	const char *suppressions;
	struct filter filter;
	__u32 chips[TT_MAX_CHIPS]; /* what filter.chips points to */
};

/* Parses; prints and exits by itself for --help, --version and wrong usage. Returns 0 or -ENOMEM.
 */
int options__parse(int argc, char **argv, struct options *ret_opts);
void options__done(struct options *opts);

#endif
