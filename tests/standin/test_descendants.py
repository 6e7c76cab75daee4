# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""-p PID means the process and what descends from it, those that are at work already, too."""

import os
import re
import signal
import subprocess
import time

import pytest

from support import tttrace
from support.processes import Process
from support.standin import Standin

FOOTPRINT = 73728  # of 65536 bytes of DRAM
WORK = ["open m 1", "alloc a m DRAM 65536 2048", "wait at work", "alloc b m DRAM 65536 2048", "free a", "close m"]


def servers(depth, workers, tmp_path):
    """A master that uses no runtime itself; its workers are children of children, @depth of them deep."""
    gen3 = Standin("gen3")
    pipe = tmp_path / "go"
    os.mkfifo(pipe)
    words = " ".join(f"'{word}'" for word in WORK)
    line = f"'{gen3.driver}' -l '{gen3.library}' {words} <'{pipe}'"
    for _ in range(depth):
        line = "sh -c " + subprocess.list2cmdline([line + "; :"]).replace("$", "\\$")
    master = Process(["sh", "-c", f"{' & '.join([line] * workers)} & wait"])
    writer = os.open(pipe, os.O_RDWR)
    for _ in range(workers):
        master.heard = master.stdout.wait_for(lambda said: '"sync"' in said, master.heard) + 1
    return master, writer


@pytest.mark.parametrize("depth", [0, 1])
@pytest.mark.parametrize("workers", [1, 3])
def test_workers_that_are_at_work_are_traced(tmp_path, depth, workers):
    master, writer = servers(depth, workers, tmp_path)
    trace = tttrace.start(["-v", "-p", str(master.pid)], before_attach=True).attached()
    os.write(writer, b"go\n" * workers)
    assert master.wait() == 0
    os.close(writer)
    result = trace.finish()
    assert result.status == 0 and result.summary["coverage"]["complete"], result.stderr
    assert result.summary["leaked"] == {"buffers": workers, "bytes": workers * FOOTPRINT, "size": workers * 65536}
    assert result.classes() == {"matched": workers}
    assert len({alloc["pid"] for alloc in result.of("alloc", **{"class": "pre_attach"})}) == workers
    assert "uses no Tenstorrent runtime" not in result.stderr


# --- those that are left behind ------------------------------------------------------------------

LEFT = re.compile(r"the command has ended; waiting for (\d+) process(es)? that it started \(PID ([\d, ]+)\), "
                  "Ctrl-C ends the trace")


def launch(tmp_path, line, *options):
    """A launcher that starts `$@`, the stand-in, as @line has it. What its driver says goes to a file."""
    gen3 = Standin("gen3")
    said = tmp_path / "said"
    script = "\n".join(["wait begin", "open m 1", "alloc a m DRAM 65536 2048", "wait", "exit 7"])
    command = ["sh", "-c", line.replace("$@", f'"$@" <&3 >"{said}" 2>/dev/null 3<&-'), "sh", *gen3.command(script)]
    pipe = tmp_path / "go"
    os.mkfifo(pipe)
    writer = os.open(pipe, os.O_RDWR)
    trace = tttrace.start(["-v", *options], ["sh", "-c", f'exec "$@" 3<"{pipe}"', "sh", *command])
    trace.process.stderr.wait_for(lambda line: "attached to" in line)
    return trace, writer


def number_of_waits(result):
    return len(LEFT.findall(result.stderr))


@pytest.mark.parametrize("line", ["$@ & exit 3", "( ($@ &) ); exit 3", "setsid $@ & exit 3"])
def test_what_a_launcher_leaves_behind_is_traced_to_its_end(tmp_path, line):
    trace, writer = launch(tmp_path, line)
    trace.process.stderr.wait_for(lambda said: LEFT.search(said))
    assert trace.process.popen.poll() is None
    os.write(writer, b"go\ngo\n")
    result = trace.finish()
    os.close(writer)
    assert result.status == 3  # the launcher's
    assert result.summary["coverage"]["complete"]
    assert result.summary["leaked"]["buffers"] == 1
    assert len(result.of("process_exit", status=7)) == 1
    assert number_of_waits(result) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_trace_of_which_only_descendants_are_left(tmp_path, number):
    trace, writer = launch(tmp_path, "$@ & exit 3")
    os.write(writer, b"go\n")
    trace.process.stderr.wait_for(lambda said: LEFT.search(said))
    begin = time.monotonic()
    trace.signal(number)
    result = trace.finish()
    assert time.monotonic() - begin < 1
    os.write(writer, b"go\n")
    os.close(writer)
    assert result.status == 3
    assert [process["state"] for process in result.summary["processes"]] == ["running"]


def test_the_duration_ends_a_trace_of_which_only_descendants_are_left(tmp_path):
    trace, writer = launch(tmp_path, "$@ & exit 0", "-d", "5")
    result = trace.finish()
    os.write(writer, b"go\ngo\n")
    os.close(writer)
    assert result.status == 0


def test_descendants_that_use_no_runtime_are_waited_for_as_strace_does():
    begin = time.monotonic()
    status, _, stderr = tttrace.plain("-q", "--", "sh", "-c", "(sleep 2; sleep 1) >/dev/null 2>&1 & exit 5")
    assert status == 5
    assert time.monotonic() - begin >= 3
    assert LEFT.search(stderr), stderr


def test_what_is_about_to_end_is_not_worth_a_word():
    status, _, stderr = tttrace.plain("-q", "--", "sh", "-c", "sleep 0.1 & exit 5")
    assert status == 5
    assert "waiting" not in stderr


def test_descendants_for_which_there_is_no_room_make_it_incomplete():
    """The set has room for two: the shell and its first child."""
    status, stdout, _ = tttrace.plain("-j", "--max-processes", "2", "--", "sh", "-c",
                                      "sleep 1 & sleep 1 & sleep 1 & exit 0")
    assert not tttrace.parse(stdout + "\n")[-1]["coverage"]["complete"]
    assert status == 4


def test_the_workers_of_a_process_that_was_asked_for_are_traced_to_their_end(tmp_path):
    """The master ends first."""
    master, writer = servers(0, 2, tmp_path)
    trace = tttrace.start(["-v", "-p", str(master.pid)], before_attach=True).attached()
    os.kill(master.pid, signal.SIGKILL)
    master.popen.wait()
    trace.process.stderr.wait_for(lambda said: "waiting for 2 processes that they started" in said)
    os.write(writer, b"go\n" * 2)
    result = trace.finish()
    os.close(writer)
    assert result.status == 0
    assert result.summary["leaked"]["buffers"] == 2
