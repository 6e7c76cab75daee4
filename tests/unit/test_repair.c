// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* What a census puts in order again after a loss, and what the result says then. */
#include "counting.h"

static const struct actor python = { 100, 100, 5, 0 };

static void what_a_loss_has_left_is_in_order_when_that_is_repaired(void **state)
{
	struct stream *s = *state;
	struct object first = stream_object(0x5000, 0x100, 12 * 1024), next = first;
	struct snapshot *snapshot;

	next.id++;
	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &first);
	losing_counted(s, &python, TT_RECORD_FREE_DONE, 1);
	stream_alloc(s, &python, &next); /* in its place: the free of the first was lost */
	snapshot = stream_snapshot(s);
	assert_int_equal(snapshot->coverage.reused_lost, 1);
	assert_false(snapshot->coverage.complete);
	snapshot__free(snapshot);
	read_all(s, &python, &next, 1);
	phase(s, &python, TT_CENSUS_SETTLED, TT_CENSUS_REPAIR);
	snapshot = stream_snapshot(s);
	assert_int_equal(snapshot->coverage.lost, snapshot->coverage.repaired);
	assert_true(snapshot->coverage.complete);
	snapshot__free(snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		stream_test(what_a_loss_has_left_is_in_order_when_that_is_repaired),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
