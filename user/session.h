/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * One tracing session, from options to exit status: it wires the tracer to the ledger and the
 * ledger to a sink, and owns the one loop (records, signals, timers, the ends of processes). It
 * knows neither ELF nor BPF programs nor output formats.
 */
#ifndef TTTRACE_SESSION_H
#define TTTRACE_SESSION_H

struct options;

/* Runs the session to its end. Returns the exit status (enum exit_status, or the command's). */
int session__run(const struct options *opts);

#endif
