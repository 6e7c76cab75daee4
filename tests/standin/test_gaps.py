# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Between the mapping of a new library and its probes a program goes on: what it did is found, or the result says so."""

import shutil

import pytest

from support import tttrace

FOOTPRINT = 73728  # of 65536 bytes of DRAM


@pytest.fixture
def fresh(gen3, tmp_path):
    """A copy of the library that was not seen before, so that it has to be read and probed."""
    library = tmp_path / "fresh.so"
    shutil.copy(gen3.library, library)

    def command(*script):
        return [gen3.driver, "-o", "/dev/null", "-l", library, *script]
    return command


def trace(command, *options):
    status, out, err = tttrace.plain("-j", *options, "--", *command)
    events = tttrace.parse(out + "\n")
    return status, events, events[-1], err


@pytest.mark.parametrize("options", [[], ["--lean"], ["--perf-events"]], ids=["default", "lean", "perf_events"])
def test_what_was_allocated_in_the_gap_is_found_when_the_probes_are_in_place(fresh, options):
    status, events, summary, err = trace(fresh(
        "open m 1", "alloc a m DRAM 65536 2048", "alloc b m DRAM 65536 2048", "pause 2",
        "alloc c m DRAM 65536 2048", "free a", "close m"), *options)
    assert status == 0 and summary["coverage"]["complete"], err
    assert summary["leaked"] == {"buffers": 2, "bytes": 2 * FOOTPRINT, "size": 2 * 65536}
    assert [one["class"] for one in events if one["event"] == "free"] == ["matched"]


def test_a_leak_of_the_gap_is_a_leak_for_error_exitcode(fresh):
    status, _, summary, _ = trace(fresh("open m 1", "alloc a m DRAM 65536 2048", "pause 2", "close m"),
                                  "--error-exitcode", "9")
    assert status == 9 and summary["leaked"]["buffers"] == 1


@pytest.mark.parametrize("turn", range(5))
def test_a_program_that_ends_in_the_gap_is_not_said_to_be_clean(fresh, turn):
    status, _, summary, err = trace(fresh("open m 1", "alloc a m DRAM 65536 2048", "close m"), "--error-exitcode", "9")
    assert status in (4, 9), err
    assert summary["leaked"]["buffers"] == 1 or not summary["coverage"]["complete"]


@pytest.mark.parametrize("turn", range(5))
def test_threads_that_allocate_at_once_are_counted_or_the_result_is_incomplete(fresh, turn):
    status, _, summary, err = trace(fresh(
        "open m 1", "alloc a m DRAM 65536 2048", "threads 4 2000 m", "pause 1", "alloc b m L1 4096 1024", "close m"))
    if status == 4:
        assert not summary["coverage"]["complete"]
        return
    assert status == 0 and summary["coverage"]["complete"], err
    assert summary["leaked"]["buffers"] == 2 and summary["leaked"]["size"] == 65536 + 4096
    assert not summary["classes"]["unknown"]
