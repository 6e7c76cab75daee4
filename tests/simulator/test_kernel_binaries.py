# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
The binaries of the kernels of a program that is in the cache lie in DRAM: the runtime holds them for
itself, until the cache is cleared or the device closed.
"""

import pytest

from support import tttrace
from work import BEGIN, END, LEAKS, MODES, OPERATIONS, held_by_runtime, look, size_of, trace, trace_late

in_each_mode = pytest.mark.parametrize("mode", MODES.values(), ids=MODES)


def binaries(result, **fields):
    found = result.of("alloc", owner="kernel_binary", **fields)
    assert {one["kind"] for one in found} <= {"system"} and {one["type"] for one in found} <= {"DRAM"}
    return found


@in_each_mode
def test_they_are_the_runtimes_own_and_known_by_their_operation(simulator, mode):
    result = trace(simulator, BEGIN + END, mode)
    assert [one["op"] for one in binaries(result)] == OPERATIONS
    assert held_by_runtime(result) == size_of(binaries(result))
    assert not result.of("leak") and len(result.of("alloc", kind="system")) == len(OPERATIONS)


@in_each_mode
def test_a_clearing_of_the_cache_frees_them(simulator, mode):
    result = trace(simulator, BEGIN + "d.disable_and_clear_program_cache()" + END, mode)
    freed = {one["id"] for one in result.frees("matched")}
    assert len(binaries(result)) == len(OPERATIONS) and {one["id"] for one in binaries(result)} <= freed
    assert held_by_runtime(result) == (0, 0)


def test_a_leak_of_the_program_beside_them_is_one(simulator):
    result = trace(simulator, BEGIN + "keep([c])" + END, status=LEAKS)
    [leak] = result.of("leak")
    assert (leak["owner"], leak["op"], leak["buffers"]) == ("tensor", "ttnn::add", 1)
    assert held_by_runtime(result)[0] == len(OPERATIONS)


def test_without_stacks_they_are_no_leak_either(simulator):
    result = trace(simulator, BEGIN + END, ["--lean"])
    assert held_by_runtime(result) == size_of(result.of("alloc", kind="system"))
    assert held_by_runtime(result)[0] == len(OPERATIONS) and not result.of("leak")


@in_each_mode
def test_those_from_before_the_attach_are_known_as_such(simulator, mode):
    result = trace_late(simulator, BEGIN, "other = ttnn.neg(a); checkpoint(d); del other" + END, mode)
    assert len(binaries(result, **{"class": "pre_attach"})) == len(OPERATIONS)
    assert [one["op"] for one in binaries(result) if "class" not in one] == ["ttnn::neg"]
    assert held_by_runtime(result) == size_of(binaries(result))
    assert not result.of("leak") and set(result.classes()) == {"matched"}


@pytest.mark.parametrize("options", [["--snapshot"], ["-d", "0.5", "-p"]], ids=["snapshot", "duration"])
def test_of_a_running_process_they_are_told_as_well(simulator, options):
    program = simulator.start(BEGIN + "ask()" + END)
    program.hear()
    result = look(simulator, program, *options)
    status, text, _ = tttrace.plain(*options, str(program.pid))
    program.tell()
    assert program.wait() == 0, program.said()
    assert len(binaries(result)) == len(OPERATIONS)
    assert held_by_runtime(result) == size_of(binaries(result))
    assert status == 0 and f"held by the runtime itself (no leak): {len(OPERATIONS)} buffers, " in text


def test_the_report_tells_them_apart(simulator):
    status, text, _ = tttrace.plain("-q", "--", *simulator.code(BEGIN + END))
    assert status == 0 and "SUMMARY: tttrace: no leaks" in text and "LEAKED" not in text
    assert f"held by the runtime itself (no leak): {len(OPERATIONS)} buffers, " in text
    assert "kernel_binary of ttnn::add at " in text
