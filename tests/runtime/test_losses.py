# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""What was lost is said, and nothing is made up for it."""

import pytest

from support import tttrace

BURST = """
    d = open_shape("1")
    for _ in range(20000):
        tensor(d)
    close(d)
    os._exit({status})
"""


@pytest.fixture
def lossy(newest):
    return tttrace.run(["--ring-size", "4096"], newest.code(BURST.format(status=0)), incomplete=True)


def test_a_ring_that_is_too_small_loses_records_and_says_so(lossy):
    coverage = lossy.summary["coverage"]
    assert coverage["lost"] > 0
    assert not coverage["complete"]
    assert sum(event["records"] for event in lossy.of("lost", pid=None)) == coverage["lost"]
    assert lossy.status == 4


def test_hits_are_counted_even_when_their_records_are_lost(lossy):
    assert lossy.hits["track_allocate"] == lossy.hits["deallocate_impl"] == 20000


def test_after_a_loss_nothing_is_called_a_leak_or_unknown(lossy):
    assert lossy.summary["coverage"]["lost"] > 0
    assert set(lossy.classes()) <= {"matched", "lost"}
    assert not lossy.of("leak")
    assert lossy.summary["leaked"]["buffers"] == 0


def test_the_status_of_a_command_that_failed_goes_before_a_loss(newest):
    result = tttrace.run(["--ring-size", "4096"], newest.code(BURST.format(status=7)), incomplete=True)
    assert result.summary["coverage"]["lost"] > 0
    assert result.status == 7
