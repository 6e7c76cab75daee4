/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Guarded reads of the target's memory, by the paths of a layout. Where the object lies is known
 * from the layout alone: no offset stands here.
 */
#ifndef TTTRACE_READ_BPF_H
#define TTTRACE_READ_BPF_H

enum {
	PAGE_SIZE = 4096 /* what lies in one can be read, or nothing of it */
};

/*
 * The address of @field of @object; 0 when it is absent or the way to it cannot be read. A global
 * function on purpose: the verifier looks at it once, not at each of its many calls.
 */
__noinline __u64 field_address(const struct tt_layout *layout, __u32 field, __u64 object)
{
	const struct tt_path *path;

	if (!layout || field >= TT_FIELD_COUNT)
		return 0;
	path = &layout->field[field];
	if (!path->len || path->len > TT_PATH_MAX)
		return 0;
	for (int i = 0; i < TT_PATH_MAX - 1; i++) {
		if (i + 1 >= path->len)
			break;
		if (bpf_probe_read_user(&object, sizeof(object), (void *)(object + path->off[i])))
			return 0;
	}
	/* the last offset, by an index that the verifier can bound */
	return object + path->off[(path->len - 1) & (TT_PATH_MAX - 1)];
}

/* Reads @size bytes (a constant) of @field of @object into @dst; -1 when that cannot be done. */
static __always_inline int read_field(const struct tt_layout *layout, __u32 field, __u64 object,
				      void *dst, const __u32 size)
{
	__u64 addr = field_address(layout, field, object);

	return !addr || bpf_probe_read_user(dst, size, (void *)addr) ? -1 : 0;
}

/*
 * Where the body of the Buffer at @buffer lies, and copies what is wanted of it; see struct
 * tt_layout. 0: it cannot be read. @body is on the stack: a copy to the ring is one of those that a
 * hardened kernel looks up in its map of virtual memory first (check_heap_object() in
 * mm/usercopy.c), which costs more than the copy.
 */
static __always_inline __u64 read_body_at(const struct tt_layout *layout, __u64 buffer, void *body)
{
	const struct tt_path *path = &layout->field[TT_FIELD_SIZE];
	__u64 base = buffer;

	if (!path->len)
		return 0;
	if (path->len > 1 &&
	    bpf_probe_read_user(&base, sizeof(base), (void *)(buffer + path->off[0])))
		return 0;
	if (bpf_probe_read_user(body, TT_BODY_SIZE, (void *)(base + layout->body_start)))
		return 0;
	return base;
}

static __always_inline int read_body(const struct tt_layout *layout, __u64 buffer, void *body)
{
	return read_body_at(layout, buffer, body) ? 0 : -1;
}

/* The unique id of the Buffer at @buffer, whose body is at @base unless that is 0. */
static __always_inline int read_id(const struct tt_layout *layout, __u64 buffer, __u64 base,
				   __u64 *ret_id)
{
	const struct tt_path *path = &layout->field[TT_FIELD_UNIQUE_ID];
	__u64 addr = base + path->off[(path->len - 1) & (TT_PATH_MAX - 1)];

	/* the same first steps lead there, or it is another way */
	if (!base || path->len != layout->field[TT_FIELD_SIZE].len ||
	    (path->len > 1 && path->off[0] != layout->field[TT_FIELD_SIZE].off[0]))
		addr = field_address(layout, TT_FIELD_UNIQUE_ID, buffer);
	return !addr || bpf_probe_read_user(ret_id, sizeof(*ret_id), (void *)addr) ? -1 : 0;
}

/* Where @field is in a body that read_body() copied; beyond any if it is absent. */
static __always_inline __u32 body_place(const struct tt_layout *layout, __u32 field)
{
	const struct tt_path *path = &layout->field[field];

	if (!path->len)
		return ~0u;
	return path->off[(path->len - 1) & (TT_PATH_MAX - 1)] - layout->body_start;
}

/*
 * The 8-byte word of @field in a body that read_body() copied; 0 where it is absent. Pointers are
 * aligned, and so is body_start: the verifier wants that of a stack access.
 */
static __always_inline __u64 body_word(const struct tt_layout *layout, __u32 field,
				       const void *body)
{
	__u32 at = body_place(layout, field);

	if (at > TT_BODY_SIZE - sizeof(__u64) || at % sizeof(__u64))
		return 0;
	barrier_var(at); /* or clang 18 drops the mask, by which the verifier knows the alignment */
	return *(const __u64 *)(body + (at & (TT_BODY_SIZE - sizeof(__u64))));
}

/* The same of a field of 4 bytes; ~0 where it is absent. */
static __always_inline __u32 body_half(const struct tt_layout *layout, __u32 field,
				       const void *body)
{
	__u32 at = body_place(layout, field);

	if (at > TT_BODY_SIZE - sizeof(__u32) || at % sizeof(__u32))
		return ~0u;
	barrier_var(at);
	return *(const __u32 *)(body + (at & (TT_BODY_SIZE - sizeof(__u32))));
}

/* The same of a field of 1 byte. */
static __always_inline __u32 body_byte(const struct tt_layout *layout, __u32 field,
				       const void *body)
{
	__u32 at = body_place(layout, field);

	if (at >= TT_BODY_SIZE)
		return ~0u;
	barrier_var(at);
	return *(const __u8 *)(body + (at & (TT_BODY_SIZE - 1)));
}

#endif
