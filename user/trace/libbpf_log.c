// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "trace/libbpf_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "lib/cleanup.h"
#include "lib/log.h"
#include "trace/load_error.h"

static struct load_failure *watched;

static const char log_begin[] = "-- BEGIN PROG LOAD LOG --\n";
static const char log_end[] = "-- END PROG LOAD LOG --";

enum {
	SHOWN_SIZE = 512 /* with -v; all of it with -vv */
};

/* "libbpf: prog 'on_probe': …", bpf_object_load_prog() of libbpf.c */
static void keep_program(struct load_failure *failure, const char *message)
{
	const char *name = strstr(message, "prog '");
	size_t len;

	if (!name || failure->program[0])
		return;
	name += strlen("prog '");
	len = strcspn(name, "'");
	if (len < sizeof(failure->program))
		snprintf(failure->program, sizeof(failure->program), "%.*s", (int)len, name);
}

static void keep_log(struct load_failure *failure, const char *log)
{
	const char *end = strstr(log, log_end);
	char words[LOAD_WORDS_SIZE];

	if (failure->log)
		return;
	failure->log = strndup(log, end ? (size_t)(end - log) : strlen(log));
	if (!failure->log || !load_error__last_words(failure->log, words, sizeof(words)))
		return;
	memcpy(failure->words, words, sizeof(words));
	failure->is_verifier = true;
}

/* The first warning tells of the cause, later ones of what it led to. */
static void keep_words(struct load_failure *failure, const char *message)
{
	const char *text = message;

	if (failure->words[0])
		return;
	if (!strncmp(text, "libbpf: ", 8))
		text += 8;
	snprintf(failure->words, sizeof(failure->words), "%.*s", (int)strcspn(text, "\n"), text);
}

static void keep(struct load_failure *failure, const char *message)
{
	const char *log = strstr(message, log_begin);

	if (strstr(message, "BPF program load failed"))
		keep_program(failure, message);
	else if (log)
		keep_log(failure, log + strlen(log_begin));
	else
		keep_words(failure, message);
}

static void show(enum log_level level, char *message)
{
	size_t len = strlen(message);

	while (len && message[len - 1] == '\n')
		message[--len] = '\0';
	/* what decides is at the end */
	if (len > SHOWN_SIZE && log__level() < LOG_LEVEL_DEBUG)
		log__print(level, "… %s", message + len - SHOWN_SIZE);
	else
		log__print(level, "%s", message);
}

static int print_libbpf(enum libbpf_print_level libbpf_level, const char *fmt, va_list ap)
{
	enum log_level level = libbpf_level == LIBBPF_WARN ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG;
	bool kept = watched && libbpf_level == LIBBPF_WARN;
	_cleanup_free_ char *message = NULL;

	if ((!kept && log__level() < level) || vasprintf(&message, fmt, ap) < 0)
		return 0;
	if (kept)
		keep(watched, message);
	show(level, message);
	return 0;
}

void libbpf_log__init(void)
{
	libbpf_set_print(print_libbpf);
}

void libbpf_log__watch(struct load_failure *failure)
{
	watched = failure;
}

void libbpf_log__end_watch(void)
{
	watched = NULL;
}
