# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
Random programs on the real runtime that are at work when tttrace comes: while they allocate, fork, suppress
frees, fill the program cache and share chips with submeshes. From the census of the attach on, what is held
is what the allocators say, to the byte; and so it is in a snapshot, or that says that it is not whole.
"""

import itertools
import random
import signal
import time
from collections import defaultdict

import pytest

from support import tttrace
from support.processes import Process
from support.replay import HELD, compare, compare_look, compare_totals, union
from test_chaos import CLUSTERS, MODERATE, STATUS, left

SHAPES = [(cluster, shape) for cluster, shape, _ in CLUSTERS]


def start(real, cluster, shape, seed, *how):
    program = Process(real.program("goes_on.py", shape, seed, *how, cluster=cluster))
    program.hear()
    return program


def now_ns():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def doze(dice, most=0.3):
    """Lets chance decide at what the program is disturbed; nothing is expected of the time."""
    time.sleep(dice.random() * most)


def stand_still(program):
    program.tell("wait")
    program.hear("waits")


def attach(pids, *options):
    return tttrace.start(["-p", ",".join(map(str, pids)), *options], before_attach=True, incomplete=True)


def is_torn(real, result):
    """
    Does it say that it is not whole? That it may, once captures have suppressed frees: of an allocator
    with nothing else, a census may not find out whose it is.
    """
    if result.status == 0:
        return False
    assert result.status == 4 and result.summary["coverage"]["census_torn"], result.stderr
    assert any("buffers" not in mesh for point in real.logged("checkpoint") for mesh in point["meshes"])
    return True


# --- comparison ----------------------------------------------------------------------------------

def whole_since(result, pid):
    """When all was told that the process held before."""
    return min(census["ts_ns"] for census in result.of("census", pid=pid, reason="attach", whole=True))


def learn_footprints(result):
    """
    What an allocation occupies that was going on at the attach, a census reads: its end tells it. Returns
    from when on sums are "at least", as one that lives still, or lived too shortly, has not told it.
    """
    def key(event):
        return event["pid"], event["buffer"], event["id"]

    told = {key(event): event["footprint"] for event in result.events
            if event["event"] in ("free", "leak", "ended") and {"buffer", "id", "footprint"} <= set(event)}
    unsized = [event for event in result.of("alloc") if event["kind"] in HELD and "footprint" not in event]
    untold = {key(event) for event in unsized if key(event) not in told}
    for event in unsized:
        event["footprint"] = told.get(key(event), 0)
    for event in result.of("free"):
        if {"buffer", "id"} <= set(event) and key(event) in untold:
            event["footprint"] = 0
    return min((event["ts_ns"] for event in unsized if key(event) in untold), default=None)


def compare_at_least(result, point):
    replay = result.replay(point["ts_ns"])
    for mesh in point["meshes"]:
        for name, count in mesh["bytes"].items():
            assert replay.bytes[point["pid"], mesh["mesh"], name] <= count


def sums_of(numbers, most):
    """What @most of them, or fewer, may be together."""
    return {sum(some) for count in range(most + 1) for some in itertools.combinations(numbers, count)}


def forgive_twins(result, meshes, said, blocks):
    """
    What a worker's capture has kept from being freed is taken for inherited where the parent has the like, in
    the same place; the coverage says of how many. Takes so many of the @blocks at most off what @meshes have,
    more than was @said.
    """
    most = result.summary["coverage"].get("orphans_taken_for_inherited", 0)
    for mesh in meshes if most else []:
        for name, count in mesh["bytes"].items():
            missing = count - said.get((mesh["mesh"], name), 0)
            if missing > 0 and missing in sums_of(blocks[mesh["mesh"], name], most):
                mesh["bytes"][name] -= missing


def footprints(point):
    """Of what is taken, by mesh and type."""
    sizes = defaultdict(list)
    for mesh in point["meshes"]:
        for name, _, size in mesh["blocks"]:
            sizes[mesh["mesh"], name].append(size * mesh["banks"][name])
    return sizes


def compare_since(real, result, pids, until_ns=None):
    """
    Each checkpoint from the census of the attach on, and each audit. Returns False where the result says
    that it is not whole: then nothing is compared.
    """
    if is_torn(real, result):
        return False
    tttrace.judge(result, before_attach=True, lacking=0)
    unsized_ns = learn_footprints(result)
    points = [point for pid in pids for point in real.logged("checkpoint") if point["pid"] == pid
              and whole_since(result, pid) < point["ts_ns"] <= (until_ns or point["ts_ns"])]
    assert points or until_ns
    for point in points:
        held = result.replay(point["ts_ns"]).bytes
        forgive_twins(result, point["meshes"], {(mesh, name): count for (pid, mesh, name), count in held.items()
                                                if pid == point["pid"]}, footprints(point))
        if unsized_ns is None or point["ts_ns"] < unsized_ns:
            compare(result, [point])
        else:
            compare_at_least(result, point)
    for audit in result.of("census", reason="audit", whole=True):
        assert (audit["added"], audit["removed"], audit["resized"]) == (0, 0, 0), audit
    if unsized_ns is None:
        compare_totals(result, late=True)
    return True


def compare_end(real, result, pid):
    """What is left leaks, or has ended. Of what the runtime holds it may be unknown for whom: it is older."""
    end, = [end for end in real.logged("end") if end["pid"] == pid]
    found = left(result, pid)
    forgive_twins(result, end["meshes"], found,
                  footprints([point for point in real.logged("checkpoint") if point["pid"] == pid][-1]))
    for mesh in end["meshes"]:
        for name, count in mesh["bytes"].items():
            assert count - mesh["cached"][name] <= found.get((mesh["mesh"], name), 0) <= count
    return end


def on_chips(point):
    """What is taken on each chip, by type: by several allocators, perhaps, in the same places."""
    taken, banks = defaultdict(list), {}
    for mesh in point["meshes"]:
        for chip in mesh["devices"]:
            for name, address, size in mesh["blocks"]:
                taken[chip, name].append((address, address + size))
        banks.update(mesh["banks"])
    return {(chip, name): union(ranges) * banks[name] for (chip, name), ranges in taken.items()}


def compare_now(result, point):
    """The totals of a process that stands still, by mesh and by chip."""
    process, = [process for process in result.summary["processes"] if process["pid"] == point["pid"]] or [
        {"devices": [], "chips": []}]  # it holds nothing
    said = {(device.get("mesh"), name): cell["live"] for device in process["devices"]
            for name, cell in device["memory"].items() if cell["live"] and name != "all"}
    assert said == {(mesh["mesh"], name): count for mesh in point["meshes"] for name, count in mesh["bytes"].items()
                    if count}
    said = {(chip["device"], name): cell["live"] for chip in process["chips"]
            for name, cell in chip["memory"].items() if cell["live"] and name != "all"}
    assert said == on_chips(point)


# --- late attaches -------------------------------------------------------------------------------

def attach_at_any_moment(real, cluster, shape, seed):
    """Once for half a second, once until it stands still, once to its end."""
    dice = random.Random(seed)
    program = start(real, cluster, shape, seed)
    doze(dice)
    options = ["--audit", "0.05"] if dice.random() < 0.5 else []
    begin_ns = now_ns()
    result = attach([program.pid], "-d", "0.5", *options).finish()
    compare_since(real, result, [program.pid], begin_ns + 500_000_000)

    trace = attach([program.pid], *options).attached()
    doze(dice)
    stand_still(program)
    trace.signal(signal.SIGINT)
    result = trace.finish()
    if compare_since(real, result, [program.pid]):
        compare_now(result, real.logged("checkpoint")[-1])
    program.tell()

    doze(dice)
    trace = attach([program.pid], *options).attached()
    doze(dice)
    program.tell("end")
    status = program.wait()
    result = trace.finish()
    if compare_since(real, result, [program.pid]):
        assert status == STATUS[compare_end(real, result, program.pid)["how"]], program.said()


@pytest.mark.parametrize("cluster, shape", SHAPES)
def test_a_random_program_is_attached_to_at_any_moment(newest, cluster, shape, seed):
    attach_at_any_moment(newest, cluster, shape, seed)


def test_a_random_program_is_attached_to_at_any_moment_on_every_version(real, seed):
    attach_at_any_moment(real, "t3k", "2x2" if seed % 2 else "1", seed)


# --- workers -------------------------------------------------------------------------------------

ORDERS = {
    "parent_first": lambda parent, workers: [parent, *workers],
    "workers_first": lambda parent, workers: [*workers, parent],
    "one_worker": lambda parent, workers: workers[-1:],
    "parent_only": lambda parent, workers: [parent],
}


def attach_to_workers(real, cluster, shape, order, seed):
    dice = random.Random(seed)
    program = start(real, cluster, shape, seed, "workers")
    doze(dice)
    workers = [line["pid"] for line in real.logged("worker")]
    pids = ORDERS[order](program.pid, workers)
    trace = attach(pids).attached()
    doze(dice)
    program.tell("end")
    program.wait()
    result = trace.finish()
    traced = [program.pid, *workers] if program.pid in pids else pids
    if compare_since(real, result, traced):
        for pid in traced:
            compare_end(real, result, pid)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("cluster, shape", SHAPES[::2])
def test_random_workers_are_attached_to_at_any_moment(newest, cluster, shape, order, seed):
    attach_to_workers(newest, cluster, shape, order, seed)


def test_random_workers_are_attached_to_at_any_moment_on_every_version(real, seed):
    attach_to_workers(real, "t3k", "2x2", random.Random(seed).choice(list(ORDERS)), seed)


# --- snapshots -----------------------------------------------------------------------------------

def state(meshes):
    return {(mesh["mesh"], name): count for mesh in meshes for name, count in mesh["bytes"].items() if count}


def by_mesh(counts):
    """What a mesh held, of each type, as one thing."""
    sums = defaultdict(set)
    for (mesh, name), count in counts.items():
        sums[mesh].add((name, count))
    return sums


def compare_trail(result, trail, begin_ns, end_ns):
    """It shows what each mesh held at one moment while it was taken. Returns False if nobody knows that."""
    first = max(number for number, line in enumerate(trail) if line["ts_ns"] <= begin_ns)
    last = next((number for number, line in enumerate(trail) if line["ts_ns"] >= end_ns), None)
    if last is None or any(line["opaque"] for line in trail[first + 1:last + 1]):
        return False
    moments = [by_mesh(state(line["meshes"])) for line in trail[first:last + 1]]
    replay = result.replay()
    said = by_mesh({(mesh, name): count for (_, mesh, name), count in replay.bytes.items() if count and name})
    for mesh in {mesh for moment in [said, *moments] for mesh in moment}:
        assert said[mesh] in [moment[mesh] for moment in moments], f"mesh {mesh}: {said[mesh]}, never so: {moments}"
    return True


def look_at_any_moment(real, cluster, shape, seed):
    dice = random.Random(seed)
    program = start(real, cluster, shape, seed, "trail")
    looks = []
    for _ in range(8):
        doze(dice, 0.1)
        begin_ns = now_ns()
        looks.append((tttrace.look(program.pid), begin_ns, now_ns()))
        assert looks[-1][0].status in (0, 4), looks[-1][0].stderr
    stand_still(program)
    result = tttrace.look(program.pid)
    if not is_torn(real, result):
        point = real.logged("checkpoint")[-1]
        compare_look(result, point)
        compare_now(result, point)
    trail = real.logged("trail")
    program.end()
    return [compare_trail(result, trail, begin_ns, end_ns) for result, begin_ns, end_ns in looks
            if not result.status]


@pytest.mark.parametrize("cluster, shape", SHAPES)
def test_a_snapshot_of_any_moment_is_right_or_not_whole(newest, cluster, shape, seed):
    print(look_at_any_moment(newest, cluster, shape, seed))
