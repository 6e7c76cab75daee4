// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 *   ledger rate LIVE PAIRS      so many buffers are held, then pairs of an allocation and a free
 *   ledger memory LIVE          so many buffers are held: bytes of heap each, longest pause
 *
 * The records are those of an ordinary ttnn.empty and ttnn.deallocate, as the BPF side would make
 * them (tests/unit/stream.h); they are made before the time runs. One JSON object is printed.
 */
#include <malloc.h>
#include <time.h>

#include "core/ledger.h"

/* The records of stream.h go onto a tape instead of into a ledger. */
static int add_to_tape(struct ledger *ledger, const void *record, size_t size);
#define ledger__apply add_to_tape
#include "../unit/stream.h"
#undef ledger__apply

enum {
	TAPE_PAIRS = 4096,
	CHUNK = 16384,
	APART = 0x1000, /* between two Buffer objects */
};

struct tape {
	char *bytes;
	size_t used, room;
	__u64 num_records;
};

static struct tape tape;
static __u64 num_events;

static int add_to_tape(struct ledger *ledger, const void *record, size_t size)
{
	__u64 size_word = size;

	(void)ledger;
	if (tape.used + sizeof(size_word) + size > tape.room) {
		tape.room = tape.room ? tape.room * 2 : 1 << 20;
		tape.bytes = realloc(tape.bytes, tape.room);
		assert_non_null(tape.bytes);
	}
	memcpy(tape.bytes + tape.used, &size_word, sizeof(size_word));
	memcpy(tape.bytes + tape.used + sizeof(size_word), record, size);
	tape.used += sizeof(size_word) + (size + 7) / 8 * 8;
	tape.num_records++;
	return 0;
}

static void rewind_tape(void)
{
	tape.used = 0;
	tape.num_records = 0;
}

static void count_event(void *ctx, const struct event *ev)
{
	(void)ctx;
	(void)ev;
	num_events++;
}

/* Of this thread: others that want the same core are not our pauses. */
static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec + ts.tv_nsec * 1e-9;
}

/* Plays the tape, its records @later ns and @seq numbers on. */
static void play(struct ledger *ledger, __u64 later, __u64 seq)
{
	for (size_t at = 0; at < tape.used;) {
		__u64 size = *(__u64 *)(tape.bytes + at);
		struct tt_record *record = (void *)(tape.bytes + at + sizeof(size));

		record->ts_ns += later;
		record->seq += seq;
		if (ledger__apply(ledger, record, size)) {
			fprintf(stderr, "ledger: a record of kind %u was refused\n", record->kind);
			exit(1);
		}
		at += sizeof(size) + (size + 7) / 8 * 8;
	}
}

static void record_allocs(struct stream *s, const struct actor *a, __u64 first, __u64 num)
{
	rewind_tape();
	for (__u64 i = first; i < first + num; i++) {
		struct object o = stream_object(0x7f0000000000 + i * APART, i * 64, 65536);

		stream_alloc(s, a, &o);
	}
}

static void record_pairs(struct stream *s, const struct actor *a, __u64 first, __u64 num)
{
	rewind_tape();
	for (__u64 i = first; i < first + num; i++) {
		struct object o = stream_object(0x7f0000000000 + i * APART, i * 64, 65536);

		stream_alloc(s, a, &o);
		o.status = TT_STATUS_ALLOCATED;
		/* as in the default mode: the state of the device comes with the attempt */
		o.device_state = TT_STATE_OPEN;
		stream_buffer(s, a, TT_RECORD_FREE_BEGIN, &o);
		stream_done(s, a, &o);
	}
}

/* The longest time that one record has taken, in seconds; that of the whole is added to @spent. */
static double play_slowly(struct ledger *ledger, double *spent)
{
	double worst = 0, begin, after;

	begin = now();
	for (size_t at = 0; at < tape.used;) {
		__u64 size = *(__u64 *)(tape.bytes + at);
		double before = now();

		ledger__apply(ledger, tape.bytes + at + sizeof(size), size);
		after = now();
		if (after - before > worst)
			worst = after - before;
		at += sizeof(size) + (size + 7) / 8 * 8;
	}
	*spent += now() - begin;
	return worst;
}

static size_t heap_bytes(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static void hold(struct stream *s, const struct actor *a, __u64 live)
{
	for (__u64 done = 0; done < live; done += CHUNK) {
		record_allocs(s, a, done, live - done < CHUNK ? live - done : CHUNK);
		play(s->ledger, 0, 0);
	}
}

static void measure_rate(struct stream *s, const struct actor *a, __u64 live, __u64 pairs)
{
	__u64 rounds = pairs / TAPE_PAIRS + !!(pairs % TAPE_PAIRS), begin_ns;
	double begin;

	hold(s, a, live);
	begin_ns = s->ts_ns;
	record_pairs(s, a, live, pairs < TAPE_PAIRS ? pairs : TAPE_PAIRS);
	num_events = 0;
	begin = now();
	for (__u64 i = 0; i < rounds; i++)
		play(s->ledger, i ? s->ts_ns - begin_ns : 0, i ? tape.num_records : 0);
	printf("{\"live\":%llu,\"records\":%llu,\"events\":%llu,\"seconds\":%.6f}\n", live,
	       rounds * tape.num_records, num_events, now() - begin);
}

static void measure_memory(struct stream *s, const struct actor *a, __u64 live)
{
	double worst = 0, spent = 0, slow;
	size_t empty = heap_bytes();

	for (__u64 done = 0; done < live; done += CHUNK) {
		size_t other = tape.room;

		record_allocs(s, a, done, live - done < CHUNK ? live - done : CHUNK);
		empty += tape.room - other;
		slow = play_slowly(s->ledger, &spent);
		if (slow > worst)
			worst = slow;
	}
	printf("{\"live\":%llu,\"bytes_per_buffer\":%.1f,\"longest_pause_ms\":%.3f,"
	       "\"seconds\":%.3f}\n",
	       live, (double)(heap_bytes() - empty) / live, worst * 1e3, spent);
}

int main(int argc, char **argv)
{
	struct ledger_opts opts = { .on_event = count_event };
	static const struct actor actor = { .tgid = 100, .tid = 100, .start_ns = 1000 };
	static struct stream s = { .step_ns = 100, .ts_ns = SECOND };

	if (argc < 3 || ledger__new(&opts, &s.ledger)) {
		fprintf(stderr, "usage: ledger rate LIVE PAIRS | ledger memory LIVE\n");
		return 2;
	}
	stream_library(&s);
	stream_begin(&s, &actor, 1);
	play(s.ledger, 0, 0);
	if (argc > 3)
		measure_rate(&s, &actor, strtoull(argv[2], NULL, 0), strtoull(argv[3], NULL, 0));
	else
		measure_memory(&s, &actor, strtoull(argv[2], NULL, 0));
	ledger__free(s.ledger);
	return 0;
}
