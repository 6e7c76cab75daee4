# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
Random programs on the real runtime: at every checkpoint what is held is what the allocator says, to
the byte, whatever has gone before; and what is left at the end is a leak, or has ended with a kill.
"""

import pytest

from support import tttrace
from support.replay import compare, compare_totals

CLUSTERS = [("n150", "1", 150), ("n300", "1x2", 150), ("t3k", "2x4", 100)]
STATUS = {"close": 0, "exit": 0, "exception": 1, "at_once": 0, "kill": 137}
MODERATE = {"close", "exit", "exception", "at_once"}  # ends in which what is left leaks


def left(result, pid):
    """Bytes by mesh and type of what leaked, or ended with its process."""
    sums = {}
    for event in result.of("leak", pid=pid) + result.of("ended", pid=pid):
        key = event["mesh"], event["type"]
        sums[key] = sums.get(key, 0) + event["footprint"]
    return sums


def compare_end(result, end):
    """What is left leaks, or has ended; but not what the runtime held for its programs."""
    said = {(mesh["mesh"], name): count - mesh["cached"][name]
            for mesh in end["meshes"] for name, count in mesh["bytes"].items()}
    found = left(result, end["pid"])
    assert {key: found.get(key, 0) for key in said} == said
    if end["how"] in MODERATE:
        assert not result.of("ended", pid=end["pid"])
    replay = result.replay(end["ts_ns"])
    for mesh in end["meshes"]:
        for name, count in mesh["cached"].items():
            assert count == sum(born["footprint"] for born in replay.buffers(end["pid"], mesh["mesh"])
                                if born["type"] == name and born["kind"] == "system")


def trace_chaos(real, cluster, shape, seed, steps, options=()):
    result = tttrace.run(options, real.program("chaos.py", shape, seed, steps, cluster=cluster))
    ends = real.logged("end")
    how = ([end["how"] for end in ends if not end["worker"]] or [None])[0]
    assert result.status == STATUS.get(how), result.stderr[-3000:]
    compare(result, real.logged("checkpoint"))
    compare_totals(result)
    for end in ends:
        compare_end(result, end)
    return result


@pytest.mark.parametrize("cluster, shape, steps", CLUSTERS)
def test_a_random_program_is_seen_as_it_is(newest, cluster, shape, steps, seed):
    trace_chaos(newest, cluster, shape, seed, steps)


def test_a_random_program_is_seen_as_it_is_on_every_version(real, seed):
    trace_chaos(real, "t3k", "1x2" if seed % 2 else "1", seed, 100)


def test_a_random_program_on_32_chips_is_seen_as_it_is(newest, seed):
    trace_chaos(newest, "galaxy", "4x8", seed, 40)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_random_program_on_32_chips_is_seen_as_it_is_on_every_version(real, seed):
    trace_chaos(real, "galaxy", "4x8", seed, 100)
