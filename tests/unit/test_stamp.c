// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <linux/types.h>

#include "tttrace_config.h"
#include "tttrace_record.h"

#include "trace/stamp.h"

struct stamped {
	struct tt_record_step rec;
	__u64 stamp;
};

/* As a hit of thread @tid writes it. */
static struct stamped write_record(__u32 tid)
{
	struct stamped s = { .rec.h = { .kind = TT_RECORD_FREE_DONE,
					.tgid = 240,
					.tid = tid,
					.ts_ns = 5725394524548 } };

	s.stamp = tt_record__stamp(s.rec.h.ts_ns, s.rec.h.tgid, s.rec.h.tid);
	return s;
}

static void a_record_of_one_hit_is_believed(void **state)
{
	struct stamped s = write_record(241);

	(void)state;
	assert_true(stamp__is_right(&s, sizeof(s)));
}

static void the_begin_of_one_record_and_the_end_of_another_are_not(void **state)
{
	struct stamped first = write_record(240), second = write_record(241);

	(void)state;
	second.stamp = first.stamp;
	assert_false(stamp__is_right(&second, sizeof(second)));
}

static void a_record_that_was_written_later_is_another_one(void **state)
{
	struct stamped s = write_record(240);

	(void)state;
	s.rec.h.ts_ns++;
	assert_false(stamp__is_right(&s, sizeof(s)));
}

static void what_is_too_short_for_a_record_and_its_stamp_is_none(void **state)
{
	struct stamped s = write_record(240);

	(void)state;
	assert_false(stamp__is_right(&s, sizeof(struct tt_record)));
	assert_false(stamp__is_right(&s, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_of_one_hit_is_believed),
		cmocka_unit_test(the_begin_of_one_record_and_the_end_of_another_are_not),
		cmocka_unit_test(a_record_that_was_written_later_is_another_one),
		cmocka_unit_test(what_is_too_short_for_a_record_and_its_stamp_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
