# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
The frames of Python in stacks: file, line and function as Python itself has them, on every version
of it that there is on this machine, and on 3.14 (scripts/python314). The one that runs the tests is
always among them.
"""

import functools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support import tttrace
from support.pythons import of_pyenv, pythons
from support.runtime import ROOT
from support.stacks import build
from support.standin import Standin, probed

PROGRAM = Path(__file__).parent / "programs/python_frames.py"
KNOWN = (10, 11, 12, 13, 14)


@functools.lru_cache(maxsize=None)
def set_up_314():
    """Returns (interpreter, None), or (None, why it cannot be had)."""
    done = subprocess.run([ROOT / "scripts/python314"], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=100, check=False)
    if done.returncode == 3:
        return None, done.stderr.splitlines()[-1]
    assert done.returncode == 0, f"scripts/python314 failed:\n{done.stderr}"
    return done.stdout.strip(), None


def python_of(minor):
    """An interpreter of that version. Skips the test if there is none."""
    python, why_not = pythons().get(minor), f"no Python 3.{minor} on this machine"
    if not python and minor == 14:
        python, why_not = set_up_314()
    if not python:
        pytest.skip(why_not)
    return python


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


@pytest.mark.parametrize("minor", KNOWN)
@pytest.mark.parametrize("options", [[], ["--lean", "--stacks"]], ids=["default", "lean"])
def test_frames_of_python_are_those_that_python_knows(minor, options):
    logged, result = trace(python_of(minor), options)
    allocs = result.of("alloc", kind="owning")
    assert len(logged) == len(allocs) >= 3 * 25
    for frames, alloc in zip(logged, allocs):
        assert python_frames(result, alloc) == frames
        assert result.stack_end(alloc) == "complete"
        # in place of the interpreter's loop, not beside it
        assert not any("PyEval_EvalFrame" in frame.get("function", "") for frame in result.stack(alloc))


def test_a_child_has_them_from_its_first_allocation_on():
    logged, result = trace(sys.executable, words=["fork"])
    first = result.of("alloc", kind="owning")[0]
    assert python_frames(result, first) == logged[0] and result.stack_end(first) == "complete"
    assert len({alloc["pid"] for alloc in result.of("alloc", kind="owning")}) == 1


@pytest.mark.parametrize("minor", KNOWN)
def test_code_that_goes_at_once_is_known_all_the_same(minor):
    """It is copied while it is being called."""
    logged, result = trace(python_of(minor))
    through = [(frames, alloc) for frames, alloc in zip(logged, result.of("alloc", kind="owning")) if is_through(frames, "gone")]
    assert len(through) == 9
    for frames, alloc in through:
        assert result.stack_end(alloc) == "complete"
        assert python_frames(result, alloc) == frames


def test_nothing_is_kept_of_programs_that_ended_without_memory():
    """They load the runtime, as `import` does, and leave: nothing of them was traced, so no end is told."""
    load = f"import ctypes, time; ctypes.CDLL('{Standin('gen3').library}'); time.sleep(0.1)"
    run = tttrace.start().attached()
    for _ in range(60):
        subprocess.run([sys.executable, "-c", load], check=True, timeout=60)
    held = [os.readlink(fd) for fd in Path(f"/proc/{run.process.pid}/fd").iterdir()]
    run.signal(signal.SIGINT)
    run.finish()
    # those since the last sweep but one
    assert 0 < sum(name.endswith("/pagemap") for name in held) < 48


@pytest.mark.parametrize("minor", KNOWN)
def test_a_script_that_ends_at_once_has_its_lines(minor):
    logged, result = trace(python_of(minor), words=["end"])
    alloc, = result.of("alloc", kind="owning")
    assert [python_frames(result, alloc)] == logged
    assert result.stack_end(alloc) == "complete"


@pytest.mark.parametrize("minor", KNOWN[1:])
def test_a_frame_that_cannot_be_read_is_not_taken_for_another(minor, tmp_path):
    """It was one of another function that the thread had in its place before."""
    hide = build(PROGRAM.parent / "hide.c", tmp_path / "libhide.so")
    logged, result = trace(python_of(minor), words=["hide", hide])
    before, alloc = result.of("alloc", kind="owning")
    assert python_frames(result, before) == logged[0]
    seen = python_frames(result, alloc)
    assert 1 < len(seen) < len(logged[1])
    assert seen == logged[1][:len(seen)]
    assert result.stack_end(alloc) == "no_python"


def assert_not_known(python, version):
    _, result = trace(python)
    assert result.stderr.count(f"does not know where Python {version} keeps its frames") == 1
    assert all(result.stack_end(alloc) == "complete" for alloc in result.of("alloc", kind="owning"))
    assert not any(python_frames(result, alloc) for alloc in result.of("alloc", kind="owning"))


@pytest.mark.parametrize("minor", [minor for minor in pythons() if minor not in KNOWN])
def test_a_version_that_is_not_known_is_said_once_and_machine_code_remains(minor):
    assert_not_known(pythons()[minor], f"3.{minor}")


@pytest.mark.parametrize("python", of_pyenv("3.*t"))
def test_one_without_the_gil_is_not_taken_for_one_with_it(python):
    minor = python.split("/versions/3.")[1].split(".")[0]
    assert_not_known(python, f"3.{minor}t")
