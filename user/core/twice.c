// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "core/twice.h"

#include <string.h>

/* Those of a hit whose first field is the object; an allocator is introduced by either link. */
static bool has_object(__u16 kind)
{
	switch (kind) {
	case TT_RECORD_SPACE:
	case TT_RECORD_ALLOC:
	case TT_RECORD_ZERO_SIZE:
	case TT_RECORD_VIEW:
	case TT_RECORD_FREE_BEGIN:
	case TT_RECORD_FREE_TRACKED:
	case TT_RECORD_FREE_DONE:
	case TT_RECORD_FREE:
	case TT_RECORD_BULK:
	case TT_RECORD_DEVICE:
	case TT_RECORD_CIRCULAR:
	case TT_RECORD_PROGRAM:
		return true;
	}
	return false;
}

bool twice__is_second(struct twice *last, const struct tt_record *h)
{
	__u64 object;

	if (!has_object(h->kind))
		return false;
	memcpy(&object, h + 1, sizeof(object));
	if (last->kind == h->kind && last->probe == h->probe && last->object == object &&
	    last->layout != h->layout)
		return true;
	*last = (struct twice){ object, h->kind, h->layout, h->probe };
	return false;
}
