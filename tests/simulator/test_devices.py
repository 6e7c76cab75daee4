# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Two command queues, sub-devices, and the hybrid mode of the allocator, with kernels that have binaries."""

import pytest

from support import tttrace
from work import (BEGIN, CAPTURE, END, LEAKS, MODES, OPERATIONS, held_by_runtime, look, size_of, trace,
                  trace_late)

in_each_mode = pytest.mark.parametrize("mode", MODES.values(), ids=MODES)

QUEUES = """
d = ttnn.open_device(device_id=0, num_command_queues=2)
a, b = tensors(2, d)
"""
TURNS = """
for turn in range(3):
    c = ttnn.add(a, b)
    ttnn.wait_for_event(1, ttnn.record_event(d, 0))
    with ttnn.command_queue(1):
        c = ttnn.exp(c)
    ttnn.wait_for_event(0, ttnn.record_event(d, 1))
    checkpoint(d)
ttnn.synchronize_device(d)
"""


@in_each_mode
def test_two_queues_share_the_programs_in_the_cache(simulator, mode):
    result = trace(simulator, QUEUES + TURNS + END, mode)
    assert [one["op"] for one in result.of("alloc", kind="system", owner="kernel_binary")] == OPERATIONS
    assert held_by_runtime(result) == size_of(result.of("alloc", kind="system"))
    assert not result.of("leak") and set(result.classes()) == {"matched"}


def test_two_queues_are_attached_to_late(simulator):
    result = trace_late(simulator, QUEUES + TURNS, TURNS + END)
    assert len(result.of("alloc", kind="system", **{"class": "pre_attach"})) == len(OPERATIONS)
    assert not result.of("leak") and set(result.classes()) == {"matched"}


SUB_DEVICES = """
def half(x):
    cores = ttnn.CoreRange(ttnn.CoreCoord(x, 0), ttnn.CoreCoord(x + 1, 1))
    return ttnn.SubDevice([ttnn.CoreRangeSet([cores])])

manager = d.create_sub_device_manager([half(0), half(2)], 32768)
d.load_sub_device_manager(manager)
checkpoint(d)
some = ttnn.create_sharded_memory_config((1, 1, 64, 32), core_grid=ttnn.CoreGrid(y=2, x=1),
                                         strategy=ttnn.ShardStrategy.HEIGHT)
c = tensor(d, (1, 1, 64, 32), where=some)
checkpoint(d)
del c
d.clear_loaded_sub_device_manager()
d.remove_sub_device_manager(manager)
c = ttnn.add(a, b)
checkpoint(d)
"""


@in_each_mode
def test_sub_devices_hold_what_the_allocator_says(simulator, mode):
    result = trace(simulator, BEGIN + SUB_DEVICES + END, mode)
    assert not result.of("leak") and not result.frees("unknown")


# In the hybrid mode footprints come out of the free lists, which are looked at while it waits.
HYBRID = BEGIN + """
kept = tensors(3, d, where="L1")
checkpoint(d)
ask()
keep(kept)
""" + CAPTURE + END


@pytest.fixture
def hybrid(simulator, monkeypatch):
    monkeypatch.setenv("TT_METAL_ALLOCATOR_MODE_HYBRID", "1")
    return simulator


def leaves_three(hybrid, result):
    """Of its three tensors and no other all is known."""
    seen = hybrid.logged("checkpoint")
    leaked = result.summary["leaked"]
    assert result.status == LEAKS and "unsized" not in leaked
    assert (leaked["buffers"], leaked["bytes"]) == (3, seen[-1]["meshes"][0]["bytes"]["L1"])
    return held_by_runtime(result) == size_of(result.of("alloc", kind="system"))


def test_the_hybrid_mode_is_as_the_allocator_says(hybrid):
    traced = tttrace.start(["--error-exitcode", LEAKS], hybrid.code(HYBRID))
    traced.hear()
    while '"reason":"measure"' not in traced.output.read_text():
        traced.process.stderr.pause()
    traced.tell()
    assert leaves_three(hybrid, traced.finish())


def test_the_hybrid_mode_is_as_the_allocator_says_after_a_late_attach(hybrid):
    program = hybrid.start(HYBRID)
    program.hear()
    look(hybrid, program, "--snapshot")
    late = tttrace.start(["-p", str(program.pid), "--error-exitcode", LEAKS], before_attach=True).attached()
    program.tell()
    assert program.wait() == 0, program.said()
    assert leaves_three(hybrid, late.finish())
