/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Processes and the files that they map, as /proc tells it. It opens no ELF file and prints
 * nothing. A process may end at any moment: that is an ordinary result here (-ESRCH), no error.
 */
#ifndef TTTRACE_PROC_H
#define TTTRACE_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <linux/types.h>

/* A file that a process maps for execution. */
struct proc_mapping {
	pid_t pid;
	__u64 start; /* address range in the process */
	__u64 end;
	__u64 offset; /* of its begin in the file */
	__u64 inode;  /* of the file; 0: not known */
	/* the kernel's own name of the file, only to compare with what comes out of the same place
	 */
	__u64 file[2];
	const char *name; /* as the process sees it, without " (deleted)" */
	__u64 ts_ns;	  /* CLOCK_BOOTTIME: when it was mapped; 0: not known */
};

/* Are both of the same file, by the kernel's name and by the process's? */
bool proc__is_same_file(const struct proc_mapping *a, const struct proc_mapping *b);

/* Returns 0 to go on, anything else to stop; that is then what the iteration returns. */
typedef int (*proc_mapping_fn)(void *ctx, const struct proc_mapping *mapping);
typedef int (*proc_pid_fn)(void *ctx, pid_t pid);

/*
 * Calls @fn for each executable file mapping of @pid.
 * Returns what @fn returned; -ESRCH: no such process, or one that has ended meanwhile, and those
 * were not all; -EACCES, …: its maps may not be read.
 */
int proc__each_mapping(pid_t pid, proc_mapping_fn fn, void *ctx);

/*
 * Writable private memory of @pid that no file backs: the heap, arenas, stacks. Mappings that the
 * kernel made are not among them.
 */
struct proc_area {
	__u64 start, end;
	bool is_heap; /* what brk(2) moves */
};

/*
 * Collects them, to be freed. Returns 0; -ESRCH: no such process, or it has ended meanwhile;
 * -EACCES, …; -ENOMEM.
 */
int proc__areas(pid_t pid, struct proc_area **ret_areas, size_t *ret_count);

/* Calls @fn for each process (thread group) that there is. Returns what @fn returned or -errno. */
int proc__each_pid(proc_pid_fn fn, void *ctx);

/* Whether @pid is a process that has not ended (a zombie has), not a mere thread of one. */
bool proc__exists(pid_t pid);

enum {
	PROC_COMM_SIZE = 16 /* TASK_COMM_LEN, with the 0 at its end */
};

/* The command name of @pid. Returns 0 or -ESRCH. */
int proc__comm(pid_t pid, char ret_comm[PROC_COMM_SIZE]);

/*
 * The PID namespace that we are in: its inode, or 0 if it is the initial one. Returns 0; -EXDEV:
 * /proc shows another one, so that its PIDs and ours are not the same; -errno.
 */
int proc__pid_namespace(__u32 *ret_inode);

/* When @pid began, in ticks of the clock: tells it from another that has its PID. 0: it has ended.
 */
__u64 proc__start(pid_t pid);

/* The parent of @pid; -ESRCH when it has ended. */
int proc__parent(pid_t pid, pid_t *ret_parent);

/*
 * Has @pid the address space that @parent had when it forked, that is, has it not called exec
 * since? Told by where stack and heap begin (proc_pid_stat(5): startstack, start_brk), which exec
 * chooses at random. false also when it cannot be read, or is not chosen at random here.
 */
bool proc__is_forked(pid_t pid, pid_t parent);

/* Does @pid run although /proc does not show it? See hidepid= in proc(5). */
bool proc__is_hidden(pid_t pid);

/*
 * Opens the file that @mapping maps, although it may be deleted, replaced, or in another mount
 * namespace: by /proc/PID/map_files/… (needs CAP_SYS_ADMIN), else /proc/PID/root/NAME, else, when
 * the process is ending or has ended, by NAME as it is found here, if that is the same inode.
 * Returns 0 with the descriptor, which the caller closes, or -errno.
 */
int proc__open_mapped(const struct proc_mapping *mapping, int *ret_fd);

/*
 * Opens the root directory of @pid, which differs from ours in another mount namespace; 0: ours.
 * Only to find other files by. Returns 0 with the descriptor, which the caller closes, or -errno.
 */
int proc__open_root(pid_t pid, int *ret_fd);

/*
 * Opens a regular file, to be read, by its absolute @path below that directory: no link leads out
 * of it. -ENOENT: nothing is there, or something else, which is then not opened: who opens a FIFO
 * waits, and a device may do something.
 */
int proc__open_regular(int root_fd, const char *path, int *ret_fd);

#endif
