# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""What programs in the cache hold is the runtime's own: no leak, and told of as what it is."""

import pytest

from support import tttrace
from support.processes import Process
from support.replay import compare, compare_totals

LEAKS = 9  # --error-exitcode

OPEN = {
    "convolve": ("n150", 'd = open_shape("1", l1_small_size=16384)', "convolve(d, 16); convolve(d, 32)"),
    "gather": ("t3k", "ttnn.set_fabric_config(ttnn.FabricConfig.FABRIC_1D); d = open_shape('1x8')",
               "gather(d, 1); gather(d, 2)"),
}


@pytest.fixture(params=OPEN)
def kind(request, real):
    if request.param == "gather" and real.version == "0.74.0":
        pytest.skip("its fabric does not start on mocked devices")
    return request.param


def program(real, kind, rest):
    cluster, begin, work = OPEN[kind]
    return real.code(f"from cached import convolve, gather\n{begin}\n{work}\ncheckpoint(d)\n{rest}", cluster=cluster)


def trace(real, kind, rest, options=(), status=0):
    result = tttrace.run(["--error-exitcode", LEAKS, *options], program(real, kind, rest))
    assert result.status == status, result.stderr
    compare(result, real.logged("checkpoint"))
    compare_totals(result)
    return result


def device_of(result):
    device, = [one for one in result.summary["processes"][0]["devices"] if one.get("owners")]
    return device


def test_what_the_cache_holds_at_the_close_is_no_leak(real, kind):
    result = trace(real, kind, "close(d)")
    assert not result.of("leak") and not result.summary["leaked"]["buffers"]
    cached = result.of("alloc", owner="program_cache")
    held = device_of(result)["held_by_runtime"]
    assert cached and held["buffers"] == len(cached)
    assert held["bytes"] == sum(one["footprint"] for one in cached)
    assert {one["kind"] for one in cached} == {"system"}
    assert all(one["factory"].startswith("ttnn::") for one in cached)
    assert device_of(result)["owners"]["program_cache"]["allocations"] == len(cached)


def test_what_a_clearing_of_the_cache_frees_is_matched(real, kind):
    result = trace(real, kind, "d.disable_and_clear_program_cache()\ncheckpoint(d)\nclose(d)")
    cached = result.of("alloc", owner="program_cache")
    freed = {one["id"] for one in result.frees("matched")}
    assert cached and {one["id"] for one in cached} <= freed
    assert not device_of(result)["held_by_runtime"]["buffers"]


def test_a_leak_of_the_program_is_still_one(real, kind):
    result = trace(real, kind, "kept = tensor(d)\nkeep([kept])\nclose(d)", status=LEAKS)
    leak, = result.of("leak")
    assert leak["owner"] == "tensor" and leak["buffers"] == 1
    assert device_of(result)["held_by_runtime"]["buffers"]


def test_the_report_tells_it_apart(real, kind):
    status, out, _ = tttrace.plain("-q", "--", *program(real, kind, "close(d)"))
    assert status == 0
    assert "LEAKED" not in out and "SUMMARY: tttrace: no leaks" in out
    assert "held by the runtime itself (no leak): " in out
    assert ", program_cache\n          by ttnn::" in out


def test_of_a_running_process_it_is_told_as_well(real, kind):
    result = tttrace.run(["-i", "0.2"], program(real, kind, "time.sleep(1)\nclose(d)"))
    running = [device["held_by_runtime"]["buffers"] for line in result.summaries
               for process in line["processes"] for device in process["devices"]]
    assert max(running) == len(result.of("alloc", owner="program_cache")) > 0


MAY_BE = " leaked buffers may be held by the program cache: their stacks are not known, or not whole"


def test_what_the_cache_held_before_the_attach_may_be_its_own(newest):
    running = Process(program(newest, "convolve", "ask()\nclose(d)"))
    running.hear()
    trace = tttrace.start(["-p", running.pid], before_attach=True).attached()
    with open(trace.output.with_suffix(".text"), "w+") as text:
        second = Process([tttrace.BINARY, "-p", running.pid], stdout=text)
        second.stderr.wait_for(lambda line: "Ctrl-C ends it" in line)
        running.tell()
        assert running.wait() == 0 and second.wait() == 0
        text.seek(0)
        said = text.read()
    result = trace.finish()
    leaked = result.summary["leaked"]["buffers"]
    assert leaked and result.summary["leaked_may_be_cached"] == leaked
    assert f"\n  {leaked}{MAY_BE}\n" in said


def test_what_is_cut_off_a_stack_may_be_the_program_cache(newest):
    command = program(newest, "convolve", "kept = tensor(d)\nkeep([kept])\nclose(d)")
    whole = tttrace.run([], command)
    assert "leaked_may_be_cached" not in whole.summary
    cut = tttrace.run(["--stack-depth", 8], command)
    assert cut.summary["leaked_may_be_cached"] == cut.summary["leaked"]["buffers"] > 1
    status, out, _ = tttrace.plain("-q", "--stack-depth", "8", "--", *command)
    assert status == 0 and MAY_BE in out


def test_without_stacks_it_is_said_that_they_cannot_be_told_apart(newest):
    status, out, _ = tttrace.plain("-q", "--no-stacks", "--", *program(newest, "convolve", "close(d)"))
    assert status == 0
    assert "LEAKED" in out and "without stacks what the program cache holds cannot be told from leaks" in out
    result = tttrace.run(["--no-stacks"], program(newest, "convolve", "close(d)"))
    assert result.summary["leaked_may_be_cached"] == result.summary["leaked"]["buffers"] > 1
