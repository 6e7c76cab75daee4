# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
What tttrace costs, in numbers that no busy machine can change: counts, never times. Each is at most
what it is now (with a little room); one that has become less is to be lowered here.
"""

import re
import subprocess

import pytest

import single
import workloads
from support.tttrace import BINARY

TOOLS = BINARY.parent / "bench"

# Probes passed by an ordinary allocation and free, and by each further chip of a mesh.
HITS = {"tttrace": (4, 0), "tttrace --no-stacks": (4, 0), "tttrace --lean": (2, 0),
        "tttrace --all-probes --no-stacks": (11, 1)}
MODES = {name: options for name, options in {**workloads.MODES, **workloads.STACKS}.items() if name in HITS}

# Of the user side for one event of the ledger, libraries included: 2266 with gcc 12, -O2.
INSTRUCTIONS_PER_EVENT = 2500
BYTES_PER_BUFFER = 90  # with 100,000 of them
BYTES_PER_BUFFER_LARGE = 88  # with 1,000,000: it grows no faster than they do


@pytest.fixture(autouse=True, scope="module")
def built():
    assert (TOOLS / "ledger").exists(), f"there is no '{TOOLS}/ledger': make bench-tools"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name, chips", [("create + free, 1 chip", 1), ("create + free, 8 chips", 8)])
def test_a_pair_passes_no_more_probes_than_it_did(newest, name, chips, mode):
    subject = workloads.start(name)
    hits = workloads.hits_of(subject, MODES[mode])
    subject.end()
    once, each_chip = HITS[mode]
    # every function is passed a whole number of times, but for the pair that is cut by the attach
    assert round(sum(hits.values()), 2) <= once + each_chip * (chips - 1) + 0.01, hits


def instructions(pairs):
    """Of the whole program, with so many pairs played into the ledger, and how many events."""
    done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                           "--toggle-collect=play", TOOLS / "ledger", "rate", "1000", str(pairs)],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    events = int(re.search(r'"events":(\d+)', done.stdout).group(1))
    return int(re.search(r"Collected : (\d+)", done.stderr).group(1)), events


def test_an_event_takes_no_more_instructions_than_it_did():
    few, few_events = instructions(4096)
    many, many_events = instructions(12288)
    each = (many - few) / (many_events - few_events)
    assert each <= INSTRUCTIONS_PER_EVENT, f"{each:.0f} instructions for one event"


def test_a_live_buffer_takes_no_more_bytes_than_it_did():
    assert single.measure_memory(100_000)["bytes_per_buffer"] <= BYTES_PER_BUFFER
    assert single.measure_memory(1_000_000)["bytes_per_buffer"] <= BYTES_PER_BUFFER_LARGE


def test_nothing_wakes_tttrace_when_nothing_happens():
    # a mapping that is made just before a span may wake it in that span: so one span is enough
    idle = single.measure_idle(windows=20, seconds=1, until_quiet=True)
    assert idle["own"] == 0, f"woken by nothing in every one of these seconds: {idle['spans']}"
