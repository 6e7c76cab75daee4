// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "trace/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "lib/log.h"
#include "trace/loader.h"
#include "trace/stamp.h"

/*
 * Records of one drain at the most. A storm may fill the ring as fast as it is drained, and libbpf
 * would go on for ever: signals and timers want their turn as well.
 */
enum {
	DRAIN_MAX = 1 << 16,
	CATCH_UP_NAP_US = 100,
	CATCH_UP_NAPS = 10000,
};

struct reader {
	struct loader *loader;
	struct ring_buffer *ring;
	reader_record_fn on_record;
	void *ctx;
	int drained; /* records of this drain */
	__u64 torn;
};

/* A torn record is passed over: its number is missing then, which counts as a loss. */
static void tell_torn(struct reader *reader)
{
	if (!reader->torn++)
		pr_warn("a record of the kernel is torn: two probe hits wrote to it; it counts as "
			"lost. Please report this, with what `tttrace --check` prints");
}

static int take_record(void *ctx, void *record, size_t size)
{
	struct reader *reader = ctx;

	if (stamp__is_right(record, size))
		reader->on_record(reader->ctx, record, size - TT_STAMP_SIZE);
	else
		tell_torn(reader);
	/* an error ends the drain behind this record: ringbuf_process_ring() of libbpf */
	return ++reader->drained < DRAIN_MAX ? 0 : -EAGAIN;
}

int reader__new(struct loader *loader, reader_record_fn on_record, void *ctx,
		struct reader **ret_reader)
{
	struct reader *reader = calloc(1, sizeof(*reader));
	int err;

	if (!reader)
		return -ENOMEM;
	reader->loader = loader;
	reader->on_record = on_record;
	reader->ctx = ctx;
	reader->ring = ring_buffer__new(loader__ring_fd(loader), take_record, reader, NULL);
	if (!reader->ring) {
		err = -errno;
		pr_err("cannot map the ring buffer: %s", strerror(-err));
		free(reader);
		return err;
	}
	*ret_reader = reader;
	return 0;
}

int reader__fd(const struct reader *reader)
{
	return ring_buffer__epoll_fd(reader->ring);
}

int reader__drain(struct reader *reader)
{
	int n;

	reader->drained = 0;
	n = ring_buffer__consume(reader->ring);
	return n == -EAGAIN ? reader->drained : n;
}

int reader__catch_up(struct reader *reader)
{
	const struct ring *ring = ring_buffer__ring(reader->ring, 0);
	unsigned long end = ring__producer_pos(ring);
	int naps = 0;

	while (ring__consumer_pos(ring) < end) {
		/* a record that is being written holds up those behind it */
		if (reader__drain(reader) > 0)
			continue;
		if (ring__consumer_pos(ring) < end && naps++ == CATCH_UP_NAPS)
			return -ETIMEDOUT;
		usleep(CATCH_UP_NAP_US);
	}
	return 0;
}

int reader__sleep(struct reader *reader)
{
	int drained;

	loader__set_reader_idle(reader->loader, true);
	drained = reader__drain(reader);
	if (drained)
		loader__set_reader_idle(reader->loader, false);
	return drained;
}

void reader__free(struct reader *reader)
{
	if (!reader)
		return;
	ring_buffer__free(reader->ring);
	free(reader);
}
