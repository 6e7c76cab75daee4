# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Each call of a probed function is one hit: the counts of runtime.md."""

import pytest

from support import tttrace

ONE_EACH = ("buffer_create", "allocate_impl", "hook_allocate", "track_allocate", "allocate_buffer",
            "free_list_allocate")
FREES = ("deallocate_impl", "track_deallocate", "hook_deallocate", "deallocate_buffer")


def hits_of(result, names):
    return {name: result.hits[name] for name in names}


@pytest.mark.parametrize("cluster, shape, chips", [("n150", "1", 1), ("t3k", "2x4", 8)])
def test_a_hundred_tensors_and_fifty_frees_give_exactly_so_many_hits(real, cluster, shape, chips):
    result = tttrace.run(["--all-probes"], real.program("counts.py", shape, 100, 50, cluster=cluster))
    assert hits_of(result, ONE_EACH) == dict.fromkeys(ONE_EACH, 100)
    assert hits_of(result, FREES) == dict.fromkeys(FREES, 50)
    assert result.hits["buffer_create_at"] == 100 * chips
    assert result.hits["deallocate_buffers"] == 1
    assert len(result.of("alloc", kind="owning")) == 100
    assert result.classes() == {"matched": 50}


def test_zero_size_and_hooked_tensors_stop_where_they_have_no_memory(real):
    result = tttrace.run(["--all-probes"], real.program("counts.py", "1", 100, 50, 10, 7))
    expected = {"buffer_create": 117, "hook_allocate": 107, "track_allocate": 107,
                "allocate_buffer": 100, "deallocate_impl": 67, "track_deallocate": 57,
                "hook_deallocate": 57, "deallocate_buffer": 50}
    assert hits_of(result, expected) == expected
    assert result.classes() == {"matched": 50, "zero_size": 10, "hooked": 7}


def test_ordinary_buffers_pass_four_probes_and_empty_ones_two(real):
    """What says that a buffer is empty is an instruction that no other one passes."""
    result = tttrace.run([], real.program("counts.py", "1", 100, 50, 10, 7))
    expected = {"free_list_allocate": 100, "track_allocate": 107, "deallocate_impl": 67,
                "deallocate_buffer": 50, "create_empty": 10}
    assert hits_of(result, expected) == expected
    assert not {"buffer_create", "track_deallocate"} & set(result.hits)
    assert result.classes() == {"matched": 50, "zero_size": 10, "hooked": 7}
    empty = result.of("alloc", kind="zero_size")
    assert len(empty) == 10 and {event["size"] for event in empty} == {0}
    assert {(event["type"], *event["devices"]) for event in empty} == {("DRAM", 0)}
