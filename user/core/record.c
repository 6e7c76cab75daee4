// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "core/record.h"

#include <errno.h>
#include <string.h>

static const size_t record_sizes[TT_RECORD_KIND_COUNT] = {
	[TT_RECORD_PROCESS_START] = sizeof(struct tt_record_process),
	[TT_RECORD_PROCESS_EXEC] = sizeof(struct tt_record_process),
	[TT_RECORD_PROCESS_EXIT] = sizeof(struct tt_record_process),
	[TT_RECORD_PROCESS_NAME] = sizeof(struct tt_record_process),
	[TT_RECORD_ALLOCATOR] = sizeof(struct tt_record_allocator),
	[TT_RECORD_SPACE] = sizeof(struct tt_record_space),
	[TT_RECORD_ALLOC] = sizeof(struct tt_record_buffer),
	[TT_RECORD_ZERO_SIZE] = sizeof(struct tt_record_create),
	[TT_RECORD_VIEW] = sizeof(struct tt_record_create),
	[TT_RECORD_FREE_BEGIN] = sizeof(struct tt_record_buffer),
	[TT_RECORD_FREE_TRACKED] = sizeof(struct tt_record_step),
	[TT_RECORD_FREE_DONE] = sizeof(struct tt_record_step),
	[TT_RECORD_FREE] = sizeof(struct tt_record_buffer),
	[TT_RECORD_BULK] = sizeof(struct tt_record_object),
	[TT_RECORD_DEVICE] = sizeof(struct tt_record_device),
	[TT_RECORD_CIRCULAR] = sizeof(struct tt_record_circular),
	[TT_RECORD_PROGRAM] = sizeof(struct tt_record_program),
	[TT_RECORD_STACK_COPY] = sizeof(struct tt_record_stack_copy),
	[TT_RECORD_PYTHON_CODE] = sizeof(struct tt_record_python_code),
	[TT_RECORD_LIBRARY] = sizeof(struct tt_record_library),
	[TT_RECORD_PROCESS_LOST] = sizeof(struct tt_record_process),
	[TT_RECORD_COUNTERS] = sizeof(struct tt_record_counters),
	[TT_RECORD_CENSUS] = sizeof(struct tt_record_census),
	[TT_RECORD_CENSUS_BUFFER] = sizeof(struct tt_record_census_buffer),
	[TT_RECORD_FRAME] = sizeof(struct tt_record_frame),
	[TT_RECORD_STACK] = sizeof(struct tt_record_stack),
	[TT_RECORD_STACK_TAKEN] = sizeof(struct tt_record_stack_taken),
	[TT_RECORD_MISSING] = sizeof(struct tt_record_missing),
	[TT_RECORD_UNTRACED] = sizeof(struct tt_record_untraced),
	[TT_RECORD_CENSUS_ORPHAN] = sizeof(struct tt_record_census_orphan),
};

/* Bytes of each field in the body; 0: not in the body. */
static const __u8 field_widths[BODY_FIELDS] = {
	[TT_FIELD_DEVICE] = 8,	  [TT_FIELD_SIZE] = 8,	    [TT_FIELD_TYPE] = 4,
	[TT_FIELD_LAYOUT] = 4,	  [TT_FIELD_BOTTOM_UP] = 1, [TT_FIELD_OWNS_DATA] = 1,
	[TT_FIELD_ALLOCATOR] = 8, [TT_FIELD_STATUS] = 1,    [TT_FIELD_HOOKED] = 1,
	[TT_FIELD_ADDRESS] = 8,	  [TT_FIELD_PAGE_SIZE] = 8,
};

static bool chips_fit(const struct tt_record *h)
{
	if (h->kind == TT_RECORD_ALLOCATOR)
		return ((const struct tt_record_allocator *)h)->device.num_chips <= TT_MAX_CHIPS;
	if (h->kind == TT_RECORD_DEVICE)
		return ((const struct tt_record_device *)h)->device.num_chips <= TT_MAX_CHIPS;
	return true;
}

int record__check(const void *record, size_t size)
{
	const struct tt_record *h = record;

	if (size < sizeof(*h))
		return -EBADMSG;
	if (h->kind == TT_RECORD_NONE || h->kind >= TT_RECORD_KIND_COUNT)
		return -EBADMSG;
	if (size < record_sizes[h->kind] || !chips_fit(h))
		return -EBADMSG;
	return 0;
}

bool record__is_numbered(const struct tt_record *h)
{
	return h->seq && (h->kind < TT_RECORD_LIBRARY || h->kind == TT_RECORD_STACK_TAKEN);
}

void body_map__init(struct body_map *map, const struct tt_layout *layout)
{
	for (int i = 0; i < BODY_FIELDS; i++) {
		const struct tt_path *path = &layout->field[i];
		int at = -1;

		if (path->len > 0 && path->len <= TT_PATH_MAX)
			at = path->off[path->len - 1] - layout->body_start;
		if (at < 0 || at + field_widths[i] > TT_BODY_SIZE)
			at = -1;
		map->at[i] = at;
	}
}

/* Little-endian, as the machines that the runtime runs on. */
static __u64 take_field(const struct body_map *map, const __u8 *bytes, int field, __u32 *has)
{
	__u64 value = 0;

	if (map->at[field] < 0)
		return 0;
	memcpy(&value, bytes + map->at[field], field_widths[field]);
	*has |= 1u << field;
	return value;
}

static __u32 take_enum(const struct body_map *map, const __u8 *bytes, int field, __u32 unknown,
		       __u32 *has)
{
	__u64 value = take_field(map, bytes, field, has);

	return (*has & (1u << field)) && value < unknown ? value : unknown;
}

void body__decode(const struct body_map *map, const struct tt_record_buffer *rec,
		  struct body *ret_body)
{
	const __u8 *bytes = rec->body;
	__u32 has = 0;

	if (rec->h.faults & TT_FAULT_OBJECT) {
		*ret_body = (struct body){ .type = TT_TYPE_COUNT, .layout = TT_LAYOUT_COUNT };
		return;
	}
	ret_body->device = take_field(map, bytes, TT_FIELD_DEVICE, &has);
	ret_body->size = take_field(map, bytes, TT_FIELD_SIZE, &has);
	ret_body->allocator = take_field(map, bytes, TT_FIELD_ALLOCATOR, &has);
	ret_body->address = take_field(map, bytes, TT_FIELD_ADDRESS, &has);
	ret_body->page_size = take_field(map, bytes, TT_FIELD_PAGE_SIZE, &has);
	ret_body->type = take_enum(map, bytes, TT_FIELD_TYPE, TT_TYPE_COUNT, &has);
	ret_body->layout = take_enum(map, bytes, TT_FIELD_LAYOUT, TT_LAYOUT_COUNT, &has);
	ret_body->bottom_up = take_field(map, bytes, TT_FIELD_BOTTOM_UP, &has);
	ret_body->owns_data = take_field(map, bytes, TT_FIELD_OWNS_DATA, &has);
	ret_body->status = take_field(map, bytes, TT_FIELD_STATUS, &has);
	ret_body->hooked = take_field(map, bytes, TT_FIELD_HOOKED, &has);
	ret_body->has = has;
}
