# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
Runs of tttrace. A run that is finished has been judged: every line of its output is as the contract
wants it, nothing was lost and no free is of class `unknown`, unless the test said otherwise.
"""

import json
import os
import tempfile
from pathlib import Path

from support import schema
from support.processes import PATIENCE, Process
from support.replay import Replay
from support.runtime import ROOT

BINARY = Path(os.environ.get("TTTRACE", ROOT / "build/tttrace"))
OUTPUTS = tempfile.TemporaryDirectory(prefix="tttrace-test-")  # gone when pytest ends


# Every run of the suite is compared with the allocators' own view: see judge().
AUDIT = ["--audit", "0.1"]


class Result:
    """What a run said. events: all lines but the last, which is the summary."""

    def __init__(self, lines, stderr, status):
        self.lines = lines
        self.events = [line for line in lines if line["event"] != "summary"]
        self.summaries = [line for line in lines if line["event"] == "summary"]
        self.summary = lines[-1] if lines else None
        self.stderr = stderr
        self.status = status

    def of(self, event, **fields):
        """The events of one kind whose fields are as given."""
        return [line for line in self.events if line["event"] == event
                and all(line.get(name) == value for name, value in fields.items())]

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


class Trace:
    """
    A run of tttrace that goes on. With a command, stdin and stdout are the command's. @lacking: the
    functions that are probed and that the runtime does not have. @within: the command that runs it.
    """

    def __init__(self, options, command=(), incomplete=False, before_attach=False, lacking=0, within=(), **popen):
        handle, name = tempfile.mkstemp(dir=OUTPUTS.name)
        os.close(handle)
        self.output = Path(name)
        self.incomplete = incomplete
        self.before_attach = before_attach
        self.lacking = lacking
        words = [*within, BINARY, "-j", "--output", name, *options]
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


def as_nobody(*words):
    """Runs a command without any privilege. Returns status, stdout, stderr."""
    process = Process(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *words])
    result = process.wait(), process.stdout.all(), process.stderr.all()
    process.end()
    return result
