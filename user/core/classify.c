// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "core/classify.h"

static bool is_system(const struct body *body, __u32 device_state)
{
	if (device_state == TT_STATE_OPENING || body->type == TT_TYPE_TRACE)
		return true;
	/* Buffer::create's default in DRAM is bottom-up; only the runtime itself asks for
	 * top-down: kernel binaries, traces without a region of their own */
	return body->type == TT_TYPE_DRAM && body__has(body, TT_FIELD_BOTTOM_UP) &&
	       !body->bottom_up;
}

enum buffer_kind classify__buffer(const struct body *body, __u32 device_state)
{
	if (body->hooked)
		return KIND_HOOKED;
	if (body__has(body, TT_FIELD_SIZE) && !body->size)
		return KIND_ZERO_SIZE;
	return is_system(body, device_state) ? KIND_SYSTEM : KIND_OWNING;
}

enum free_class classify__attempt(const struct body *body)
{
	if (body__has(body, TT_FIELD_SIZE) && !body->size)
		return CLASS_ZERO_SIZE;
	if (body__has(body, TT_FIELD_OWNS_DATA) && !body->owns_data)
		return CLASS_VIEW;
	if (body__has(body, TT_FIELD_STATUS) && body->status == TT_STATUS_REQUESTED)
		return CLASS_FAILED_ALLOC;
	if (body__has(body, TT_FIELD_STATUS) && body->status == TT_STATUS_DEALLOCATED)
		return CLASS_REPEATED;
	if (body->hooked)
		return CLASS_HOOKED;
	return CLASS_COUNT;
}

static enum free_class classify_unseen(const struct done_facts *facts)
{
	/* a trace that was captured under our eyes, and not released before its device was closed
	 */
	if (facts->device_closed && facts->id_after_attach && !facts->may_be_lost)
		return CLASS_DEVICE_CLOSED;
	if (facts->before_attach && (facts->id_before_attach || !facts->may_be_lost))
		return CLASS_PRE_ATTACH;
	if (facts->before_attach && !facts->id_after_attach)
		return CLASS_PRE_ATTACH;
	if (facts->may_be_lost)
		return CLASS_LOST;
	if (facts->forked)
		return CLASS_FOREIGN;
	if (facts->forgotten)
		return CLASS_BULK_FREED;
	if (facts->device_closed)
		return CLASS_DEVICE_CLOSED;
	return CLASS_UNKNOWN;
}

enum free_class classify__done(const struct done_facts *facts)
{
	if (facts->live)
		return CLASS_MATCHED;
	if (facts->ended)
		return CLASS_BULK_FREED;
	if (facts->live_in_ancestor)
		return CLASS_FOREIGN;
	return classify_unseen(facts);
}

enum free_class classify__undone(const struct undone_facts *facts)
{
	if (facts->lost)
		return CLASS_LOST;
	if (!facts->tracked)
		return CLASS_DEVICE_CLOSED;
	if (facts->forked && !facts->known)
		return CLASS_FOREIGN;
	return CLASS_SUPPRESSED;
}

const char *free_class__why(enum free_class class)
{
	static const char *const words[CLASS_COUNT] = {
		[CLASS_ZERO_SIZE] = "its size is 0, it never had memory",
		[CLASS_HOOKED] = "allocated under a graph capture, it never had memory",
		[CLASS_VIEW] = "it is a view, the memory is another buffer's",
		[CLASS_DEVICE_CLOSED] =
			"its device had been closed, the memory went with the device",
		[CLASS_REPEATED] = "it had been deallocated before",
		[CLASS_FAILED_ALLOC] = "its allocation had failed, it never had memory",
		[CLASS_PRE_ATTACH] = "allocated before tracing began",
		[CLASS_BULK_FREED] = "its memory had been taken back in bulk before",
		[CLASS_FOREIGN] = "a forked child frees what belongs to its parent",
		[CLASS_SUPPRESSED] = "a graph capture was active on this thread and suppressed it, "
				     "the memory stays occupied until the device is closed",
		[CLASS_LOST] = "records were lost, the one of its allocation may be among them",
		[CLASS_UNKNOWN] = "no reason found: please report this",
	};

	return (unsigned int)class < CLASS_COUNT ? words[class] : NULL;
}

bool free_class__is_harmless(enum free_class class)
{
	switch (class) {
	case CLASS_MATCHED:
	case CLASS_ZERO_SIZE:
	case CLASS_HOOKED:
	case CLASS_VIEW:
	case CLASS_DEVICE_CLOSED:
	case CLASS_REPEATED:
		return true;
	default:
		return false;
	}
}

const char *buffer_ending__words(enum buffer_ending ending)
{
	static const char *const words[ENDING_COUNT] = {
		[ENDING_NONE] = "nothing",
		[ENDING_DEALLOCATE_BUFFERS] = "deallocate_buffers()",
		[ENDING_CLEAR] = "the allocator's clear()",
		[ENDING_OVERRIDE_STATE] = "the allocator's override_state()",
		[ENDING_ALLOCATOR_DESTROYED] = "the end of its allocator",
	};

	return (unsigned int)ending < ENDING_COUNT ? words[ending] : "?";
}

enum buffer_ending classify__bulk(__u32 probe)
{
	switch (probe) {
	case TT_PROBE_CLEAR:
		return ENDING_CLEAR;
	case TT_PROBE_OVERRIDE_STATE:
		return ENDING_OVERRIDE_STATE;
	case TT_PROBE_ALLOCATOR_DESTROY:
		return ENDING_ALLOCATOR_DESTROYED;
	default:
		return ENDING_DEALLOCATE_BUFFERS;
	}
}
