// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* How a failed allocation is explained to people, and in JSON lines. */
#include "losing.h"

#include <json.h>

static const struct actor python = { 100, 100, 5, 0 };
static const struct actor other = { 200, 200, 6, 1 };

struct paper {
	char *text;
	size_t size;
	FILE *out;
};

static void attach(struct stream *s, struct paper *p, const struct sink_ops *ops)
{
	struct sink_opts opts = { 0 };

	p->out = open_memstream(&p->text, &p->size);
	assert_non_null(p->out);
	opts.out = p->out;
	assert_int_equal(ops->open(&opts, &s->sink), 0);
	s->sink_ops = ops;
}

static void detach(struct stream *s, struct paper *p)
{
	assert_int_equal(s->sink_ops->flush(s->sink), 0);
	s->sink_ops->close(s->sink);
	s->sink = NULL;
	fclose(p->out);
}

static void ask_in_vain(struct stream *s, __u64 per_bank)
{
	struct object o = stream_object(0x4000, 0, per_bank * 12);

	o.status = TT_STATUS_REQUESTED;
	stream_space(s, &python, per_bank);
	stream_buffer(s, &python, TT_RECORD_FREE_BEGIN, &o);
}

/* @groups sizes, each half as large as the one before, each with a hole of its length after it. */
static void hold(struct stream *s, int groups)
{
	__u64 per_bank = 256 * MIB, at = 32;

	stream_begin(s, &python, 1);
	for (int i = 0; i < groups; i++) {
		struct object o = stream_object(0x5000 + 0x100 * i, at, per_bank * 12);

		stream_alloc(s, &python, &o);
		at += 2 * per_bank;
		per_bank /= 2;
	}
	s->ts_ns += 3 * SECOND;
}

static void expect_text(struct stream *s, __u64 asked, const char *expected)
{
	struct paper p;

	attach(s, &p, &sink_text);
	ask_in_vain(s, asked);
	detach(s, &p);
	assert_string_equal(p.text, expected);
	free(p.text);
}

static void the_largest_groups_are_shown_and_the_rest_summed_up(void **state)
{
	struct stream *s = *state;
	struct object theirs = stream_object(0x5000, 32, 12 * 4096);

	hold(s, 7);
	stream_begin(s, &other, 2);
	stream_alloc(s, &other, &theirs);
	expect_text(
		s, 300 * MIB,
		"⚠ [PID 100] Allocation of 3774873600 bytes of DRAM on device 0 failed: asked "
		"314572800 bytes in each of 12 banks, 541065216 free\n"
		"    would have fitted without fragmentation: of 1073741824 bytes in each bank "
		"532676608 are held, the largest hole has 268435456\n"
		"    held by\n"
		"         268435456 bytes in each bank: 1 owning buffer of 2-4 GiB, 3.0 s old\n"
		"         134217728 bytes in each bank: 1 owning buffer of 1-2 GiB, 3.0 s old\n"
		"          67108864 bytes in each bank: 1 owning buffer of 512-1024 MiB, 3.0 s old\n"
		"          33554432 bytes in each bank: 1 owning buffer of 256-512 MiB, 3.0 s old\n"
		"          29360128 bytes in each bank: 3 other buffers\n"
		"    another process on these chips: PID 200 (python) holds 49152 bytes of DRAM in 1 "
		"buffer on devices 0-1\n");
}

static void five_groups_are_shown_as_they_are(void **state)
{
	struct stream *s = *state;

	hold(s, 5);
	expect_text(
		s, 600 * MIB,
		"⚠ [PID 100] Allocation of 7549747200 bytes of DRAM on device 0 failed: asked "
		"629145600 bytes in each of 12 banks, 553648128 free\n"
		"    does not fit, 75497472 too many: of 1073741824 bytes in each bank 520093696 are "
		"held, the largest hole has 268435456\n"
		"    held by\n"
		"         268435456 bytes in each bank: 1 owning buffer of 2-4 GiB, 3.0 s old\n"
		"         134217728 bytes in each bank: 1 owning buffer of 1-2 GiB, 3.0 s old\n"
		"          67108864 bytes in each bank: 1 owning buffer of 512-1024 MiB, 3.0 s old\n"
		"          33554432 bytes in each bank: 1 owning buffer of 256-512 MiB, 3.0 s old\n"
		"          16777216 bytes in each bank: 1 owning buffer of 128-256 MiB, 3.0 s old\n");
}

static void a_hole_that_was_large_enough_is_said_to_be(void **state)
{
	struct stream *s = *state;

	hold(s, 1);
	expect_text(
		s, MIB,
		"⚠ [PID 100] Allocation of 12582912 bytes of DRAM on device 0 failed: asked "
		"1048576 bytes in each of 12 banks, 805306368 free\n"
		"    a hole was large enough (refused for another reason, or another thread was faster): of 1073741824 bytes "
		"in each bank 268435456 are held, the largest hole has 805306368\n"
		"    held by\n"
		"         268435456 bytes in each bank: 1 owning buffer of 2-4 GiB, 3.0 s old\n");
}

static void what_was_seen_after_a_loss_is_not_called_all(void **state)
{
	struct stream *s = *state;

	hold(s, 1);
	losing_counted(s, &python, TT_RECORD_ALLOC, 1);
	expect_text(
		s, MIB,
		"⚠ [PID 100] Allocation of 12582912 bytes of DRAM on device 0 failed: asked "
		"1048576 bytes in each of 12 banks\n"
		"    whether it would have fitted is unknown: records were lost\n"
		"    held, as far as it was seen, by\n"
		"         268435456 bytes in each bank: 1 owning buffer of 2-4 GiB, 3.0 s old\n");
}

static __u64 number(struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value))
		fail_msg("no \"%s\"", key);
	return json_object_get_uint64(value);
}

static struct json_object *element(struct json_object *object, const char *key, size_t i)
{
	struct json_object *array;

	assert_true(json_object_object_get_ex(object, key, &array));
	assert_true(i < json_object_array_length(array));
	return json_object_array_get_idx(array, i);
}

static void in_json_all_groups_are_told(void **state)
{
	struct stream *s = *state;
	struct json_object *line, *holder, *fit;
	struct paper p;

	hold(s, 7);
	attach(s, &p, &sink_json);
	ask_in_vain(s, 300 * MIB);
	detach(s, &p);
	line = json_tokener_parse(p.text);
	assert_non_null(line);
	assert_true(json_object_object_get_ex(line, "fit", &fit));
	assert_string_equal(json_object_get_string(fit), "fragmented");
	assert_int_equal(number(line, "largest_hole_per_bank"), 256 * MIB);
	assert_int_equal(number(line, "bank_size"), 1 << 30);
	holder = element(line, "holders", 6);
	assert_int_equal(number(holder, "per_bank"), 4 * MIB);
	assert_int_equal(number(holder, "footprint"), 48 * MIB);
	assert_int_equal(number(holder, "size_min"), 32 * MIB + 1);
	assert_int_equal(number(holder, "size_max"), 64 * MIB);
	assert_int_equal(number(holder, "buffers"), 1);
	assert_true(number(holder, "oldest_ns") >= 3 * SECOND);
	json_object_put(line);
	free(p.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		stream_test(the_largest_groups_are_shown_and_the_rest_summed_up),
		stream_test(five_groups_are_shown_as_they_are),
		stream_test(a_hole_that_was_large_enough_is_said_to_be),
		stream_test(what_was_seen_after_a_loss_is_not_called_all),
		stream_test(in_json_all_groups_are_told),
	};

	return cmocka_run_group_tests_name("text_shortage", tests, NULL, NULL);
}
