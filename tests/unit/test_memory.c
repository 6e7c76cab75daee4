// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Reading memory from outside: this process is the other one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "target/memory.h"

static void memory_that_was_never_used_is_not_touched(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size, word;
	char *map =
		mmap(NULL, 8 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	__u64 begin = (__u64)map, start;
	struct memory *memory;

	(void)state;
	assert_ptr_not_equal(map, MAP_FAILED);
	map[3 * page] = 1;
	assert_int_equal(memory__open(getpid(), &memory), 0);
	assert_int_equal(memory__read(memory, begin, &word, sizeof(word)), -EFAULT);
	assert_int_equal(memory__read(memory, begin + 3 * page, &word, sizeof(word)), 0);
	assert_int_equal(word, 1);
	/* across the end of what is there */
	assert_int_equal(memory__read(memory, begin + 4 * page - 4, &word, sizeof(word)), -EFAULT);
	memory__forget(memory);
	assert_true(memory__next_present(memory, begin, begin + 8 * page, 1 << 20, &start, &size));
	assert_int_equal(start, begin + 3 * page);
	assert_int_equal(size, page);
	memory__free(memory);
	munmap(map, 8 * page);
}

static void one_place_that_cannot_be_read_spoils_no_other(void **state)
{
	__u64 numbers[] = { 1, 2, 3 }, copies[4] = {};
	struct memory_part parts[] = {
		{ (__u64)&numbers[0], &copies[0], 8, 0 }, { 4096, &copies[1], 8, 0 },
		{ UINT64_MAX - 3, &copies[1], 8, 0 },	  { (__u64)&numbers[1], &copies[2], 0, 0 },
		{ (__u64)&numbers[2], &copies[3], 8, 0 },
	};
	struct memory *memory;

	(void)state;
	assert_int_equal(memory__open(getpid(), &memory), 0);
	assert_int_equal(memory__gather(memory, parts, 5), 0);
	assert_int_equal(parts[1].err, -EFAULT);
	assert_int_equal(parts[2].err, -EFAULT);
	assert_int_equal(copies[0], 1);
	assert_int_equal(copies[2], 0);
	assert_int_equal(copies[3], 3);
	memory__free(memory);
}

static void memory_of_a_process_that_has_ended_is_not_taken_for_empty(void **state)
{
	struct memory *memory;
	pid_t child = fork();

	(void)state;
	if (!child) {
		pause();
		_exit(0);
	}
	assert_int_equal(memory__open(child, &memory), 0);
	assert_int_equal(memory__check(memory), 0);
	kill(child, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)child, NULL, WEXITED | WNOWAIT), 0);
	assert_int_equal(memory__check(memory), -ESRCH); /* while its PID is there */
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(memory__check(memory), -ESRCH);
	memory__free(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_that_was_never_used_is_not_touched),
		cmocka_unit_test(one_place_that_cannot_be_read_spoils_no_other),
		cmocka_unit_test(memory_of_a_process_that_has_ended_is_not_taken_for_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
