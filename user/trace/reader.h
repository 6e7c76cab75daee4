/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * From the ring buffer to a handler, record by record. It neither decodes nor prints.
 *
 * Waking costs the target more than a record does, so records wake the reader only when it said
 * that it sleeps (reader__sleep). After a wake-up it naps and drains in batches until a drain
 * finds nothing.
 */
#ifndef TTTRACE_READER_H
#define TTTRACE_READER_H

#include <stddef.h>

struct loader;
struct reader;

/* Takes one record. It returns nothing: a bad record must not end the reading. */
typedef void (*reader_record_fn)(void *ctx, const void *record, size_t size);

/* Returns 0 or -errno, logged. @loader must outlive the reader. */
int reader__new(struct loader *loader, reader_record_fn on_record, void *ctx,
		struct reader **ret_reader);

/* For epoll: readable when there is something to drain. */
int reader__fd(const struct reader *reader);

/*
 * Hands over what is in the ring, up to a number of records that takes some milliseconds. Returns
 * how many there were, or -errno.
 */
int reader__drain(struct reader *reader);

/*
 * Hands over all that was in the ring when it was called. Returns 0, or -ETIMEDOUT: a record has
 * been in the making for a second.
 */
int reader__catch_up(struct reader *reader);

/*
 * Announces sleep, and drains once more so that nothing slips in between. Returns the number of
 * records of that drain: if it is not 0, do not sleep yet.
 */
int reader__sleep(struct reader *reader);

void reader__free(struct reader *reader);

#endif
