// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/slots.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "target/decode.h"

enum {
	WORD = 8,
	MAX_SLOTS = 32, /* of a FreeListOpt: 16 in 0.81 */
	/* IDevice: two destructors, arch(), id(), build_id() */
	SLOT_ID = 3,
	SLOT_BUILD_ID = 4,
};

/* A member of the object whose function it is. */
struct member {
	bool found, differ;
	__s64 offset;
};

static int image_read(void *ctx, __u64 vaddr, void *buf, size_t size)
{
	return elf_file__read(ctx, vaddr, buf, size);
}

static int image_read_const(void *ctx, __u64 vaddr, void *buf, size_t size)
{
	return elf_file__read_const(ctx, vaddr, buf, size);
}

static int image_name(void *ctx, __u64 vaddr, const char **ret_name)
{
	(void)ctx;
	(void)vaddr;
	(void)ret_name;
	return -ENOENT;
}

static int image_resolve(void *ctx, __u64 vaddr, struct decode_function *ret_function)
{
	(void)ctx;
	(void)vaddr;
	(void)ret_function;
	return -ENOENT;
}

static int decode_slot(struct elf_file *file, __u64 vtable, size_t slot, decode_event_fn fn,
		       void *ctx)
{
	const struct decode_image image = { file,	image_read, image_read_const,
					    image_name, image_name, image_resolve };
	struct decode_function function = {};
	struct decode_request request = { .function = &function, .fn = fn, .ctx = ctx };
	__u64 start, end;
	int err = elf_file__pointer(file, vtable + slot * WORD, &start);

	if (!err && !elf_file__is_code(file, start))
		err = -ENOENT;
	if (!err)
		err = elf_file__frame_range(file, start, &function.vaddr, &end);
	if (err || function.vaddr != start)
		return err ? err : -ENOENT;
	function.size = end - start;
	return decode__run(&image, &request);
}

/* `*(this + offset)`, and nothing else. Before `this` may be where a result is to be put. */
static void note_member(struct member *member, const struct value *value, int max_arg)
{
	bool is_member = value->kind == VALUE_PATH && value->arg <= max_arg && value->len == 1 &&
			 !value->number && value->off[0] > 0 && value->off[0] < 1 << 12;

	if (!is_member || (member->found && member->offset != value->off[0]))
		member->differ = true;
	else
		member->offset = value->off[0];
	member->found = true;
}

static void note_divisor(const struct decode_event *event, void *ctx)
{
	if (event->kind == DECODE_DIVIDED_BY && event->value.kind == VALUE_PATH)
		note_member(ctx, &event->value, 1);
}

static void note_returned(const struct decode_event *event, void *ctx)
{
	if (event->kind == DECODE_RETURNED)
		note_member(ctx, &event->value, 0);
}

static bool is_known(const struct member *member)
{
	return member->found && !member->differ;
}

static void take(struct tt_layout *layout, struct library_field *fields, enum tt_field field,
		 const struct member *member, const char *how)
{
	if (!is_known(member))
		return;
	layout->field[field] = (struct tt_path){ .len = 1, .off = { (__u16)member->offset } };
	fields[field] = (struct library_field){ .found = true, .num_witnesses = 1 };
	snprintf(fields[field].how, sizeof(fields[field].how), "%s", how);
}

/* What a virtual function without arguments returns. */
static struct member find_returned(struct elf_file *file, __u64 vtable, size_t slot)
{
	struct member member = {};

	if (!vtable || decode_slot(file, vtable, slot, note_returned, &member))
		member.found = false;
	return member;
}

/* A free list divides by nothing but its alignment. */
static int find_alignment(struct elf_file *file, __u64 vtable, struct member *ret_member)
{
	struct member member = {};
	int err = 0;

	for (size_t slot = 0; slot < MAX_SLOTS && !err; slot++)
		err = decode_slot(file, vtable, slot, note_divisor, &member);
	*ret_member = member;
	return err == -ENOMEM ? err : 0;
}

int slots__decode(struct elf_file *file, const struct class_vtables *classes,
		  struct tt_layout *layout, struct library_field fields[TT_FIELD_COUNT])
{
	struct member id = find_returned(file, classes->device, SLOT_ID),
		      build_id = find_returned(file, classes->device, SLOT_BUILD_ID),
		      mesh_id = find_returned(
			      file, classes->mesh_impl ? classes->mesh_impl : classes->mesh,
			      SLOT_ID);
	struct member alignment = {};
	int err = classes->free_list ? find_alignment(file, classes->free_list, &alignment) : 0;

	if (err)
		return err;
	if (is_known(&id) && is_known(&build_id) && id.offset == build_id.offset) {
		take(layout, fields, TT_FIELD_CHIP_ID, &id,
		     "returned by the virtual functions id() and build_id()");
		take(layout, fields, TT_FIELD_MESH_ID, &mesh_id,
		     "returned by the virtual function id()");
	}
	take(layout, fields, TT_FIELD_FL_ALIGN, &alignment, "divisor in virtual functions");
	return 0;
}
