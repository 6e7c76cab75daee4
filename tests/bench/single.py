# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""What is no ratio of a program: attaching, idling, starting, the ledger, storms."""

import json
import re
import subprocess
import time
from pathlib import Path

from contenders import TOOLS, Library, Subject, counted, traced
from rounds import spread
from support.processes import Process
from support.runtime import ROOT
from support.tttrace import BINARY
from workloads import MODES, STACKS, STANDIN, VERSION, real_library

FIRST = """
import ttnn
ttnn.empty((32, 32), dtype=ttnn.bfloat16, layout=ttnn.TILE_LAYOUT, device=ttnn.open_device(device_id=0))
print("first", flush=True)
"""


def run_tool(name, *words):
    done = subprocess.run([TOOLS / name, *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{name} failed: {done.stderr}"
    return [json.loads(line) for line in done.stdout.splitlines()]


def measure_attach(processes, number):
    """Milliseconds for the real library while so many other processes map it."""
    path = real_library().path
    mapper = Process([TOOLS / "mapper", path, processes])
    mapper.hear("ready")
    rounds = run_tool("attach", path, "default", number)
    mapper.end()
    return {"processes": processes, "probes": rounds[0]["probes"],
            **{step: spread([one[step] for one in rounds])
               for step in ("load", "look_up", "attach", "detach", "attach_cpu", "detach_cpu")}}


def wake_ups(pid):
    """How often a process has gone to sleep so far."""
    text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", text, re.M).group(1))


class Mappings:
    """What others give tttrace to do: executables that they map might be a runtime."""

    def __init__(self):
        self.process = Process([TOOLS / "mappings"])
        self.process.hear("ready")

    def count(self):
        self.process.tell("now")
        seen = self.process.heard
        self.process.heard = self.process.stdout.wait_for(lambda line: True, seen) + 1
        return int(self.process.stdout.lines[seen])


def measure_idle(windows, seconds, until_quiet=False):
    """
    How often tttrace goes to sleep while the program that it traces does nothing, in each of so
    many spans of time, and how many executable mappings others have made meanwhile. Each of these
    may wake it: it looks, naps for 2 ms and looks once more. So `own` is what they do not explain.
    """
    subject, mappings, spans = Subject([TOOLS / "hits", STANDIN, "pairs"], Library(STANDIN)), Mappings(), []
    subject.run(0.1)
    with traced(subject.pid) as process:
        time.sleep(0.5)
        while len(spans) < windows and not (until_quiet and any(not one["own"] for one in spans)):
            mapped, slept = mappings.count(), wake_ups(process.pid)
            time.sleep(seconds)
            slept, mapped = wake_ups(process.pid) - slept, mappings.count() - mapped
            spans.append({"wake_ups": slept, "mappings": mapped, "own": max(0, slept - 3 * mapped)})
    subject.end()
    mappings.process.end()
    return {"seconds": seconds, "spans": spans, "own": min(one["own"] for one in spans)}


def measure_ledger(live, pairs):
    said, = run_tool("ledger", "rate", live, pairs)
    return {**said, "records_per_second": said["records"] / said["seconds"]}


def measure_memory(live):
    return run_tool("ledger", "memory", live)[0]


def time_to(command, matches):
    begin = time.monotonic()
    process = Process(command)
    process.stdout.wait_for(matches, 0, 120)
    passed = time.monotonic() - begin
    process.end()
    return passed * 1e3


def measure_first_event(command, number):
    """Milliseconds from the start to the first allocation, alone and until tttrace prints it."""
    alone, under = [], []
    for _ in range(number):
        alone.append(time_to(command, lambda line: line == "first"))
        under.append(time_to([BINARY, "-j", "--", *command],
                             lambda line: line.startswith('{"event":"alloc"')))
    return {"alone_ms": spread(alone), "traced_ms": spread(under),
            "over_ms": spread([b - a for a, b in zip(alone, under)])}


def first_event_real(number):
    return measure_first_event([ROOT / "scripts/ttnn", VERSION, "--", "-c", FIRST], number)


def measure_storm(seconds, threads, options):
    """Threads that allocate and free as fast as they can; is anything lost?"""
    subject = Subject([TOOLS / "hits", STANDIN, "pairs", threads], Library(STANDIN))
    free = subject.run(seconds)
    with counted(subject.pid, *options) as summary:
        subject.run(0.05)
        under = subject.run(seconds)
    subject.end()
    coverage = summary["coverage"]
    return {"threads": threads, "pairs_untraced": free["count"], "pairs": under["count"],
            "seconds": seconds, "records": coverage["events"] + coverage["lost"],
            "lost": coverage["lost"], "complete": coverage["complete"]}


def measure_storms(seconds):
    return {mode: [measure_storm(seconds, threads, options) for threads in (1, 2, 4)]
            for mode, options in {**MODES, **STACKS}.items()}
