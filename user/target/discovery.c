// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/discovery.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/table.h"
#include "target/file_key.h"
#include "target/library.h"

struct known_file {
	struct file_key key;
	enum library_kind kind;
	int tag;
	UT_hash_handle hh;
};

struct discovery {
	discovery_fn fn;
	discovery_unread_fn unread;
	void *ctx;
	struct known_file *files;
};

int discovery__new(discovery_fn fn, discovery_unread_fn unread, void *ctx,
		   struct discovery **ret_discovery)
{
	struct discovery *discovery = calloc(1, sizeof(*discovery));

	if (!discovery)
		return -ENOMEM;
	discovery->fn = fn;
	discovery->unread = unread;
	discovery->ctx = ctx;
	*ret_discovery = discovery;
	return 0;
}

void discovery__free(struct discovery *discovery)
{
	struct known_file *file, *next;

	if (!discovery)
		return;
	HASH_ITER (hh, discovery->files, file, next) {
		HASH_DEL(discovery->files, file);
		free(file);
	}
	free(discovery);
}

void discovery__forget(struct discovery *discovery, int tag)
{
	struct known_file *file, *next;

	HASH_ITER (hh, discovery->files, file, next) {
		if (file->tag != tag)
			continue;
		HASH_DEL(discovery->files, file);
		free(file);
	}
}

static int know_file(struct discovery *discovery, int fd, const char *path,
		     struct known_file **ret_file, bool *ret_new)
{
	struct known_file *file;
	struct file_key key;
	int err = file_key__read(fd, &key), kind;

	if (err)
		return err;
	HASH_FIND(hh, discovery->files, &key, sizeof(key), file);
	*ret_new = !file;
	if (!file) {
		kind = library__kind(path);
		if (kind < 0)
			return kind;
		file = calloc(1, sizeof(*file));
		if (!file)
			return -ENOMEM;
		file->key = key;
		file->kind = (enum library_kind)kind;
		/* if that fails the file stays unknown: it is looked at again */
		HASH_ADD(hh, discovery->files, key, sizeof(key), file);
	}
	*ret_file = file;
	return 0;
}

/* A process that has ended meanwhile, with its mappings, is no error. */
static int fail(const struct discovery *discovery, const struct proc_mapping *mapping, int err)
{
	if (err == -ENOENT || err == -ESRCH)
		return 0;
	discovery->unread(discovery->ctx, mapping, err);
	return err;
}

/*
 * The file is held open from here on: the process may end, and its /proc with it, before the
 * probes are in place.
 */
static int look_at(struct discovery *discovery, const struct proc_mapping *mapping, discovery_fn fn,
		   void *ctx)
{
	struct discovery_find find = { .pid = mapping->pid,
				       .name = mapping->name,
				       .mapping = mapping };
	_cleanup_close_ int fd = -1;
	struct known_file *file;
	char path[64];
	int err;

	err = proc__open_mapped(mapping, &fd);
	if (err)
		return fail(discovery, mapping, err);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	find.path = path;
	err = know_file(discovery, fd, path, &file, &find.is_new);
	if (err)
		return fail(discovery, mapping, err);
	find.tag = &file->tag;
	find.is_stripped = file->kind == LIBRARY_STRIPPED;
	if (file->kind != LIBRARY_OTHER && fn(ctx, &find)) {
		HASH_DEL(discovery->files, file);
		free(file);
	}
	return 0;
}

int discovery__look_at(struct discovery *discovery, const struct proc_mapping *mapping)
{
	return look_at(discovery, mapping, discovery->fn, discovery->ctx);
}

/* Through the mappings of a process. */
struct look {
	struct discovery *discovery;
	discovery_fn fn;
	void *ctx;
	unsigned int num_finds;
};

static int count_find(void *ctx, const struct discovery_find *find)
{
	struct look *look = ctx;

	look->num_finds++;
	return look->fn(look->ctx, find);
}

static int look_at_mapping(void *ctx, const struct proc_mapping *mapping)
{
	struct look *look = ctx;
	int err = look_at(look->discovery, mapping, count_find, look);

	if (look->num_finds > DISCOVERY_FINDS_MAX)
		return -E2BIG;
	return err == -ENOMEM ? err : 0;
}

int discovery__each_runtime(struct discovery *discovery, pid_t pid, discovery_fn fn, void *ctx)
{
	struct look look = { discovery, fn, ctx, 0 };

	return proc__each_mapping(pid, look_at_mapping, &look);
}

int discovery__scan_process(struct discovery *discovery, pid_t pid)
{
	return discovery__each_runtime(discovery, pid, discovery->fn, discovery->ctx);
}
