// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The decoder of records. */
#include "stream.h"

#include <errno.h>

#include "core/record.h"

static void a_record_shorter_than_its_header_is_refused(void **state)
{
	struct tt_record h = { .kind = TT_RECORD_FREE_TRACKED };

	(void)state;
	for (size_t size = 0; size < sizeof(h); size++)
		assert_int_equal(record__check(&h, size), -EBADMSG);
}

static void a_record_shorter_than_its_struct_is_refused_for_every_kind(void **state)
{
	struct tt_record_counters big = { 0 };

	(void)state;
	for (__u32 kind = 1; kind < TT_RECORD_KIND_COUNT; kind++) {
		big.h.kind = kind;
		assert_int_equal(record__check(&big, sizeof(struct tt_record)), -EBADMSG);
	}
}

static void a_record_longer_than_its_struct_is_taken(void **state)
{
	struct tt_record_step rec[2] = { { .h.kind = TT_RECORD_FREE_TRACKED } };

	(void)state;
	assert_int_equal(record__check(rec, sizeof(rec[0])), 0);
	assert_int_equal(record__check(rec, sizeof(rec)), 0);
}

static void unknown_kinds_are_refused(void **state)
{
	struct tt_record_counters big = { 0 };

	(void)state;
	big.h.kind = TT_RECORD_NONE;
	assert_int_equal(record__check(&big, sizeof(big)), -EBADMSG);
	big.h.kind = TT_RECORD_KIND_COUNT;
	assert_int_equal(record__check(&big, sizeof(big)), -EBADMSG);
	big.h.kind = 0xffff;
	assert_int_equal(record__check(&big, sizeof(big)), -EBADMSG);
}

static void more_chips_than_there_is_room_for_are_refused(void **state)
{
	struct tt_record_device device = { .h.kind = TT_RECORD_DEVICE };
	struct tt_record_allocator allocator = { .h.kind = TT_RECORD_ALLOCATOR };

	(void)state;
	device.device.num_chips = TT_MAX_CHIPS;
	assert_int_equal(record__check(&device, sizeof(device)), 0);
	device.device.num_chips = TT_MAX_CHIPS + 1;
	assert_int_equal(record__check(&device, sizeof(device)), -EBADMSG);
	allocator.device.num_chips = 0xffffffff;
	assert_int_equal(record__check(&allocator, sizeof(allocator)), -EBADMSG);
}

static void fields_are_taken_from_where_the_layout_says(void **state)
{
	struct tt_layout layout = stream_layout();
	struct tt_record_buffer rec = { .h.kind = TT_RECORD_ALLOC };
	__u64 device = 0x1122334455667788, size = 0x99, address = ~0ull;
	__u32 type = TT_TYPE_L1_SMALL, sharded = TT_LAYOUT_ND_SHARDED;
	struct body_map map;
	struct body body;

	(void)state;
	stream_put(rec.body, 0x10, &device, 8);
	stream_put(rec.body, 0x18, &size, 8);
	stream_put(rec.body, 0x20, &type, 4);
	stream_put(rec.body, 0x24, &sharded, 4);
	stream_put(rec.body, 0x50, &address, 8);
	rec.body[0x48 - BODY_START] = TT_STATUS_DEALLOCATED;
	rec.body[0x49 - BODY_START] = 1;
	body_map__init(&map, &layout);
	body__decode(&map, &rec, &body);
	assert_true(body.device == device);
	assert_int_equal(body.size, 0x99);
	assert_int_equal(body.type, TT_TYPE_L1_SMALL);
	assert_int_equal(body.layout, TT_LAYOUT_ND_SHARDED);
	assert_true(body.address == ~0ull);
	assert_int_equal(body.status, TT_STATUS_DEALLOCATED);
	assert_int_equal(body.hooked, 1);
	assert_true(body__has(&body, TT_FIELD_PAGE_SIZE));
}

static void a_field_in_a_deeper_body_is_found_by_its_last_offset(void **state)
{
	struct tt_layout layout = { .body_start = 0x30 };
	struct tt_record_buffer rec = { 0 };
	struct body_map map;
	struct body body;

	(void)state;
	layout.field[TT_FIELD_SIZE] = (struct tt_path){ 2, { 0x10, 0x38 } };
	rec.body[8] = 7;
	body_map__init(&map, &layout);
	body__decode(&map, &rec, &body);
	assert_int_equal(body.size, 7);
	assert_true(body__has(&body, TT_FIELD_SIZE));
	assert_false(body__has(&body, TT_FIELD_DEVICE));
}

static void an_absent_field_is_unknown_and_not_zero(void **state)
{
	struct tt_layout layout = { 0 };
	struct tt_record_buffer rec = { 0 };
	struct body_map map;
	struct body body;

	(void)state;
	body_map__init(&map, &layout);
	body__decode(&map, &rec, &body);
	assert_int_equal(body.has, 0);
	assert_int_equal(body.type, TT_TYPE_COUNT);
	assert_int_equal(body.layout, TT_LAYOUT_COUNT);
}

static void a_field_that_does_not_lie_in_the_copied_bytes_is_absent(void **state)
{
	struct tt_layout layout = stream_layout();
	struct body_map map;

	(void)state;
	layout.field[TT_FIELD_DEVICE].off[0] = BODY_START - 1;
	layout.field[TT_FIELD_SIZE].off[0] = BODY_START + TT_BODY_SIZE - 7;
	layout.field[TT_FIELD_ADDRESS].off[0] = BODY_START + TT_BODY_SIZE - 8;
	layout.field[TT_FIELD_STATUS].len = TT_PATH_MAX + 1;
	layout.field[TT_FIELD_PAGE_SIZE].off[0] = 0xffff;
	body_map__init(&map, &layout);
	assert_int_equal(map.at[TT_FIELD_DEVICE], -1);
	assert_int_equal(map.at[TT_FIELD_SIZE], -1);
	assert_int_equal(map.at[TT_FIELD_ADDRESS], TT_BODY_SIZE - 8);
	assert_int_equal(map.at[TT_FIELD_STATUS], -1);
	assert_int_equal(map.at[TT_FIELD_PAGE_SIZE], -1);
}

static void types_and_layouts_that_do_not_exist_are_unknown(void **state)
{
	struct tt_layout layout = stream_layout();
	struct tt_record_buffer rec = { 0 };
	__u32 wrong = 0xdeadbeef;
	struct body_map map;
	struct body body;

	(void)state;
	stream_put(rec.body, 0x20, &wrong, 4);
	stream_put(rec.body, 0x24, &wrong, 4);
	body_map__init(&map, &layout);
	body__decode(&map, &rec, &body);
	assert_int_equal(body.type, TT_TYPE_COUNT);
	assert_int_equal(body.layout, TT_LAYOUT_COUNT);
}

static void an_unreadable_object_has_no_fields(void **state)
{
	struct tt_layout layout = stream_layout();
	struct tt_record_buffer rec = { .h.faults = TT_FAULT_OBJECT };
	struct body_map map;
	struct body body;

	(void)state;
	memset(rec.body, 0xff, sizeof(rec.body));
	body_map__init(&map, &layout);
	body__decode(&map, &rec, &body);
	assert_int_equal(body.has, 0);
	assert_int_equal(body.size, 0);
	assert_int_equal(body.hooked, 0);
}

static void records_of_the_user_side_are_not_numbered(void **state)
{
	struct tt_record h = { .kind = TT_RECORD_COUNTERS, .seq = 5 };

	(void)state;
	assert_false(record__is_numbered(&h));
	h.kind = TT_RECORD_ALLOC;
	assert_true(record__is_numbered(&h));
	h.seq = 0;
	assert_false(record__is_numbered(&h));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_shorter_than_its_header_is_refused),
		cmocka_unit_test(a_record_shorter_than_its_struct_is_refused_for_every_kind),
		cmocka_unit_test(a_record_longer_than_its_struct_is_taken),
		cmocka_unit_test(unknown_kinds_are_refused),
		cmocka_unit_test(more_chips_than_there_is_room_for_are_refused),
		cmocka_unit_test(fields_are_taken_from_where_the_layout_says),
		cmocka_unit_test(a_field_in_a_deeper_body_is_found_by_its_last_offset),
		cmocka_unit_test(an_absent_field_is_unknown_and_not_zero),
		cmocka_unit_test(a_field_that_does_not_lie_in_the_copied_bytes_is_absent),
		cmocka_unit_test(types_and_layouts_that_do_not_exist_are_unknown),
		cmocka_unit_test(an_unreadable_object_has_no_fields),
		cmocka_unit_test(records_of_the_user_side_are_not_numbered),
	};

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
