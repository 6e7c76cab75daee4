// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/value.h"

#include <stddef.h>
#include <stdint.h>

/* Offsets in the runtime's objects are small; a larger one is no field. */
enum {
	MAX_OFFSET = UINT16_MAX
};

struct value value__unknown(void)
{
	return (struct value){ .kind = VALUE_UNKNOWN };
}

struct value value__const(__s64 number)
{
	return (struct value){ .kind = VALUE_CONST, .number = number };
}

struct value value__arg(int arg)
{
	return (struct value){ .kind = VALUE_PATH, .arg = (__u8)arg };
}

struct value value__result(const char *source)
{
	return (struct value){ .kind = VALUE_RESULT, .source = source };
}

static bool same_path(const struct value *a, const struct value *b)
{
	if (a->arg != b->arg || a->len != b->len)
		return false;
	for (int i = 0; i < a->len; i++)
		if (a->off[i] != b->off[i])
			return false;
	return true;
}

bool value__equal(const struct value *a, const struct value *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case VALUE_CONST:
	case VALUE_STACK:
		return a->number == b->number;
	case VALUE_PATH:
	case VALUE_SPAN:
		return a->number == b->number && same_path(a, b);
	default:
		return false;
	}
}

struct value value__load(const struct value *address)
{
	struct value v = *address;

	if (v.kind != VALUE_PATH || v.len == TT_PATH_MAX || v.number < 0 || v.number > MAX_OFFSET)
		return value__unknown();
	v.off[v.len++] = (__s32)v.number;
	v.number = 0;
	return v;
}

/* Wraps around as the machine does, where the C type must not. */
static __s64 wrap_add(__s64 a, __s64 b)
{
	return (__s64)((__u64)a + (__u64)b);
}

static bool can_be_moved(const struct value *v)
{
	return v->kind == VALUE_CONST || v->kind == VALUE_STACK || v->kind == VALUE_PATH;
}

struct value value__add(const struct value *a, const struct value *b)
{
	struct value sum = a->kind == VALUE_CONST ? *b : *a;
	const struct value *other = a->kind == VALUE_CONST ? a : b;

	if (other->kind != VALUE_CONST || (other->number && !can_be_moved(&sum)))
		return value__unknown();
	sum.number = wrap_add(sum.number, other->number);
	return sum;
}

/* Do @end and @begin lie side by side in one object, as the pointers of a std::vector do? */
static bool is_span(const struct value *end, const struct value *begin)
{
	struct value next = *begin;

	if (begin->kind != VALUE_PATH || end->kind != VALUE_PATH || !begin->len || begin->number ||
	    end->number)
		return false;
	next.off[next.len - 1] += (__s32)sizeof(__u64);
	return same_path(end, &next);
}

struct value value__sub(const struct value *a, const struct value *b)
{
	struct value v;

	if (is_span(a, b)) {
		v = *b;
		v.kind = VALUE_SPAN;
		return v;
	}
	if (b->kind != VALUE_CONST || !can_be_moved(a))
		return value__unknown();
	v = *a;
	v.number = (__s64)((__u64)v.number - (__u64)b->number);
	return v;
}

static bool is_pointer(const struct value *v)
{
	return v->kind == VALUE_PATH && v->len && !v->number;
}

/* Some element of the array at @base; where elements are bytes the two may be swapped. */
static struct value find_element(const struct value *base, const struct value *index, __u8 scale,
				 __s64 displacement)
{
	const struct value *array = base;
	struct value v;

	if (scale == 1 && !is_pointer(base))
		array = index;
	else if (scale == 1 && is_pointer(index))
		return value__unknown();
	if (!is_pointer(array) || displacement)
		return value__unknown();
	v = *array;
	v.kind = VALUE_ELEMENT;
	return v;
}

struct value value__address(const struct value *base, const struct value *index, __u8 scale,
			    __s64 displacement)
{
	struct value moved = value__const(displacement), scaled;

	if (index->kind != VALUE_CONST)
		return find_element(base, index, scale, displacement);
	moved = value__add(base, &moved);
	scaled = value__const((__s64)((__u64)index->number * scale));
	return value__add(&moved, &scaled);
}
