/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Scope guards: a resource declared with one of these is released when its scope is left. A leaf.
 * To keep it beyond the scope, take it out with no_cleanup_ptr() or no_cleanup_fd().
 */
#ifndef TTTRACE_CLEANUP_H
#define TTTRACE_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(fn) __attribute__((cleanup(fn)))

static inline void free_p(void *p)
{
	free(*(void **)p);
}

static inline void close_p(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void fclose_p(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void closedir_p(DIR **d)
{
	if (*d)
		closedir(*d);
}

#define _cleanup_free_	   _cleanup_(free_p)
#define _cleanup_close_	   _cleanup_(close_p)
#define _cleanup_fclose_   _cleanup_(fclose_p)
#define _cleanup_closedir_ _cleanup_(closedir_p)

#define no_cleanup_ptr(p)                                                                          \
	({                                                                                         \
		__typeof__(p) __keep = (p);                                                        \
		(p) = NULL;                                                                        \
		__keep;                                                                            \
	})

#define no_cleanup_fd(fd)                                                                          \
	({                                                                                         \
		int __keep = (fd);                                                                 \
		(fd) = -1;                                                                         \
		__keep;                                                                            \
	})

#endif
