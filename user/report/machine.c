// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "report/machine.h"

#include <errno.h>

#include "core/parts.h"
#include "lib/capability.h"
#include "report/check_line.h"
#include "target/host.h"

enum {
	WORDS_MAX = 512
};

static const char *say_privilege(const struct machine_facts *facts, char buf[WORDS_MAX])
{
	__u64 missing = capability__missing(facts->host->capabilities);
	char names[WORDS_MAX / 2];

	if (facts->bpf_err == -EOPNOTSUPP)
		return "the kernel has no BPF: processes cannot be traced, libraries can be checked";
	capability__names(names, sizeof(names), missing);
	if (facts->bpf_err)
		snprintf(buf, WORDS_MAX,
			 "BPF programs cannot be loaded: run as root (sudo) to trace; missing: %s",
			 missing ? names : "none, something else refuses it");
	else
		snprintf(buf, WORDS_MAX, "BPF programs can be loaded%s%s",
			 missing ? "; missing: " : "", missing ? names : "");
	return buf;
}

static const char *say_attach(const struct machine_facts *facts)
{
	if (!facts->host->has_sysfs)
		return "not known: /sys is not mounted";
	if (!facts->host->has_uprobes)
		return "no uprobes: processes cannot be traced (CONFIG_UPROBE_EVENTS)";
	if (facts->bpf_err)
		return "uprobes; whether uprobe_multi is there cannot be tried without privileges";
	return facts->uprobe_multi
		       ? "uprobe_multi"
		       : "perf events: attaching takes longer (uprobe_multi: Linux 6.6)";
}

static const char *say_types(const struct host *host)
{
	if (host->has_btf)
		return "BTF";
	return host->has_sysfs ? "no BTF: processes cannot be traced (CONFIG_DEBUG_INFO_BTF)"
			       : "not known: /sys is not mounted";
}

static const char *or_unknown(const char *text)
{
	return text[0] ? text : "not known";
}

/* What another one needs to know of this machine. */
static void print_details(FILE *out, const struct machine_facts *facts)
{
	const struct host *host = facts->host;

	fprintf(out, "  version  %s\n", host->version);
	fprintf(out, "  security lockdown %s, modules %s%s%s\n",
		host__lockdown_name(host->lockdown), or_unknown(host->modules),
		host->seccomp ? ", a seccomp filter" : "",
		host->user_namespace ? ", a user namespace" : "");
	fprintf(out,
		"  sysctl   kernel.unprivileged_bpf_disabled %d, kernel.perf_event_paranoid %d, "
		"kernel.yama.ptrace_scope %d (-1: not known)\n",
		host->unprivileged_bpf, host->perf_paranoid, host->ptrace_scope);
	fprintf(out, "  configuration\n%s", facts->config);
}

static int print_text(FILE *out, const struct machine_facts *facts)
{
	char words[WORDS_MAX];

	fprintf(out, "kernel     %s\n", facts->host->release);
	fprintf(out, "  preempts %s\n", or_unknown(facts->host->preemption));
	fprintf(out, "  attach   %s\n", say_attach(facts));
	fprintf(out, "  types    %s\n", say_types(facts->host));
	if (facts->config)
		print_details(out, facts);
	fprintf(out, "privilege  %s\n", say_privilege(facts, words));
	return ferror(out) ? -EIO : 0;
}

static void put_string(struct json_object *line, const char *key, const char *value)
{
	json_object_object_add(line, key, json_object_new_string(value));
}

static void put_details(struct json_object *line, const struct machine_facts *facts)
{
	const struct host *host = facts->host;

	put_string(line, "version", host->version);
	put_string(line, "lockdown", host__lockdown_name(host->lockdown));
	put_string(line, "modules", host->modules);
	json_object_object_add(line, "seccomp", json_object_new_boolean(host->seccomp));
	json_object_object_add(line, "user_namespace",
			       json_object_new_boolean(host->user_namespace));
	json_object_object_add(line, "unprivileged_bpf_disabled",
			       json_object_new_int(host->unprivileged_bpf));
	json_object_object_add(line, "perf_event_paranoid",
			       json_object_new_int(host->perf_paranoid));
	json_object_object_add(line, "ptrace_scope", json_object_new_int(host->ptrace_scope));
	put_string(line, "configuration", facts->config);
}

static int print_json(const struct check_stream *stream, const struct machine_facts *facts)
{
	struct json_object *line = check_line__new("kernel", stream->ts_ns);
	char words[WORDS_MAX];
	int err;

	put_string(line, "release", facts->host->release);
	json_object_object_add(line, "uprobes", json_object_new_boolean(facts->host->has_uprobes));
	json_object_object_add(line, "btf", json_object_new_boolean(facts->host->has_btf));
	put_string(line, "attach", say_attach(facts));
	put_string(line, "preemption", facts->host->preemption);
	if (facts->config)
		put_details(line, facts);
	err = check_line__print(stream->out, line);
	if (err)
		return err;
	line = check_line__new("privilege", stream->ts_ns);
	json_object_object_add(line, "ok", json_object_new_boolean(!facts->bpf_err));
	put_string(line, "why", say_privilege(facts, words));
	return check_line__print(stream->out, line);
}

int machine_report__print(const struct check_stream *stream, const struct machine_facts *facts)
{
	return stream->json ? print_json(stream, facts) : print_text(stream->out, facts);
}

static int print_mode_text(FILE *out, const struct mode_facts *facts)
{
	fprintf(out, "mode       %-22s %s", facts->options[0] ? facts->options : "(default)",
		facts->works ? "works" : "does not work");
	for (int part = 0; part < TT_PART_COUNT; part++) {
		if (facts->missing & 1u << part)
			fprintf(out, ", %s", part__loss(part));
	}
	if (facts->why[0])
		fprintf(out, ": %s", facts->why);
	fputc('\n', out);
	if (facts->advice)
		fprintf(out, "           %s\n", facts->advice);
	if (facts->log)
		fprintf(out, "  what the verifier says:\n%s\n", facts->log);
	return ferror(out) ? -EIO : 0;
}

static int print_mode_json(const struct check_stream *stream, const struct mode_facts *facts)
{
	struct json_object *line = check_line__new("mode", stream->ts_ns);
	struct json_object *missing = json_object_new_array();

	put_string(line, "options", facts->options);
	json_object_object_add(line, "works", json_object_new_boolean(facts->works));
	for (int part = 0; part < TT_PART_COUNT; part++) {
		if (facts->missing & 1u << part)
			json_object_array_add(missing, json_object_new_string(part__name(part)));
	}
	json_object_object_add(line, "missing", missing);
	if (facts->why[0])
		put_string(line, "why", facts->why);
	if (facts->advice)
		put_string(line, "advice", facts->advice);
	if (facts->log)
		put_string(line, "log", facts->log);
	return check_line__print(stream->out, line);
}

int machine_report__print_mode(const struct check_stream *stream, const struct mode_facts *facts)
{
	return stream->json ? print_mode_json(stream, facts) : print_mode_text(stream->out, facts);
}
