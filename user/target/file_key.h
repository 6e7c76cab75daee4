/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Tells one regular file from another, also from what the same name led to before. A leaf. */
#ifndef TTTRACE_FILE_KEY_H
#define TTTRACE_FILE_KEY_H

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <linux/types.h>

struct file_key {
	__u64 dev;
	__u64 ino;
	__u64 size; /* bytes */
	__s64 changed_sec;
	__s64 changed_nsec;
};

/* Of the file that @fd is open on. Returns 0; -ENOENT: no regular file; -errno. */
static inline int file_key__read(int fd, struct file_key *ret_key)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOENT; /* a device: opening it again might do something */
	memset(ret_key, 0, sizeof(*ret_key));
	ret_key->dev = st.st_dev;
	ret_key->ino = st.st_ino;
	ret_key->size = st.st_size;
	/* not the time of change of the inode: unlinking the file would change that */
	ret_key->changed_sec = st.st_mtim.tv_sec;
	ret_key->changed_nsec = st.st_mtim.tv_nsec;
	return 0;
}

#endif
