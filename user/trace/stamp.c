// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "trace/stamp.h"

#include <string.h>
#include <linux/types.h>

#include "tttrace_config.h"
#include "tttrace_record.h"

bool stamp__is_right(const void *record, size_t size)
{
	const struct tt_record *h = record;
	__u64 stamp;

	if (size < sizeof(*h) + TT_STAMP_SIZE)
		return false;
	memcpy(&stamp, (const char *)record + size - TT_STAMP_SIZE, sizeof(stamp));
	return stamp == tt_record__stamp(h->ts_ns, h->tgid, h->tid);
}
