# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""What the programs of these tests do, and what is asked of every result."""

from support import tttrace
from support.replay import compare, compare_look, compare_totals

LEAKS = 9  # --error-exitcode
MODES = {"default": [], "lean": ["--lean", "--stacks"], "perf_events": ["--perf-events"]}

# Programs of two operations are in the cache, and one of them is used again.
BEGIN = """
d = ttnn.open_device(device_id=0, trace_region_size=1 << 20)
checkpoint(d)
a, b = tensors(2, d)
c = ttnn.add(a, b); checkpoint(d)
c = ttnn.exp(a); checkpoint(d)
c = ttnn.add(a, b); checkpoint(d)
ttnn.synchronize_device(d)
"""
OPERATIONS = ["ttnn::add", "ttnn::exp"]

CAPTURE = """
traced = ttnn.begin_trace_capture(d, cq_id=0)
c = ttnn.add(a, b)
ttnn.end_trace_capture(d, traced, cq_id=0)
checkpoint(d)
ttnn.execute_trace(d, traced, cq_id=0, blocking=True)
checkpoint(d)
"""

# The program keeps nothing.
END = """
del a, b, c
checkpoint(d)
close(d)
"""


def judged(simulator, result, status=0, since=0):
    """Each checkpoint from @since and the totals are right, to the byte; returns the result."""
    assert result.status == status, result.stderr
    compare(result, simulator.logged("checkpoint")[since:])
    compare_totals(result)
    return result


def trace(simulator, text, options=(), status=0):
    return judged(simulator, tttrace.run(["--error-exitcode", LEAKS, *options], simulator.code(text)), status)


def trace_late(simulator, before, after, options=(), status=0):
    """Attaches when @before has run."""
    program = simulator.start(f"{before}\nask()\n{after}")
    program.hear()
    earlier = len(simulator.logged("checkpoint"))
    words = ["-p", str(program.pid), "--error-exitcode", LEAKS, *options]
    late = tttrace.start(words, before_attach=True).attached()
    program.tell()
    assert program.wait() == 0, program.said()
    return judged(simulator, late.finish(), status, earlier)


def look(simulator, program, *options):
    """One look at a running @program: what it holds is what it has last written down."""
    result = tttrace.told(*options, str(program.pid))
    assert result.status == 0, result.stderr
    compare_look(result, simulator.logged("checkpoint")[-1])
    compare_totals(result)
    return result


def held_by_runtime(result):
    """(buffers, bytes) that the summary says the runtime holds for itself."""
    sums = [device["held_by_runtime"] for process in result.summary["processes"]
            for device in process["devices"]]
    return sum(one["buffers"] for one in sums), sum(one["bytes"] for one in sums)


def size_of(events):
    """(buffers, bytes) of @events."""
    return len(events), sum(event["footprint"] for event in events)
