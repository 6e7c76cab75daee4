// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* What people read: event lines, the report, the running summary, to the letter. */
#include "losing.h"
#include "paper.h"
#include "scene.h"

#include <errno.h>

static const struct actor python = { 100, 100, 5, 0 };

static void expect_width(const char *text, size_t max)
{
	for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
		if (width_of(line) > max)
			fail_msg("wider than %zu columns: %.*s", max, (int)strcspn(line, "\n"),
				 line);
		assert_non_null(strchr(line, '\n'));
	}
}
static const char scene_events[] =
	"· [PID 12345] Opening mesh 0 on devices 0-7\n"
	"✓ [PID 12345] Allocated 104857600 bytes of DRAM on devices 0-7 (buffer_id=2560032)\n"
	"✓ [PID 12345] Allocated 104857600 bytes of DRAM on devices 0-7 (buffer_id=11297824)\n"
	"✓ [PID 12345] Allocated 24576 bytes of DRAM on devices 0-7 (buffer_id=1073739776, for the runtime itself)\n"
	"✓ [PID 12345] Allocated 65536 bytes of L1 on devices 0-7 (buffer_id=98304)\n"
	"✗ [PID 12345] Freed buffer 2560032 on devices 0-7 (104857600 bytes)\n"
	"· [PID 12345] Free of buffer 2560032 on devices 0-7 gave nothing back: it had been deallocated before\n"
	"· [PID 12345] Captured an allocation of 4096 bytes of DRAM on devices 0-7: no memory is taken\n"
	"· [PID 12345] Free of a captured buffer on devices 0-7 gave nothing back: allocated under a graph capture, it never had memory\n"
	"· [PID 12345] Created an empty buffer in DRAM on devices 0-7\n"
	"· [PID 12345] Free of an empty buffer on devices 0-7 gave nothing back: its size is 0, it never had memory\n"
	"⚠ [PID 12345] Allocation of 21474836480 bytes of DRAM on devices 0-7 failed: asked 1789569728 bytes in each of 12 banks, 1065001632 free\n"
	"    too large: a bank has 1073741824 bytes, even an empty one is too small\n"
	"✓ [PID 12345] Allocated 8192 bytes of L1 on devices 0-7 (buffer_id=163840)\n"
	"⚠ [PID 12399] Free of buffer 11297824 on devices 0-7 matches no allocation: a forked child frees what belongs to its parent (PID 12345)\n"
	"⚠ [PID 12345] Free of buffer 163840 on devices 0-7 gave nothing back: a graph capture was active on this thread and suppressed it, the memory stays occupied until the device is closed\n"
	"⚠ [PID 12345] Closing mesh 0 on devices 0-7 with 3 buffers still live (104931456 bytes on each): the program closed it\n"
	"✗ [PID 12345] Freed 4 buffers on devices 0-7 at once (104956032 bytes on each): taken back by deallocate_buffers() as its device closes\n"
	"· [PID 12345] Free of buffer 11297824 on devices 0-7 gave nothing back: its device had been closed, the memory went with the device\n";

static const char scene_report[] =
	"== leak report =================================================================================\n"
	"process 12345 (python), ended with status 0, traced for 11.5 s\n"
	"  mesh 0 on devices 0-7, closed by the program\n"
	"    LEAKED, live at the close: 3 buffers, 104931456 bytes (100.1 MiB) on each of 8 devices\n"
	"      type           size              buffers          asked for           occupied  oldest\n"
	"      DRAM           64-128 MiB              1          104857600          104857728  10.0 s\n"
	"      L1             32-64 KiB               1              65536              65536  10.0 s\n"
	"      L1             4-8 KiB                 1               8192               8192  9.0 s\n"
	"    largest first:\n"
	"        buffer_id       id  type         asked for      occupied  layout          age\n"
	"         11297824        2  DRAM         104857600     104857728  INTERLEAVED     10.0 s\n"
	"            98304        4  L1               65536         65536  HEIGHT_SHARDED  10.0 s\n"
	"           163840        8  L1                8192          8192  INTERLEAVED     9.0 s suppressed\n"
	"      suppressed: the program freed it, but under a graph capture, which kept the memory\n"
	"    held by the runtime itself (no leak): 1 buffer, 24576 bytes (24.0 KiB) on each of 8 devices\n"
	"    peak on each device: DRAM 209740032 bytes (200.0 MiB), L1 73728 bytes (72.0 KiB)\n"
	"    DRAM, 12 banks: below 32 (32 B) reserved, buffers to 1073741856\n    L1, 64 banks: below 64 (64 B) reserved, buffers to 1048640\n"
	"    DRAM at the close, in each of 12 banks: 1065001632 bytes free, largest hole 1053703808\n"
	"    L1 at the close, in each of 64 banks: 1047424 bytes free, largest hole 884672\n"
	"  allocations: 4 owning, 1 hooked, 1 zero_size, 1 system\n"
	"  frees: 1 matched, 1 zero_size, 1 hooked, 1 device_closed, 1 repeated, 1 failed_alloc,\n"
	"    1 suppressed\n"
	"\n"
	"process 12399 (python), ended with status 0, traced for 0 ms\n"
	"  allocations: none\n"
	"  frees: 1 foreign\n"
	"\n"
	"coverage: 20/20 probes in 1 library, 2 processes (0 pre-attach), 45 records, 0 lost\n"
	"  without stacks what the program cache holds cannot be told from leaks\n"
	"SUMMARY: tttrace: 839451648 bytes leaked in 3 buffers (1 process, all devices together)\n";

static void event_lines_are_as_users_know_them(void **state)
{
	struct stream *s = *state;
	struct paper p;

	paper_open(&p, false);
	paper_attach(s, &p);
	scene_play(s);
	assert_int_equal(sink_text.flush(p.sink), 0);
	assert_string_equal(p.text, scene_events);
	paper_close(&p);
}
static void the_report_is_as_it_was(void **state)
{
	struct stream *s = *state;
	struct paper p;

	paper_open(&p, false);
	scene_play(s);
	paper_report(s, &p, NULL);
	assert_string_equal(p.text, scene_report);
	expect_width(p.text, 100);
	paper_close(&p);
}
static void on_one_device_the_lines_are_those_of_the_seed(void **state)
{
	struct stream *s = *state;
	struct object o = stream_object(0x5000, 2560032, 104857600);
	struct object before = stream_object(0x6000, 1073739776, 2048);
	struct paper p;

	paper_open(&p, false);
	stream_process(s, &python, TT_RECORD_PROCESS_START, "python", TT_PROCESS_BEFORE_ATTACH, 0,
		       NULL);
	stream_allocator(s, &python, HEAP, stream_mesh(MESH, 0, 0, 1));
	paper_attach(s, &p);
	stream_alloc(s, &python, &o);
	stream_release(s, &python, &o);
	stream_release(s, &python, &before);
	sink_text.flush(p.sink);
	assert_string_equal(
		p.text,
		"✓ [PID 100] Allocated 104857600 bytes of DRAM on device 0 (buffer_id=2560032)\n"
		"✗ [PID 100] Freed buffer 2560032 on device 0 (104857600 bytes)\n"
		"⚠ [PID 100] Free of buffer 1073739776 on device 0 matches no allocation: "
		"allocated before tracing began\n");
	paper_close(&p);
}
static void views_chips_and_processes_are_shown_when_asked_for(void **state)
{
	struct stream *s = *state;
	struct tt_record_create view = { .device = MESH, .size = 64, .address = 77 };
	struct paper quiet, verbose;

	paper_open(&quiet, false);
	paper_open(&verbose, true);
	for (__u32 i = 0; i < 2; i++) {
		struct actor a = { 7 + i, 7, 7, 0 };

		paper_attach(s, i ? &verbose : &quiet);
		stream_process(s, &a, TT_RECORD_PROCESS_START, "a", 0, 0, NULL);
		view.h = stream_header(s, &a, TT_RECORD_VIEW, TT_PROBE_BUFFER_CREATE_AT);
		stream_apply(s, &view, sizeof(view));
		stream_device(s, &a, TT_PROBE_DEVICE_OPEN, stream_chip(0x3000, 3));
		stream_process(s, &a, TT_RECORD_PROCESS_EXIT, "a", 0, 0, NULL);
	}
	sink_text.flush(quiet.sink);
	sink_text.flush(verbose.sink);
	assert_string_equal(quiet.text, "");
	assert_string_equal(verbose.text,
			    "· [PID 8] Process begins (a)\n"
			    "· [PID 8] Created a view of 64 bytes of DRAM on an unknown device "
			    "(buffer_id=77)\n"
			    "· [PID 8] Opening device 3\n"
			    "· [PID 8] Process ends (a): ended with status 0\n");
	paper_close(&quiet);
	paper_close(&verbose);
}

static void what_was_lost_is_told_by_kind(void **state)
{
	struct stream *s = *state;
	struct tt_counters counters = { 0 };
	struct paper p;

	paper_open(&p, false);
	paper_attach(s, &p);
	counters.lost[TT_RECORD_ALLOC] = 3;
	counters.lost[TT_RECORD_FREE_DONE] = 2;
	stream_counters(s, &counters);
	sink_text.flush(p.sink);
	assert_string_equal(p.text, "⚠ Lost 5 records (3 alloc, 2 free_done): what follows is "
				    "incomplete\n");
	paper_close(&p);
}
static void nothing_seen_is_told_apart_from_no_leaks(void **state)
{
	struct stream *s = *state;
	struct object o = stream_object(0x5000, 0x100, 4096);
	struct paper p;

	paper_open(&p, false);
	paper_report(s, &p, NULL);
	assert_non_null(strstr(p.text, "SUMMARY: tttrace: nothing seen: no process did anything "
				       "with device memory; this says nothing about leaks\n"));
	assert_null(strstr(p.text, "no leak"));
	paper_close(&p);
	paper_open(&p, false);
	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	stream_release(s, &python, &o);
	stream_close(s, &python, 1);
	stream_exit(s, &python, 0);
	paper_report(s, &p, NULL);
	assert_non_null(strstr(p.text, "no leak: 1 buffer freed by the program, 0 in bulk\n"));
	assert_non_null(strstr(p.text, "SUMMARY: tttrace: no leaks\n"));
	paper_close(&p);
}
static void doubtful_buffers_are_unknown_and_never_called_leaks(void **state)
{
	struct stream *s = *state;
	struct object o = stream_object(0x5000, 0x100, 12 * 1024);
	struct paper p;

	paper_open(&p, false);
	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	paper_attach(s, &p);
	losing_counted(s, &python, TT_RECORD_FREE_DONE, 2);
	stream_close(s, &python, 1);
	stream_exit(s, &python, 0);
	paper_report(s, &p, NULL);
	assert_null(strstr(p.text, "LEAKED"));
	assert_non_null(strstr(p.text,
			       "    UNKNOWN (events lost): leaked, or their frees were lost: "
			       "1 buffer, 12288 bytes (12.0 KiB)\n"));
	assert_non_null(strstr(p.text, "⚠ [PID 100] Lost 2 records of this process: what "
				       "follows of it is incomplete\n"));
	assert_non_null(strstr(p.text, "  2 records of this process were lost\n"));
	assert_non_null(strstr(p.text, "  lost: 2 free_done\n"));
	assert_non_null(strstr(p.text,
			       "SUMMARY: tttrace: no leak is certain, 1 buffer (12288 bytes) "
			       "unknown (events lost); THE DATA IS INCOMPLETE\n"));
	paper_close(&p);
}
static void what_a_running_process_holds_is_in_use_and_no_leak(void **state)
{
	struct stream *s = *state;
	struct object o = stream_object(0x5000, 0x100, 12 * 1024);
	struct paper p;

	paper_open(&p, false);
	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	ledger__finish(s->ledger, s->ts_ns);
	paper_report(s, &p, NULL);
	assert_non_null(strstr(p.text, "process 100 (python), still running"));
	assert_non_null(strstr(p.text, "    live, in use: 1 buffer, 12288 bytes (12.0 KiB)\n"));
	assert_non_null(strstr(p.text, "SUMMARY: tttrace: no leaks, 1 buffer still in use by "
				       "running processes\n"));
	paper_close(&p);
}
static void long_lists_are_cut_and_say_so(void **state)
{
	struct stream *s = *state;
	struct paper p;

	paper_open(&p, false);
	stream_begin(s, &python, 64);
	for (__u32 i = 0; i < 50; i++) {
		struct object o = stream_object(0x5000 + i * 0x100, 1ull << 32, 12 * 32 * (i + 1));

		o.id = 1000000 + i;
		o.layout = TT_LAYOUT_HEIGHT_SHARDED;
		stream_alloc(s, &python, &o);
	}
	stream_exit(s, &python, 9);
	paper_report(s, &p, NULL);
	assert_non_null(strstr(p.text, "killed by signal 9 (SIGKILL)"));
	assert_non_null(strstr(p.text, "    ended with the process: 50 buffers, "));
	assert_non_null(
		strstr(p.text, "      no leak: it was killed by signal 9 (SIGKILL) before "));
	assert_null(strstr(p.text, "LEAKED"));
	assert_non_null(strstr(p.text, "SUMMARY: tttrace: no leaks, 50 buffers ("));
	assert_non_null(strstr(p.text, " bytes) ended with killed processes\n"));
	assert_non_null(strstr(p.text, "      ... and 40 more\n    oldest first:\n"));
	expect_width(p.text, 100);
	paper_close(&p);
}
static void what_the_filter_hides_is_counted(void **state)
{
	struct stream *s = *state;
	struct filter filter = { .types = 1 << TT_TYPE_DRAM };
	struct paper p;

	paper_open(&p, false);
	scene_play(s);
	paper_report(s, &p, &filter);
	assert_non_null(strstr(p.text, "(the filter hides 2 buffers, 73728 bytes)\n"));
	assert_non_null(strstr(p.text, "leaked in 1 buffer (1 process, all devices together), the "
				       "filter hides 2\n"));
	paper_close(&p);
	filter.comm = "other";
	paper_open(&p, false);
	paper_report(s, &p, &filter);
	assert_non_null(strstr(p.text, "(the filter hides 2 processes)\n"));
	paper_close(&p);
}
static void all_classes_at_once_fit_into_the_width(void **state)
{
	struct stream *s = *state;
	struct snapshot *snapshot;
	struct paper p;

	paper_open(&p, true);
	scene_play(s);
	snapshot = stream_snapshot(s);
	for (int i = 0; i < CLASS_COUNT; i++)
		snapshot->processes[0]->frees[i] = 1000000 + i;
	assert_int_equal(sink_text.report(p.sink, snapshot), 0);
	expect_width(p.text, 100);
	snapshot__free(snapshot);
	paper_close(&p);
}
static void the_running_summary_is_a_small_table(void **state)
{
	struct stream *s = *state;
	struct object o = stream_object(0x5000, 0x100, 12 * MIB);
	struct snapshot *snapshot;
	struct paper p;

	paper_open(&p, false);
	s->ts_ns = SECOND;
	stream_begin(s, &python, 8);
	stream_alloc(s, &python, &o);
	assert_int_equal(snapshot__take_totals(s->ledger, NULL, 3 * SECOND, &snapshot), 0);
	assert_int_equal(sink_text.interval(p.sink, snapshot), 0);
	assert_string_equal(
		strchr(p.text, '\n') + 1,
		"     PID  COMMAND         DEVICES    TYPE           LIVE       PEAK  BANK FREE  BANK HOLE   BUFFERS\n"
		"     100  python          0-7        DRAM       12.0 MiB   12.0 MiB 1023.0 MiB          ?         1\n");
	expect_width(p.text, 100);
	assert_int_equal(strncmp(p.text, "== after 1.9 s ==", 17), 0);
	snapshot__free(snapshot);
	paper_close(&p);
}
static void a_full_disk_is_an_error_and_not_a_crash(void **state)
{
	struct stream *s = *state;
	struct sink_opts opts = { .out = fopen("/dev/full", "w") };
	struct snapshot *snapshot;
	struct sink *sink;

	assert_non_null(opts.out);
	scene_play(s);
	assert_int_equal(sink_text.open(&opts, &sink), 0);
	snapshot = stream_snapshot(s);
	assert_int_equal(sink_text.event(sink, &stream_last(s, EVENT_ALLOC)->ev),
			 0); /* in the buffer as yet */
	assert_int_equal(sink_text.flush(sink), -ENOSPC);
	assert_int_equal(sink_text.event(sink, &stream_last(s, EVENT_ALLOC)->ev), -ENOSPC);
	assert_int_equal(sink_text.interval(sink, snapshot), -ENOSPC);
	assert_int_equal(sink_text.report(sink, snapshot), -ENOSPC);
	snapshot__free(snapshot);
	sink_text.close(sink);
	fclose(opts.out);
}
static void a_free_that_gives_anothers_memory_away_is_shouted(void **state)
{
	struct stream *s = *state;
	struct object o = stream_object(0x5000, 0x100, 12 * 1024);
	struct object victim = stream_object(0x6000, 0x100, 12 * 512);
	struct paper p;

	paper_open(&p, false);
	stream_begin(s, &python, 1);
	stream_alloc(s, &python, &o);
	paper_attach(s, &p);
	stream_bulk(s, &python, TT_PROBE_DEALLOCATE_BUFFERS, HEAP);
	s->sink = NULL;
	stream_alloc(s, &python, &victim);
	paper_attach(s, &p);
	stream_release(s, &python, &o);
	s->sink = NULL;
	stream_exit(s, &python, 0);
	paper_report(s, &p, NULL);
	assert_int_equal(
		strncmp(p.text,
			"✗ [PID 100] Freed 1 buffer on device 0 at once (12288 bytes): taken back by "
			"deallocate_buffers()\n"
			"⚠ [PID 100] Free of buffer 256 on device 0 matches no live buffer: its "
			"memory had been taken back in bulk before, and its address belongs to "
			"another live buffer now: THIS FREE GAVE AWAY THE MEMORY OF BUFFER 256 (id "
			"1536, 6144 bytes), which is still in use\n"
			"== leak report ==",
			370),
		0);
	assert_non_null(strstr(p.text, " given-away\n      given-away: "));
	expect_width(strstr(p.text, "== leak"), 100);
	paper_close(&p);
}
static void devices_that_were_opened_often_are_shown_once(void **state)
{
	struct stream *s = *state;
	struct snapshot *snapshot;
	struct paper p;

	paper_open(&p, false);
	scene_play(s);
	snapshot = stream_snapshot(s);
	snapshot->processes[0]->devices[0]->lives = 12;
	assert_int_equal(sink_text.report(p.sink, snapshot), 0);
	assert_non_null(strstr(p.text, "  devices 0-7, opened and closed 12 times\n"));
	snapshot__free(snapshot);
	paper_close(&p);
}
static void a_failed_allocation_tells_as_much_as_is_known(void **state)
{
	struct stream *s = *state;
	struct object o = stream_object(0x5000, 0, 4096);
	struct paper p;

	paper_open(&p, false);
	stream_start(s, &python);
	paper_attach(s, &p);
	o.status = TT_STATUS_REQUESTED;
	stream_buffer(s, &python, TT_RECORD_FREE_BEGIN, &o);
	stream_space(s, &python, 64);
	stream_buffer(s, &python, TT_RECORD_FREE_BEGIN, &o);
	sink_text.flush(p.sink);
	assert_string_equal(
		p.text,
		"⚠ [PID 100] Allocation of 4096 bytes of DRAM on an unknown device failed\n"
		"    whether it would have fitted is unknown: the process used the runtime before "
		"it was traced\n"
		"⚠ [PID 100] Allocation of 4096 bytes of DRAM on an unknown device failed: "
		"asked 64 bytes in each bank\n"
		"    whether it would have fitted is unknown: the process used the runtime before "
		"it was traced\n");
	paper_close(&p);
}

static void of_many_devices_without_a_leak_only_a_few_are_shown(void **state)
{
	struct stream *s = *state;
	struct paper p;

	paper_open(&p, false);
	stream_start(s, &python);
	for (__u32 i = 0; i < 20; i++) {
		__u64 mesh = 0x10000 + i * 0x100, heap = 0x90000 + i * 0x100;
		struct object o = stream_object(0x5000, 0x100, MIB);

		o.device = mesh;
		o.allocator = heap;
		stream_allocator(s, &python, heap, stream_mesh(mesh, i, 0, 8));
		stream_alloc(s, &python, &o);
		if (i != 17)
			stream_release(s, &python, &o);
		stream_device(s, &python, TT_PROBE_MESH_CLOSE, stream_mesh(mesh, i, 0, 8));
	}
	paper_report(s, &p, NULL);
	assert_non_null(strstr(p.text, "  mesh 17 on devices 0-7, closed by the program\n"
				       "    LEAKED, live at the close: 1 buffer"));
	assert_non_null(strstr(p.text, "  mesh 3 on devices 0-7"));
	assert_null(strstr(p.text, "  mesh 4 on devices 0-7"));
	assert_non_null(strstr(p.text, "  ... and 15 more, closed without a leak\n"));
	paper_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		stream_test(event_lines_are_as_users_know_them),
		stream_test(the_report_is_as_it_was),
		stream_test(on_one_device_the_lines_are_those_of_the_seed),
		stream_test(views_chips_and_processes_are_shown_when_asked_for),
		stream_test(what_was_lost_is_told_by_kind),
		stream_test(nothing_seen_is_told_apart_from_no_leaks),
		stream_test(doubtful_buffers_are_unknown_and_never_called_leaks),
		stream_test(what_a_running_process_holds_is_in_use_and_no_leak),
		stream_test(long_lists_are_cut_and_say_so),
		stream_test(what_the_filter_hides_is_counted),
		stream_test(all_classes_at_once_fit_into_the_width),
		stream_test(the_running_summary_is_a_small_table),
		stream_test(a_full_disk_is_an_error_and_not_a_crash),
		stream_test(a_free_that_gives_anothers_memory_away_is_shouted),
		stream_test(devices_that_were_opened_often_are_shown_once),
		stream_test(a_failed_allocation_tells_as_much_as_is_known),
		stream_test(of_many_devices_without_a_leak_only_a_few_are_shown),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
