// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "report/machine.h"

#include <errno.h>
#include <json-c/json.h>

static const char *say_privilege(const struct machine_facts *facts)
{
	switch (facts->bpf_err) {
	case 0:
		return "BPF programs can be loaded";
	case -EOPNOTSUPP:
		return "the kernel has no BPF: processes cannot be traced, libraries can be checked";
	}
	return "BPF programs cannot be loaded: run as root (sudo) to trace";
}

static const char *say_attach(const struct machine_facts *facts)
{
	if (!facts->uprobes)
		return "no uprobes: processes cannot be traced (CONFIG_UPROBE_EVENTS)";
	if (facts->bpf_err)
		return "uprobes; whether uprobe_multi is there cannot be tried without privileges";
	return facts->uprobe_multi
		       ? "uprobe_multi"
		       : "perf events: attaching takes longer (uprobe_multi: Linux 6.6)";
}

static void print_text(FILE *out, const struct machine_facts *facts)
{
	fprintf(out, "kernel     %s\n", facts->release);
	fprintf(out, "  attach   %s\n", say_attach(facts));
	fprintf(out, "  types    %s\n",
		facts->btf ? "BTF"
			   : "no BTF: fork and exit cannot be followed (CONFIG_DEBUG_INFO_BTF)");
	fprintf(out, "privilege  %s\n", say_privilege(facts));
}

static void print_line(FILE *out, struct json_object *line)
{
	fprintf(out, "%s\n", json_object_to_json_string_ext(line, JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(line);
}

static struct json_object *new_line(const char *item)
{
	struct json_object *line = json_object_new_object();

	json_object_object_add(line, "event", json_object_new_string("check"));
	json_object_object_add(line, "item", json_object_new_string(item));
	return line;
}

static void print_json(FILE *out, const struct machine_facts *facts)
{
	struct json_object *line = new_line("kernel");

	json_object_object_add(line, "release", json_object_new_string(facts->release));
	json_object_object_add(line, "uprobes", json_object_new_boolean(facts->uprobes));
	json_object_object_add(line, "btf", json_object_new_boolean(facts->btf));
	json_object_object_add(line, "attach", json_object_new_string(say_attach(facts)));
	print_line(out, line);
	line = new_line("privilege");
	json_object_object_add(line, "ok", json_object_new_boolean(!facts->bpf_err));
	json_object_object_add(line, "why", json_object_new_string(say_privilege(facts)));
	print_line(out, line);
}

int machine_report__print(FILE *out, bool json, const struct machine_facts *facts)
{
	if (json)
		print_json(out, facts);
	else
		print_text(out, facts);
	return ferror(out) ? -EIO : 0;
}
