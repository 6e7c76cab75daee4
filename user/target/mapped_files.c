// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/mapped_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/cleanup.h"
#include "lib/table.h"
#include "target/proc.h"

/* A file as one way of mapping it names it. */
struct seen_file {
	UT_hash_handle hh;
	__u64 id[2];
	char name[];
};

struct finding {
	struct mapped_file *files;
	size_t count;
	struct seen_file *seen; /* by name; of one name the last */
};

static bool is_known(const struct finding *finding, const struct proc_mapping *mapping)
{
	struct seen_file *seen;

	HASH_FIND_STR(finding->seen, mapping->name, seen);
	return seen && !memcmp(seen->id, mapping->file, sizeof(seen->id));
}

static int remember(struct finding *finding, const struct proc_mapping *mapping)
{
	size_t size = strlen(mapping->name) + 1;
	struct seen_file *seen;

	HASH_FIND_STR(finding->seen, mapping->name, seen);
	if (!seen) {
		seen = calloc(1, sizeof(*seen) + size);
		if (!seen)
			return -ENOMEM;
		memcpy(seen->name, mapping->name, size);
		HASH_ADD_STR(finding->seen, name, seen);
		if (!table__has(seen)) {
			free(seen);
			return -ENOMEM;
		}
	}
	memcpy(seen->id, mapping->file, sizeof(seen->id));
	return 0;
}

static void mark(struct finding *finding, const struct stat *st)
{
	for (size_t i = 0; i < finding->count; i++)
		finding->files[i].is_mapped |=
			finding->files[i].dev == st->st_dev && finding->files[i].ino == st->st_ino;
}

static int look_at(void *ctx, const struct proc_mapping *mapping)
{
	struct finding *finding = ctx;
	_cleanup_close_ int fd = -1;
	struct stat st;
	int err;

	if (is_known(finding, mapping))
		return 0;
	err = proc__open_mapped(mapping, &fd);
	if (err || fstat(fd, &st))
		return 0;
	mark(finding, &st);
	return remember(finding, mapping);
}

/* Who may not be looked at by root is one of the host's own. */
static int look_at_process(void *ctx, pid_t pid)
{
	int err = proc__each_mapping(pid, look_at, ctx);

	return err == -ENOMEM ? err : 0;
}

int mapped_files__find(struct mapped_file *files, size_t count)
{
	struct finding finding = { files, count, NULL };
	struct seen_file *seen, *next;
	int err;

	for (size_t i = 0; i < count; i++)
		files[i].is_mapped = false;
	err = proc__each_pid(look_at_process, &finding);
	HASH_ITER (hh, finding.seen, seen, next) {
		HASH_DEL(finding.seen, seen);
		free(seen);
	}
	return err;
}
