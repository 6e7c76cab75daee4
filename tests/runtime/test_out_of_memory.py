# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Running out of memory throws through every probed frame, and harms nobody."""

import random
import re
import time

import pytest

from support import tttrace

OUT_OF_MEMORY = """
    d = open_shape({shape!r})
    full = tensor(d, ({big}, {big}))
    for _ in range({times}):
        words = out_of_memory(d, {big})
    log("words", words=words)
    small = tensor(d)
    del small, full
    close(d)
    os._exit(7)
"""


def number(words, pattern):
    return int(re.search(pattern, words).group(1))


def check_failures(real, result, times):
    failures = result.of("alloc_failed")
    words = real.logged("words")[0]["words"]
    assert result.status == 7, result.stderr
    assert len(failures) == times
    assert {event["size"] for event in failures} == {number(words, r"allocate (\d+) B")}
    assert {event["asked_per_bank"] for event in failures} == {number(words, r"store (\d+) B")}
    assert {event["free_per_bank"] for event in failures} == {number(words, r"free: (\d+) B")}
    assert {event["type"] for event in failures} == {"DRAM"}
    assert result.classes() == {"matched": 2}
    assert not result.of("leak")


@pytest.mark.parametrize("options", [[], ["--perf-events"]], ids=["uprobe_multi", "perf_events"])
def test_a_thousand_caught_errors_are_a_thousand_failed_allocations(real, options):
    text = OUT_OF_MEMORY.format(shape="1", times=1000, big=65536)
    result = tttrace.run(options, real.code(text))
    check_failures(real, result, 1000)


def test_errors_on_a_mesh_are_failed_allocations(real):
    text = OUT_OF_MEMORY.format(shape="2x4", times=20, big=65536)
    result = tttrace.run([], real.code(text, "t3k"))
    check_failures(real, result, 20)
    assert sorted(result.of("alloc_failed")[0]["devices"]) == list(range(8))


NUMBERS = ("type", "fit", "banks", "bank_size", "held_per_bank", "free_per_bank",
           "largest_hole_per_bank", "asked_per_bank")
CLUSTERS = [("n150", "1"), ("t3k", "2x4"), ("p150", "1")]


def compare_failures(real, result):
    """Each failure was explained with the allocator's own numbers, and the words of its error."""
    logged = real.logged("failed")
    failures = result.of("alloc_failed")
    for failure, own in zip(failures, logged):
        assert {name: failure[name] for name in NUMBERS} == {name: own[name] for name in NUMBERS}
        assert own["told"] == [failure["free_per_bank"], failure["largest_hole_per_bank"]]
        assert sum(one["per_bank"] for one in failure["holders"]) == failure["held_per_bank"]
        assert not failure["others"]
    assert len(failures) == len(logged)
    return failures


@pytest.mark.parametrize("cluster, shape", CLUSTERS)
def test_holes_and_verdicts_are_those_of_the_allocator(real, cluster, shape):
    result = tttrace.run([], real.program("shortage.py", shape, "holes", cluster=cluster))
    assert result.status == 0, result.stderr
    failures = compare_failures(real, result)
    for where in ("DRAM", "L1", "L1_SMALL"):
        verdicts = {failure["fit"] for failure in failures if failure["type"] == where}
        assert verdicts == {"too_large", "full", "fragmented"}


@pytest.mark.parametrize("cluster, shape", CLUSTERS)
def test_among_random_tensors_holes_are_those_of_the_allocator(real, cluster, shape):
    seed = random.randrange(1 << 30)
    print(f"shortage.py {shape} random {seed} 300 on {cluster}")
    result = tttrace.run([], real.program("shortage.py", shape, "random", seed, 300, cluster=cluster))
    assert result.status == 0, result.stderr
    failures = compare_failures(real, result)
    assert len(failures) >= 60
    assert len({failure["largest_hole_per_bank"] for failure in failures}) > 10


def test_the_summaries_have_the_holes_of_the_allocator(real):
    trace = tttrace.start(["-i", "1"], real.code("""
        d = open_shape("1")
        held = tensors(8, d, (512, 512))
        held += tensors(8, d, (64, 64), where="L1")
        del held[::2]
        for where in ("DRAM", "L1"):
            view = ttnn.get_memory_view(d, getattr(ttnn.BufferType, where))
            log("view", type=where, free_per_bank=view.total_bytes_free_per_bank,
                largest_hole_per_bank=view.largest_contiguous_bytes_free_per_bank)
        ask()
        close(d)
    """))
    trace.hear()
    time.sleep(2)  # for a summary on the way; that there is one is tested below
    trace.tell()
    result = trace.finish()
    mine = [device for process in result.summary["processes"] for device in process["devices"]
            if device["leaked"]["buffers"]]
    running = [device for summary in result.summaries[:-1] for process in summary["processes"]
               for device in process["devices"] if device["live"]["owning"] == 8]
    assert len(mine) == 1 and running
    for device in mine + running:
        for own in real.logged("view"):
            space = [space for space in device["spaces"] if space["type"] == own["type"]]
            assert [{name: space[0][name] for name in ("free_per_bank", "largest_hole_per_bank")}] == [
                {name: own[name] for name in ("free_per_bank", "largest_hole_per_bank")}]


def test_who_else_is_on_the_chip_is_told(real):
    """
    The two do not share an allocator: on a chip they would overwrite each other. And the very first
    allocation of a process may fail.
    """
    trace = tttrace.start([], real.code("""
        import subprocess
        d = open_shape("1")
        held = tensors(3, d, (64, 64))
        child = subprocess.run([sys.executable, "-c", "from oracle import *; d = open_shape('1'); "
                                "out_of_memory(d, 1 << 17); close(d)"])
        os._exit(child.returncode)
    """))
    result = trace.finish()
    assert result.status == 0, result.stderr
    failure = result.of("alloc_failed")[0]
    assert failure["fit"] == "too_large" and not failure["holders"]
    assert failure["free_per_bank"] == failure["largest_hole_per_bank"] == failure["bank_size"]
    assert [(other["devices"], other["buffers"]) for other in failure["others"]] == [([0], 3)]
    assert failure["others"][0]["pid"] == result.of("alloc")[0]["pid"] != failure["pid"]


def test_of_a_process_that_ran_before_what_is_free_is_known(newest):
    program = newest.start("""
        d = open_shape("1")
        held = tensors(3, d)
        ask()
        out_of_memory(d, 1 << 17)
        view = ttnn.get_memory_view(d, ttnn.BufferType.DRAM)
        log("view", free=view.total_bytes_free_per_bank,
            hole=view.largest_contiguous_bytes_free_per_bank)
        del held
        close(d)
    """)
    program.hear("ready")
    trace = tttrace.start(["-p", str(program.pid)], before_attach=True).attached()
    program.tell()
    program.wait()
    failures = trace.finish().of("alloc_failed")
    assert [failure["fit"] for failure in failures] == ["too_large"]
    [view] = newest.logged("view")
    assert failures[0]["free_per_bank"] == view["free"]
    assert failures[0].get("largest_hole_per_bank") == view["hole"], failures[0]


def test_an_error_that_nobody_catches_ends_the_program_with_its_own_status(real):
    result = tttrace.run([], real.code("""
        d = open_shape("1")
        t = [tensor(d, (65536, 65536)) for _ in range(2)]
    """))
    assert result.status == 1
    assert "Out of Memory" in result.stderr
    assert len(result.of("alloc_failed")) == 1
