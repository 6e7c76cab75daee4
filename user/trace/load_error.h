/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Why the kernel refused a BPF program or a probe, and what the user can do about it: from the
 * error, the kernel's own words and what is known of the machine. Pure: it reads nothing and
 * prints nothing.
 */
#ifndef TTTRACE_LOAD_ERROR_H
#define TTTRACE_LOAD_ERROR_H

#include <stdbool.h>
#include <stddef.h>

struct host;

enum {
	LOAD_NAME_SIZE = 32,
	LOAD_WORDS_SIZE = 512,
	LOAD_TEXT_SIZE = 1024,
};

/* What failed. */
enum load_step {
	LOAD_STEP_LOAD,	    /* programs and maps */
	LOAD_STEP_ATTACH,   /* to a library or a tracepoint */
	LOAD_STEP_PROBES,   /* to a library, by a perf event for each probe */
	LOAD_STEP_MAPPINGS, /* the perf events that report new mappings */
};

enum load_cause {
	LOAD_CAUSE_OTHER,
	LOAD_CAUSE_VERIFIER, /* the kernel's verifier refuses the program */
	LOAD_CAUSE_CAPABILITIES,
	LOAD_CAUSE_ADMIN, /* perf events are probes only with CAP_SYS_ADMIN */
	LOAD_CAUSE_USER_NAMESPACE,
	LOAD_CAUSE_LOCKDOWN,
	LOAD_CAUSE_SECCOMP,
	LOAD_CAUSE_SECURITY_MODULE,
	LOAD_CAUSE_NO_SYSFS,
	LOAD_CAUSE_NO_BTF,
	LOAD_CAUSE_NO_BPF,
	LOAD_CAUSE_NO_UPROBES,
	LOAD_CAUSE_OLD_KERNEL,
	LOAD_CAUSE_FILES,     /* too many open files */
	LOAD_CAUSE_MEMORY,    /* not enough memory */
	LOAD_CAUSE_LIBRARIES, /* more different libraries than there are places for */
	LOAD_CAUSE_COUNT
};

struct load_failure {
	int err; /* -errno; 0: nothing failed */
	enum load_step step;
	char program[LOAD_NAME_SIZE]; /* that was refused; "": not known, or none */
	char words[LOAD_WORDS_SIZE];  /* what the kernel or libbpf said last; "": nothing */
	bool is_verifier;	      /* they are the verifier's */
	char *log;		      /* all that the verifier said; NULL: nothing */
};

void load_failure__done(struct load_failure *failure);

/*
 * The deciding words of a verifier's log: its last lines that are neither statistics nor the state
 * of registers, the last one first if there are several. Returns whether there are any.
 */
bool load_error__last_words(const char *log, char *buf, size_t size);

enum load_cause load_error__cause(const struct load_failure *failure, const struct host *host);

/* Could it work with less? Not where something is missing that every program needs. */
bool load_error__may_do_with_less(enum load_cause cause);

/* In words, without a full stop: why, in @buf, which it returns; and what to do about it. */
const char *load_error__why(const struct load_failure *failure, const struct host *host, char *buf,
			    size_t size);
const char *load_error__advice(enum load_cause cause);

#endif
