// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The words of the output contract. */
#include "core/event.h"

static const char *const kind_names[EVENT_KIND_COUNT] = {
	[EVENT_ALLOC] = "alloc",
	[EVENT_FREE] = "free",
	[EVENT_ALLOC_FAILED] = "alloc_failed",
	[EVENT_BULK_FREE] = "bulk_free",
	[EVENT_DEVICE_OPEN] = "device_open",
	[EVENT_DEVICE_CLOSE] = "device_close",
	[EVENT_PROCESS_START] = "process_start",
	[EVENT_PROCESS_EXIT] = "process_exit",
	[EVENT_LOST] = "lost",
	[EVENT_CENSUS] = "census",
	[EVENT_LEAK] = "leak",
	[EVENT_ENDED] = "ended",
};

static const char *const buffer_kinds[KIND_COUNT] = {
	[KIND_OWNING] = "owning",	[KIND_VIEW] = "view",	  [KIND_HOOKED] = "hooked",
	[KIND_ZERO_SIZE] = "zero_size", [KIND_SYSTEM] = "system",
};

static const char *const class_names[CLASS_COUNT] = {
	[CLASS_MATCHED] = "matched",
	[CLASS_ZERO_SIZE] = "zero_size",
	[CLASS_HOOKED] = "hooked",
	[CLASS_VIEW] = "view",
	[CLASS_DEVICE_CLOSED] = "device_closed",
	[CLASS_REPEATED] = "repeated",
	[CLASS_FAILED_ALLOC] = "failed_alloc",
	[CLASS_PRE_ATTACH] = "pre_attach",
	[CLASS_BULK_FREED] = "bulk_freed",
	[CLASS_FOREIGN] = "foreign",
	[CLASS_SUPPRESSED] = "suppressed",
	[CLASS_LOST] = "lost",
	[CLASS_UNKNOWN] = "unknown",
};

static const char *const owner_names[OWNER_COUNT] = {
	[OWNER_TENSOR] = "tensor",
	[OWNER_KERNEL_BINARY] = "kernel_binary",
	[OWNER_PROGRAM_CACHE] = "program_cache",
	[OWNER_TRACE] = "trace",
	[OWNER_SEMAPHORE] = "semaphore",
	[OWNER_CIRCULAR_BUFFER] = "circular_buffer",
	[OWNER_SOCKET] = "socket",
	[OWNER_OTHER] = "other",
};

static const char *const fit_names[FIT_COUNT] = {
	[FIT_UNKNOWN] = "unknown",	 [FIT_TOO_LARGE] = "too_large", [FIT_FULL] = "full",
	[FIT_FRAGMENTED] = "fragmented", [FIT_REFUSED] = "refused",
};

static const char *const type_names[TT_TYPE_COUNT] = {
	[TT_TYPE_DRAM] = "DRAM",
	[TT_TYPE_L1] = "L1",
	[TT_TYPE_SYSTEM_MEMORY] = "SYSTEM_MEMORY",
	[TT_TYPE_L1_SMALL] = "L1_SMALL",
	[TT_TYPE_TRACE] = "TRACE",
};

static const char *const layout_names[TT_LAYOUT_COUNT] = {
	[TT_LAYOUT_INTERLEAVED] = "INTERLEAVED",       [TT_LAYOUT_SINGLE_BANK] = "SINGLE_BANK",
	[TT_LAYOUT_HEIGHT_SHARDED] = "HEIGHT_SHARDED", [TT_LAYOUT_WIDTH_SHARDED] = "WIDTH_SHARDED",
	[TT_LAYOUT_BLOCK_SHARDED] = "BLOCK_SHARDED",   [TT_LAYOUT_ND_SHARDED] = "ND_SHARDED",
};

static const char *const probe_names[TT_PROBE_COUNT] = {
	[TT_PROBE_BUFFER_CREATE] = "buffer_create",
	[TT_PROBE_BUFFER_CREATE_AT] = "buffer_create_at",
	[TT_PROBE_ALLOCATE_IMPL] = "allocate_impl",
	[TT_PROBE_DEALLOCATE_IMPL] = "deallocate_impl",
	[TT_PROBE_HOOK_ALLOCATE] = "hook_allocate",
	[TT_PROBE_HOOK_DEALLOCATE] = "hook_deallocate",
	[TT_PROBE_TRACK_ALLOCATE] = "track_allocate",
	[TT_PROBE_TRACK_DEALLOCATE] = "track_deallocate",
	[TT_PROBE_ALLOCATE_BUFFER] = "allocate_buffer",
	[TT_PROBE_DEALLOCATE_BUFFER] = "deallocate_buffer",
	[TT_PROBE_DEALLOCATE_BUFFERS] = "deallocate_buffers",
	[TT_PROBE_CLEAR] = "clear",
	[TT_PROBE_OVERRIDE_STATE] = "override_state",
	[TT_PROBE_ALLOCATOR_DESTROY] = "allocator_destroy",
	[TT_PROBE_FREE_LIST_ALLOCATE] = "free_list_allocate",
	[TT_PROBE_DEVICE_OPEN] = "device_open",
	[TT_PROBE_DEVICE_CLOSE] = "device_close",
	[TT_PROBE_MESH_OPEN] = "mesh_open",
	[TT_PROBE_MESH_CLOSE] = "mesh_close",
	[TT_PROBE_MESH_CLOSING] = "mesh_closing",
	[TT_PROBE_TRACK_ALLOCATE_CB] = "track_allocate_cb",
	[TT_PROBE_TRACK_DEALLOCATE_CB] = "track_deallocate_cb",
	[TT_PROBE_REGISTER_PROGRAM] = "register_program",
	[TT_PROBE_PLACE_DATAFLOW] = "allocate_dataflow_buffers",
	[TT_PROBE_MARK_ADDRESS] = "mark_address",
	[TT_PROBE_CREATE_EMPTY] = "create_empty",
};

static const char *const record_names[TT_RECORD_KIND_COUNT] = {
	[TT_RECORD_NONE] = "unknown",
	[TT_RECORD_PROCESS_START] = "process_start",
	[TT_RECORD_PROCESS_EXEC] = "process_exec",
	[TT_RECORD_PROCESS_EXIT] = "process_exit",
	[TT_RECORD_PROCESS_NAME] = "process_name",
	[TT_RECORD_ALLOCATOR] = "allocator",
	[TT_RECORD_SPACE] = "space",
	[TT_RECORD_ALLOC] = "alloc",
	[TT_RECORD_ZERO_SIZE] = "zero_size",
	[TT_RECORD_VIEW] = "view",
	[TT_RECORD_FREE_BEGIN] = "free_begin",
	[TT_RECORD_FREE_TRACKED] = "free_tracked",
	[TT_RECORD_FREE_DONE] = "free_done",
	[TT_RECORD_FREE] = "free",
	[TT_RECORD_BULK] = "bulk",
	[TT_RECORD_DEVICE] = "device",
	[TT_RECORD_CIRCULAR] = "circular",
	[TT_RECORD_PROGRAM] = "program",
	[TT_RECORD_STACK_COPY] = "stack_copy",
	[TT_RECORD_PYTHON_CODE] = "python_code",
	[TT_RECORD_LIBRARY] = "library",
	[TT_RECORD_PROCESS_LOST] = "process_lost",
	[TT_RECORD_COUNTERS] = "counters",
	[TT_RECORD_CENSUS] = "census",
	[TT_RECORD_CENSUS_BUFFER] = "census_buffer",
	[TT_RECORD_FRAME] = "frame",
	[TT_RECORD_STACK] = "stack",
	[TT_RECORD_STACK_TAKEN] = "stack_taken",
	[TT_RECORD_MISSING] = "missing",
	[TT_RECORD_UNTRACED] = "untraced",
	[TT_RECORD_CENSUS_ORPHAN] = "census_orphan",
};

static const char *const stack_ends[TT_STACK_END_COUNT] = {
	[TT_STACK_COMPLETE] = "complete",   [TT_STACK_CUT] = "cut",
	[TT_STACK_DEEP] = "deep",	    [TT_STACK_NO_CODE] = "no_code",
	[TT_STACK_NO_RULE] = "no_rule",	    [TT_STACK_BROKEN] = "broken",
	[TT_STACK_NO_PYTHON] = "no_python",
};

const char *event__kind_name(enum event_kind kind)
{
	return (unsigned int)kind < EVENT_KIND_COUNT ? kind_names[kind] : "?";
}

const char *buffer_kind__name(enum buffer_kind kind)
{
	return (unsigned int)kind < KIND_COUNT ? buffer_kinds[kind] : "?";
}

const char *free_class__name(enum free_class class)
{
	return (unsigned int)class < CLASS_COUNT ? class_names[class] : "?";
}

const char *owner__name(enum owner owner)
{
	return (unsigned int)owner < OWNER_COUNT ? owner_names[owner] : NULL;
}

const char *fit__name(enum fit fit)
{
	return (unsigned int)fit < FIT_COUNT ? fit_names[fit] : "?";
}

const char *buffer_type__name(__u32 type)
{
	return type < TT_TYPE_COUNT ? type_names[type] : "?";
}

const char *buffer_layout__name(__u32 layout)
{
	return layout < TT_LAYOUT_COUNT ? layout_names[layout] : "?";
}

const char *probe__name(__u32 probe)
{
	return probe < TT_PROBE_COUNT ? probe_names[probe] : "?";
}

const char *record_kind__name(__u32 kind)
{
	return kind < TT_RECORD_KIND_COUNT ? record_names[kind] : "?";
}

const char *census_reason__name(__u32 reason)
{
	switch (reason) {
	case TT_CENSUS_ATTACH:
		return "attach";
	case TT_CENSUS_REPAIR:
		return "repair";
	case TT_CENSUS_AUDIT:
		return "audit";
	case TT_CENSUS_MEASURE:
		return "measure";
	}
	return "?";
}

const char *stack_end__name(enum tt_stack_end end)
{
	return (unsigned int)end < TT_STACK_END_COUNT ? stack_ends[end] : "?";
}

const char *mode__name(enum tt_mode mode)
{
	static const char *const names[TT_MODE_COUNT] = {
		[TT_MODE_DEFAULT] = "default",
		[TT_MODE_LEAN] = "lean",
		[TT_MODE_ALL] = "all",
	};

	return mode < TT_MODE_COUNT ? names[mode] : "?";
}
