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
    of that. None stands for the frames of Python that one call of the interpreter's loop is in: one
    with 3.10, any number with later versions.
    """
    def place(frame):
        return [os.path.basename(frame["image"]), int(frame["vaddr"], 16) + 1] if "image" in frame else None

    return [without_runs(map(place, result.stack(alloc)[1:])) for alloc in result.of("alloc")]


def without_runs(places):
    """Of each run of frames of Python the first."""
    kept = []
    for one in places:
        if one or not kept or kept[-1]:
            kept.append(one)
    return kept


def stacks_in_gdb(command, file):
    """The same, of the same program in gdb. Frames are told by where calls return to."""
    words = ["gdb", "-nx", "-batch", "-x", PROGRAMS / "gdb_stacks.py", "--args", "sh", *command]
    done = subprocess.run(list(map(str, words)), env={**os.environ, "STACKS": str(file)}, timeout=300,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert file.exists(), f"gdb has stopped nowhere:\n{done.stdout}\n{done.stderr}"
    return [[None if name == "_PyEval_EvalFrameDefault" else [image, address]
             for image, address, name in json.loads(line)] for line in file.read_text().splitlines()]


def compare_with_gdb(runtime, mode, directory):
    command = runtime.program("stacks.py")
    result = tttrace.run(mode, command)
    assert result.status == 0
    expected = stacks_in_gdb(command, directory / "stacks")
    assert len(expected) >= LEAST_ALLOCATIONS
    assert stacks_of(result) == expected
    assert {result.stack_end(alloc) for alloc in result.of("alloc")} == {"complete"}
    assert all(result.stack(alloc)[-1]["function"] == "_start" for alloc in result.of("alloc"))
    odd = [free for free in result.of("free") if "freed_by" in free]
    assert result.summary["coverage"]["stacks"]["complete"] == len(expected) + len(odd)
    assert result.summary["coverage"]["stacks"]["copied"] < len(expected)
    assert all(leak["stack"] for leak in result.of("leak"))


@pytest.mark.parametrize("mode", MODES, ids=["default", "lean"])
def test_stacks_are_those_that_gdb_shows(real, mode, tmp_path):
    compare_with_gdb(real, mode, tmp_path)


@pytest.mark.parametrize("mode", MODES, ids=["default", "lean"])
def test_they_are_as_well_with_the_other_python(newest_with_other_python, mode, tmp_path):
    compare_with_gdb(newest_with_other_python, mode, tmp_path)


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


def test_one_that_is_deeper_than_is_copied_is_copied_once_as_well(newest):
    result = tttrace.run([], newest.code("""
        d = ttnn.open_device(device_id=0)
        def make(depth):
            if depth:
                return max([depth - 1], key=make)  # by way of machine code, whatever Python this is
            for _ in range(3000):
                ttnn.zeros((32, 32), dtype=ttnn.bfloat16, layout=ttnn.TILE_LAYOUT, device=d)
        make(250)
        gc.collect()
        ttnn.close_device(d)
    """))
    stacks = result.summary["coverage"]["stacks"]
    assert not stacks["complete"] and not stacks["missing"]
    assert stacks["copied"] < len(result.of("alloc")) / 4


def test_a_model_of_many_layers_is_seen_whole(newest):
    result = tttrace.run([], newest.code("""
        d = ttnn.open_device(device_id=0)
        class Layer:
            def __init__(self, inner):
                self.inner = inner
            def __call__(self, x):
                return self.forward(x)
            def forward(self, x):
                return self.inner(x)
        model = lambda x: ttnn.zeros((32, 32), dtype=ttnn.bfloat16, layout=ttnn.TILE_LAYOUT, device=d)
        for _ in range(25):
            model = Layer(model)
        model(None)
        gc.collect()
        ttnn.close_device(d)
    """))
    alloc, = result.of("alloc")
    functions = [frame.get("function", "").split(".")[-1] for frame in result.stack(alloc)]
    assert functions.count("forward") == 25 and functions[-1] == "_start"
    assert len(functions) > 127
    assert result.stack_end(alloc) == "complete"


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


def compare_lines(runtime, tmp_path):
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
    result = tttrace.run([], runtime.program(program))
    lines = [[(frame["function"].split(".")[-1], frame["line"]) for frame in result.stack(alloc)
              if frame.get("file") == str(program)] for alloc in result.of("alloc")]
    made = [("__init__", 5), ("main", 13), ("<module>", 17)]
    added = [("forward", 8), ("main", 14), ("<module>", 17)]
    related = [("forward", 9), ("main", 14), ("<module>", 17)]
    assert [one for one in lines if one] == [made, added, related]


def test_the_lines_of_python_are_those_of_the_program(newest, tmp_path):
    compare_lines(newest, tmp_path)


def test_and_so_are_those_of_the_other_python(newest_with_other_python, tmp_path):
    compare_lines(newest_with_other_python, tmp_path)


# The name in C++ of what has another one in Python.
CALLED = {"scalar": "add"}
SOURCE = (PROGRAMS / "stacks.py").read_text(encoding="utf-8").splitlines()


def operation_at(frames):
    """The operation that the line of a frame of stacks.py asks for, or None."""
    for one in frames:
        if one.get("file") == str(PROGRAMS / "stacks.py"):
            asked = re.match(r' *"(\w+)": lambda: ', SOURCE[one["line"] - 1])
            return asked and CALLED.get(asked[1], asked[1])
    return None


def test_the_operation_is_the_one_that_the_program_called(real):
    result = tttrace.run([], real.program("stacks.py"))
    seen = {}
    for alloc in result.of("alloc"):
        asked = operation_at(result.stack(alloc))
        if asked:
            seen.setdefault(asked, set()).add(alloc["op"].split("::")[-1])
    assert len(seen) >= 20
    assert seen == {asked: {asked} for asked in seen}
    assert {alloc["owner"] for alloc in result.of("alloc")} == {"tensor", "program_cache"}
    assert all(alloc["op"].startswith("ttnn::") for alloc in result.of("alloc"))
    assert {free["op"] for free in result.frees("matched")} <= {alloc["op"] for alloc in result.of("alloc")}


def test_the_owner_is_told_of_what_is_no_tensor(real):
    trace = tttrace.start([], real.program("owners.py"))
    result = trace.finish()
    made = {line.split()[1] for line in trace.process.stdout.all().splitlines() if line.startswith("made ")}
    assert made >= {"tensor", "semaphore", "circular_buffer"}, result.stderr
    assert {alloc["owner"] for alloc in result.of("alloc")} == made
    assert {leak["owner"] for leak in result.of("leak")} <= made
    # in the totals by site, too
    assert {site["owner"] for site in result.sites} == made
    device, = [one for one in result.summary["processes"][0]["devices"] if "owners" in one]
    assert set(device["owners"]) == made and device["owners"]["tensor"]["allocations"] == 1


def test_the_names_that_tell_what_cannot_be_made_here_are_those_of_the_runtime(real):
    """With mocked devices no kernel has a binary, and no trace can be captured: the names are there."""
    done = subprocess.run(["nm", "-C", real.library], capture_output=True, text=True, check=True)
    for name in ("tt::tt_metal::distributed::MeshWorkloadImpl::load_binaries(",
                 "tt::tt_metal::detail::ProgramImpl::allocate_kernel_bin_buf_on_device(",
                 "tt::tt_metal::distributed::MeshTrace::populate_mesh_buffer("):
        assert f" T {name}" in done.stdout, name


def test_what_runs_out_of_memory_says_by_what_line_and_who_holds_the_rest(real):
    result = tttrace.run([], real.code("""
        d = ttnn.open_device(device_id=0)
        def tensor(n):
            return ttnn.empty((n, n), dtype=ttnn.bfloat16, layout=ttnn.TILE_LAYOUT, device=d)
        weights = tensor(65536)
        try:
            more = tensor(65536)
        except RuntimeError:
            pass
        ttnn.close_device(d)
    """))
    failed, = result.of("alloc_failed")
    lines = [frame["line"] for frame in failed["stack"] if frame.get("file") == "<string>"]
    # before the code come three lines: here are that of tensor() and that of the call
    assert lines == [6, 9]
    assert (failed["op"], failed["owner"], failed["stack_end"]) == ("ttnn::empty", "tensor", "complete")
    held, = failed["held_by"]
    assert [frame["line"] for frame in result.stack(held) if frame.get("file") == "<string>"] == [6, 7]
    assert held["per_bank"] == failed["held_per_bank"]


def test_a_late_free_says_by_what_code_it_was_asked_for(newest):
    result = tttrace.run([], newest.code("""
        d = ttnn.open_device(device_id=0)
        x = ttnn.ones((64, 64), dtype=ttnn.bfloat16, layout=ttnn.TILE_LAYOUT, device=d)
        def drop():
            global x
            x = None
        ttnn.close_device(d)
        drop()
    """))
    late = result.frees("device_closed")[0]
    frames = [[frame["function"], frame["line"]] for frame in result.stacks[late["freed_by"]]["stack"]
              if frame.get("file") == "<string>"]
    assert frames == [["drop", 8], ["<module>", 10]]


def test_an_ordinary_free_is_asked_for_no_stack(newest):
    result = tttrace.run([], newest.code("""
        d = ttnn.open_device(device_id=0)
        for _ in range(500):
            x = ttnn.empty((32, 32), dtype=ttnn.bfloat16, layout=ttnn.TILE_LAYOUT, device=d)
            ttnn.deallocate(x)
        ttnn.close_device(d)
    """))
    stacks = result.summary["coverage"]["stacks"]
    assert len(result.frees("matched")) == 500
    assert sum(count for name, count in stacks.items() if name != "copied") == len(result.of("alloc"))
    temporary = sum(site["temporary"] for site in result.sites)
    assert temporary == 500


def test_folded_stacks_add_up_to_what_is_asked_for(newest):
    code = """
        d = ttnn.open_device(device_id=0)
        def forward(x):
            return ttnn.add(x, x)
        x = ttnn.ones((64, 64), dtype=ttnn.bfloat16, layout=ttnn.TILE_LAYOUT, device=d)
        held = [forward(x) for _ in range(3)]
        ttnn.deallocate(held.pop())
        ttnn.close_device(d)
    """
    sums = {}
    for what in ("live", "leaked", "peak", "allocated"):
        status, out, err = tttrace.plain("--folded", what, "--", *map(str, newest.code(code)))
        assert status == 0, err
        lines = [line.rsplit(" ", 1) for line in out.splitlines()]
        sums[what] = sum(int(count) for _, count in lines)
        assert all(line.startswith("python;DRAM;_start;") for line, _ in lines)
        assert what == "live" or any(";forward (<string>:6);" in line for line, _ in lines)
    # 24576 bytes each: one of ones, three of add, of which one was freed
    assert sums == {"live": 0, "leaked": 3 * 24576, "peak": 4 * 24576, "allocated": 4 * 24576}


def test_known_leaks_change_no_exit_status(newest, tmp_path):
    code = list(map(str, newest.code("""
        d = ttnn.open_device(device_id=0)
        x = ttnn.ones((64, 64), dtype=ttnn.bfloat16, layout=ttnn.TILE_LAYOUT, device=d)
        ttnn.close_device(d)
    """)))
    known = tmp_path / "known"
    known.write_text("# not ours to mend\nleak:ttnn::ones\n", encoding="utf-8")
    status, out, _ = tttrace.plain("-q", "--error-exitcode", 9, "--suppressions", known, "--", *code)
    assert status == 0
    assert "SUMMARY: tttrace: no leaks, 1 buffer (24576 bytes) suppressed" in out
    known.write_text("leak:ttnn::zeros\n", encoding="utf-8")
    status, out, _ = tttrace.plain("-q", "--error-exitcode", 9, "--suppressions", known, "--", *code)
    assert status == 9
    assert "suppressed" not in out
    known.write_text("race:x\n", encoding="utf-8")
    status, out, err = tttrace.plain("--suppressions", known, "--", "true")
    assert status == 2 and "line 1: 'race:x' is no suppression: write leak:PATTERN" in err
