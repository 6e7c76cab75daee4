# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
The stand-in runtime: its driver runs a script and prints what a tracer should see of it, which is
held against what tttrace saw, line by line. Both are of the build that is under test.
"""

import json
import sys
import textwrap
from collections import defaultdict
from pathlib import Path

from support import tttrace
from support.processes import Process
from support.replay import Replay, place

DIRECTORY = tttrace.BINARY.parent / "standin"
LIBRARIES = ("gen1", "gen2", "gen3", "gen3-cet", "gen3-fp")
PROGRAMS = ("linked", "exported")  # the runtime is a part of the driver
BUILDS = LIBRARIES + PROGRAMS

COMPARED = {"alloc", "free", "alloc_failed", "bulk_free", "device_open", "device_close", "leak",
            "ended"}
NOT_SEEN = {"view": {"layout"}, "zero_size": {"layout"}}  # by the probe that sees them being made


class Standin:
    """One build of the stand-in runtime."""

    def __init__(self, build):
        self.build = build
        self.generation = int(build[3]) if build in LIBRARIES else 3
        self.driver = DIRECTORY / (f"ttdriver-{build}" if build in PROGRAMS else "ttdriver")
        self.library = DIRECTORY / build / "libtt_metal.so" if build in LIBRARIES else None
        self.lacking = 1 if self.generation == 1 else 0  # it has no override_state()
        assert self.driver.exists(), f"no '{self.driver}': make standin"

    def command(self, script):
        """The command that runs @script, a command of the driver on each line."""
        load = ["-l", self.library] if self.library else []
        return [self.driver, *load, *textwrap.dedent(script).strip().splitlines()]

    def start(self, script):
        """Runs @script without a tracer, up to its first `wait`."""
        process = Process(self.command(script))
        hear(process)
        return process

    def attach(self, *processes, options=(), **how):
        """Traces @processes, drivers of this build, from now on."""
        pids = ",".join(str(process.pid) for process in processes)
        return tttrace.start(["-v", "-p", pids, *options], before_attach=True, lacking=self.lacking,
                             **how).attached()

    def run(self, command, options=(), **how):
        """Traces @command, which will use this build, from its start."""
        return tttrace.start(["-v", *options], command, lacking=self.lacking, **how)

    def begin(self, script, options=(), **how):
        """Traces @script, every probe in place. It begins when it is told to."""
        trace = self.run(self.command("wait begin\n" + textwrap.dedent(script)), options, **how)
        probed(trace)
        return trace

    def trace(self, script, options=(), status=0, **how):
        """Traces @script to its end, and holds what was seen against what it expects."""
        trace = self.begin(script, options, **how)
        trace.tell()
        return finish(trace, status, options=options, **how)


class Crowd:
    """Many lives of several builds under one trace, @width of them at a time."""

    program = Path(__file__).parent / "crowd.py"

    def __init__(self, directory, width=1):
        self.file = directory / "crowd.json"
        self.plan = {"held": [], "lives": [], "width": width}
        self.builds = set()

    def add(self, build, script, status, pid=None):
        standin = Standin(build)
        if build not in self.builds:
            self.builds.add(build)
            self.plan["held"].append(list(map(str, standin.command("wait begin\nexit 0"))))
        command = list(map(str, standin.command(script)))
        self.plan["lives"].append({"command": command, "status": status, "pid": pid})

    def begin(self, options=()):
        """All runtimes have their probes, and no life has begun."""
        self.file.write_text(json.dumps(self.plan))
        lacking = sum(Standin(build).lacking for build in self.builds)
        trace = tttrace.start(["-v", *options], [sys.executable, self.program, self.file],
                              lacking=lacking)
        number = 0
        for _ in self.builds:
            hear(trace.process, "begin")
        for _ in self.builds:
            number = 1 + trace.process.stderr.wait_for(
                lambda line: line.startswith("tttrace: attached to"), number)
        return trace

    def trace(self, options=()):
        """Traces them all, and holds what was seen against what they expect."""
        trace = self.begin(options)
        for _ in self.builds:
            trace.tell()
        return finish(trace, options=options)


# --- processes -----------------------------------------------------------------------------------

def probed(trace):
    """Waits until the probes are in the runtime."""
    trace.process.stderr.wait_for(lambda line: line.startswith("tttrace: attached to"))


def hear(process, text=""):
    """Waits until the driver waits, with the words @text if any."""
    def waits(line):
        said = json.loads(line)
        return said["event"] == "sync" and text in said["text"]
    process.heard = process.stdout.wait_for(waits, process.heard) + 1


def expected(process):
    """What the driver has printed."""
    return [json.loads(line) for line in process.stdout.all().splitlines()]


def is_lean(line):
    """Is it one of those that --lean sees?"""
    return line["event"] != "alloc_failed" and (
        line["event"] != "alloc" or line["kind"] in ("owning", "system")) and (
        line["event"] != "free" or line["class"] in ("matched", "bulk_freed", "foreign"))


def finish(trace, status=0, incomplete=False, options=(), **_):
    """The end of a trace of a command, which has the exit @status."""
    result = trace.finish()
    assert result.status == status, result.stderr[-2000:]
    lines = expected(trace.process)
    if "--lean" in options:
        lines = [line for line in lines if is_lean(line)]
    if not incomplete:
        compare(result, lines, "--lean" in options)
    return result


# --- comparison ----------------------------------------------------------------------------------

def agrees(line, event, forked):
    """All that is expected is so, and what gives no memory back has no footprint."""
    skip = NOT_SEEN.get(line.get("kind"), set()) if line["event"] == "alloc" else set()
    if line["pid"] in forked and (line.get("kind") == "view" or line["event"] == "free"):
        skip = skip | {"mesh", "devices"} - set(event)  # nothing has told which chips these are
    if line["event"] in ("leak", "ended"):
        skip = skip | {"tid"}  # of a suppressed free it may be known only later, by another thread
    if any(event.get(name) != value for name, value in line.items() if name not in skip):
        return False
    gives = line["event"] != "free" or "buffer" not in line or "footprint" in line
    return gives or not event.get("footprint")


def compare(result, lines, lean=False):
    """Every line that is expected was seen, and nothing else; `total` lines, to the byte."""
    rest = defaultdict(list)
    for event in result.events:
        rest[event["event"], event.get("pid"), event.get("size")].append(event)
    wanted = [line for line in lines if line["event"] in COMPARED]
    assert wanted, "nothing is expected of this script"
    forked = children(lines)
    missing = []
    for line in sorted(wanted, key=len, reverse=True):  # who says most, chooses first
        there = rest[line["event"], line["pid"], line.get("size")]
        found = next((event for event in there if agrees(line, event, forked)), None)
        (there.remove if found else missing.append)(found or line)
    extra = [event for there in rest.values() for event in there if event["event"] in COMPARED
             and not (lean and event.get("class") == "suppressed")]  # seen, but only afterwards
    assert not missing and not extra, "expected, not seen:\n{}\nseen, not expected:\n{}".format(
        *["\n".join(json.dumps(line) for line in some[:20]) for some in (missing, extra)])
    compare_order(result, wanted)
    compare_totals(result, lines)


def children(lines):
    """The processes that were forked by others of these."""
    pids = {line["pid"] for line in lines}
    return {line["pid"] for line in lines if line["event"] == "process_start" and line["parent"] in pids}


def steps(lines):
    """What each thread did with which buffer, one after the other."""
    done = defaultdict(list)
    for line in lines:
        if line["event"] in ("alloc", "free") and "buffer" in line and "id" in line:
            done[line["pid"], line["tid"]].append((line["event"], line["buffer"], line.get("class")))
    return done


def compare_order(result, wanted):
    seen = steps(sorted(result.events, key=lambda event: event["ts_ns"]))
    for who, ours in steps(wanted).items():
        theirs = iter(seen[who])
        assert all(step in theirs for step in ours), f"{who}: {seen[who]}, not in the order {ours}"


def compare_totals(result, lines):
    of_pid = defaultdict(list)
    for event in result.events:
        of_pid[event.get("pid")].append(event)
    for total in lines:
        if total["event"] == "total":
            replay = Replay(of_pid[total["pid"]], total["ts_ns"])
            where = (total["pid"], place(total), total["type"])
            assert replay.bytes[where] == total["footprint"], f"{total}"
