# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
Processes that fork: what a child holds of its own, and that it has a copy of what its parent held.
"""

import signal

import pytest

from support import tttrace


# Worker processes that were forked have a copy of all that their parent knew.
def test_a_forked_worker_holds_nothing_of_its_parent(newest):
    program = newest.start("""
        d = open_shape("1")
        live = tensors(4, d)
        child = os.fork()
        if not child:
            signal.pause()
        log("child", child=child)
        ask()
        os.kill(child, 9)
        os.wait()
    """.replace("d = open", "import signal\n        d = open", 1))
    program.hear()
    child = newest.logged("child")[0]["child"]
    trace = tttrace.start(["-p", f"{program.pid},{child}"], before_attach=True).attached()
    program.tell()
    assert program.wait() == 0
    result = trace.finish()
    assert len(result.of("alloc", pid=program.pid)) == 4
    assert not result.of("alloc", pid=child) and not result.of("leak", pid=child)


# A server that forks its workers when the weights are loaded: what each has taken since is its own.
PREFORK = """
    d = open_shape("1")
    weights = tensors(5, d)
    workers = []
    for own in (1, 2):
        ended, told = os.pipe(), os.pipe()
        worker = os.fork()
        if not worker:
            live = tensors(own, d)
            os.write(told[1], b"x")
            os.read(ended[0], 1)
            live.clear()
            os.write(told[1], b"x")
            os.read(ended[0], 1)
            os._exit(0)
        os.read(told[0], 1)
        workers.append((worker, ended[1], told[0]))
    log("workers", pids=[worker for worker, _, _ in workers])
    ask()
    for _, end, told in workers: os.write(end, b"x"), os.read(told, 1)
    ask("freed")
    for worker, end, _ in workers: os.write(end, b"x"), os.waitpid(worker, 0)
    ask("over")
"""
SIZE = 24576  # of each tensor, occupied


@pytest.mark.parametrize("order", ("parent first", "workers first", "one worker"))
def test_a_worker_holds_what_it_has_taken_itself(real, order):
    program = real.start(PREFORK)
    program.hear()
    workers = real.logged("workers")[0]["pids"]
    pids = {"parent first": [program.pid, *workers], "workers first": [*workers, program.pid],
            "one worker": workers[1:]}[order]
    held = {program.pid: 5, workers[0]: 1, workers[1]: 2}
    for pid in pids:
        snapshot = tttrace.look(pid)
        assert snapshot.status == 0
        assert sum(event["footprint"] for event in snapshot.of("alloc")) == held[pid] * SIZE
    trace = tttrace.start(["-p", ",".join(map(str, pids))], before_attach=True).attached()
    program.tell()
    program.hear("freed")
    trace.signal(signal.SIGINT)
    result = trace.finish()
    program.end()
    for pid in pids:
        assert len(result.of("alloc", pid=pid)) == held[pid]
        freed = held[pid] if pid in workers else 0
        assert [free["class"] for free in result.of("free", pid=pid)] == ["matched"] * freed


# The parent frees what it was the last to allocate before the fork, or closes its device.
GONE = """
    d = open_shape("1")
    old = tensors(3, d)
    told, ended = os.pipe(), os.pipe()
    child = os.fork()
    if not child:
        live = tensors(2, d)
        os.write(told[1], b"x")
        os.read(ended[0], 1)
        os._exit(0)
    os.read(told[0], 1)
    if sys.argv[1] == "freed": del old[-1]
    else: close(d)
    log("child", pid=child)
    ask()
    os.write(ended[1], b"x"), os.waitpid(child, 0)
    os._exit(0)
"""


@pytest.mark.parametrize("what, inherited", (("freed", 1), ("closed", 3)))
def test_what_may_be_inherited_is_said(real, what, inherited):
    program = real.start(GONE, args=(what,))
    program.hear()
    child = real.logged("child")[0]["pid"]
    result = tttrace.look(child)
    status, text, _ = tttrace.plain("--snapshot", str(child))
    program.end()
    assert result.status == status == 0
    assert len(result.of("alloc")) == 2 + inherited  # it has them, whoever has allocated them
    assert result.summary["coverage"]["buffers_may_be_inherited"] == inherited
    assert f"  {inherited} buffers of forked processes may be inherited" in text


# A child that allocates from what it has inherited, or from a device of its own.
CHILD = """
    d = open_shape("1")
    keep(tensors(3, d))
    keep([tensor(d, (320, 320), where="L1")])
    if sys.argv[1] == "own":
        close(d)
    child = os.fork()
    if not child:
        if sys.argv[1] == "own":
            d = open_shape("1")
        live = [tensor(d), tensor(d, (96, 96), where="L1")]
        checkpoint(d)
        ask()
        os._exit(0)
    os.waitpid(child, 0)
    os._exit(0)
"""


def spaces_of(result, pid):
    """What is free in the device that the process has open."""
    [process] = [process for process in result.summary["processes"] if process["pid"] == pid]
    return {space["type"]: space for device in process["devices"][:1] for space in device["spaces"]}


@pytest.mark.parametrize("late", (False, True))
@pytest.mark.parametrize("device", ("inherited", "own"))
def test_what_is_free_in_a_child_is_what_its_allocator_says_or_not_known(real, device, late):
    if late:
        program = real.start(CHILD, args=(device,))
        program.hear()
        pid = real.logged("checkpoint")[0]["pid"]
        result = tttrace.look(pid)
        program.end()
    else:
        trace = tttrace.start([], real.code(CHILD, args=(device,)))
        trace.hear()
        trace.tell()
        result = trace.finish()
        pid = real.logged("checkpoint")[0]["pid"]
    [mesh] = real.logged("checkpoint")[0]["meshes"]
    for name, space in spaces_of(result, pid).items():
        if device == "own":
            assert space["held_per_bank"] * space["banks"] == mesh["bytes"][name]
            assert space["free_per_bank"] == space["bank_size"] - space["held_per_bank"]
        elif mesh["bytes"][name]:
            assert "free_per_bank" not in space and "largest_hole_per_bank" not in space
            assert "inherited" in space["why_unknown"]
    assert {"DRAM", "L1"} <= set(spaces_of(result, pid))
