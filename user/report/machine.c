// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "report/machine.h"

#include <errno.h>

#include "report/check_line.h"

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

static int print_json(FILE *out, __u64 ts_ns, const struct machine_facts *facts)
{
	struct json_object *line = check_line__new("kernel", ts_ns);
	int err;

	json_object_object_add(line, "release", json_object_new_string(facts->release));
	json_object_object_add(line, "uprobes", json_object_new_boolean(facts->uprobes));
	json_object_object_add(line, "btf", json_object_new_boolean(facts->btf));
	json_object_object_add(line, "attach", json_object_new_string(say_attach(facts)));
	err = check_line__print(out, line);
	if (err)
		return err;
	line = check_line__new("privilege", ts_ns);
	json_object_object_add(line, "ok", json_object_new_boolean(!facts->bpf_err));
	json_object_object_add(line, "why", json_object_new_string(say_privilege(facts)));
	return check_line__print(out, line);
}

int machine_report__print(FILE *out, bool json, __u64 ts_ns, const struct machine_facts *facts)
{
	if (json)
		return print_json(out, ts_ns, facts);
	print_text(out, facts);
	return ferror(out) ? -EIO : 0;
}
