// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* JSON lines, compared as JSON: the contract of design.md. */
#include "lines.h"
#include "losing.h"
#include "scene.h"

#include <errno.h>

static const struct actor python = { 100, 100, 5, 0 };

static void every_line_is_an_object_with_an_event_and_a_time(void **state)
{
	struct stream *s = *state;
	struct lines l;

	lines_open(&l, s);
	scene_play(s);
	write_report(s, &l);
	lines_read(&l);
	assert_int_equal(l.count, 34);
	for (int i = 0; i < l.count; i++) {
		assert_int_equal(json_object_get_type(l.at[i]), json_type_object);
		assert_true(has(l.at[i], "event"));
		assert_true(get_number(l.at[i], "ts_ns") > 0);
	}
	assert_string_equal(get_string(l.at[l.count - 1], "event"), "summary");
	lines_close(&l);
}

static void an_allocation_has_all_keys_of_the_contract_in_their_order(void **state)
{
	struct stream *s = *state;
	struct lines l;

	lines_open(&l, s);
	scene_play(s);
	lines_read(&l);
	assert_string_equal(
		json_object_to_json_string_ext(nth(&l, "alloc", 0), JSON_C_TO_STRING_PLAIN),
		"{\"event\":\"alloc\",\"ts_ns\":1000013000,\"pid\":12345,\"tid\":12345,"
		"\"comm\":\"python\",\"mesh\":0,\"devices\":[0,1,2,3,4,5,6,7],"
		"\"buffer\":\"0x7f0001000\",\"id\":1,\"address\":2560032,\"size\":104857600,"
		"\"footprint\":104857728,\"type\":\"DRAM\",\"layout\":\"INTERLEAVED\","
		"\"page_size\":2048,\"kind\":\"owning\"}");
	assert_string_equal(get_string(nth(&l, "alloc", 2), "kind"), "system");
	assert_string_equal(get_string(nth(&l, "alloc", 3), "layout"), "HEIGHT_SHARDED");
	assert_string_equal(get_string(nth(&l, "alloc", 4), "kind"), "hooked");
	assert_string_equal(get_string(nth(&l, "alloc", 5), "kind"), "zero_size");
	lines_close(&l);
}

static void frees_have_a_class_and_all_but_matched_a_reason(void **state)
{
	static const char *const classes[] = { "matched", "repeated",	"hooked",	"zero_size",
					       "foreign", "suppressed", "device_closed" };
	struct stream *s = *state;
	struct lines l;

	lines_open(&l, s);
	scene_play(s);
	lines_read(&l);
	for (int i = 0; i < 7; i++) {
		struct json_object *line = nth(&l, "free", i);

		assert_string_equal(get_string(line, "class"), classes[i]);
		assert_int_equal(has(line, "why"), i != 0);
	}
	lines_close(&l);
}

static void the_other_events_say_what_only_they_know(void **state)
{
	struct stream *s = *state;
	struct json_object *line;
	struct lines l;

	lines_open(&l, s);
	scene_play(s);
	lines_read(&l);
	line = nth(&l, "alloc_failed", 0);
	assert_string_equal(get_string(line, "class"), "failed_alloc");
	assert_int_equal(get_number(line, "banks"), 12);
	assert_int_equal(get_number(line, "asked_per_bank"), 1789569728);
	assert_int_equal(get_number(line, "free_per_bank"), 1065001632);
	line = nth(&l, "bulk_free", 0);
	assert_int_equal(get_number(line, "buffers"), 4);
	assert_int_equal(get_number(line, "bytes"), 104956032);
	line = nth(&l, "device_close", 0);
	assert_int_equal(get_number(line, "buffers"), 3);
	assert_int_equal(json_object_array_length(get(line, "devices")), 8);
	line = nth(&l, "leak", 2);
	assert_true(get_number(line, "alloc_ts_ns") > 0);
	assert_non_null(strstr(get_string(line, "why"), "suppressed"));
	line = nth(&l, "process_exit", 1);
	assert_int_equal(get_number(line, "status"), 0);
	lines_close(&l);
}

static void the_summary_has_totals_classes_and_coverage(void **state)
{
	struct stream *s = *state;
	struct json_object *summary, *process, *device, *dram, *chips;
	struct lines l;

	lines_open(&l, s);
	scene_play(s);
	write_report(s, &l);
	lines_read(&l);
	summary = nth(&l, "summary", 0);
	assert_false(json_object_get_boolean(get(summary, "interval")));
	assert_int_equal(get_number(get(summary, "leaked"), "buffers"), 3);
	assert_int_equal(get_number(get(summary, "leaked"), "bytes"), 8 * 104931456);
	assert_int_equal(get_number(get(summary, "classes"), "matched"), 1);
	assert_int_equal(get_number(get(summary, "classes"), "unknown"), 0);
	process = json_object_array_get_idx(get(summary, "processes"), 0);
	assert_int_equal(get_number(process, "pid"), 12345);
	assert_string_equal(get_string(process, "state"), "exited");
	device = json_object_array_get_idx(get(process, "devices"), 0);
	dram = get(get(device, "memory"), "DRAM");
	assert_int_equal(get_number(dram, "live"), 0);
	assert_int_equal(get_number(dram, "peak"), 209740032);
	assert_int_equal(get_number(get(device, "leaked"), "bytes"), 104931456);
	assert_int_equal(get_number(get(device, "held_by_runtime"), "buffers"), 1);
	chips = get(process, "chips");
	assert_int_equal(json_object_array_length(chips), 8);
	assert_int_equal(get_number(json_object_array_get_idx(chips, 7), "device"), 7);
	lines_close(&l);
}

static void coverage_has_hits_by_name_of_the_probe(void **state)
{
	struct stream *s = *state;
	struct json_object *coverage;
	struct lines l;

	lines_open(&l, s);
	scene_play(s);
	write_report(s, &l);
	lines_read(&l);
	coverage = get(nth(&l, "summary", 0), "coverage");
	assert_true(json_object_get_boolean(get(coverage, "complete")));
	assert_int_equal(get_number(coverage, "probes_attached"), 20);
	assert_int_equal(get_number(coverage, "events"), 45);
	assert_int_equal(get_number(coverage, "lost"), 0);
	assert_int_equal(get_number(get(coverage, "hits"), "track_allocate"), 6);
	assert_int_equal(json_object_object_length(get(coverage, "hits")), TT_PROBE_COUNT);
	assert_string_equal(get_string(coverage, "mode"), "all");
	assert_int_equal(json_object_array_length(get(coverage, "not_probed")), 0);
	assert_string_equal(
		get_string(json_object_array_get_idx(get(coverage, "libraries"), 0), "path"),
		"/venv/lib/libtt_metal.so");
	lines_close(&l);
}

static void a_running_summary_is_marked_as_such(void **state)
{
	struct stream *s = *state;
	struct snapshot *snapshot;
	struct lines l;

	lines_open(&l, s);
	assert_int_equal(snapshot__take_totals(s->ledger, NULL, s->ts_ns, &snapshot), 0);
	assert_int_equal(sink_json.interval(l.sink, snapshot), 0);
	snapshot__free(snapshot);
	lines_read(&l);
	assert_true(json_object_get_boolean(get(nth(&l, "summary", 0), "interval")));
	lines_close(&l);
}

static void the_greatest_numbers_come_through_whole(void **state)
{
	struct stream *s = *state;
	struct object o = stream_object(~0ull, ~0ull, ~0ull);
	struct json_object *line;
	struct lines l;

	lines_open(&l, s);
	o.id = ~0ull - 1;
	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	lines_read(&l);
	line = nth(&l, "alloc", 0);
	assert_true(get_number(line, "size") == ~0ull);
	assert_true(get_number(line, "id") == ~0ull - 1);
	assert_true(get_number(line, "address") == ~0ull);
	assert_string_equal(get_string(line, "buffer"), "0xffffffffffffffff");
	assert_false(has(line, "footprint"));
	lines_close(&l);
}

static void any_command_name_gives_valid_json(void **state)
{
	static const char *const names[] = {
		"\"quoted\\\"",	    "tab\tnew\nline",  "\x01\x1f\x7f",
		"\xff\xfe\xc0\xaf", "caf\xc3\xa9",     "\xed\xa0\x80",
		"\xf4\x90\x80\x80", "cut\xf0\x9f\x90", "",
		"</script>",
	};
	struct stream *s = *state;
	struct lines l;

	lines_open(&l, s);
	for (__u32 i = 0; i < 10; i++) {
		struct actor a = { 100 + i, 100 + i, 5, 0 };

		stream_process(s, &a, TT_RECORD_PROCESS_START, names[i], 0, 0, NULL);
		stream_space(s, &a, 32);
	}
	lines_read(&l);
	assert_int_equal(l.count, 10);
	assert_string_equal(get_string(l.at[0], "comm"), names[0]);
	assert_string_equal(get_string(l.at[4], "comm"), names[4]);
	assert_string_equal(get_string(l.at[1], "comm"), "tab\ufffdnew\ufffdline");
	lines_close(&l);
}

static void what_was_lost_is_told_by_kind(void **state)
{
	struct stream *s = *state;
	struct tt_counters counters = { .process_map_full = 2 };
	struct json_object *line;
	struct lines l;

	lines_open(&l, s);
	counters.lost[TT_RECORD_ALLOC] = 3;
	stream_counters(s, &counters);
	write_report(s, &l);
	lines_read(&l);
	line = nth(&l, "lost", 0);
	assert_false(has(line, "pid"));
	assert_int_equal(get_number(line, "records"), 3);
	assert_int_equal(get_number(get(line, "lost"), "alloc"), 3);
	assert_int_equal(get_number(line, "process_map_full"), 2);
	line = get(nth(&l, "summary", 0), "coverage");
	assert_false(json_object_get_boolean(get(line, "complete")));
	assert_int_equal(get_number(get(line, "lost_kinds"), "alloc"), 3);
	lines_close(&l);
}

static void what_a_process_has_lost_is_told_of_that_process(void **state)
{
	static const struct actor python = { 100, 100, 5, 0 };
	struct stream *s = *state;
	struct object o = stream_object(0x5000, 0x100, 12 * 1024);
	struct json_object *line;
	struct lines l;

	lines_open(&l, s);
	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	losing_counted(s, &python, TT_RECORD_FREE_DONE, 3);
	write_report(s, &l);
	lines_read(&l);
	line = nth(&l, "lost", 0);
	assert_int_equal(get_number(line, "pid"), python.tgid);
	assert_int_equal(get_number(line, "records"), 3);
	assert_false(has(nth(&l, "lost", 1), "pid"));
	line = json_object_array_get_idx(get(nth(&l, "summary", 0), "processes"), 0);
	assert_int_equal(get_number(line, "lost"), 3);
	lines_close(&l);
}

static void a_full_disk_is_an_error_and_not_a_crash(void **state)
{
	struct stream *s = *state;
	struct sink_opts opts = { .out = fopen("/dev/full", "w") };
	struct snapshot *snapshot;
	struct sink *sink;

	assert_non_null(opts.out);
	setvbuf(opts.out, NULL, _IONBF, 0);
	scene_play(s);
	assert_int_equal(sink_json.open(&opts, &sink), 0);
	snapshot = stream_snapshot(s);
	assert_int_equal(sink_json.event(sink, &s->seen[2].ev), -ENOSPC);
	assert_int_equal(sink_json.interval(sink, snapshot), -ENOSPC);
	assert_int_equal(sink_json.report(sink, snapshot), -ENOSPC);
	snapshot__free(snapshot);
	sink_json.close(sink);
	fclose(opts.out);
}

static void a_process_that_is_killed_has_a_signal_and_no_status(void **state)
{
	struct stream *s = *state;
	struct object o = stream_object(0x5000, 0x100, 4096);
	struct json_object *line;
	struct lines l;

	lines_open(&l, s);
	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	stream_exit(s, &python, 9);
	write_report(s, &l);
	lines_read(&l);
	line = nth(&l, "process_exit", 0);
	assert_int_equal(get_number(line, "signal"), 9);
	assert_false(has(line, "status"));
	line = json_object_array_get_idx(get(nth(&l, "summary", 0), "processes"), 0);
	assert_int_equal(get_number(line, "signal"), 9);
	line = json_object_array_get_idx(get(line, "devices"), 0);
	assert_int_equal(get_number(get(line, "ended"), "buffers"), 1);
	assert_int_equal(get_number(get(line, "leaked"), "buffers"), 0);
	line = get(nth(&l, "summary", 0), "ended");
	assert_int_equal(get_number(line, "buffers"), 1);
	assert_int_equal(get_number(line, "size"), 4096);
	assert_true(has(nth(&l, "ended", 0), "alloc_ts_ns"));
	lines_close(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		stream_test(every_line_is_an_object_with_an_event_and_a_time),
		stream_test(an_allocation_has_all_keys_of_the_contract_in_their_order),
		stream_test(frees_have_a_class_and_all_but_matched_a_reason),
		stream_test(the_other_events_say_what_only_they_know),
		stream_test(the_summary_has_totals_classes_and_coverage),
		stream_test(coverage_has_hits_by_name_of_the_probe),
		stream_test(a_running_summary_is_marked_as_such),
		stream_test(the_greatest_numbers_come_through_whole),
		stream_test(any_command_name_gives_valid_json),
		stream_test(what_was_lost_is_told_by_kind),
		stream_test(what_a_process_has_lost_is_told_of_that_process),
		stream_test(a_full_disk_is_an_error_and_not_a_crash),
		stream_test(a_process_that_is_killed_has_a_signal_and_no_status),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
