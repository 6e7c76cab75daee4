// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "core/filter.h"

#include <string.h>

enum {
	COMM_KEPT = 15
}; /* TASK_COMM_LEN without its end */

bool filter__comm(const struct filter *filter, const char *comm)
{
	return !filter->comm || !strncmp(filter->comm, comm, COMM_KEPT);
}

bool filter__device(const struct filter *filter, const struct event_device *device)
{
	if (!filter->num_chips)
		return true;
	for (__u32 i = 0; device && i < device->num_chips; i++) {
		for (__u32 j = 0; j < filter->num_chips; j++) {
			if (device->chips[i] == filter->chips[j])
				return true;
		}
	}
	return false;
}

bool filter__buffer(const struct filter *filter, __u32 type, __u64 size)
{
	if (filter->types && (type >= TT_TYPE_COUNT || !(filter->types & (1u << type))))
		return false;
	return size >= filter->min_size && (!filter->max_size || size <= filter->max_size);
}

bool filter__age(const struct filter *filter, __u64 age_ns)
{
	return age_ns >= filter->min_age_ns;
}

const struct suppression *filter__suppression(const struct filter *filter,
					      const struct event_stack *stack)
{
	return filter->suppressions ? suppressions__match(filter->suppressions, stack) : NULL;
}

bool filter__event(const struct filter *filter, const struct event *ev)
{
	if (ev->process && !filter__comm(filter, ev->process->comm))
		return false;
	if ((ev->device || ev->buffer) && !filter__device(filter, ev->device))
		return false;
	if ((ev->kind == EVENT_LEAK || ev->kind == EVENT_ENDED) && ev->buffer &&
	    !filter__age(filter, ev->ts_ns - ev->buffer->alloc_ts_ns))
		return false;
	if (ev->kind == EVENT_LEAK && ev->buffer && filter__suppression(filter, ev->buffer->stack))
		return false;
	return !ev->buffer || filter__buffer(filter, ev->buffer->type, ev->buffer->size);
}
