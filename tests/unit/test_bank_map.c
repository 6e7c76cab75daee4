// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* What occupies a bank: holes and holders, kept up to date, against what a plain search finds. */
#include "stream.h"

#include "core/bank_map.h"
#include "core/size_class.h"

enum {
	BANKS = 12,
	PLACES = 64,
	PLACE = 0x100,
	TURNS = 20000,
};

#define BASE 0x4000ull
#define SIZE ((__u64)PLACES * PLACE)

struct bank {
	struct buffers buffers;
	struct bank_map *map;
};

static int bank_open(void **state)
{
	struct bank *bank = calloc(1, sizeof(*bank));

	assert_non_null(bank);
	buffers__init(&bank->buffers);
	*state = bank;
	return bank_map__new(&bank->buffers, BANKS, &bank->map);
}

static int bank_close(void **state)
{
	struct bank *bank = *state;

	bank_map__free(bank->map);
	buffers__done(&bank->buffers);
	free(bank);
	return 0;
}

static __u32 enter(struct bank *bank, __u64 address, __u64 per_bank, __u64 ts_ns)
{
	struct buffer *buffer;
	__u32 nr;

	assert_int_equal(buffers__take(&bank->buffers, &nr), 0);
	buffer = buffers__at(&bank->buffers, nr);
	buffer->address = address;
	buffer->footprint = per_bank * BANKS;
	buffer->size = buffer->footprint;
	buffer->flags = BUFFER_HAS_FOOTPRINT;
	buffer->alloc_ts_ns = ts_ns;
	assert_int_equal(bank_map__put(bank->map, nr), 0);
	return nr;
}

static void leave(struct bank *bank, __u32 nr)
{
	assert_int_equal(bank_map__remove(bank->map, nr), 0);
	buffers__release(&bank->buffers, nr);
}

static void expect_hole(const struct bank *bank, __u64 expected)
{
	__u64 hole = 1;

	assert_true(bank_map__largest_hole(bank->map, BASE, SIZE, &hole));
	assert_int_equal(hole, expected);
}

static void expect_unknown(const struct bank *bank)
{
	__u64 hole = 4711;

	assert_false(bank_map__largest_hole(bank->map, BASE, SIZE, &hole));
	assert_int_equal(hole, 4711);
}

static void an_empty_bank_is_one_hole(void **state)
{
	struct bank *bank = *state;
	struct event_holder holders[HOLDERS_MAX];

	expect_hole(bank, SIZE);
	assert_int_equal(bank_map__holders(bank->map, 0, holders), 0);
	assert_int_equal(bank_map__at(bank->map, BASE), BUFFER_NONE);
}

static void a_hole_may_be_at_either_end_or_between(void **state)
{
	struct bank *bank = *state;
	__u32 low, middle, high;

	low = enter(bank, BASE, 0x100, 1);
	expect_hole(bank, SIZE - 0x100);
	high = enter(bank, BASE + SIZE - 0x200, 0x200, 2);
	expect_hole(bank, SIZE - 0x300);
	middle = enter(bank, BASE + 0x1000, 0x100, 3);
	expect_hole(bank, SIZE - 0x200 - 0x1100);
	leave(bank, low);
	leave(bank, high);
	expect_hole(bank, SIZE - 0x1100);
	leave(bank, middle);
	expect_hole(bank, SIZE);
}

static void a_full_bank_has_no_hole(void **state)
{
	struct bank *bank = *state;

	enter(bank, BASE, SIZE / 2, 1);
	enter(bank, BASE + SIZE / 2, SIZE / 2, 2);
	expect_hole(bank, 0);
}

static void what_does_not_lie_in_the_bank_makes_its_holes_unknown(void **state)
{
	struct bank *bank = *state;
	__u32 nr;

	nr = enter(bank, BASE - 0x100, 0x100, 1);
	expect_unknown(bank);
	leave(bank, nr);
	nr = enter(bank, BASE + SIZE - 0x100, 0x200, 1);
	expect_unknown(bank);
	leave(bank, nr);
	nr = enter(bank, ~0ull - 8, 0x200, 1);
	expect_unknown(bank);
	leave(bank, nr);
	expect_hole(bank, SIZE);
}

static void overlaps_make_holes_unknown_until_they_are_gone(void **state)
{
	struct bank *bank = *state;
	__u32 large, small, far;

	large = enter(bank, BASE, 0x400, 1);
	small = enter(bank, BASE + 0x100, 0x100, 2);
	far = enter(bank, BASE + 0x300, 0x200, 3);
	expect_unknown(bank);
	leave(bank, small);
	expect_unknown(bank);
	leave(bank, large);
	expect_hole(bank, SIZE - 0x500);
	leave(bank, far);
}

static void two_at_one_address_make_holes_unknown_until_one_is_gone(void **state)
{
	struct bank *bank = *state;
	__u32 first, second;

	first = enter(bank, BASE, 0x100, 1);
	second = enter(bank, BASE, 0x200, 2);
	assert_int_equal(bank_map__at(bank->map, BASE), second);
	expect_unknown(bank);
	leave(bank, first);
	expect_hole(bank, SIZE - 0x200);
	first = enter(bank, BASE, 0x100, 3);
	leave(bank, first);
	expect_unknown(bank);
	leave(bank, second);
	expect_hole(bank, SIZE);
}

/* Of a buffer that was found the age is only known to be more. */
static void holders_that_were_found_are_older(void **state)
{
	struct bank *bank = *state;
	struct event_holder holders[HOLDERS_MAX];
	__u32 known, found;

	known = enter(bank, BASE, 0x100, 100);
	found = enter(bank, BASE + 0x100, 0x100, 500);
	assert_int_equal(bank_map__remove(bank->map, found), 0);
	buffers__at(&bank->buffers, found)->flags |= BUFFER_UNSEEN;
	assert_int_equal(bank_map__put(bank->map, found), 0);
	assert_int_equal(bank_map__holders(bank->map, 1000, holders), 1);
	assert_true(holders[0].is_older);
	assert_int_equal(holders[0].oldest_ns, 900);
	leave(bank, found);
	assert_int_equal(bank_map__holders(bank->map, 1000, holders), 1);
	assert_false(holders[0].is_older);
	leave(bank, known);
}

static void holders_are_told_by_kind_and_size_with_their_ages(void **state)
{
	struct bank *bank = *state;
	struct event_holder holders[HOLDERS_MAX];
	__u32 old, young, other;

	old = enter(bank, BASE, 0x100, 100);
	young = enter(bank, BASE + 0x100, 0x100, 900);
	other = enter(bank, BASE + 0x200, 0x1000, 500);
	assert_int_equal(bank_map__holders(bank->map, 1000, holders), 2);
	assert_int_equal(holders[0].per_bank, 0x1000);
	assert_int_equal(holders[1].per_bank, 0x200);
	assert_int_equal(holders[1].footprint, 0x200 * BANKS);
	assert_int_equal(holders[1].buffers, 2);
	assert_int_equal(holders[1].size_class, size_class__of(0x100 * BANKS));
	assert_true(holders[1].has_ages);
	assert_int_equal(holders[1].oldest_ns, 900);
	assert_int_equal(holders[1].newest_ns, 100);
	leave(bank, old);
	assert_int_equal(bank_map__holders(bank->map, 1000, holders), 2);
	assert_int_equal(holders[1].oldest_ns, 100);
	leave(bank, young);
	leave(bank, other);
	assert_int_equal(bank_map__holders(bank->map, 1000, holders), 0);
}

static void an_unknown_time_of_birth_gives_no_age(void **state)
{
	struct bank *bank = *state;
	struct event_holder holders[HOLDERS_MAX];
	__u32 undated = enter(bank, BASE, 0x100, 0);

	assert_int_equal(bank_map__holders(bank->map, 1000, holders), 1);
	assert_false(holders[0].has_ages);
	leave(bank, undated);
}

static void system_buffers_are_held_apart(void **state)
{
	struct bank *bank = *state;
	struct event_holder holders[HOLDERS_MAX];
	struct buffer *buffer;
	__u32 nr;

	enter(bank, BASE, 0x100, 1);
	assert_int_equal(buffers__take(&bank->buffers, &nr), 0);
	buffer = buffers__at(&bank->buffers, nr);
	buffer->kind = KIND_SYSTEM;
	buffer->address = BASE + 0x100;
	buffer->size = 0x100 * BANKS;
	buffer->footprint = 0x200 * BANKS;
	assert_int_equal(bank_map__put(bank->map, nr), 0);
	assert_int_equal(bank_map__holders(bank->map, 2, holders), 2);
	assert_int_equal(holders[0].kind, KIND_SYSTEM);
	assert_int_equal(holders[1].kind, KIND_OWNING);
}

/* The bank as an array of places: the plain search. */
struct plain {
	__u32 nr[PLACES]; /* of the buffer that begins here, or BUFFER_NONE */
	bool taken[PLACES];
};

static __u64 find_plain_hole(const struct plain *plain)
{
	__u64 run = 0, most = 0;

	for (int i = 0; i < PLACES; i++) {
		run = plain->taken[i] ? 0 : run + PLACE;
		most = run > most ? run : most;
	}
	return most;
}

static void take_or_give(struct bank *bank, struct plain *plain, __u64 turn)
{
	__u32 at = rand() % PLACES, length = 1 + rand() % 6, per_bank;

	if (plain->nr[at] != BUFFER_NONE) {
		per_bank = buffers__at(&bank->buffers, plain->nr[at])->footprint / BANKS;
		memset(&plain->taken[at], false, per_bank / PLACE);
		leave(bank, plain->nr[at]);
		plain->nr[at] = BUFFER_NONE;
		return;
	}
	for (__u32 i = at; i < at + length; i++) {
		if (i >= PLACES || plain->taken[i])
			return;
	}
	plain->nr[at] = enter(bank, BASE + at * PLACE, (__u64)length * PLACE, turn);
	memset(&plain->taken[at], true, length);
}

static void compare_holders_with(const struct bank *bank, const struct plain *plain)
{
	struct event_holder holders[HOLDERS_MAX];
	__u32 num = bank_map__holders(bank->map, TURNS, holders);
	__u64 buffers = 0, per_bank = 0, taken = 0;

	for (__u32 i = 0; i < num; i++) {
		buffers += holders[i].buffers;
		per_bank += holders[i].per_bank;
		assert_true(!i || holders[i].footprint <= holders[i - 1].footprint);
	}
	for (int i = 0; i < PLACES; i++) {
		taken += plain->taken[i];
		buffers -= plain->nr[i] != BUFFER_NONE;
	}
	assert_int_equal(buffers, 0);
	assert_int_equal(per_bank, taken * PLACE);
}

static void after_any_turn_it_is_what_a_plain_search_finds(void **state)
{
	struct bank *bank = *state;
	struct plain plain = { 0 };

	srand(4711);
	memset(plain.nr, 0xff, sizeof(plain.nr));
	for (__u64 turn = 1; turn < TURNS; turn++) {
		take_or_give(bank, &plain, turn);
		expect_hole(bank, find_plain_hole(&plain));
		if (turn % 16 == 0)
			compare_holders_with(bank, &plain);
	}
}

#define bank_test(fn) cmocka_unit_test_setup_teardown(fn, bank_open, bank_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		bank_test(an_empty_bank_is_one_hole),
		bank_test(a_hole_may_be_at_either_end_or_between),
		bank_test(a_full_bank_has_no_hole),
		bank_test(what_does_not_lie_in_the_bank_makes_its_holes_unknown),
		bank_test(overlaps_make_holes_unknown_until_they_are_gone),
		bank_test(two_at_one_address_make_holes_unknown_until_one_is_gone),
		bank_test(holders_that_were_found_are_older),
		bank_test(holders_are_told_by_kind_and_size_with_their_ages),
		bank_test(an_unknown_time_of_birth_gives_no_age),
		bank_test(system_buffers_are_held_apart),
		bank_test(after_any_turn_it_is_what_a_plain_search_finds),
	};

	return cmocka_run_group_tests_name("bank_map", tests, NULL, NULL);
}
