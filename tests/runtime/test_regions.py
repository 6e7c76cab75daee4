# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
What programs take of L1 without a buffer is what the runtime says itself: its graph capture lists
every circular buffer with address, size and cores, and where they clash with a buffer the error
tells how high circular or dataflow buffers reach.

In 0.74.0 the mocked devices do not get as far as to place a program: there, both say nothing.
"""

import re
import signal
from collections import defaultdict

import pytest

from support import tttrace

RANGE = re.compile(r"\[(\d+)-(\d+) - (\d+)-(\d+)\]")
PLACES_NOTHING = ("0.74.0",)


def cores_of(text):
    """The cores of "{[0-0 - 7-3], [0-4 - 1-4]}"."""
    for numbers in RANGE.findall(text):
        x0, y0, x1, y1 = map(int, numbers)
        yield from ((x, y) for x in range(x0, x1 + 1) for y in range(y0, y1 + 1))


def programs_of(graphs):
    """The circular buffers of each program: a graph capture clears them where the next begins."""
    for graph in graphs:
        program = []
        for kind, params in graph["nodes"]:
            if kind == "circular_buffer_allocate":
                assert params["globally_allocated"] in ("0", 0), "it lies in a buffer"
                program.append({name: params[name] if name == "core_range_set" else int(params[name])
                                for name in ("device_id", "address", "size", "core_range_set")})
            elif program:
                yield program
                program = []
        if program:
            yield program


def expected(graphs):
    """By chip: what the summary should say of its circular buffers."""
    most, ends = defaultdict(dict), defaultdict(set)
    programs, largest = defaultdict(int), {}
    for program in programs_of(graphs):
        cores = defaultdict(lambda: defaultdict(int))
        for buffer in program:
            ends[buffer["device_id"]] |= {buffer["address"], buffer["address"] + buffer["size"]}
            for core in cores_of(buffer["core_range_set"]):
                cores[buffer["device_id"]][core] += buffer["size"]
        for chip, used in cores.items():
            programs[chip] += 1
            end = max(buffer["address"] + buffer["size"] for buffer in program if buffer["device_id"] == chip)
            largest[chip] = max(largest.get(chip, (0, 0, 0)), (max(used.values()), len(used), end))
            for core, size in used.items():
                most[chip][core] = max(most[chip].get(core, 0), size)
    return {chip: {"bytes_per_core": max(most[chip].values()), "cores": len(most[chip]),
                   "from": min(ends[chip]), "to": max(ends[chip]), "programs": programs[chip],
                   "exact": True, "largest_program": dict(zip(("bytes_per_core", "cores", "to"), largest[chip]))}
            for chip in most}


def seen(result, what="circular", ends=True):
    """By chip: what the summary says."""
    process, = result.summary["processes"]
    told = {chip["device"]: dict(chip[f"{what}_buffers"]) for chip in process["chips"]
            if f"{what}_buffers" in chip}
    for one in told.values():  # the cache goes with the device; nothing tells of dataflow buffers
        assert one.pop("programs_ended", 0) == (
            one["programs"] if what == "circular" and ends else 0)
    return told


@pytest.mark.parametrize("cluster, shape, chips", [("n150", "1", 1), ("t3k", "2x4", 8), ("p150", "1", 1)])
def test_circular_buffers_are_those_of_a_graph_capture(real, cluster, shape, chips):
    result = tttrace.run([], real.program("placed.py", "graph", shape, cluster=cluster))
    wanted = expected(real.logged("graph"))
    assert len(wanted) == (0 if real.version in PLACES_NOTHING else chips)
    assert seen(result) == wanted
    assert not result.summary["coverage"]["circular_unknown"]


@pytest.mark.parametrize("operation", ["add", "matmul", "softmax", "transpose", "typecast"])
def test_they_reach_as_high_as_the_runtime_says_where_l1_is_too_full(real, operation):
    result = tttrace.run([], real.program("placed.py", "clash", "1", operation))
    clashes = real.logged("clash") if real.version not in PLACES_NOTHING else []
    for clash in clashes:
        assert seen(result, clash["what"])[0]["to"] == clash["end"]
        assert clash["address"] < clash["end"]
    assert len(clashes) == (real.version not in PLACES_NOTHING)


def test_a_program_out_of_the_cache_passes_none_of_these_probes(real):
    probes = ("track_allocate_cb", "register_program", "allocate_dataflow_buffers", "mark_address")
    hits = []
    for times in (1, 20):
        result = tttrace.run([], real.program("placed.py", "often", "1", times))
        hits.append([result.hits[probe] for probe in probes])
    assert hits[0] == hits[1]
    assert all(hits[0]) or real.version in PLACES_NOTHING


def test_attached_late_only_what_is_placed_from_then_on_is_known(newest):
    program = newest.start("""
        d = open_shape("2x4")
        a, b = tensors(2, d, (1, 1, 128, 128))
        ttnn.add(a, b)
        ask()
        ttnn.add(a, b)
        ttnn.where(a, a, b)
        ttnn.softmax(a, dim=-1)
        ask()
        close(d)
    """, cluster="t3k")
    program.hear()
    trace = tttrace.start(["-p", str(program.pid)], before_attach=True).attached()
    program.tell()
    program.hear("ready")
    trace.signal(signal.SIGINT)
    result = trace.finish()
    told = seen(result, ends=False)
    assert sorted(told) == sorted(seen(result, "dataflow")) == list(range(8))
    assert {(one["programs"], one["exact"]) for one in told.values()} == {(1, False)}
    program.tell()
    assert program.wait() == 0


L1_SIZES = {"n150": 1464 << 10, "t3k": 1464 << 10, "p150": 1536 << 10}


@pytest.mark.parametrize("cluster, shape", [("n150", "1"), ("t3k", "2x4"), ("p150", "1")])
def test_memory_is_divided_as_the_allocator_has_it(real, cluster, shape):
    result = tttrace.run([], real.program("placed.py", "regions", shape, cluster=cluster))
    regions, = [device["regions"] for device in result.summary["processes"][0]["devices"]
                if device["regions"]]
    told = real.logged("regions")[0]
    assert {name: one["to"] - one["from"] for name, one in regions.items()} == told["sizes"]
    assert {name: one["banks"] for name, one in regions.items()} == told["banks"]
    assert regions["DRAM"]["from"] == told["dram"]
    assert regions["L1"]["to"] == told["l1"] + 2048 == regions["L1_SMALL"]["from"]
    assert regions["L1_SMALL"]["to"] == L1_SIZES[cluster]
    assert regions["DRAM"]["to"] == regions["TRACE"]["from"]


def test_the_report_shows_them_as_lines_of_their_own(newest, tmp_path):
    output = tmp_path / "report"
    status, _, err = tttrace.plain("-q", "--output", output, "--",
                                   *newest.program("placed.py", "often", "2x4", 1, cluster="t3k"))
    assert status == 0, err
    assert re.search(r"^  circular buffers on devices 0-7: up to \d+ bytes \(.*\) per core on 64 cores,\n"
                     r"    from address \d+ to \d+, the most of 1 program$", output.read_text(), re.M)
    assert "  dataflow buffers on devices 0-7: up to " in output.read_text()
