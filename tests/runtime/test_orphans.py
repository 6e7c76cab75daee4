# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
Memory that no buffer owns: a graph capture suppressed the free before tttrace was there. The free
lists of the allocators have it, and what tttrace says is held and free is what they say.
"""

import pytest

from support import tttrace
from support.replay import compare, compare_look, compare_totals

CLUSTERS = [("n150", "1"), ("t3k", "2x4")]

# Two of three tensors are freed under a capture; their Python objects go, or stay.
SERVER = """
    d = open_shape(sys.argv[1])
    live = [tensor(d), tensor(d, where="L1")]
    lost = [tensor(d, (320, 320)), tensor(d, (96, 96), where="L1")]
    with Capture():
        for one in lost: ttnn.deallocate(one)
    if sys.argv[2] == "gone":
        lost.clear(), globals().pop("one")
    checkpoint(d, buffers=False)
    ask()
    live.append(tensor(d))
    checkpoint(d, buffers=False)
    ask("again")
    close(d)
"""


def start_server(real, cluster, shape, objects):
    program = real.start(SERVER, cluster=cluster, args=(shape, objects))
    program.hear()
    return program


def device_of(result):
    [process] = result.summary["processes"]
    [device] = [device for device in process["devices"] if device["spaces"]]
    return device


def expect_right_or_incomplete(result, point):
    if result.status == 0:
        compare_look(result, point)
    else:
        assert result.status == 4 and result.summary["coverage"]["census_torn"]


def expect_spaces(device, mesh):
    """What is held and free in each bank is what the allocator says."""
    for space in device["spaces"]:
        assert space["held_per_bank"] * space["banks"] == mesh["bytes"][space["type"]]
        assert space["free_per_bank"] == space["bank_size"] - space["held_per_bank"]


@pytest.mark.parametrize("objects", ("gone", "there"))
@pytest.mark.parametrize("cluster, shape", CLUSTERS)
def test_a_snapshot_has_what_no_buffer_owns(real, cluster, shape, objects):
    program = start_server(real, cluster, shape, objects)
    result = tttrace.look(program.pid)
    _, text, _ = tttrace.plain("--snapshot", str(program.pid))
    program.end()
    [point] = real.logged("checkpoint")
    assert result.status == 0
    compare_look(result, point)
    compare_totals(result)
    orphans = result.of("alloc", orphaned=True)
    assert sorted(orphan["type"] for orphan in orphans) == ["DRAM", "L1"]
    device = device_of(result)
    assert device["orphaned"]["buffers"] == 2
    assert device["orphaned"]["bytes"] == sum(orphan["footprint"] for orphan in orphans)
    expect_spaces(device, point["meshes"][0])
    [census] = result.of("census")
    assert (census["buffers"], census["orphaned"]["blocks"]) == (2, 2) and census["whole"]
    assert census["bytes"] == sum(point["meshes"][0]["bytes"].values())
    assert "orphaned: 2 blocks of that" in text and "that no buffer owns" in text


@pytest.mark.parametrize("cluster, shape", CLUSTERS)
def test_a_late_attach_has_it_and_it_leaks(real, cluster, shape):
    program = start_server(real, cluster, shape, "gone")
    trace = tttrace.start(["-p", program.pid, "--error-exitcode", 9], before_attach=True).attached()
    program.tell()
    program.hear("again")
    program.tell()
    assert program.wait() == 0
    result = trace.finish()
    assert result.status == 9
    compare(result, real.logged("checkpoint")[1:])
    compare_totals(result)
    held = sum(real.logged("checkpoint")[1]["meshes"][0]["bytes"].values())
    device = device_of(result)
    assert device["leaked"]["bytes"] == held and device["leaked"]["buffers"] == 5
    assert [leak["orphaned"] for leak in result.of("leak") if "orphaned" in leak] or any(
        member.get("orphaned") for leak in result.of("leak") for member in leak.get("members", ()))


@pytest.mark.parametrize("late", (True, False))
def test_an_audit_is_what_the_free_lists_say(real, late):
    if late:
        program = start_server(real, "n150", "1", "gone")
        trace = tttrace.start(["-p", program.pid, "--audit", 0.1], before_attach=True).attached()
    else:
        trace = tttrace.start(["--audit", 0.1], real.code(SERVER, args=("1", "gone")))
        program = trace
        program.hear()
    while trace.output.read_text().count('"orphaned":{"blocks":2') < 2:  # by the attach, or an audit
        trace.process.stderr.pause()
    point = real.logged("checkpoint")[0]["meshes"][0]
    program.tell()
    program.hear("again")
    program.tell()
    result = trace.finish()
    audit = next(audit for audit in result.of("census", reason="audit") if "orphaned" in audit)
    assert audit["bytes"] == sum(point["bytes"].values())
    assert (audit["buffers"], audit["orphaned"]["blocks"]) == (2, 2)
    assert (audit["added"], audit["removed"], audit["resized"]) == (0, 0, 0)
    assert {"DRAM", "L1"} <= set(audit["free_lists"]) and "free_lists_unread" not in audit


# Frees under captures, one after the other, while one census is taken after the other.
SUPPRESSES = """
    d = open_shape("1")
    live = tensors(200, d)
    ask()
    while live:
        with Capture():
            live.pop()
        time.sleep(0.005)
    checkpoint(d, buffers=False)
"""


@pytest.mark.parametrize("late", (True, False))
def test_what_is_suppressed_while_a_census_looks_stays_held(newest, late):
    options = ["--audit", 0.01]
    if late:
        program = newest.start(SUPPRESSES)
        program.hear()
        program.tell()
        trace = tttrace.start(["-p", program.pid, *options], before_attach=True)
    else:
        program = trace = tttrace.start(options, newest.code(SUPPRESSES))
        program.hear()
        program.tell()
    result = trace.finish()
    assert result.status == 0
    compare(result, newest.logged("checkpoint"))
    audits = result.of("census", reason="audit", whole=True)
    assert len(audits) > 10
    assert {(audit["added"], audit["removed"], audit["resized"]) for audit in audits} == {(0, 0, 0)}


def test_where_nobody_knows_whose_it_is_the_result_is_not_complete(real):
    """No buffer is left that would name the device; up to 0.78 one that is gone still does."""
    program = real.start("""
        d = open_shape("1")
        lost = tensors(2, d)
        with Capture():
            for one in lost: ttnn.deallocate(one)
        lost.clear()
        del one
        checkpoint(d, buffers=False)
        ask()
    """)
    program.hear()
    result = tttrace.look(program.pid)
    program.end()
    [point] = real.logged("checkpoint")
    expect_right_or_incomplete(result, point)


@pytest.mark.parametrize("others", (1, 3, 5))
def test_an_allocator_whose_buffers_gave_way_to_those_of_another_is_not_passed_over(newest, others):
    """Where the Buffers of the mesh were, the submesh has its own now: what is left says whose it is as little."""
    program = newest.start(f"""
        m = open_shape("1x2")
        s = m.create_submesh(ttnn.MeshShape(1, 1), ttnn.MeshCoordinate(0, 0))
        lost = tensors(3, m, where="L1")
        with Capture():
            lost.clear()
        live = tensors({others}, s)
        checkpoint(m, s, buffers=False)
        ask()
    """, cluster="n300")
    program.hear()
    result = tttrace.look(program.pid)
    program.end()
    [point] = newest.logged("checkpoint")
    expect_right_or_incomplete(result, point)
