# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
Runs of tttrace. A run that is finished has been judged: every line of its output is as the contract
wants it, nothing was lost and no free is of class `unknown`, unless the test said otherwise.
"""

import json
import os
import tempfile
from collections import defaultdict
from pathlib import Path

from support import schema
from support.processes import PATIENCE, Process
from support.replay import Replay
from support.runtime import ROOT

BINARY = Path(os.environ.get("TTTRACE", ROOT / "build/tttrace"))
OUTPUTS = tempfile.TemporaryDirectory(prefix="tttrace-test-")  # gone when pytest ends


# Every run of the suite is compared with the allocators' own view: see judge().
AUDIT = ["--audit", "0.1"]


def one_by_one(line):
    """The buffers of a line of leaks, each as a line of its own, if all are told; any other line as it is."""
    if "members" not in line or "members_left_out" in line:
        return [line]
    assert len(line["members"]) == line["buffers"] > 1
    for name in ("size", "footprint"):
        assert "unsized" in line or sum(member[name] for member in line["members"]) == line[name]
    common = {name: value for name, value in line.items()
              if name not in ("members", "buffers", "size", "footprint", "unsized", "alloc_ts_ns", "older")}
    return [{**common, **member} for member in line["members"]]


class Result:
    """
    What a run said. events: all lines but the last, which is the summary, and what tells of stacks;
    leaks one by one. stacks: what a number means. sites: by what code.
    """

    def __init__(self, lines, stderr, status):
        self.lines = lines
        self.stacks = {line["stack_id"]: line for line in lines if line["event"] == "stack"}
        self.sites = [line for line in lines if line["event"] == "site"]
        self.events = [event for line in lines if line["event"] not in ("summary", "stack", "site")
                       for event in one_by_one(line)]
        self.summaries = [line for line in lines if line["event"] == "summary"]
        self.summary = lines[-1] if lines else None
        self.stderr = stderr
        self.status = status

    def of(self, event, **fields):
        """The events of one kind whose fields are as given."""
        return [line for line in self.events if line["event"] == event
                and all(line.get(name) == value for name, value in fields.items())]

    def stack(self, event):
        """The frames of the stack that allocated, innermost first; None: it is not known."""
        return self.stacks[event["stack_id"]]["stack"] if "stack_id" in event else None

    def stack_end(self, event):
        return self.stacks[event["stack_id"]]["stack_end"] if "stack_id" in event else None

    def frees(self, name):
        return self.of("free", **{"class": name})

    def classes(self):
        """How many frees there were of each class."""
        count = {}
        for free in self.of("free"):
            count[free["class"]] = count.get(free["class"], 0) + 1
        return count

    @property
    def hits(self):
        return self.summary["coverage"]["hits"]

    def replay(self, until_ns=None):
        return Replay(self.events, until_ns)


def parse(text, check=schema.check):
    """The lines of NDJSON, each of them held against the contract."""
    assert not text or text.endswith("\n"), "the last line is cut"
    lines = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            lines.append(json.loads(line))
            check(lines[-1])
        except (ValueError, schema.Violation) as error:
            raise AssertionError(f"line {number} of the output: {error}\n{line[:2000]}") from None
    return lines


def is_strange(path):
    """A trace of all processes may see the stand-ins of another run of this suite."""
    return "/standin/" in path and not path.startswith(str(BINARY.parent))


def judge(result, before_attach, lacking):
    """What holds for every run of the suite."""
    coverage = result.summary["coverage"]
    assert before_attach or not result.frees("pre_attach"), "there was nothing before the attach"
    assert not result.frees("unknown"), "frees of class unknown: a defect of tttrace"
    assert not result.summary["classes"]["unknown"]
    assert coverage["libraries"], f"no runtime was found: {result.stderr}"
    assert coverage["complete"], f"not everything was seen: {coverage}"
    assert not coverage["lost"], f"records were lost: {coverage}"
    missing = sum(lib["probes_wanted"] - lib["probes_attached"]
                  for lib in coverage["libraries"] if not is_strange(lib["path"]))
    assert missing == lacking, f"{missing} probes are missing: {coverage}"
    assert not result.of("lost"), "records were lost"


def place_of(device):
    return device.get("mesh"), device["devices"]


def judge_stacks(result):
    """A stack is told once, before it is named; sites add up to the totals of their device."""
    told = set()
    for line in result.lines:
        if line["event"] == "stack":
            assert line["stack_id"] not in told, "a stack is told twice"
            told.add(line["stack_id"])
        named = {line.get("stack_id"), line.get("freed_by")} | {held.get("stack_id") for held in line.get("held_by", [])}
        assert named - {None} <= told, f"a stack is named that was not told: {line}"
    if not result.summary["coverage"].get("stacks"):
        assert not told and not result.sites, "nobody wanted stacks"
        return
    sums = defaultdict(int)
    for site in result.sites:
        for name in ("live", "live_buffers", "at_peak"):
            sums[site["pid"], str(site.get("mesh")), str(site["devices"]), site.get("type"), name] += site[name]
    for process in result.summary["processes"]:
        for device in process["devices"]:
            for kind, cell in device["memory"].items():
                key = (process["pid"], str(device.get("mesh")), str(device["devices"]), kind)
                # lines of sites do not tell lives of a device, or of a PID, apart
                alone = [(other, used) for other in result.summary["processes"] if other["pid"] == process["pid"]
                         for used in other["devices"] if place_of(used) == place_of(device)] == [(process, device)]
                if kind != "all" and alone and device["lives"] == 1:
                    assert sums[(*key, "live")] == cell["live"], f"live of the sites of {key}"
                    assert sums[(*key, "live_buffers")] == cell["buffers"], f"buffers of the sites of {key}"
                    assert sums[(*key, "at_peak")] == cell["peak"], f"peak of the sites of {key}"


class Trace:
    """
    A run of tttrace that goes on. With a command, stdin and stdout are the command's. @lacking: the
    functions that are probed and that the runtime does not have. @within: the command that runs it.
    @binary: another one than that under test.
    """

    def __init__(self, options, command=(), incomplete=False, before_attach=False, lacking=0, within=(),
                 binary=None, **popen):
        handle, name = tempfile.mkstemp(dir=OUTPUTS.name)
        os.close(handle)
        self.output = Path(name)
        self.incomplete = incomplete
        self.before_attach = before_attach
        self.lacking = lacking
        words = [*within, binary or BINARY, "-j", "--output", name, *options]
        self.process = Process(words + (["--", *command] if command else []), **popen)

    def attached(self):
        """Waits until it traces; with a command, the command's first word says so."""
        self.process.stderr.wait_for(
            lambda line: "Ctrl-C ends it" in line)
        return self

    def hear(self, word="ready"):
        self.process.hear(word)

    def tell(self, line="go"):
        self.process.tell(line)

    def signal(self, number):
        self.process.signal(number)

    def finish(self, patience=PATIENCE):
        status = self.process.wait(patience)
        stderr = self.process.stderr.all()
        self.process.end()
        lines = parse(self.output.read_text())
        self.output.unlink()
        assert lines, f"no output, status {status}; it said:\n{stderr}"
        assert lines[-1]["event"] == "summary" and not lines[-1]["interval"], "no summary at the end"
        result = Result(lines, stderr, status)
        judge_stacks(result)
        if not self.incomplete:
            judge(result, self.before_attach, self.lacking)
        return result


def start(options=(), command=(), **how):
    return Trace(list(options), list(command), **how)


def run(options, command, patience=PATIENCE, **how):
    """Traces a command to its end."""
    return Trace(list(options), list(command), **how).finish(patience)


def plain(*words, patience=PATIENCE, within=(), **popen):
    """Runs tttrace as it is, to its end. Returns status, stdout, stderr."""
    process = Process([*within, BINARY, *words], **popen)
    status = process.wait(patience)
    out = process.stdout.all() if process.stdout else ""
    err = process.stderr.all()
    process.end()
    return status, out, err


def told(*words):
    """What it says with -j, of a run that is not judged."""
    status, out, err = plain("-j", *words)
    return Result(parse(out + "\n" if out else ""), err, status)


def look(pid):
    """What --snapshot says of a process."""
    return told("--snapshot", str(pid))


def as_nobody(*words):
    """Runs a command without any privilege. Returns status, stdout, stderr."""
    process = Process(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *words])
    result = process.wait(), process.stdout.all(), process.stderr.all()
    process.end()
    return result
