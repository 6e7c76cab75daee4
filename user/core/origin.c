// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "core/origin.h"

#include <stdio.h>
#include <string.h>

#include "lib/function_name.h"

enum {
	NAME_SIZE = 1024,
};

/* --- the operation --------------------------------------------------------------------------- */

static bool begins_with(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

static bool ends_with(const char *s, size_t len, const char *suffix)
{
	size_t suffix_len = strlen(suffix);

	return len >= suffix_len && !memcmp(s + len - suffix_len, suffix, suffix_len);
}

static bool is_word(const char *s, size_t len, const char *word)
{
	return len == strlen(word) && !memcmp(s, word, len);
}

/* What the runtime calls by such names, or by none, is none of its interface. */
static bool is_inner(const char *part, size_t len)
{
	return is_word(part, len, "detail") || is_word(part, len, "impl") ||
	       is_word(part, len, "prim") || is_word(part, len, "(anonymous namespace)") ||
	       ends_with(part, len, "_detail") || ends_with(part, len, "_impl") ||
	       memchr(part, '{', len);
}

/* @name: shortened. */
static bool is_public(const char *name)
{
	const char *part, *next;

	if (!begins_with(name, "ttnn::") && !begins_with(name, "tt::tt_metal::"))
		return false;
	for (part = name; part; part = next ? next + 2 : NULL) {
		next = strstr(part, "::");
		if (is_inner(part, next ? (size_t)(next - part) : strlen(part)))
			return false;
	}
	return true;
}

__u32 origin__operation(const struct event_stack *stack, char *buf, size_t size)
{
	__u32 found = STACK_NO_FRAME;
	char name[NAME_SIZE];

	buf[0] = '\0';
	/* the innermost one is what is probed */
	for (__u32 i = 1; i < stack->num_frames && !stack->frames[i]->line; i++) {
		if (!stack->frames[i]->function)
			continue;
		function_name__shorten(name, sizeof(name), stack->frames[i]->function, "");
		if (!is_public(name))
			continue;
		function_name__shorten(buf, size, name, "");
		found = i;
	}
	return found;
}

/* --- the owner ------------------------------------------------------------------------------- */

/* A part of the name of a function that says it. */
static const struct {
	const char *part;
	enum owner owner;
} marks[] = {
	{ "::load_binaries", OWNER_KERNEL_BINARY },
	{ "::allocate_kernel_bin_buf_on_device", OWNER_KERNEL_BINARY },
	{ "::MeshTrace::", OWNER_TRACE },
	{ "::Trace::", OWNER_TRACE },
	{ "::GlobalSemaphore", OWNER_SEMAPHORE },
	{ "::GlobalCircularBuffer", OWNER_CIRCULAR_BUFFER },
	{ "::create_socket_", OWNER_SOCKET },
	{ "Socket::", OWNER_SOCKET },
	{ "::allocate_device_buffer", OWNER_TENSOR },
	{ "::MeshTensor::", OWNER_TENSOR },
	{ "::create_device_tensor", OWNER_TENSOR },
};

static enum owner owner_of(const struct event_frame *frame)
{
	char name[NAME_SIZE];

	if (frame->line || !frame->function)
		return OWNER_UNKNOWN;
	function_name__shorten(name, sizeof(name), frame->function, "");
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (strstr(name, marks[i].part))
			return marks[i].owner;
	return OWNER_UNKNOWN;
}

/*
 * The frame in which ttnn makes a program that it has not in its cache yet; STACK_NO_FRAME. What
 * that allocates and does not free again stays as long as the program: tensors of configuration,
 * semaphores, scratch memory.
 */
static __u32 find_caching(const struct event_stack *stack)
{
	const struct event_frame *frame;

	for (__u32 i = 0; i < stack->num_frames; i++) {
		frame = stack->frames[i];
		if (!frame->line && frame->function &&
		    strstr(frame->function, "::create_and_cache_mesh_workload<"))
			return i;
	}
	return STACK_NO_FRAME;
}

enum owner origin__owner(const struct event_stack *stack)
{
	enum owner owner = OWNER_UNKNOWN;

	for (__u32 i = 0; i < stack->num_frames && owner == OWNER_UNKNOWN; i++)
		owner = owner_of(stack->frames[i]);
	if (owner == OWNER_KERNEL_BINARY || owner == OWNER_TRACE)
		return owner;
	if (find_caching(stack) != STACK_NO_FRAME)
		return OWNER_PROGRAM_CACHE;
	if (owner != OWNER_UNKNOWN)
		return owner;
	return stack->end == TT_STACK_COMPLETE || stack->end == TT_STACK_DEEP ||
			       stack->end == TT_STACK_NO_PYTHON
		       ? OWNER_OTHER
		       : OWNER_UNKNOWN;
}

/* @name without its last part: "a::b::c" becomes "a::b"; false: it has no other. */
static bool cut_last_part(char *name)
{
	char *last = NULL;

	for (char *at = strstr(name, "::"); at; at = strstr(at + 2, "::"))
		last = at;
	if (!last)
		return false;
	*last = '\0';
	return true;
}

void origin__factory(const struct event_stack *stack, char *buf, size_t size)
{
	__u32 i = find_caching(stack);
	char name[NAME_SIZE];

	buf[0] = '\0';
	if (i == STACK_NO_FRAME)
		return;
	/* inwards, past the adapters that all operations have */
	while (i--) {
		if (stack->frames[i]->line || !stack->frames[i]->function)
			continue;
		function_name__shorten(name, sizeof(name), stack->frames[i]->function, "");
		if (begins_with(name, "ttnn::device_operation::") || strchr(name, '{'))
			continue;
		if (begins_with(name, "ttnn::") && cut_last_part(name))
			snprintf(buf, size, "%s", name);
		return;
	}
}

enum {
	PROGRAM_PAGE = 2048 /* HostMemDeviceCommand::PROGRAM_PAGE_SIZE, in all of 0.60 to 0.81 */
};

enum owner owner__of_buffer(const struct buffer *buffer, const struct event_stack *stack)
{
	enum owner owner = owner__of(buffer->type, stack);

	/* of what the runtime itself keeps in DRAM only these have such pages */
	if (owner == OWNER_UNKNOWN && buffer->kind == KIND_SYSTEM && buffer->type == TT_TYPE_DRAM &&
	    buffer->page_size == PROGRAM_PAGE)
		return OWNER_KERNEL_BINARY;
	return owner;
}
