/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Files that have probes, and are written to. The kernel keeps a probe at its place in the file and
 * sets it in whatever lies there when a process maps it: in the midst of another instruction, of
 * which the process dies. So a file that is written to must give its probes back at once; see
 * inotify(7). What writes through a mapping of the file is not told of.
 */
#ifndef TTTRACE_REWRITES_H
#define TTTRACE_REWRITES_H

/* Returns a file descriptor that is readable when a file was written to, to be closed; -errno. */
int rewrites__open(void);

/* Returns a number for the file at @path, which is watched from now on; -errno. */
int rewrites__watch(int fd, const char *path);
void rewrites__forget(int fd, int number);

/* Returns the number of the next file that was written to, which is watched still; 0: none was. */
int rewrites__next(int fd);

#endif
