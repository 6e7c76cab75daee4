// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/witness.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "target/symbols.h"

/* What goes down into the event callback. */
struct hearing {
	const struct witness *witness;
	struct witness_paths *paths;
};

static bool is_path_of(const struct value *v, int arg)
{
	return v->kind == VALUE_PATH && v->arg == arg;
}

static bool is_const(const struct value *v, __s64 number)
{
	return v->kind == VALUE_CONST && v->number == number;
}

static bool begins_with(const char *s, const char *prefix)
{
	return s && prefix && strncmp(s, prefix, strlen(prefix)) == 0;
}

static bool is_argument(const struct value *v, int n)
{
	return is_path_of(v, n) && !v->len && !v->number;
}

static const struct value *see_stored(const struct witness *w, const struct decode_event *e)
{
	bool fits;

	if (e->kind != DECODE_STORED)
		return NULL;
	switch (w->sees) {
	case SEES_ARGUMENT_STORED:
		fits = is_argument(&e->value, w->n);
		break;
	case SEES_ELEMENT_STORED:
		fits = is_argument(&e->value, w->n) && e->other.kind == VALUE_ELEMENT;
		break;
	case SEES_ELEMENT_SET:
		fits = is_const(&e->value, w->n) && e->other.kind == VALUE_ELEMENT;
		break;
	case SEES_APPENDED:
		fits = is_argument(&e->value, w->n) && e->other.len;
		break;
	case SEES_MEMBER_STORED:
		fits = is_path_of(&e->value, w->n) && e->value.len && !e->value.number;
		break;
	case SEES_RESULT_STORED:
		fits = e->value.kind == VALUE_RESULT && begins_with(e->value.source, w->callee);
		break;
	default:
		fits = is_const(&e->value, w->n);
		break;
	}
	return fits ? &e->other : NULL;
}

static const struct value *see_compared(const struct witness *w, const struct decode_event *e)
{
	if (e->kind != DECODE_COMPARED)
		return NULL;
	switch (w->sees) {
	case SEES_COMPARED:
		return is_const(&e->other, w->n) && !e->value.number ? &e->value : NULL;
	case SEES_TESTED:
		return is_const(&e->other, 0) || is_const(&e->other, 1) ? &e->value : NULL;
	case SEES_COMPARED_LESS:
		return e->other.kind == VALUE_CONST && e->value.number == -w->n ? &e->value : NULL;
	default:
		if (is_argument(&e->other, w->n))
			return &e->value;
		return is_argument(&e->value, w->n) ? &e->other : NULL;
	}
}

/* Of two pointers that lie side by side, as begin and end of a std::vector do, the first. */
static const struct value *see_vector(const struct decode_event *e)
{
	if (e->kind != DECODE_COMPARED)
		return NULL;
	if (value__sub(&e->other, &e->value).kind == VALUE_SPAN)
		return &e->value;
	return value__sub(&e->value, &e->other).kind == VALUE_SPAN ? &e->other : NULL;
}

static const struct value *see_passed(const struct witness *w, const struct decode_event *e)
{
	if (e->kind != DECODE_CALLED || w->n < 0 || w->n >= CPU_REG_ARGS)
		return NULL;
	if (w->sees == SEES_PASSED_VIRTUAL)
		return e->is_virtual ? &e->arg[w->n] : NULL;
	return begins_with(e->callee, w->callee) ? &e->arg[w->n] : NULL;
}

/* The value or address that leads to the field, if the event is what the witness is asked for. */
static const struct value *see(const struct witness *w, const struct decode_event *e)
{
	switch (w->sees) {
	case SEES_RETURNED:
		return e->kind == DECODE_RETURNED ? &e->value : NULL;
	case SEES_ARGUMENT_STORED:
	case SEES_MEMBER_STORED:
	case SEES_RESULT_STORED:
	case SEES_CONST_STORED:
	case SEES_ELEMENT_STORED:
	case SEES_ELEMENT_SET:
	case SEES_APPENDED:
		return see_stored(w, e);
	case SEES_COMPARED:
	case SEES_TESTED:
	case SEES_COMPARED_LESS:
	case SEES_COMPARED_WITH:
		return see_compared(w, e);
	case SEES_PASSED:
	case SEES_PASSED_VIRTUAL:
		return see_passed(w, e);
	case SEES_DIVIDED_BY:
		return e->kind == DECODE_DIVIDED_BY ? &e->value : NULL;
	case SEES_SUBTRACTED:
		return e->kind == DECODE_SUBTRACTED && is_argument(&e->other, w->n) ? &e->value
										    : NULL;
	case SEES_SPAN:
		return e->kind == DECODE_SPAN ? &e->value : NULL;
	case SEES_ELEMENT_READ:
		return e->kind == DECODE_ELEMENT ? &e->value : NULL;
	case SEES_VECTOR:
		return see_vector(e);
	}
	return NULL;
}

static bool is_address(const struct witness *w)
{
	return w->takes == TAKES_ADDRESS || w->sees == SEES_ARGUMENT_STORED ||
	       w->sees == SEES_MEMBER_STORED || w->sees == SEES_RESULT_STORED ||
	       w->sees == SEES_CONST_STORED;
}

static bool is_array(const struct witness *w)
{
	return w->sees == SEES_ELEMENT_STORED || w->sees == SEES_ELEMENT_SET ||
	       w->sees == SEES_ELEMENT_READ;
}

static bool add_offset(struct tt_path *path, __s64 offset)
{
	if (path->len == TT_PATH_MAX || offset < 0 || offset > UINT16_MAX)
		return false;
	path->off[path->len++] = (__u16)offset;
	return true;
}

/* Makes the path to the field out of what was seen. */
static bool make_path(const struct witness *w, const struct value *v, struct tt_path *ret_path)
{
	int first = w->takes == TAKES_LAST ? v->len - 1 : 0, end = v->len;
	struct tt_path path = {};

	if (w->takes == TAKES_FIRST && v->len)
		end = 1;
	else if (w->takes == TAKES_ALL_BUT_LAST)
		end = v->len - 1;
	/* The argument as it came (a constructor's this, room for a result) is no place in it. */
	if (first < 0 || end < 0 || (w->takes == TAKES_ADDRESS && !v->len && !v->number))
		return false;
	for (int i = first; i < end; i++)
		if (!add_offset(&path, v->off[i]))
			return false;
	if (is_address(w) && !add_offset(&path, v->number + w->plus))
		return false;
	/* A std::vector: begin, end, end of the room; 8 bytes each (libstdc++, stl_vector.h). */
	if (w->sees == SEES_APPENDED) {
		if (path.off[path.len - 1] < sizeof(__u64))
			return false;
		path.off[path.len - 1] -= sizeof(__u64);
	}
	*ret_path = path;
	return path.len > 0;
}

static void add_path(struct witness_paths *paths, const struct tt_path *path)
{
	for (size_t i = 0; i < paths->count; i++)
		if (memcmp(&paths->path[i], path, sizeof(*path)) == 0)
			return;
	if (paths->count < WITNESS_MAX_PATHS)
		paths->path[paths->count++] = *path;
}

static void hear(const struct decode_event *event, void *ctx)
{
	const struct hearing *h = ctx;
	const struct witness *w = h->witness;
	const struct value *v = see(w, event);
	struct tt_path path;

	if (!v || v->kind != (is_array(w) ? VALUE_ELEMENT : VALUE_PATH) || v->arg != w->arg ||
	    (w->size && event->size != w->size))
		return;
	/* A getter returns what it has read: "*(b + 8) + 4" is a computation. */
	if (!is_address(w) && w->sees != SEES_COMPARED_LESS && v->number)
		return;
	if (!make_path(w, v, &path))
		return;
	if (w->sees == SEES_SPAN) {
		/* Pointers of 8 bytes, or of 16 with a mark; others are pieces of a computation. */
		if (!w->size && event->size != 8 && event->size != 16)
			return;
		if (h->paths->span_size && h->paths->span_size != event->size)
			h->paths->span_differs = true;
		h->paths->span_size = event->size;
	}
	add_path(h->paths, &path);
}

/* A vector's end is compared with the end of its room, which lies behind it: it begins before. */
static void drop_ends(struct witness_paths *paths)
{
	struct witness_paths all = *paths;

	paths->count = 0;
	for (size_t i = 0; i < all.count; i++) {
		struct tt_path begin = all.path[i];
		bool is_end = false;

		begin.off[begin.len - 1] -= sizeof(__u64);
		for (size_t j = 0; j < all.count; j++)
			is_end |= !memcmp(&all.path[j], &begin, sizeof(begin));
		if (!is_end)
			add_path(paths, &all.path[i]);
	}
}

int witness__ask(const struct witness *w, const struct decode_image *image,
		 const struct decode_function *function, const struct decode_given *given,
		 struct witness_paths *ret_paths)
{
	struct hearing hearing = { w, ret_paths };
	struct decode_request request = {
		.function = function,
		.given = given,
		.into = w->into,
		.fn = hear,
		.ctx = &hearing,
	};
	int err;

	*ret_paths = (struct witness_paths){};
	err = decode__run(image, &request);
	if (ret_paths->span_differs)
		ret_paths->count = 0;
	if (w->sees == SEES_VECTOR)
		drop_ends(ret_paths);
	return err;
}

bool witness__is_strong(const struct witness *w)
{
	switch (w->sees) {
	case SEES_MEMBER_STORED:
	case SEES_CONST_STORED:
	case SEES_ELEMENT_SET:
	case SEES_COMPARED:
	case SEES_TESTED:
	case SEES_COMPARED_LESS:
		return false;
	default:
		return true;
	}
}

void witness__describe(const struct witness *w, const char *function, char *buf, size_t size)
{
	_cleanup_free_ char *name = symbol__short_name(function);
	_cleanup_free_ char *callee = w->callee ? symbol__short_name(w->callee) : NULL;
	const char *in = name ? name : function, *to = callee ? callee : "";

	switch (w->sees) {
	case SEES_RETURNED:
		snprintf(buf, size, "returned by %s", in);
		break;
	case SEES_ARGUMENT_STORED:
		snprintf(buf, size, "argument %d of %s", w->n, in);
		break;
	case SEES_MEMBER_STORED:
		snprintf(buf, size, "member of argument %d of %s", w->n, in);
		break;
	case SEES_ELEMENT_STORED:
		snprintf(buf, size, "argument %d of %s, in an element", w->n, in);
		break;
	case SEES_ELEMENT_SET:
		snprintf(buf, size, "elements set to %d in %s", w->n, in);
		break;
	case SEES_APPENDED:
		snprintf(buf, size, "argument %d of %s, appended", w->n, in);
		break;
	case SEES_RESULT_STORED:
		snprintf(buf, size, "from %s in %s", to, in);
		break;
	case SEES_CONST_STORED:
		snprintf(buf, size, "set to %d in %s", w->n, in);
		break;
	case SEES_COMPARED:
		snprintf(buf, size, "compared with %d in %s", w->n, in);
		break;
	case SEES_TESTED:
		snprintf(buf, size, "tested in %s", in);
		break;
	case SEES_COMPARED_LESS:
		snprintf(buf, size, "range from %d tested in %s", w->n, in);
		break;
	case SEES_COMPARED_WITH:
		snprintf(buf, size, "compared with argument %d of %s", w->n, in);
		break;
	case SEES_PASSED:
		/* A prefix that ends within template arguments has no name to be shown. */
		if (to[0] == '_')
			to = "a container";
		snprintf(buf, size, "passed to %s by %s", to, in);
		break;
	case SEES_PASSED_VIRTUAL:
		snprintf(buf, size, "object of a virtual call in %s", in);
		break;
	case SEES_DIVIDED_BY:
		snprintf(buf, size, "divisor in %s", in);
		break;
	case SEES_SUBTRACTED:
		snprintf(buf, size, "subtracted from argument %d of %s", w->n, in);
		break;
	case SEES_SPAN:
		snprintf(buf, size, "elements counted in %s", in);
		break;
	case SEES_ELEMENT_READ:
		snprintf(buf, size, "elements read in %s", in);
		break;
	case SEES_VECTOR:
		snprintf(buf, size, "compared with its end in %s", in);
		break;
	}
}
