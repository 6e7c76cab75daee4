# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""What is said of a moment: of a look at a process, of one that goes on, of what is older than the trace."""

import re
import signal
import time

import pytest

from support import tttrace
from support.processes import Process

HOLDS = """
    open m 1
    alloc a m DRAM 65536 2048
    alloc b m L1 8192 1024
    alloc c m DRAM 65536 2048
    free c
    wait
    alloc d m DRAM 65536 2048
    oom m DRAM 805300224
    wait
    close m
"""


def end(target, times=2):
    for _ in range(times):
        target.tell()
    assert target.wait() == 0


def cells(summary):
    """Of all processes, devices and chips."""
    for process in summary["processes"]:
        for one in (process, *process["devices"], *process["chips"]):
            yield from one["memory"].values()


def test_a_look_shows_no_peak(standin):
    target = standin.start(HOLDS)
    status, text, _ = tttrace.plain("--snapshot", target.pid)
    assert status == 0
    assert "live, in use: 2 buffers, 139264 bytes" in text
    assert "peak" not in text and "at the end" not in text
    assert re.search(r"^    DRAM now, in each of \d+ banks: ", text, re.M)
    status, out, _ = tttrace.plain("-j", "-q", "--snapshot", target.pid)
    summary = tttrace.parse(out + "\n")[-1]
    assert list(cells(summary))
    for cell in cells(summary):
        assert cell["live"] and not {name for name in cell if "peak" in name}
    end(target)


def report_of_a_late_attach(target, tmp_path, *options):
    """The text, when something was allocated since."""
    report = tmp_path / "report"
    trace = Process([tttrace.BINARY, *options, "--output", report, "-p", target.pid])
    trace.stderr.wait_for(lambda line: "Ctrl-C ends it" in line)
    time.sleep(0.1)
    target.tell()
    target.heard = target.stdout.wait_for(lambda line: '"sync"' in line, target.heard) + 1
    return trace, report


def test_of_a_process_that_goes_on_nothing_is_at_its_end(gen3, tmp_path):
    for options, ends in (([], lambda trace: trace.signal(signal.SIGINT)), (["-d", "3"], lambda trace: None)):
        target = gen3.start(HOLDS)
        trace, report = report_of_a_late_attach(target, tmp_path, *options)
        ends(trace)
        assert trace.wait() == 0
        text = report.read_text()
        assert "still running" in text
        assert re.search(r"^    DRAM when the trace ended, in each of 12 banks: ", text, re.M), text
        assert "at the end" not in text
        assert re.search(r"^    peak since the attach: DRAM 147456 bytes", text, re.M)
        end(target, 1)


@pytest.mark.parametrize("options", [[], ["--no-stacks"]])
def test_what_is_older_than_the_trace_is_so_everywhere(gen3, tmp_path, options):
    """In the lists of stacks, of sizes and of buffers; and of who holds the rest when memory runs out."""
    target = gen3.start(HOLDS)
    time.sleep(0.2)
    trace, report = report_of_a_late_attach(target, tmp_path, *options)
    trace.signal(signal.SIGINT)
    assert trace.wait() == 0
    text = report.read_text()
    age = r"> [\d.]+ m?s"
    if options:
        assert re.search(rf"owning buffers of 32-64 KiB, .* to {age} old$", text, re.M), text
    else:
        assert re.search(rf"^      1 buffer, 65536 bytes .* of L1, oldest {age}", text, re.M), text
    assert re.search(rf"^      DRAM  .* {age}$", text, re.M)
    assert len(re.findall(rf"^ +\d+ +\d+  (?:DRAM|L1) .*  {age}$", text, re.M)) >= 2
    end(target, 1)


def test_json_says_of_a_holder_that_it_is_older(gen3):
    target = gen3.start(HOLDS)
    trace = gen3.attach(target)
    target.tell()
    target.heard = target.stdout.wait_for(lambda line: '"sync"' in line, target.heard) + 1
    trace.signal(signal.SIGINT)
    result = trace.finish()
    failed, = result.of("alloc_failed")
    assert [holder["older"] for holder in failed["holders"]] == [True]
    end(target, 1)
