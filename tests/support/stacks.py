# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
Stacks of allocations, and a program that knows its own: frames.cpp goes the ways of a library that
the tests build as they like. What it says of itself comes from the unwinder of libgcc.
"""

import json
import os
import subprocess
import time

from support import tttrace
from support.processes import PATIENCE, Process
from support.runtime import ROOT
from support.standin import DIRECTORY, Standin, probed

SOURCES = ROOT / "tests/standin/programs"
PROGRAM = "frames"  # the file

# of each way the functions of the library that it goes through, innermost first
WAYS = {
    "outer": ["inner", "middle", "outer"],
    "before_jump": ["inner", "before_jump"],
    "recursion": ["deeper"] * 61 + ["recursion"],
    "of_any_size": ["inner", "middle", "outer", "of_any_size"],
    "in_signal": ["on_signal", None, "trap", "interrupt", "in_signal"],  # None: of the C library
    "in_thread": ["inner", "middle", "outer", "run_thread"],
}


def stack_of(result, alloc):
    """(frames, how it ended) of an `alloc` of @result."""
    return result.stack(alloc), result.stack_end(alloc)


def places(frames):
    """The frames of machine code as frames.cpp prints them."""
    return [[os.path.basename(frame["image"]), int(frame["vaddr"], 16)] for frame in frames]


def callers(frames):
    """Those that the program knows: behind the runtime, and behind its own allocate()."""
    begin = next(nr for nr, frame in enumerate(frames) if frame["image"].endswith("/" + PROGRAM))
    assert frames[begin]["function"] == "allocate"
    assert {os.path.basename(frame["image"]) for frame in frames[:begin]} == {"libtt_metal.so"}
    return frames[begin + 1:]


def of_library(frames, name="libways.so"):
    """The functions of the library in @frames; None where it has no name, or is of the C library."""
    own = [nr for nr, frame in enumerate(frames) if os.path.basename(frame["image"]) == name]
    return [frame.get("function") if os.path.basename(frame["image"]) == name else None
            for frame in frames[own[0]:own[-1] + 1]]


def tool(*words):
    subprocess.run(list(map(str, words)), check=True, timeout=60, stdin=subprocess.DEVNULL)


def build(source, to, *flags):
    """A library of a file of C."""
    to.parent.mkdir(exist_ok=True)
    tool("gcc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-pthread", "-Wl,--build-id=sha1", *(flags or ["-O2"]), source, "-o", to)
    return to


def build_ways(directory, *flags):
    return build(SOURCES / "ways.c", directory / "libways.so", *flags)


def command(library, *ways):
    """The program, on its way."""
    return [DIRECTORY / PROGRAM, Standin("gen3").library, library, *ways]


def start(library, *ways, options=(), before=(), **how):
    """Traces it from its start, and lets it go when all probes are in place. @before: words of the command."""
    run = tttrace.start(["-v", *options], [*before, *command(library, "wait", *ways)], **how)
    run.hear()
    probed(run)
    run.tell()
    return run


def await_allocs(run, number):
    """Until tttrace has told of so many."""
    deadline = time.monotonic() + PATIENCE
    while run.output.read_bytes().count(b'"event":"alloc"') < number:
        assert time.monotonic() < deadline, run.output.read_text()
        run.process.stderr.pause()


def trace(library, *ways, **how):
    """
    (what it knows of each allocation, the stacks that were seen: (frames, end), the result). The program
    ends when all is seen.
    """
    run = start(library, *ways, "wait", **how)
    await_allocs(run, len(ways))
    run.tell()
    return finish(run)


def attach(process, **how):
    """Traces the program from now on, which waits."""
    return tttrace.start(["-v", "-p", str(process.pid)], before_attach=True, **how).attached()


def finish(trace, process=None):
    """@process: the program, if it was not started by the trace."""
    process = process or trace.process
    result = trace.finish()
    assert result.status == 0, result.stderr
    known = [json.loads(line) for line in process.stdout.all().splitlines() if line.startswith("[")]
    seen = [stack_of(result, alloc) for alloc in result.of("alloc", kind="owning")]
    assert len(known) == len(seen) >= 1
    return known, seen, result


def report(output, library, *ways):
    """The report of such a trace as text: its bytes."""
    process = Process([tttrace.BINARY, "-q", "-v", "--output", output, "--", *command(library, "wait", *ways)])
    process.hear()
    process.stderr.wait_for(lambda line: line.startswith("tttrace: attached to"))
    process.tell()
    assert process.wait() == 0, process.stderr.all()
    process.end()
    return output.read_bytes()
