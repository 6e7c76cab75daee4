# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""What programs take of L1 without a buffer, in every generation, by numbers that the script gives."""

import pytest

BASE = 100000


def run(standin, script, what="circular", **how):
    """By chip: what the summary says."""
    result = standin.trace("open m 2\nalloc a m DRAM 2048 2048\n" + script, **how)
    process, = result.summary["processes"]
    told = {chip["device"]: dict(chip[f"{what}_buffers"]) for chip in process["chips"]
            if f"{what}_buffers" in chip}
    ends = what == "circular" and standin.generation > 1 and "throw" not in script
    for one in told.values():  # before 0.70 their end was not told of
        assert one.pop("programs_ended", 0) == one["programs"] * ends or "throw" in script
    return told, result.summary["coverage"]["circular_unknown"]


def placed(bytes_per_core, cores, end, programs, start=BASE, exact=True, largest=None):
    """@largest: the cores of the largest program, and where it ends, if these are not those of all."""
    its_cores, its_end = largest or (cores, end)
    return {"bytes_per_core": bytes_per_core, "cores": cores, "from": start, "to": end,
            "programs": programs, "exact": exact,
            "largest_program": {"bytes_per_core": bytes_per_core, "cores": its_cores, "to": its_end}}


def test_programs_lie_on_top_of_each_other(standin):
    seen, unknown = run(standin, f"""
        program m circular 0-0-7-7:{BASE}:4096 0-0-3-3:{BASE + 4096}:2048
        program m circular 0-0-7-7:{BASE}:1024
        program m circular 9-2-9-2:{BASE}:3072
    """)
    assert seen == {chip: placed(6144, 65, BASE + 6144, 3, largest=(64, BASE + 6144)) for chip in (0, 1)}
    assert unknown == 0


def test_the_next_program_is_not_added_to_the_last(standin):
    """Not even where it begins behind it."""
    seen, _ = run(standin, f"""
        program m circular 0-0-0-0:{BASE}:2048
        program m circular 0-0-0-0:{BASE + 4096}:1024
    """)
    assert seen[0] == placed(2048, 1, BASE + 5120, 2, largest=(1, BASE + 2048))


def test_a_program_of_one_chip_is_on_that_chip(standin):
    seen, _ = run(standin, f"program m/1 circular 0-0-7-7+8-0-8-3:{BASE}:4096")
    assert seen == {1: placed(4096, 68, BASE + 4096, 1)}


@pytest.mark.parametrize("ranges", [32, 33])
def test_more_ranges_than_a_record_carries_are_told(standin, ranges):
    cores = "+".join(f"{i % 16}-{i // 16}-{i % 16}-{i // 16}" for i in range(ranges))
    seen, _ = run(standin, f"program m circular {cores}:{BASE}:4096")
    assert seen[0] == placed(4096, 32, BASE + 4096, 1, exact=ranges == 32)


@pytest.mark.parametrize("cores", ["3-0-2-0", "0-0-32-0", "0-0-0-4294967296"])
def test_cores_that_cannot_be_are_counted_and_not_shown(standin, cores):
    seen, unknown = run(standin, f"program m/0 circular {cores}:{BASE}:4096")
    assert seen == {} and unknown == 1


def test_dataflow_buffers_are_on_all_chips_of_the_mesh(standin):
    if standin.generation == 1:
        return  # it has none
    seen, unknown = run(standin, f"""
        program m dataflow 0-0-7-7:{BASE}:4096 0-0-7-7:{BASE + 4096}:2048
        program m dataflow 0-0-3-3+8-0-8-0:{BASE}:8192
    """, "dataflow")
    assert seen == {chip: placed(8192, 65, BASE + 8192, 2, largest=(17, BASE + 8192)) for chip in (0, 1)}
    assert unknown == 0


def test_without_an_address_or_a_capture_nothing_is_placed(standin):
    seen, unknown = run(standin, "program m circular 0-0-7-7:0:4096")
    assert seen == {} and unknown == 0


@pytest.mark.parametrize("point", ["track_allocate_cb", "register_program", "mark_address",
                                   "allocate_dataflow_buffers"])
def test_an_exception_there_leaves_the_program_alone(standin, point):
    if standin.generation == 1 and point in ("mark_address", "allocate_dataflow_buffers"):
        return  # it never gets there
    kind = "circular" if point in ("track_allocate_cb", "register_program") else "dataflow"
    seen, _ = run(standin, f"""
        throw {point}
        program m {kind} 0-0-7-7:{BASE}:4096
        program m {kind} 0-0-7-7:{BASE}:2048
        exit 7
    """, kind, status=7)
    assert seen[0]["to"] in (BASE + 2048, BASE + 4096)
