# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
The frames of Python in stacks: file, line and function as Python itself has them, on every version
of it that there is on this machine. The one that runs the tests is always among them.
"""

import glob
import json
import os
import sys
from pathlib import Path

import pytest

from support import tttrace
from support.standin import Standin, probed

PROGRAM = Path(__file__).parent / "programs/python_frames.py"
KNOWN = (10, 11, 12, 13)


def pythons():
    """{minor version: interpreter}."""
    found = {sys.version_info[1]: sys.executable}
    root = os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv"))
    for minor in range(9, 16):
        for path in (f"/usr/bin/python3.{minor}", *sorted(glob.glob(f"{root}/versions/3.{minor}.*/bin/python3"))):
            if minor not in found and os.access(path, os.X_OK):
                found[minor] = path
    return found


def trace(python, options=(), words=()):
    """Runs the program; returns (what Python says of each allocation, the result)."""
    library = Standin("gen3").library
    run = tttrace.start(["-v", *options], [python, PROGRAM, library, *words])
    run.hear("ready")
    probed(run)
    run.tell()
    result = run.finish()
    lines = [line for line in run.process.stdout.all().splitlines() if line.startswith("[")]
    return [json.loads(line) for line in lines], result


def python_frames(result, alloc):
    return [[frame["file"], frame["line"], frame["function"]] for frame in result.stack(alloc) if "line" in frame]


def is_through(frames, function):
    return any(frame[2] == function for frame in frames)


@pytest.mark.parametrize("minor", [minor for minor in pythons() if minor in KNOWN])
@pytest.mark.parametrize("options", [[], ["--lean", "--stacks"]], ids=["default", "lean"])
def test_frames_of_python_are_those_that_python_knows(minor, options):
    logged, result = trace(pythons()[minor], options)
    allocs = result.of("alloc", kind="owning")
    assert len(logged) == len(allocs) >= 3 * 24
    for frames, alloc in zip(logged, allocs):
        if is_through(frames, "gone"):
            continue
        assert python_frames(result, alloc) == frames
        assert result.stack_end(alloc) == "complete"
        # in place of the interpreter's loop, not beside it
        assert not any("PyEval_EvalFrame" in frame.get("function", "") for frame in result.stack(alloc))


def test_a_child_has_them_from_its_first_allocation_on():
    logged, result = trace(sys.executable, words=["fork"])
    first = result.of("alloc", kind="owning")[0]
    assert python_frames(result, first) == logged[0] and result.stack_end(first) == "complete"
    assert len({alloc["pid"] for alloc in result.of("alloc", kind="owning")}) == 1


@pytest.mark.parametrize("minor", [minor for minor in pythons() if minor in KNOWN])
def test_code_that_has_gone_is_said_to_be_missing_and_none_is_invented(minor):
    """It may be read before it goes: then it is right. It is never another's."""
    logged, result = trace(pythons()[minor])
    through = [(frames, alloc) for frames, alloc in zip(logged, result.of("alloc", kind="owning")) if is_through(frames, "gone")]
    assert len(through) == 9
    for frames, alloc in through:
        if result.stack_end(alloc) == "complete":
            assert python_frames(result, alloc) == frames
        else:
            assert result.stack_end(alloc) == "no_python"
            assert all(frame in frames for frame in python_frames(result, alloc))


@pytest.mark.parametrize("minor", [minor for minor in pythons() if minor not in KNOWN])
def test_a_version_that_is_not_known_is_said_once_and_machine_code_remains(minor):
    _, result = trace(pythons()[minor])
    assert result.stderr.count(f"does not know where Python 3.{minor} keeps its frames") == 1
    assert all(result.stack_end(alloc) == "complete" for alloc in result.of("alloc", kind="owning"))
    assert not any(python_frames(result, alloc) for alloc in result.of("alloc", kind="owning"))
