/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What libbpf says: it goes to our log, one level down, since what it calls a warning is often only
 * its view; and while a load is watched, what was wrong is kept. libbpf makes the room for the
 * verifier's log itself, as much as there is, but only when a program was refused.
 *
 * libbpf hands no context to its printing function: so which load is watched is a global, the only
 * one beside the level of the log. Programs are loaded by one thread, one at a time.
 */
#ifndef TTTRACE_LIBBPF_LOG_H
#define TTTRACE_LIBBPF_LOG_H

struct load_failure;

/* From now on libbpf's messages come here. May be called again. */
void libbpf_log__init(void);

/*
 * Until the end, .program, .words and .log of @failure become what libbpf tells of the first thing
 * that goes wrong. @failure is empty, and the caller's.
 */
void libbpf_log__watch(struct load_failure *failure);
void libbpf_log__end_watch(void);

#endif
