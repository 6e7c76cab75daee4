# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Results and diagnostics go where nobody reads: a signal ends the trace all the same, and nothing is lost silently."""

import os
import pty
import re
import signal
import subprocess
import termios
import time

import pytest

from support import tttrace
from support.processes import Process

AT_ONCE = 1.0  # seconds, from the signal to the end
# It goes on for a while, so that probes which are late on a busy machine have something to see.
MANY = "\n".join(["open m 1", *["alloc a m DRAM 65536 2048\nfree a\npause 0.001"] * 2000, "wait", "close m"])
LOST = re.compile(r"warning: not written: (\d+) bytes of results, and (\d+) events after them")


def wait_until_it_writes(process):
    """It waits in the kernel for somebody who reads: a pipe, or a terminal."""
    deadline = time.monotonic() + 30
    while not process.wchan().endswith(("pipe_write", "wait_woken")):
        assert time.monotonic() < deadline, f"it never waited: {process.wchan()}"
        time.sleep(0.05)


class Watched(Process):
    """tttrace, with where it waits."""

    def __init__(self, *command, **options):
        super().__init__(command, **options)

    def wchan(self):
        with open(f"/proc/{self.pid}/wchan", encoding="ascii") as file:
            return file.read()

    def end_by(self, number):
        """Its status, and how long it took."""
        begin = time.monotonic()
        self.signal(number)
        return self.wait(30), time.monotonic() - begin


def full_pipe():
    """A pipe that nobody reads. What it has already is blanks."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b" " * 4096)
    except BlockingIOError:
        pass
    os.set_blocking(writer, True)
    return reader, writer


def stopped_terminal():
    """As after Ctrl-S."""
    reader, writer = pty.openpty()
    termios.tcflow(writer, termios.TCOOFF)
    return reader, writer


def traced(standin, *options):
    return [tttrace.BINARY, *options, "--", *standin.command(MANY)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("options", [[], ["-j"], ["-q"]])
@pytest.mark.parametrize("place", [full_pipe, stopped_terminal])
def test_a_signal_ends_the_trace_though_nobody_reads_stdout(gen3, tmp_path, place, options, number):
    """The command's words go elsewhere; it waits for us when all is done."""
    reader, writer = place()
    command = ["sh", "-c", 'exec "$@" >/dev/null', "sh", *gen3.command(MANY)]
    errors = tmp_path / "errors"
    with open(errors, "wb") as stderr:
        process = Watched(tttrace.BINARY, *options, "--", *command, stdout=writer, stderr=stderr)
    if "-q" not in options:
        wait_until_it_writes(process)
    else:
        time.sleep(2)
    status, seconds = process.end_by(number)
    os.close(reader)
    os.close(writer)
    text = errors.read_text()
    assert status == 1, text
    assert seconds < AT_ONCE
    assert "nobody reads 'stdout'" in text
    assert "SUMMARY: tttrace:" in text  # the report
    lost = LOST.search(text)
    assert lost and int(lost[1]) > 0


def test_a_signal_ends_a_trace_of_running_processes_though_nobody_reads(gen3, tmp_path):
    target = gen3.start(f"wait\n{MANY}")
    reader, writer = full_pipe()
    errors = tmp_path / "errors"
    with open(errors, "wb") as stderr:
        process = Watched(tttrace.BINARY, "-p", target.pid, stdout=writer, stderr=stderr)
    wait_until_it_writes(process)
    status, seconds = process.end_by(signal.SIGTERM)
    os.close(reader)
    os.close(writer)
    assert status == 1 and seconds < AT_ONCE
    assert "SUMMARY: tttrace:" in errors.read_text()


@pytest.mark.parametrize("place", [full_pipe, stopped_terminal])
def test_results_in_a_file_are_whole_though_nobody_reads_stderr(gen3, tmp_path, place):
    """Diagnostics are lost: the results are not, so the status is the command's."""
    reader, writer = place()
    result = tmp_path / "result"
    process = Watched(tttrace.BINARY, "-v", "-j", "--output", result, "--", *gen3.command(MANY),
                      stdout=subprocess.DEVNULL, stderr=writer)
    wait_until_it_writes(process)
    status, seconds = process.end_by(signal.SIGTERM)
    os.close(reader)
    os.close(writer)
    assert status == 128 + signal.SIGTERM
    assert seconds < AT_ONCE
    assert tttrace.parse(result.read_text())[-1]["event"] == "summary"


def test_neither_is_read(gen3):
    reader, writer = full_pipe()
    process = Watched(*traced(gen3, "-v"), stdout=writer, stderr=writer)
    wait_until_it_writes(process)
    status, seconds = process.end_by(signal.SIGTERM)
    os.close(reader)
    os.close(writer)
    assert status == 1 and seconds < AT_ONCE


def test_a_fifo_that_nobody_opens_is_not_waited_for(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    process = Watched(tttrace.BINARY, "--output", fifo, "--", "true", stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    status, seconds = process.end_by(signal.SIGTERM)
    assert status == 1 and seconds < AT_ONCE


def test_a_reader_that_comes_late_gets_all_of_it(gen3, tmp_path):
    """Without a signal a reader is waited for, as ever."""
    reader, writer = os.pipe()
    script = "wait\n" + MANY.replace("wait\n", "")
    command = ["sh", "-c", 'exec "$@" >/dev/null', "sh", *gen3.command(script)]
    errors = tmp_path / "errors"
    with open(errors, "wb") as stderr:
        process = Watched(tttrace.BINARY, "-v", "-j", "--ring-size", "64M", "--", *command, stdout=writer,
                          stderr=stderr)
    os.close(writer)
    while "attached to" not in errors.read_text():
        time.sleep(0.05)
    process.tell()
    wait_until_it_writes(process)
    time.sleep(1)
    with os.fdopen(reader, encoding="ascii") as file:
        lines = tttrace.parse(file.read())
    assert process.wait(30) == 0
    assert lines[-1]["event"] == "summary"
    assert sum(line["event"] == "alloc" and line["kind"] == "owning" for line in lines) == 2000


def test_after_the_time_of_the_trace_signals_reach_the_command():
    """-d ends the trace; the command goes on, and a signal is passed on to it."""
    process = Process([tttrace.BINARY, "-q", "--output", "/dev/null", "-d", "0.2", "--", "sleep", "60"])
    time.sleep(2)
    process.signal(signal.SIGTERM)
    assert process.wait(5) == 128 + signal.SIGTERM
