# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
At any time, what tttrace says is held is what the allocator itself says, to the byte: bytes by
type, addresses, chips.
"""

import random

import pytest

from support import tttrace
from support.replay import compare, compare_totals

CLUSTERS = [("n150", "1"), ("n300", "1x2"), ("t3k", "1x8"), ("t3k", "2x4"), ("t3k", "1x1"),
            ("p150", "1"), ("p150x4", "2x2")]


MODES = [[], ["--lean"]]
in_each_mode = pytest.mark.parametrize("mode", MODES, ids=["default", "lean"])


def trace_random(real, cluster, shape, steps, mode=()):
    seed = random.randrange(1 << 30)
    print(f"random_tensors.py {shape} {seed} {steps} on {cluster}")
    result = tttrace.run(list(mode), real.program("random_tensors.py", shape, seed, steps,
                                                  cluster=cluster))
    assert result.status == 0
    made = real.logged("made")[0]
    # the runtime refuses about one in eleven: more would mean that the program tests little
    assert made["made"] > 5 * made["refused"]
    assert len(result.of("alloc", kind="owning")) == made["made"]
    return result


@in_each_mode
@pytest.mark.parametrize("cluster, shape", CLUSTERS)
def test_random_tensors_are_held_as_the_allocator_says(real, cluster, shape, mode):
    result = trace_random(real, cluster, shape, 200, mode)
    assert not result.summary["coverage"]["footprint_unknown"]
    compare(result, real.logged("checkpoint"))
    compare_totals(result)


@in_each_mode
def test_random_tensors_on_32_chips_are_held_as_the_allocator_says(real, mode):
    result = trace_random(real, "galaxy", "4x8", 60, mode)
    compare(result, real.logged("checkpoint"))
    compare_totals(result)


@pytest.mark.slow
@pytest.mark.parametrize("turn", range(5))
def test_many_random_tensors_are_held_as_the_allocator_says(real, turn):
    result = trace_random(real, "n150", "1", 2000, MODES[turn % 2])
    compare(result, real.logged("checkpoint"))
    compare_totals(result)


@in_each_mode
@pytest.mark.parametrize("cluster, shape", [("n150", "1"), ("t3k", "2x4"), ("p150", "1")])
def test_what_operations_make_is_held_as_the_allocator_says(real, cluster, shape, mode):
    result = tttrace.run(mode, real.program("operations.py", shape, cluster=cluster))
    assert result.status == 0, result.stderr
    assert real.logged("done")[0]["operations"] > 6
    compare(result, real.logged("checkpoint"))
    compare_totals(result)


def test_perf_events_see_the_same_as_uprobe_multi(real):
    result = tttrace.run(["--perf-events"], real.program("random_tensors.py", "1", 4711, 200))
    compare(result, real.logged("checkpoint"))
    compare_totals(result)
