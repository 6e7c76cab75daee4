# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Where results go, in which form, and what becomes of them when nobody takes them."""

import re
import subprocess

import pytest

from support import tttrace
from support.processes import Process

TWO_AND_A_LEAK = """
    d = open_shape("1")
    t = tensors(2, d, (64, 64))
    del t
    keep(tensors(1, d))
    print("the program's own words", flush=True)
    close(d)
    os._exit(6)
"""
ALLOCATED = re.compile(r"✓ \[PID (\d+)\] Allocated (\d+) bytes of DRAM on device 0 \(buffer_id=(\d+)\)")
FREED = re.compile(r"✗ \[PID (\d+)\] Freed buffer (\d+) on device 0 \((\d+) bytes\)")


def test_event_lines_have_the_form_of_the_seed(newest, tmp_path):
    status, out, _ = tttrace.plain("--output", tmp_path / "out", "--", *newest.code(TWO_AND_A_LEAK))
    text = (tmp_path / "out").read_text()
    allocated, freed = ALLOCATED.findall(text), FREED.findall(text)
    assert status == 6
    assert [size for _, size, _ in allocated] == ["8192", "8192", "2048"]
    assert sorted(address for _, address, _ in freed) == sorted(address for _, _, address in allocated[:2])
    assert out == "the program's own words"


def test_results_and_the_commands_words_go_to_stdout_without_output(newest):
    status, out, _ = tttrace.plain("--", *newest.code(TWO_AND_A_LEAK))
    assert status == 6
    assert len(ALLOCATED.findall(out)) == 3
    assert "the program's own words" in out


def test_json_on_stdout_is_the_same_as_in_a_file(newest):
    status, out, _ = tttrace.plain("-j", "--", *newest.code(TWO_AND_A_LEAK.replace("print", "str")
                                                             .replace(", flush=True", "")))
    lines = tttrace.parse(out + "\n")
    assert status == 6
    assert [line["event"] for line in lines if line["event"] in ("alloc", "free")] == \
        ["alloc", "alloc", "free", "free", "alloc"]
    assert lines[-1]["event"] == "summary"


def test_the_text_report_counts_the_leak(newest, tmp_path):
    tttrace.plain("-q", "--output", tmp_path / "out", "--", *newest.code(TWO_AND_A_LEAK))
    text = (tmp_path / "out").read_text()
    assert not ALLOCATED.findall(text)
    assert re.search(r"(?i)leak", text) and "2048" in text.replace(",", "")


def test_the_text_report_of_a_clean_run_says_so(newest, tmp_path):
    tttrace.plain("-q", "--output", tmp_path / "out", "--", *newest.code("""
        d = open_shape("1")
        tensor(d)
        close(d)
    """))
    assert re.search(r"(?i)no .*leak", (tmp_path / "out").read_text())


def test_what_was_held_before_the_attach_says_so(newest, tmp_path):
    program = newest.start("""
        d = open_shape("1")
        t = tensor(d)
        ask()
        del t
        close(d)
    """)
    program.hear()
    trace = Process([tttrace.BINARY, "-p", program.pid])
    trace.stderr.wait_for(lambda line: "Ctrl-C ends it" in line)
    program.tell()
    assert program.wait() == 0
    assert trace.wait() == 0
    said = trace.stdout.all()
    assert re.search(r"· \[PID %d\] Holds 2048 bytes of DRAM on device 0 \(buffer_id=\d+\): "
                     r"allocated before tracing began" % program.pid, said)
    assert re.search(r"· \[PID %d\] Held 1 buffer \(24576 bytes\) when tracing began" % program.pid,
                     said)
    assert re.search(r"✗ \[PID %d\] Freed buffer \d+ on device 0 \(2048 bytes\)" % program.pid, said)


def test_an_interval_gives_running_summaries(newest):
    trace = tttrace.start(["-q", "-i", "0.1"], newest.code("""
        d = open_shape("1")
        t = tensors(2, d)
        ask()
        t.clear()
        close(d)
    """))
    trace.hear()
    seen = trace.output.stat().st_size
    while trace.output.stat().st_size < seen + 2000:
        trace.process.stderr.pause()
    trace.tell()
    result = trace.finish()
    assert len(result.summaries) > 2
    assert all(summary["interval"] for summary in result.summaries[:-1])
    assert any(process["memory"]["DRAM"]["live"] for summary in result.summaries[:-1]
               for process in summary["processes"])


def test_a_closed_stdout_ends_the_trace_and_not_the_command(newest, tmp_path):
    reader = subprocess.Popen(["head", "-n", "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    trace = Process([tttrace.BINARY, "-j", "--", *newest.code("""
        d = open_shape("1")
        for _ in range(2000):
            tensors(3, d)
        close(d)
        log("end")
        os._exit(6)
    """)], stdout=reader.stdin)
    reader.stdin.close()
    first = reader.stdout.readline()
    reader.wait(60)
    assert tttrace.parse(first.decode())
    assert trace.wait() == 6
    assert newest.logged("end")
    assert "rror" not in trace.stderr.all()


def test_a_full_disk_ends_the_trace_with_the_report_on_stderr(newest):
    status, _, err = tttrace.plain("-j", "--output", "/dev/full", "--", *newest.code("""
        d = open_shape("1")
        for _ in range(2000):
            tensors(3, d)
        keep(tensors(1, d))
        close(d)
        log("end")
    """))
    assert status == 1
    assert newest.logged("end")
    assert err.count("/dev/full") == 1 and "No space left" in err
    assert re.search(r"(?i)coverage|leak", err.split("No space left")[1])


def test_an_output_that_cannot_be_opened_is_an_error_before_the_command_runs(newest):
    status, _, err = tttrace.plain("--output", "/no/such/place", "--", *newest.code('log("ran")'))
    assert status == 1
    assert "/no/such/place" in err
    assert not newest.log.exists()


@pytest.mark.parametrize("option", ["-v", "-vj"])
def test_verbose_shows_views_too(newest, tmp_path, option):
    status, _, err = tttrace.plain(option, "--output", tmp_path / "out", "--", *newest.code("""
        m = open_shape("2x4")
        tensor(m)
        close(m)
    """, "t3k"))
    text = (tmp_path / "out").read_text()
    assert status == 0
    assert "attached to" in err
    if option == "-vj":
        views = [line for line in tttrace.parse(text) if line.get("kind") == "view"]
        assert len(views) == 8
    else:
        assert len(re.findall(r"(?i)view", text)) >= 8
