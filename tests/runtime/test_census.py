# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
What a process holds, read out of its own memory: by --snapshot, when it is attached to late, and by
--audit. The allocator says the same, to the byte.
"""

import random
import signal

import pytest

from support import tttrace
from support.replay import compare, compare_look, compare_totals

CLUSTERS = [("n150", "1"), ("n300", "1x2"), ("t3k", "2x4"), ("p150", "1"), ("p150x4", "2x2")]

# Holds tensors of all sorts; after each word it frees some and makes others.
HOLDER = """
    from random_tensors import Maker
    d = open_shape(sys.argv[1], l1_small_size=64 << 10)
    maker = Maker(d, int(sys.argv[2]))
    live = []
    for turn in range(3):
        while len(live) < 60:
            try:
                live.append(maker.any())
            except RuntimeError:  # the runtime refuses some combinations
                pass
        checkpoint(d)
        ask(str(turn))
        for _ in range(30):
            maker.free_one(live)
    live.clear()
    checkpoint(d)
    close(d)
"""


def start_holder(real, cluster, shape):
    seed = random.randrange(1 << 30)
    print(f"seed {seed} on {cluster}")
    program = real.start(HOLDER, cluster=cluster, args=(shape, str(seed)))
    program.hear("0")
    return program


def attach(program, *options):
    return tttrace.start(["-p", str(program.pid), *options], before_attach=True).attached()


@pytest.mark.parametrize("cluster, shape", CLUSTERS)
def test_a_snapshot_is_what_the_allocator_says(real, cluster, shape):
    program = start_holder(real, cluster, shape)
    for turn in ("1", "2"):
        result = tttrace.look(program.pid)
        assert result.status == 0, result.stderr
        assert len(result.of("alloc", **{"class": "pre_attach"})) == 60 == len(result.events) - 2
        compare_look(result, real.logged("checkpoint")[-1])
        compare_totals(result)
        program.tell()
        program.hear(turn)
    program.tell()
    assert program.wait() == 0


def test_a_snapshot_of_32_chips_is_what_the_allocator_says(real):
    program = start_holder(real, "galaxy", "4x8")
    result = tttrace.look(program.pid)
    assert result.status == 0
    compare_look(result, real.logged("checkpoint")[-1])
    program.end()


@pytest.mark.parametrize("cluster, shape", CLUSTERS)
def test_a_late_attach_lists_what_is_held_and_matches_its_frees(real, cluster, shape):
    program = start_holder(real, cluster, shape)
    trace = attach(program)
    for turn in ("1", "2"):
        program.tell()
        program.hear(turn)
    program.tell()
    assert program.wait() == 0
    result = trace.finish()
    assert result.status == 0
    assert len(result.of("alloc", **{"class": "pre_attach"})) == 60
    assert set(result.classes()) == {"matched"}
    assert result.summary["coverage"]["buffers_before_attach"] == 60
    compare(result, real.logged("checkpoint")[1:])
    compare_totals(result)


def test_what_was_held_before_the_attach_can_leak(newest):
    program = newest.start("""
        d = open_shape("1")
        keep(tensors(2, d))
        ask()
        keep(tensors(3, d))
        close(d)
    """)
    program.hear()
    trace = attach(program, "--error-exitcode", "42")
    program.tell()
    assert program.wait() == 0
    result = trace.finish()
    assert len(result.of("leak")) == 5
    assert len(result.of("leak", older=True)) == 2
    assert result.status == 42


def test_all_processes_that_run_already_are_listed(newest):
    programs = [start_holder(newest, "n150", "1") for _ in range(2)]
    trace = tttrace.start([], before_attach=True).attached()
    trace.signal(signal.SIGINT)
    result = trace.finish()
    for program in programs:
        assert len(result.of("alloc", pid=program.pid)) == 60
        program.end()


@pytest.mark.parametrize("cluster, shape", [("n150", "1"), ("t3k", "2x4")])
def test_an_audit_finds_no_difference(real, cluster, shape):
    program = start_holder(real, cluster, shape)
    trace = attach(program, "--audit", "0.02")
    for turn in ("1", "2"):
        program.tell()
        program.hear(turn)
        while trace.output.read_text().count('"reason":"audit"') < 3 * int(turn):
            trace.process.stderr.pause()
    trace.signal(signal.SIGINT)
    result = trace.finish()
    program.end()
    audits = result.of("census", reason="audit")
    assert audits[-1]["buffers"] == 60
    for audit in audits:
        assert not audit["whole"] or (audit["added"], audit["removed"]) == (0, 0), audit


# While four threads allocate and free as fast as they can.
def test_an_audit_of_a_storm_finds_no_difference(real):
    program = real.start("""
        import threading
        d = open_shape("1")
        ending = threading.Event()

        def work():
            live = []
            while not ending.is_set():
                live.append(tensor(d))
                if len(live) > 50:
                    del live[:40]

        workers = [threading.Thread(target=work) for _ in range(4)]
        for worker in workers: worker.start()
        ask()
        ending.set()
        for worker in workers: worker.join()
        checkpoint(d)
        ask("again")
    """)
    program.hear()
    trace = attach(program, "--audit", "0.02")
    trace.process.stderr.pause()
    program.tell()
    program.hear("again")
    trace.signal(signal.SIGINT)
    result = trace.finish()
    program.end()
    point = real.logged("checkpoint")[0]["meshes"][0]
    [process] = result.summary["processes"]
    live = sum(device["memory"]["DRAM"]["live"] for device in process["devices"]
               if "DRAM" in device["memory"])
    assert live == point["bytes"]["DRAM"]
    assert result.summary["coverage"]["buffers_mended"] == 0


def test_a_hundred_thousand_buffers_are_listed(newest):
    program = newest.start("""
        d = open_shape("1")
        live = tensors(100_000, d)
        checkpoint(d, buffers=False)
        ask()
    """)
    program.hear()
    result = tttrace.look(program.pid)
    program.end()
    assert len(result.of("alloc")) == 100_000
    [process] = result.summary["processes"]
    assert process["memory"]["DRAM"]["live"] == newest.logged("checkpoint")[0]["meshes"][0]["bytes"]["DRAM"]


def test_a_snapshot_says_what_is_wrong():
    status, out, err = tttrace.plain("--snapshot", "4194304")
    assert status == 3 and not out and "has ended, or uses no Tenstorrent runtime" in err
    status, out, err = tttrace.plain("--snapshot", "1", "-p", "1")
    assert status == 2 and "stands alone" in err


def test_a_snapshot_without_the_right_to_read_says_so(newest, public_binary):
    program = newest.start("d = open_shape('1'); live = tensors(1, d); ask()")
    program.hear()
    status, out, err = tttrace.as_nobody(public_binary, "--snapshot", str(program.pid))
    program.end()
    assert status == 1 and "run as root" in err, err
