// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Leaks that are known: hidden, counted by rule, and no reason for an exit status. */
#include "paper.h"
#include "stacked.h"

static struct suppressions *parse(const char *text)
{
	struct suppressions *suppressions;
	unsigned int line;

	assert_int_equal(suppressions__parse(text, strlen(text), &suppressions, &line), 0);
	return suppressions;
}

/* Two leaks by ttnn::add, one by ttnn::matmul, one of which no stack is known; on two chips. */
static void play(struct stream *s)
{
	stacked_begin(s, 2);
	alloc_by(s, 0x10000, BY_ADD);
	alloc_by(s, 0x20000, BY_ADD);
	alloc_by(s, 0x30000, BY_MATMUL);
	alloc_by(s, 0x40000, 0);
	stream_close(s, &python, 2);
}

static void what_a_rule_knows_is_hidden_and_counted(void **state)
{
	struct filter filter = { .suppressions = parse("leak:nothing\nleak:ttnn::add\n") };
	struct stream *s = *state;
	struct snapshot *snapshot;
	__u64 bytes;

	play(s);
	assert_int_equal(snapshot__take(s->ledger, &filter, s->ts_ns, &snapshot), 0);
	assert_int_equal(snapshot__leaks(snapshot, &bytes), 2);
	assert_int_equal(bytes, 2 * 2 * 12 * 1024);
	assert_int_equal(snapshot->suppressed.buffers, 2);
	assert_int_equal(snapshot->leaks_hidden.buffers, 0);
	assert_int_equal(snapshot->num_rules, 2);
	assert_int_equal(snapshot->rules[0].sum.buffers, 0);
	assert_int_equal(snapshot->rules[1].sum.buffers, 2);
	assert_int_equal(snapshot->rules[1].sum.bytes, 2 * 2 * 12 * 1024);
	/* what is counted is the truth all the same */
	assert_int_equal(snapshot->processes[0]->devices[0]->leaked_all.buffers, 4);
	assert_int_equal(snapshot->processes[0]->devices[0]->leaks.num_stacks, 2);
	snapshot__free(snapshot);
	suppressions__free(filter.suppressions);
}

static void the_report_names_the_rules_that_were_used(void **state)
{
	struct filter filter = { .suppressions = parse("leak:model.py\nleak:nothing\n") };
	struct stream *s = *state;
	struct paper p;

	play(s);
	paper_open(&p, false);
	paper_report(s, &p, &filter);
	assert_non_null(strstr(p.text, "      (suppressed as known: 3 buffers, 36864 bytes)\n"));
	assert_non_null(strstr(p.text, "suppressions used:\n"
				       "    buffers              bytes  pattern\n"
				       "          3              73728  model.py\n"
				       "SUMMARY: tttrace: 24576 bytes leaked in 1 buffer "
				       "(1 process, all devices together), "
				       "3 buffers (73728 bytes) suppressed"));
	paper_close(&p);
	suppressions__free(filter.suppressions);
}

static void the_line_of_a_leak_that_is_known_is_not_shown(void **state)
{
	struct filter filter = { .suppressions = parse("leak:^ttnn::add$\n") };
	struct stream *s = *state;
	int shown = 0;

	play(s);
	for (__u32 i = 0; i < s->num_seen; i++)
		shown += s->seen[i].ev.kind == EVENT_LEAK && filter__event(&filter, &s->seen[i].ev);
	assert_int_equal(stream_count(s, EVENT_LEAK), 4);
	assert_int_equal(shown, 2);
	/* an allocation of it is no leak */
	assert_true(filter__event(&filter, &stream_last(s, EVENT_ALLOC)->ev));
	suppressions__free(filter.suppressions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		stream_test(what_a_rule_knows_is_hidden_and_counted),
		stream_test(the_report_names_the_rules_that_were_used),
		stream_test(the_line_of_a_leak_that_is_known_is_not_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
