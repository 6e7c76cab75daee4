// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "core/coverage.h"

#include <Judy.h>
#include <errno.h>

/* How deep the stretch is that ends at @at, or goes on there. */
static Word_t depth_before(const struct coverage *coverage, Word_t at)
{
	const Word_t *depth = (const Word_t *)JudyLPrev(coverage->depths, &at, PJE0);

	return depth ? *depth : 0;
}

/* A stretch begins at @at. */
static int split(struct coverage *coverage, Word_t at)
{
	Word_t depth = depth_before(coverage, at);
	PPvoid_t place;

	if (JudyLGet(coverage->depths, at, PJE0))
		return 0;
	place = JudyLIns(&coverage->depths, at, PJE0);
	if (!place || place == PPJERR)
		return -ENOMEM;
	*(Word_t *)place = depth;
	return 0;
}

/* Two that are equally deep are one. */
static int join(struct coverage *coverage, Word_t at)
{
	const Word_t *depth = (const Word_t *)JudyLGet(coverage->depths, at, PJE0);

	if (!depth || *depth != depth_before(coverage, at))
		return 0;
	return JudyLDel(&coverage->depths, at, PJE0) == 1 ? 0 : -ENOMEM;
}

/* All stretches from @from to @to become deeper by @step. Those that were, or are, 0 count. */
static __u64 deepen(struct coverage *coverage, Word_t from, Word_t to, int step)
{
	Word_t at = from, next;
	__u64 bytes = 0;

	while (at < to) {
		Word_t *depth = (Word_t *)JudyLGet(coverage->depths, at, PJE0);

		next = at;
		JudyLNext(coverage->depths, &next, PJE0); /* there is one: @to */
		if (step > 0 ? !*depth : *depth == 1)
			bytes += next - at;
		*depth += (Word_t)step;
		at = next;
	}
	return bytes;
}

static int change(struct coverage *coverage, __u64 from, __u64 to, int step, __u64 *ret_bytes)
{
	int err;

	*ret_bytes = 0;
	if (to <= from)
		return 0;
	err = split(coverage, from);
	if (!err)
		err = split(coverage, to);
	if (err)
		return err;
	*ret_bytes = deepen(coverage, from, to, step);
	err = join(coverage, from);
	return err ? err : join(coverage, to);
}

int coverage__add(struct coverage *coverage, __u64 from, __u64 to, __u64 *ret_bytes)
{
	return change(coverage, from, to, 1, ret_bytes);
}

int coverage__remove(struct coverage *coverage, __u64 from, __u64 to, __u64 *ret_bytes)
{
	return change(coverage, from, to, -1, ret_bytes);
}

void coverage__done(struct coverage *coverage)
{
	JudyLFreeArray(&coverage->depths, PJE0);
}
