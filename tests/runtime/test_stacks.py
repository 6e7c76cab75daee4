# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The stacks of allocations, of the real runtime: they are held against those that gdb shows."""

import json
import os
import re
import subprocess
import textwrap

import pytest

from support import tttrace
from support.runtime import PROGRAMS

LEAST_ALLOCATIONS = 3 * 20
MODES = ([], ["--lean", "--stacks"])


def stacks_of(result):
    """
    The machine code of each allocation, but for the innermost frame: gdb stands behind the prologue
    of that. None stands for the frames of Python that one call of the interpreter's loop is in.
    """
    return [[[os.path.basename(frame["image"]), int(frame["vaddr"], 16) + 1] if "image" in frame else None
             for frame in result.stack(alloc)[1:]] for alloc in result.of("alloc")]


def stacks_in_gdb(command, file):
    """The same, of the same program in gdb. Frames are told by where calls return to."""
    words = ["gdb", "-nx", "-batch", "-x", PROGRAMS / "gdb_stacks.py", "--args", "sh", *command]
    done = subprocess.run(list(map(str, words)), env={**os.environ, "STACKS": str(file)}, timeout=300,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert file.exists(), f"gdb has stopped nowhere:\n{done.stdout}\n{done.stderr}"
    return [[None if name == "_PyEval_EvalFrameDefault" else [image, address]
             for image, address, name in json.loads(line)] for line in file.read_text().splitlines()]


@pytest.mark.parametrize("mode", MODES, ids=["default", "lean"])
def test_stacks_are_those_that_gdb_shows(real, mode, tmp_path):
    command = real.program("stacks.py")
    result = tttrace.run(mode, command)
    assert result.status == 0
    expected = stacks_in_gdb(command, tmp_path / "stacks")
    assert len(expected) >= LEAST_ALLOCATIONS
    assert stacks_of(result) == expected
    assert {result.stack_end(alloc) for alloc in result.of("alloc")} == {"complete"}
    assert all(result.stack(alloc)[-1]["function"] == "_start" for alloc in result.of("alloc"))
    odd = [free for free in result.of("free") if "freed_by" in free]
    assert result.summary["coverage"]["stacks"]["complete"] == len(expected) + len(odd)
    assert result.summary["coverage"]["stacks"]["copied"] < len(expected)
    assert all(leak["stack"] for leak in result.of("leak"))


def test_a_stack_is_copied_once_and_not_with_each_allocation(newest):
    result = tttrace.run([], newest.code("""
        d = ttnn.open_device(device_id=0)
        def make():
            return ttnn.zeros((32, 32), dtype=ttnn.bfloat16, layout=ttnn.TILE_LAYOUT, device=d)
        for _ in range(3000):
            make()
        gc.collect()
        ttnn.close_device(d)
    """))
    stacks = result.summary["coverage"]["stacks"]
    allocs = len(result.of("alloc"))
    assert allocs >= 3000
    assert stacks["complete"] == allocs and not stacks["missing"]
    assert stacks["copied"] < allocs / 4
    assert len({json.dumps(result.stack(alloc)) for alloc in result.of("alloc")}) < 20


@pytest.mark.parametrize("option", ["--no-stacks", "--lean"])
def test_where_nobody_wants_stacks_there_are_none(newest, option):
    result = tttrace.run([option], newest.code("""
        d = ttnn.open_device(device_id=0)
        x = ttnn.zeros((32, 32), dtype=ttnn.bfloat16, layout=ttnn.TILE_LAYOUT, device=d)
        ttnn.close_device(d)
    """))
    assert all("stack_id" not in line and "stack" not in line for line in result.lines)
    assert "stacks" not in result.summary["coverage"]


def test_the_report_of_a_leak_names_the_functions(newest):
    status, out, err = tttrace.plain("-q", "--", *map(str, newest.code("""
        d = ttnn.open_device(device_id=0)
        x = ttnn.ones((64, 64), dtype=ttnn.bfloat16, layout=ttnn.TILE_LAYOUT, device=d)
        held = [ttnn.add(x, x) for _ in range(3)]
        ttnn.close_device(d)
    """)))
    assert status == 0, err
    assert "    allocated by:\n      3 buffers, " in out
    # from the operation outwards, the program's own lines alone
    assert re.search(r"          ttnn::add  \[_ttnncpp.so\]\n(          <listcomp>  .*\n)?"
                     r"          <module>  \[<string>:6\]\n          \.\.\. \d+ frames more", out)


def test_the_lines_of_python_are_those_of_the_program(newest, tmp_path):
    program = tmp_path / "model.py"
    program.write_text(textwrap.dedent("""
        import ttnn

        class Model:
            def __init__(self, device):
                self.weight = ttnn.ones((64, 64), dtype=ttnn.bfloat16, layout=ttnn.TILE_LAYOUT, device=device)

            def forward(self, x):
                x = ttnn.add(x, self.weight)
                return ttnn.relu(x)

        def main():
            device = ttnn.open_device(device_id=0)
            model = Model(device)
            held = model.forward(model.weight)
            ttnn.close_device(device)

        main()
    """).lstrip())
    result = tttrace.run([], newest.program(program))
    lines = [[(frame["function"].split(".")[-1], frame["line"]) for frame in result.stack(alloc)
              if frame.get("file") == str(program)] for alloc in result.of("alloc")]
    made = [("__init__", 5), ("main", 13), ("<module>", 17)]
    added = [("forward", 8), ("main", 14), ("<module>", 17)]
    related = [("forward", 9), ("main", 14), ("<module>", 17)]
    assert [one for one in lines if one] == [made, added, related]
