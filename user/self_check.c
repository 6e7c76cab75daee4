// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "self_check.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/parse.h"
#include "options.h"
#include "report/check.h"
#include "report/machine.h"
#include "target/discovery.h"
#include "target/library.h"
#include "trace/features.h"

struct process_check {
	const struct options *opts;
	unsigned int num_libraries;
	int err;
};

static void check_machine(const struct options *opts)
{
	struct utsname uts;
	struct machine_facts facts = {
		.uprobes = features__uprobes(),
		.btf = features__btf(),
		.bpf_err = features__bpf(),
	};

	uname(&uts);
	facts.release = uts.release;
	facts.uprobe_multi = !facts.bpf_err && features__uprobe_multi();
	machine_report__print(stdout, opts->json, clock__now_ns(), &facts);
}

/* Prints the library at @path, which is shown as @name. */
static int check_library(const struct options *opts, const char *path, const char *name)
{
	struct library *lib;
	int err = library__open(path, name, &lib);

	if (err)
		return err;
	err = check__library(stdout, opts->json, clock__now_ns(), lib);
	library__free(lib);
	return err;
}

static int check_find(void *ctx, const struct discovery_find *find)
{
	struct process_check *check = ctx;

	if (!find->is_new)
		return 0;
	check->num_libraries++;
	check->err = check_library(check->opts, find->path, find->name);
	return 0;
}

static int check_process(const struct options *opts, pid_t pid)
{
	struct process_check check = { .opts = opts };
	struct discovery *discovery;
	int err = discovery__new(check_find, &check, &discovery);

	if (err)
		return EXIT_ERROR;
	err = discovery__scan_process(discovery, pid);
	discovery__free(discovery);
	if (err) {
		pr_err("cannot read what process '%d' maps: %s%s", pid, strerror(-err),
		       err == -EACCES ? "; run as root (sudo)" : "");
		return err == -ESRCH ? EXIT_NOTHING : EXIT_ERROR;
	}
	if (check.err)
		pr_err("cannot read a runtime of process '%d': %s", pid, strerror(-check.err));
	else if (!check.num_libraries)
		pr_err("process '%d' maps no Tenstorrent runtime", pid);
	return check.err ? EXIT_ERROR : check.num_libraries ? EXIT_OK : EXIT_NOTHING;
}

static int check_file(const struct options *opts, const char *path)
{
	int err = check_library(opts, path, path);

	switch (err) {
	case 0:
		return EXIT_OK;
	case -ENODATA:
		pr_err("'%s' is not a Tenstorrent runtime: it has no GraphTracker::track_allocate",
		       path);
		return EXIT_NOTHING;
	case -ENOEXEC:
		pr_err("'%s' is not an ELF file of this machine, or it is damaged", path);
		return EXIT_NOTHING;
	}
	pr_err("cannot read '%s': %s", path, strerror(-err));
	return EXIT_ERROR;
}

int self_check__run(const struct options *opts)
{
	const char *target = opts->check_target;
	long pid;

	check_machine(opts);
	if (!target)
		return EXIT_OK;
	if (!parse__number(target, 1, 1 << 22, &pid))
		return check_process(opts, pid);
	return check_file(opts, target);
}
