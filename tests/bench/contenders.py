# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""What a program is measured under. Each is a context: attached when it begins, gone when it ends."""

import contextlib
import json
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from support import tttrace
from support.processes import Process

TOOLS = tttrace.BINARY.parent / "bench"
PATIENCE = 60
SILENT = ["--min-size", str(1 << 50)]  # no event is printed


class Library:
    """What `tttrace --check` says of a runtime: where it is probed, where its fields lie."""

    def __init__(self, path):
        self.path = path
        done = subprocess.run([tttrace.BINARY, "--check", "-j", path], capture_output=True, text=True,
                              check=True)
        self.lines = [json.loads(line) for line in done.stdout.splitlines()]

    def of_mode(self, mode):
        """Offsets in the file of the instructions that a mode probes."""
        done = subprocess.run([TOOLS / "attach", self.path, mode], capture_output=True, text=True,
                              check=True)
        return done.stdout.split()

    def offset(self, function):
        return next(line["file_offset"] for line in self.lines
                    if line["item"] == "probe" and line["function"] == function)

    def symbol(self, function):
        return next(line["mangled"] for line in self.lines
                    if line["item"] == "symbol" and line["name"] == function and line["found"])

    def field(self, name):
        return next(line["path"] for line in self.lines if line["item"] == "field"
                    and line["class"] == "Buffer" and line["name"] == name)


@contextlib.contextmanager
def nothing():
    yield


def end(process, number=signal.SIGINT):
    process.signal(number)
    process.wait(PATIENCE)
    process.end()


@contextlib.contextmanager
def traced(pid, *options, output="/dev/null"):
    """By tttrace, which prints every event."""
    process = Process([tttrace.BINARY, "-p", pid, "--output", output, *options],
                      stdout=subprocess.DEVNULL)
    process.stderr.wait_for(lambda line: "Ctrl-C ends it" in line)
    try:
        yield process
    finally:
        end(process)


@contextlib.contextmanager
def counted(pid, *options):
    """By tttrace; what it yields has, at the end, the summary: hits, losses."""
    result = {}
    with tempfile.NamedTemporaryFile(prefix="tttrace-bench-", mode="r") as file:
        with traced(pid, *SILENT, "-j", *options, output=file.name):
            yield result
        result.update(json.loads(file.read().splitlines()[-1]))


@contextlib.contextmanager
def floor(kind, library, offsets):
    process = Process([TOOLS / "floor", kind, library.path, *offsets])
    process.hear("ready")
    try:
        yield
    finally:
        process.popen.stdin.close()
        process.wait(PATIENCE)
        process.end()


def bpftrace_script(library, pid):
    """Two probes that print what tttrace prints of an allocation and a free."""
    def read(name):
        text = "arg1"
        for offset in library.field(name)[:-1]:
            text = f"(*(uint64 *)({text} + {offset}))"
        kind = "uint32" if name == "buffer_type_" else "uint64"
        return f"*({kind} *)({text} + {library.field(name)[-1]})"

    size, where, address = read("size_"), read("buffer_type_"), read("address_")
    return f"""
uprobe:{library.path}:"{library.symbol("GraphTracker::track_allocate")}" /pid == {pid}/ {{
  printf("+ [PID %d] Allocated %lu bytes of type %d (buffer_id=%lu)\\n", pid, {size}, {where}, {address});
}}
uprobe:{library.path}:"{library.symbol("GraphTracker::track_deallocate")}" /pid == {pid}/ {{
  printf("- [PID %d] Freed buffer %lu (%lu bytes)\\n", pid, {address}, {size});
}}
interval:ms:200 /!@said/ {{ printf("ready\\n"); @said = 1; }}
"""


@contextlib.contextmanager
def bpftrace(library, pid):
    with tempfile.NamedTemporaryFile(prefix="tttrace-bench-") as file:
        process = Process(["bpftrace", "-B", "line", "-e", bpftrace_script(library, pid)],
                          stdout=file, env={"BPFTRACE_PERF_RB_PAGES": "2048"})
        deadline = time.monotonic() + PATIENCE
        while "ready" not in Path(file.name).read_text(encoding="utf-8"):
            assert process.popen.poll() is None and time.monotonic() < deadline, \
                f"bpftrace has not attached: {process.stderr.text}"
            process.stderr.pause()
        try:
            yield
        finally:
            end(process)


class Subject:
    """A program that works for as long as it is told, again and again. @library: what is probed."""

    def __init__(self, command, library, env=None):
        self.process = Process(command, env={"LC_ALL": "C.UTF-8", **(env or {})})
        self.process.hear("ready", 120)
        self.watched = self._find(library)

    def _find(self, library):
        """The address of a probed instruction."""
        offset = int(library.offset("GraphTracker::track_allocate"), 0)
        for line in Path(f"/proc/{self.pid}/maps").read_text(encoding="utf-8").splitlines():
            words = line.split()
            begin, end = (int(word, 16) for word in words[0].split("-"))
            start = int(words[2], 16)
            if words[-1] == str(library.path) and start <= offset < start + end - begin:
                return begin + offset - start
        raise AssertionError(f"process {self.pid} does not map '{library.path}'")

    def is_probed(self):
        """There is a breakpoint: a tracer of somebody else's, if none of ours is attached."""
        with open(f"/proc/{self.pid}/mem", "rb") as memory:
            memory.seek(self.watched)
            return memory.read(1) == b"\xcc"

    @property
    def pid(self):
        return self.process.pid

    def run(self, seconds):
        """Works so long; returns its seconds (typical, CPU) for each time round, and how many."""
        self.process.tell(str(seconds))
        seen = self.process.heard
        self.process.heard = self.process.stdout.wait_for(lambda line: True, seen) + 1
        said = json.loads(self.process.stdout.lines[seen])
        return {"typical": said["typical"], "cpu": said["cpu"] / said["count"],
                "count": said["count"]}

    def end(self):
        self.process.end()
