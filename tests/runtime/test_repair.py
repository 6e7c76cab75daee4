# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
After a loss the ledger is brought back to the truth: what the process holds is read out of its own
memory, and from then on everything is as if nothing had been lost.
"""

import os
import signal
from pathlib import Path

import pytest

from support import tttrace

# Four threads as fast as they can for a while; then it rests, leaks three tensors, and ends.
PROGRAM = """
    import threading
    d = open_shape(sys.argv[1])
    ask("open")
    kept = []

    def work():
        live = []
        for _ in range(700):
            live.append(tensor(d))
            if len(live) > 50:
                del live[:40]
        kept.extend(live)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers: worker.start()
    for worker in workers: worker.join()
    ask("rests")
    del kept[::2]
    checkpoint(d)
    ask("looked at")
    kept.clear()
    keep(tensors(3, d))
    close(d)
"""


def held(trace):
    """The reader does not come to the ring, which is small."""
    trace.signal(signal.SIGSTOP)
    os.waitid(os.P_PID, trace.process.pid, os.WSTOPPED)


def repaired(trace):
    """Waits until the ledger is right again."""
    while not any('"reason":"repair"' in line and '"whole":true' in line
                  for line in trace.output.read_text().splitlines()):
        trace.process.stderr.pause()


def has_ended(real, trace):
    """Its parent is held, so that it stays a zombie."""
    if not real.log.exists():
        return False
    pid = real.logged("ends")[0]["pid"]
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"


def lose_and_repair(real, shape, cluster, **how):
    trace = tttrace.start(["--ring-size", "512K"], real.code(PROGRAM, cluster, [shape]),
                          incomplete=True, **how)
    trace.hear("open")
    held(trace)
    trace.tell()
    trace.hear("rests")
    trace.signal(signal.SIGCONT)
    repaired(trace)
    trace.tell()
    trace.hear("looked at")
    trace.tell()
    result = trace.finish()
    assert result.status == 0, result.summary
    return result


@pytest.mark.parametrize("cluster, shape", [("n150", "1"), ("t3k", "2x4")])
def test_what_a_loss_hid_is_found_and_the_rest_is_exact(real, cluster, shape):
    result = lose_and_repair(real, shape, cluster)
    coverage = result.summary["coverage"]
    assert coverage["lost"] > 1000 and coverage["repaired"] == coverage["lost"]
    assert coverage["complete"] and coverage["buffers_mended"] > 10
    assert not result.frees("unknown")
    [point] = real.logged("checkpoint")
    replay = result.replay(point["ts_ns"])
    [mesh] = point["meshes"]
    assert replay.addresses(point["pid"], mesh["mesh"]) == mesh["buffers"]
    assert replay.bytes[point["pid"], mesh["mesh"], "DRAM"] == mesh["bytes"]["DRAM"]
    assert len(result.of("leak")) == 3
    assert result.summary["leaked"]["buffers"] == 3 and result.summary["unknown"]["buffers"] == 0
    [process] = result.summary["processes"]
    assert process["lost"] == coverage["lost"]


def test_what_is_lost_at_the_end_of_a_trace_is_repaired_before_the_report(real):
    program = real.start(PROGRAM, args=("1",))
    program.hear("open")
    trace = tttrace.start(["-p", program.pid, "--ring-size", "512K"], incomplete=True,
                          before_attach=True).attached()
    held(trace)
    program.tell()
    program.hear("rests")
    trace.signal(signal.SIGINT)  # the first that it sees when it comes to the ring again
    trace.signal(signal.SIGCONT)
    result = trace.finish()
    program.tell()
    program.hear("looked at")
    [point] = real.logged("checkpoint")
    program.end()
    coverage = result.summary["coverage"]
    assert result.status == 0 and coverage["complete"], coverage
    assert coverage["lost"] > 1000 and coverage["repaired"] == coverage["lost"]
    # half of what is live was freed between the two looks
    [device] = [one for one in result.summary["processes"][0]["devices"] if one["memory"]["DRAM"]["buffers"]]
    kept = device["memory"]["DRAM"]["buffers"]
    [mesh] = point["meshes"]
    assert kept // 2 == len(mesh["buffers"])
    assert set(map(tuple, mesh["buffers"])) <= set(map(tuple, result.replay().addresses(point["pid"], mesh["mesh"])))


def test_what_could_not_be_repaired_is_unknown_and_exit_status_4(newest):
    trace = tttrace.start(["--ring-size", "4K"], newest.code("""
        d = open_shape("1")
        ask()
        live = tensors(300, d)
        del live[100:]
        keep(live)
        log("ends")
        close(d)
    """), incomplete=True)
    trace.hear("ready")
    held(trace)
    trace.tell()
    while not has_ended(newest, trace):
        trace.process.stderr.pause()
    trace.signal(signal.SIGCONT)
    result = trace.finish()
    assert result.status == 4
    assert not result.of("leak") and not result.frees("unknown")
    coverage = result.summary["coverage"]
    assert not coverage["complete"] and coverage["lost"] > coverage["repaired"]
