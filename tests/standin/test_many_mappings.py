# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""A process that maps runtimes thousands of times holds nobody up: what it costs is in proportion."""

import shutil
import signal
import sys
import time
from pathlib import Path

import pytest

from support import tttrace
from support.processes import Process

MAPPER = Path(tttrace.__file__).parent / "mapper.py"
SOON = 5  # seconds; by the square of their number it would take 20 for 2000 mappings
FOOTPRINT = 73728  # of 65536 bytes of DRAM
MANY, TOO_MANY = 4000, 20000  # every second is one of code


def start_mapper(count, *files):
    process = Process([sys.executable, MAPPER, count, *files])
    process.hear()
    return process


def make_map(process):
    process.tell()
    process.stdout.wait_for(lambda line: line == "mapped")


def summary_of(output):
    return tttrace.parse(output.read_text())[-1]


def untraced_of(summary, pid):
    return [one for one in summary["coverage"].get("untraced", []) if one["pid"] == pid]


@pytest.fixture
def copies(gen3, tmp_path):
    files = [tmp_path / f"{number}.so" for number in range(2)]
    for file in files:
        shutil.copy(gen3.library, file)
    return files


@pytest.mark.parametrize("options", [[], ["--no-stacks"]], ids=["stacks", "no_stacks"])
@pytest.mark.parametrize("count", [MANY, TOO_MANY])
def test_what_is_mapped_at_the_start_is_looked_at_in_time(copies, tmp_path, count, options):
    hostile = start_mapper(count, *copies)
    make_map(hostile)
    output, begin = tmp_path / "out", time.monotonic()
    status, _, err = tttrace.plain("-j", "-d", "1", *options, "--output", output)
    assert time.monotonic() - begin < SOON
    summary = summary_of(output)
    assert bool(untraced_of(summary, hostile.pid)) == (count == TOO_MANY)
    assert summary["coverage"]["complete"] == (count == MANY) and status == (4 if count == TOO_MANY else 0), err


@pytest.mark.parametrize("count", [MANY, TOO_MANY])
def test_what_others_do_meanwhile_is_in_the_result(gen3, copies, tmp_path, count):
    output = tmp_path / "out"
    held = gen3.start("wait\nexit 0")  # so that the runtime of the others has its probes
    trace = Process([tttrace.BINARY, "-j", "--output", output])
    trace.stderr.wait_for(lambda line: "Ctrl-C ends it" in line)
    hostile = start_mapper(count, *copies)
    make_map(hostile)
    script = "open m 1\nalloc a m DRAM 65536 2048\nthreads 2 200 m\nclose m"
    others = [Process(gen3.command(script)) for _ in range(2)]
    assert [other.wait() for other in others] == [0, 0]
    begin = time.monotonic()
    trace.signal(signal.SIGTERM)
    status = trace.wait()
    assert time.monotonic() - begin < SOON
    held.tell()
    summary = summary_of(output)
    seen = {process["pid"]: process for process in summary["processes"]}
    for other in others:
        leaked = [device["leaked"]["bytes"] for device in seen[other.pid]["devices"]]
        assert sum(leaked) == FOOTPRINT
    assert bool(untraced_of(summary, hostile.pid)) == (count == TOO_MANY)
    assert summary["coverage"]["complete"] == (count == MANY), summary["coverage"]
    assert status == (4 if count == TOO_MANY else 0)


def test_the_report_says_of_whom_not_all_was_looked_at(gen3):
    hostile = start_mapper(TOO_MANY, gen3.library)
    make_map(hostile)
    status, out, err = tttrace.plain("-d", "1")
    assert status == 4 and "NOT TRACED: '" in out and "maps runtimes too often" in out, out + err
