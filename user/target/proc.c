// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/proc.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "lib/array.h"
#include "lib/cleanup.h"

static const char deleted_mark[] = " (deleted)";

static FILE *open_proc_file(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return fopen(path, "re");
}

static void cut_deleted_mark(char *name)
{
	size_t len = strlen(name), mark = sizeof(deleted_mark) - 1;

	if (len > mark && !strcmp(name + len - mark, deleted_mark))
		name[len - mark] = '\0';
}

/*
 * Splits a line of /proc/PID/maps (proc(5)):
 *   7f0c84000000-7f0c84021000 r-xp 00001000 fe:00 1234   /usr/lib/libc.so.6
 * Returns whether it is an executable mapping of a file.
 */
static bool parse_maps_line(char *line, struct proc_mapping *ret_mapping)
{
	unsigned long long start, end, offset, inode;
	unsigned int major, minor;
	char perms[5];
	int name = 0;

	if (sscanf(line, "%llx-%llx %4s %llx %x:%x %llu %n", &start, &end, perms, &offset, &major,
		   &minor, &inode, &name) < 7)
		return false;
	if (!inode || perms[2] != 'x' || !name || line[name] != '/')
		return false;
	line[strcspn(line, "\n")] = '\0';
	cut_deleted_mark(line + name);
	ret_mapping->start = start;
	ret_mapping->end = end;
	ret_mapping->offset = offset;
	ret_mapping->inode = inode;
	ret_mapping->file[0] = (__u64)major << 32 | minor;
	ret_mapping->file[1] = inode;
	ret_mapping->name = line + name;
	return true;
}

/*
 * A file in /proc is read in pieces, and of a process that gives up its memory on the way the rest
 * is nothing, which looks like its end. While there is a first byte, there was a last one.
 */
static int check_whole(FILE *maps)
{
	bool has_lines = ftell(maps) > 0;
	char byte;

	if (ferror(maps))
		return errno == ESRCH || errno == ENOENT ? -ESRCH : -EIO;
	if (!has_lines)
		return 0; /* a thread of the kernel, a zombie */
	return pread(fileno(maps), &byte, 1, 0) == 1 ? 0 : -ESRCH;
}

bool proc__is_same_file(const struct proc_mapping *a, const struct proc_mapping *b)
{
	return !memcmp(a->file, b->file, sizeof(a->file)) && !strcmp(a->name, b->name);
}

int proc__each_mapping(pid_t pid, proc_mapping_fn fn, void *ctx)
{
	_cleanup_fclose_ FILE *maps = open_proc_file(pid, "maps");
	struct proc_mapping mapping = { .pid = pid };
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	int err = 0;

	if (!maps)
		return errno == ENOENT ? -ESRCH : -errno;
	while (!err && getline(&line, &size, maps) >= 0)
		if (parse_maps_line(line, &mapping))
			err = fn(ctx, &mapping);
	return err ? err : check_whole(maps);
}

/* The same lines; those without an inode are anonymous, and what has a name is a kind of its own.
 */
static bool parse_area(const char *line, struct proc_area *ret_area)
{
	unsigned long long start, end, inode;
	char perms[5], name[32] = "";

	if (sscanf(line, "%llx-%llx %4s %*x %*x:%*x %llu %31s", &start, &end, perms, &inode, name) <
	    4)
		return false;
	if (inode || perms[0] != 'r' || perms[1] != 'w' || perms[3] != 'p')
		return false;
	*ret_area = (struct proc_area){ start, end, !strcmp(name, "[heap]") };
	return end > start;
}

static int add_area(struct proc_area **areas, size_t count, const struct proc_area *area)
{
	struct proc_area *all = array__append(*areas, count, sizeof(*all));

	if (!all)
		return -ENOMEM;
	*areas = all;
	all[count] = *area;
	return 0;
}

int proc__areas(pid_t pid, struct proc_area **ret_areas, size_t *ret_count)
{
	_cleanup_fclose_ FILE *maps = open_proc_file(pid, "maps");
	_cleanup_free_ struct proc_area *areas = NULL;
	_cleanup_free_ char *line = NULL;
	size_t size = 0, count = 0;
	struct proc_area area;
	int err = 0;

	if (!maps)
		return errno == ENOENT ? -ESRCH : -errno;
	while (!err && getline(&line, &size, maps) >= 0)
		if (parse_area(line, &area))
			err = add_area(&areas, count++, &area);
	if (!err)
		err = check_whole(maps);
	if (err)
		return err;
	*ret_areas = no_cleanup_ptr(areas);
	*ret_count = count;
	return 0;
}

int proc__each_pid(proc_pid_fn fn, void *ctx)
{
	_cleanup_closedir_ DIR *dir = opendir("/proc");
	struct dirent *entry;
	int err = 0;

	if (!dir)
		return -errno;
	while (!err && (entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]))
			err = fn(ctx, atoi(entry->d_name));
	return err;
}

/* What stands behind "@key:" in /proc/PID/status. Returns 0 or -ESRCH. */
static int read_status(pid_t pid, const char *key, char *ret_value, size_t size)
{
	_cleanup_fclose_ FILE *status = open_proc_file(pid, "status");
	size_t len = strlen(key);
	char line[256];

	while (status && fgets(line, sizeof(line), status)) {
		if (strncmp(line, key, len) || line[len] != ':')
			continue;
		snprintf(ret_value, size, "%s", line + len + 1 + strspn(line + len + 1, " \t"));
		return 0;
	}
	return -ESRCH;
}

bool proc__exists(pid_t pid)
{
	char tgid[16], state[4];

	if (read_status(pid, "Tgid", tgid, sizeof(tgid)) || atoi(tgid) != pid)
		return false;
	return !read_status(pid, "State", state, sizeof(state)) && !strchr("ZX", state[0]);
}

int proc__comm(pid_t pid, char ret_comm[PROC_COMM_SIZE])
{
	_cleanup_fclose_ FILE *file = open_proc_file(pid, "comm");
	size_t size;

	memset(ret_comm, 0, PROC_COMM_SIZE);
	size = file ? fread(ret_comm, 1, PROC_COMM_SIZE, file) : 0;
	if (!size)
		return -ESRCH;
	ret_comm[size - 1] = '\0'; /* the line's end */
	return 0;
}

int proc__parent(pid_t pid, pid_t *ret_parent)
{
	char parent[16];
	int err = read_status(pid, "PPid", parent, sizeof(parent));

	if (!err)
		*ret_parent = atoi(parent);
	return err;
}

enum {
	STAT_FIRST = 3, /* the field behind the name in parentheses, proc_pid_stat(5) */
	STAT_STARTTIME = 22,
	STAT_STARTSTACK = 28,
	STAT_START_BRK = 47,
};

/* The fields of /proc/PID/stat up to that of number STAT_START_BRK, by their numbers. */
static bool read_stat(pid_t pid, unsigned long long ret_fields[STAT_START_BRK + 1])
{
	_cleanup_fclose_ FILE *stat = open_proc_file(pid, "stat");
	char line[2048], *rest, *field;

	if (!stat || !fgets(line, sizeof(line), stat) || !(rest = strrchr(line, ')')))
		return false;
	rest += strspn(rest, ") ");
	memset(ret_fields, 0, (STAT_START_BRK + 1) * sizeof(*ret_fields));
	for (int i = STAT_FIRST; i <= STAT_START_BRK && (field = strsep(&rest, " ")); i++)
		ret_fields[i] = strtoull(field, NULL, 10);
	return true;
}

__u64 proc__start(pid_t pid)
{
	unsigned long long fields[STAT_START_BRK + 1];

	return read_stat(pid, fields) ? fields[STAT_STARTTIME] : 0;
}

bool proc__is_forked(pid_t pid, pid_t parent)
{
	unsigned long long own[STAT_START_BRK + 1], its[STAT_START_BRK + 1];

	return read_stat(pid, own) && read_stat(parent, its) && own[STAT_STARTSTACK] &&
	       own[STAT_START_BRK] && own[STAT_STARTSTACK] == its[STAT_STARTSTACK] &&
	       own[STAT_START_BRK] == its[STAT_START_BRK];
}

int proc__pid_namespace(__u32 *ret_inode)
{
	/* PROC_PID_INIT_INO of linux/proc_ns.h; as the kernel's own, it is part of its ABI */
	const ino_t initial = 0xEFFFFFFC;
	char self[16] = "";
	struct stat st;

	if (stat("/proc/self/ns/pid", &st) || readlink("/proc/self", self, sizeof(self) - 1) < 0)
		return -errno;
	if (atoi(self) != getpid())
		return -EXDEV;
	*ret_inode = st.st_ino == initial ? 0 : st.st_ino;
	return 0;
}

/*
 * A process loses what it maps before it is seen to have ended, so its end is asked for only where
 * nothing else tells whether this is still the file. The device is not compared: the kernel tells
 * another one for files of overlayfs and btrfs than stat(2).
 */
static int open_by_name(const struct proc_mapping *mapping)
{
	struct stat st;
	int fd;

	if (!mapping->inode && proc__exists(mapping->pid))
		return -1;
	fd = open(mapping->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || !mapping->inode || (!fstat(fd, &st) && st.st_ino == mapping->inode))
		return fd;
	close(fd);
	errno = ENOENT;
	return -1;
}

int proc__open_mapped(const struct proc_mapping *mapping, int *ret_fd)
{
	char path[PATH_MAX + 64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/map_files/%llx-%llx", mapping->pid, mapping->start,
		 mapping->end);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		snprintf(path, sizeof(path), "/proc/%d/root%s", mapping->pid, mapping->name);
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	}
	if (fd < 0)
		fd = open_by_name(mapping);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

int proc__open_root(pid_t pid, int *ret_fd)
{
	char path[64] = "/";
	int fd;

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/root", pid);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

bool proc__is_hidden(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d", pid);
	return access(path, F_OK) && (!kill(pid, 0) || errno == EPERM);
}

int proc__open_regular(int root_fd, const char *path, int *ret_fd)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
	_cleanup_close_ int found = -1;
	char again[64];
	struct stat st;
	int fd;

	found = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
	if (found < 0 || fstat(found, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOENT;
	snprintf(again, sizeof(again), "/proc/self/fd/%d", found);
	fd = open(again, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}
