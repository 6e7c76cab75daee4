// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* What /proc tells of processes that end while it is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "target/proc.h"

enum {
	PAGE = 4096,
	MANY = 1000, /* mappings, of which /proc tells some forty at once */
};

/* --- what it maps ---------------------------------------------------------------------------- */

/* Pages of this program's file, each a mapping of its own. */
static void map_many(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	char *room = mmap(NULL, 2 * MANY * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (int i = 0; i < MANY; i++)
		if (mmap(room + 2 * i * PAGE, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED,
			 fd, 0) == MAP_FAILED)
			_exit(1);
	close(fd);
}

/* A process that maps a lot, and waits. */
static pid_t start_large(void)
{
	int ready[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		map_many();
		if (write(ready[1], "r", 1) == 1)
			pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static int count(void *ctx, const struct proc_mapping *mapping)
{
	(void)mapping;
	(*(int *)ctx)++;
	return 0;
}

static int end_at_first(void *ctx, const struct proc_mapping *mapping)
{
	int *num = ctx;

	if (!(*num)++)
		end(mapping->pid);
	return 0;
}

static void of_a_process_all_that_it_maps_is_told(void **state)
{
	pid_t pid = start_large();
	int num = 0;

	(void)state;
	assert_int_equal(proc__each_mapping(pid, count, &num), 0);
	assert_true(num > MANY);
	end(pid);
}

static void of_a_process_that_ends_meanwhile_a_part_is_not_taken_for_all(void **state)
{
	pid_t pid = start_large();
	int num = 0;

	(void)state;
	assert_int_equal(proc__each_mapping(pid, end_at_first, &num), -ESRCH);
	assert_true(num > 0 && num < MANY);
}

static void a_process_that_has_ended_maps_nothing_and_then_is_none(void **state)
{
	int num = 0, status;
	pid_t pid = fork();
	siginfo_t info;

	(void)state;
	if (!pid)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(proc__each_mapping(pid, count, &num), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(proc__each_mapping(pid, count, &num), -ESRCH);
	assert_int_equal(num, 0);
}

/* --- its files ------------------------------------------------------------------------------- */

static pid_t ended_process(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return pid;
}

static void of_a_process_that_has_ended_a_file_is_found_by_its_name_if_it_is_still_it(void **state)
{
	char name[] = "/tmp/tttrace-test-XXXXXX", other[] = "/tmp/tttrace-test-XXXXXX";
	struct proc_mapping mapping = { .pid = ended_process(), .end = PAGE, .name = name };
	int fd = mkstemp(name), other_fd = mkstemp(other);
	struct stat st;

	(void)state;
	assert_true(fd >= 0 && other_fd >= 0 && !fstat(fd, &st));
	close(other_fd);
	mapping.inode = st.st_ino;
	assert_int_equal(proc__open_mapped(&mapping, &other_fd), 0);
	close(other_fd);
	/* fd holds the inode: nobody else gets its number */
	assert_int_equal(rename(other, name), 0);
	assert_int_equal(proc__open_mapped(&mapping, &other_fd), -ENOENT);
	close(fd);
	unlink(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_a_process_all_that_it_maps_is_told),
		cmocka_unit_test(of_a_process_that_ends_meanwhile_a_part_is_not_taken_for_all),
		cmocka_unit_test(a_process_that_has_ended_maps_nothing_and_then_is_none),
		cmocka_unit_test(
			of_a_process_that_has_ended_a_file_is_found_by_its_name_if_it_is_still_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
