# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Running out of memory throws through every probed frame, and harms nobody."""

import re

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


def test_an_error_that_nobody_catches_ends_the_program_with_its_own_status(real):
    result = tttrace.run([], real.code("""
        d = open_shape("1")
        t = [tensor(d, (65536, 65536)) for _ in range(2)]
    """))
    assert result.status == 1
    assert "Out of Memory" in result.stderr
    assert len(result.of("alloc_failed")) == 1
