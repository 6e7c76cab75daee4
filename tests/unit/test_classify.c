// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Which kind a buffer is of, and which class a free. */
#include "stream.h"

#include "core/classify.h"

static struct body complete_body(void)
{
	return (struct body){
		.size = 4096,
		.type = TT_TYPE_DRAM,
		.bottom_up = 1,
		.owns_data = 1,
		.status = TT_STATUS_ALLOCATED,
		.has = (1u << BODY_FIELDS) - 1,
	};
}

static void a_buffer_of_the_program_is_owning(void **state)
{
	struct body body = complete_body();

	(void)state;
	assert_int_equal(classify__buffer(&body, TT_STATE_OPEN), KIND_OWNING);
	assert_int_equal(classify__buffer(&body, TT_STATE_UNKNOWN), KIND_OWNING);
	body.type = TT_TYPE_L1;
	body.bottom_up = 0; /* the default in L1 */
	assert_int_equal(classify__buffer(&body, TT_STATE_OPEN), KIND_OWNING);
}

static void what_the_runtime_allocates_for_itself_is_system(void **state)
{
	struct body body = complete_body();

	(void)state;
	assert_int_equal(classify__buffer(&body, TT_STATE_OPENING), KIND_SYSTEM);
	body.bottom_up = 0;
	assert_int_equal(classify__buffer(&body, TT_STATE_OPEN), KIND_SYSTEM);
	body = complete_body();
	body.type = TT_TYPE_TRACE;
	assert_int_equal(classify__buffer(&body, TT_STATE_OPEN), KIND_SYSTEM);
}

static void an_unknown_direction_does_not_make_a_buffer_system(void **state)
{
	struct body body = complete_body();

	(void)state;
	body.bottom_up = 0;
	body.has &= ~(1u << TT_FIELD_BOTTOM_UP);
	assert_int_equal(classify__buffer(&body, TT_STATE_OPEN), KIND_OWNING);
}

static void a_hooked_buffer_is_hooked_whatever_else_it_is(void **state)
{
	struct body body = complete_body();

	(void)state;
	body.hooked = 1;
	body.type = TT_TYPE_TRACE;
	assert_int_equal(classify__buffer(&body, TT_STATE_OPENING), KIND_HOOKED);
}

static void attempts_that_concern_no_memory_are_told_at_once(void **state)
{
	struct body body = complete_body();

	(void)state;
	assert_int_equal(classify__attempt(&body), CLASS_COUNT);
	body.status = TT_STATUS_REQUESTED;
	assert_int_equal(classify__attempt(&body), CLASS_FAILED_ALLOC);
	body.status = TT_STATUS_DEALLOCATED;
	assert_int_equal(classify__attempt(&body), CLASS_REPEATED);
	body.status = TT_STATUS_ALLOCATED;
	body.hooked = 1;
	assert_int_equal(classify__attempt(&body), CLASS_HOOKED);
	body.hooked = 0;
	body.owns_data = 0;
	assert_int_equal(classify__attempt(&body), CLASS_VIEW);
	body.size = 0;
	assert_int_equal(classify__attempt(&body), CLASS_ZERO_SIZE);
}

static void absent_fields_decide_nothing(void **state)
{
	struct body body = { .type = TT_TYPE_COUNT, .layout = TT_LAYOUT_COUNT };

	(void)state;
	assert_int_equal(classify__attempt(&body), CLASS_COUNT);
	assert_int_equal(classify__buffer(&body, TT_STATE_OPEN), KIND_OWNING);
}

static void a_done_free_of_what_is_live_is_matched_whatever_else_is_true(void **state)
{
	struct done_facts facts = { true, false, true, true, true, true, true, true, true, true };

	(void)state;
	assert_int_equal(classify__done(&facts), CLASS_MATCHED);
}

static void done_frees_of_what_is_not_live_have_their_reasons_in_order(void **state)
{
	struct done_facts facts = { 0 };

	(void)state;
	assert_int_equal(classify__done(&facts), CLASS_UNKNOWN);
	facts.device_closed = true;
	assert_int_equal(classify__done(&facts), CLASS_DEVICE_CLOSED);
	facts.forgotten = true;
	assert_int_equal(classify__done(&facts), CLASS_BULK_FREED);
	facts.forked = true;
	assert_int_equal(classify__done(&facts), CLASS_FOREIGN);
	facts.may_be_lost = true;
	assert_int_equal(classify__done(&facts), CLASS_LOST);
	facts.before_attach = true;
	assert_int_equal(classify__done(&facts), CLASS_PRE_ATTACH);
	facts.live_in_ancestor = true;
	assert_int_equal(classify__done(&facts), CLASS_FOREIGN);
	facts.ended = true;
	assert_int_equal(classify__done(&facts), CLASS_BULK_FREED);
}

static void after_a_loss_the_id_tells_what_was_there_before_the_attach(void **state)
{
	struct done_facts facts = { .before_attach = true, .may_be_lost = true };

	(void)state;
	facts.id_before_attach = true;
	assert_int_equal(classify__done(&facts), CLASS_PRE_ATTACH);
	facts.id_before_attach = false;
	facts.id_after_attach = true;
	assert_int_equal(classify__done(&facts), CLASS_LOST);
	facts.may_be_lost = false;
	assert_int_equal(classify__done(&facts), CLASS_PRE_ATTACH);
	facts.device_closed = true; /* what was allocated under our eyes went with it */
	assert_int_equal(classify__done(&facts), CLASS_DEVICE_CLOSED);
	facts.id_after_attach = false;
	assert_int_equal(classify__done(&facts), CLASS_PRE_ATTACH);
}

static void a_free_that_gave_nothing_back_was_late_or_suppressed(void **state)
{
	struct undone_facts facts = { .known = true };

	(void)state;
	assert_int_equal(classify__undone(&facts), CLASS_DEVICE_CLOSED);
	facts.tracked = true;
	assert_int_equal(classify__undone(&facts), CLASS_SUPPRESSED);
	facts.lost = true;
	assert_int_equal(classify__undone(&facts), CLASS_LOST);
}

static void every_class_but_matched_has_a_name_and_a_reason(void **state)
{
	(void)state;
	assert_null(free_class__why(CLASS_MATCHED));
	for (int class = 0; class < CLASS_COUNT; class ++) {
		assert_non_null(free_class__name(class));
		if (class != CLASS_MATCHED)
			assert_non_null(free_class__why(class));
	}
	assert_null(free_class__why(CLASS_COUNT));
}

static void all_words_of_the_contract_are_there(void **state)
{
	(void)state;
	for (int i = 0; i < EVENT_KIND_COUNT; i++)
		assert_string_not_equal(event__kind_name(i), "?");
	for (int i = 0; i < KIND_COUNT; i++)
		assert_string_not_equal(buffer_kind__name(i), "?");
	for (int i = 0; i < TT_TYPE_COUNT; i++)
		assert_string_not_equal(buffer_type__name(i), "?");
	for (int i = 0; i < TT_LAYOUT_COUNT; i++)
		assert_string_not_equal(buffer_layout__name(i), "?");
	for (int i = 0; i < TT_PROBE_COUNT; i++)
		assert_string_not_equal(probe__name(i), "?");
	for (int i = 0; i < TT_RECORD_KIND_COUNT; i++)
		assert_string_not_equal(record_kind__name(i), "?");
	assert_string_equal(buffer_type__name(TT_TYPE_COUNT), "?");
	assert_string_equal(buffer_layout__name(~0u), "?");
	assert_string_equal(event__kind_name(EVENT_KIND_COUNT), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_buffer_of_the_program_is_owning),
		cmocka_unit_test(what_the_runtime_allocates_for_itself_is_system),
		cmocka_unit_test(an_unknown_direction_does_not_make_a_buffer_system),
		cmocka_unit_test(a_hooked_buffer_is_hooked_whatever_else_it_is),
		cmocka_unit_test(attempts_that_concern_no_memory_are_told_at_once),
		cmocka_unit_test(absent_fields_decide_nothing),
		cmocka_unit_test(a_done_free_of_what_is_live_is_matched_whatever_else_is_true),
		cmocka_unit_test(done_frees_of_what_is_not_live_have_their_reasons_in_order),
		cmocka_unit_test(after_a_loss_the_id_tells_what_was_there_before_the_attach),
		cmocka_unit_test(a_free_that_gave_nothing_back_was_late_or_suppressed),
		cmocka_unit_test(every_class_but_matched_has_a_name_and_a_reason),
		cmocka_unit_test(all_words_of_the_contract_are_there),
	};

	return cmocka_run_group_tests_name("classify", tests, NULL, NULL);
}
