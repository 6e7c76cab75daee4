// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Who descends from whom, as records tell it: of those that run, and of those that have ended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <unistd.h>

#include "wanted.h"

enum {
	CHILD = 1 << 23, /* no process has such a PID: pid_max is at most 2^22 */
	MANY = 5000,
};

static void tell(struct wanted *wanted, __u16 kind, pid_t pid, __u64 ts_ns)
{
	struct tt_record_process rec = {
		.h = { .kind = kind, .tgid = (__u32)pid, .ts_ns = ts_ns }
	};

	if (kind == TT_RECORD_PROCESS_LOST)
		rec.flags = TT_PROCESS_ENDED;
	wanted__note(wanted, &rec.h);
}

static void who_has_ended_was_wanted_while_it_ran(void **state)
{
	const __u16 ends[] = { TT_RECORD_PROCESS_EXIT, TT_RECORD_PROCESS_LOST };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct wanted wanted = {};

		tell(&wanted, TT_RECORD_PROCESS_START, CHILD, 100);
		assert_true(wanted__knows(&wanted, CHILD, 150));
		assert_true(wanted__has(&wanted, CHILD));
		tell(&wanted, ends[i], CHILD, 200);
		assert_true(wanted__knows(&wanted, CHILD, 150));
		assert_false(wanted__knows(&wanted, CHILD, 250));
		assert_false(wanted__has(&wanted, CHILD));
		wanted__done(&wanted);
	}
}

static void another_process_of_that_pid_is_wanted_if_it_was_born_of_one(void **state)
{
	struct wanted wanted = {};

	(void)state;
	tell(&wanted, TT_RECORD_PROCESS_START, CHILD, 100);
	tell(&wanted, TT_RECORD_PROCESS_EXIT, CHILD, 200);
	tell(&wanted, TT_RECORD_PROCESS_START, CHILD, 300);
	assert_true(wanted__knows(&wanted, CHILD, 0));
	wanted__done(&wanted);
}

static void who_was_not_told_of_is_wanted_for_its_ancestors(void **state)
{
	struct wanted wanted = {};

	(void)state;
	assert_false(wanted__has(&wanted, getpid()));
	assert_int_equal(wanted__add(&wanted, getppid()), 0);
	assert_true(wanted__has(&wanted, getpid()));
	assert_false(wanted__lists(&wanted, getpid()));
	assert_true(wanted__lists(&wanted, getppid()));
	wanted__done(&wanted);
}

static void those_that_ended_long_ago_are_forgotten(void **state)
{
	struct wanted wanted = {};

	(void)state;
	for (int i = 0; i < MANY; i++) {
		tell(&wanted, TT_RECORD_PROCESS_START, CHILD + i, i * 1000000000ull);
		tell(&wanted, TT_RECORD_PROCESS_EXIT, CHILD + i, i * 1000000000ull + 1);
	}
	assert_false(wanted__knows(&wanted, CHILD, 1));
	assert_true(wanted__knows(&wanted, CHILD + MANY - 1, (MANY - 1) * 1000000000ull));
	wanted__done(&wanted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_has_ended_was_wanted_while_it_ran),
		cmocka_unit_test(another_process_of_that_pid_is_wanted_if_it_was_born_of_one),
		cmocka_unit_test(who_was_not_told_of_is_wanted_for_its_ancestors),
		cmocka_unit_test(those_that_ended_long_ago_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
