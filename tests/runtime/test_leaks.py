# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""A leak is what the program had not freed when its device was closed or it ended, however it ended."""

import pytest

from support import tttrace

LEAVE_FIVE = """
    d = open_shape({shape!r})
    keep(tensors(3, d, (64, 64)) + tensors(2, d, where="L1"))
    tensor(d)
    checkpoint(d)
    {end}
"""

ENDS = {
    "close": ("close(d)", 0),
    "exit": ("sys.exit(3)", 3),
    "exception": ("raise ValueError", 1),
    "at_once": ("os._exit(5)", 5),
}


def bytes_by_type(events):
    sums = {"DRAM": 0, "L1": 0, "L1_SMALL": 0, "TRACE": 0}
    for event in events:
        sums[event["type"]] += event["footprint"]
    return sums


def leave_five(real, end, options=(), shape="1", cluster="n150"):
    return tttrace.run(options, real.code(LEAVE_FIVE.format(end=end, shape=shape), cluster))


@pytest.mark.parametrize("end", ENDS)
def test_what_is_left_is_a_leak_to_the_byte(real, end):
    words, status = ENDS[end]
    result = leave_five(real, words)
    mesh = real.logged("checkpoint")[0]["meshes"][0]
    leaks = result.of("leak")
    assert result.status == status
    assert len(leaks) == 5
    assert bytes_by_type(leaks) == mesh["bytes"]
    assert sorted([leak["type"], leak["address"]] for leak in leaks) == mesh["buffers"]
    assert result.summary["leaked"]["buffers"] == 5
    assert result.summary["leaked"]["bytes"] == sum(mesh["bytes"].values())


@pytest.mark.parametrize("number", [9, 11, 6, 15])
def test_what_a_signal_ends_with_the_process_is_no_leak(newest, number):
    result = leave_five(newest, f"os.kill(os.getpid(), {number})", ["--error-exitcode", "42"])
    mesh = newest.logged("checkpoint")[0]["meshes"][0]
    ended = result.of("ended")
    assert result.status == 128 + number
    assert bytes_by_type(ended) == mesh["bytes"]
    assert sorted([one["type"], one["address"]] for one in ended) == mesh["buffers"]
    assert result.summary["ended"]["buffers"] == len(ended) == 5
    assert result.summary["ended"]["bytes"] == sum(mesh["bytes"].values())
    assert not result.of("leak") and not result.summary["leaked"]["buffers"]


def test_quiet_tells_what_ended_with_the_process(real):
    result = leave_five(real, "os.abort()", ["-q"])
    assert result.status == 134
    assert len(result.of("ended")) == len(result.events) == 5


def test_a_leak_on_a_mesh_is_one_of_each_chip(real):
    result = leave_five(real, "close(d)", shape="2x4", cluster="t3k")
    mesh = real.logged("checkpoint")[0]["meshes"][0]
    leaks = result.of("leak")
    assert len(leaks) == 5
    assert bytes_by_type(leaks) == mesh["bytes"]
    assert all(sorted(leak["devices"]) == list(range(8)) for leak in leaks)
    assert result.summary["leaked"]["bytes"] == 8 * sum(mesh["bytes"].values())


def test_a_program_that_frees_all_has_no_leak(real):
    result = tttrace.run(["--error-exitcode", "42"], real.code("""
        d = open_shape("1")
        tensors(5, d)
        close(d)
    """))
    assert result.status == 0
    assert result.classes() == {"matched": 5}
    assert not result.of("leak")
    assert result.summary["leaked"]["buffers"] == 0


@pytest.mark.parametrize("end", ["close(d)", "os._exit(5)"])
def test_leaks_set_the_exit_status_that_was_asked_for(newest, end):
    result = leave_five(newest, end, ["--error-exitcode", "42"])
    assert len(result.of("leak")) == 5
    assert result.status == 42


def test_without_leaks_the_status_is_the_commands_own(newest):
    result = tttrace.run(["--error-exitcode", "42"], newest.code("""
        d = open_shape("1")
        tensor(d)
        close(d)
        os._exit(6)
    """))
    assert result.classes() == {"matched": 1}
    assert result.status == 6


def test_quiet_gives_only_the_report(real):
    result = leave_five(real, "close(d)", ["-q"])
    assert len(result.of("leak")) == 5
    assert {event["event"] for event in result.events} == {"leak"}


def test_tensors_that_outlive_their_device_are_leaks_once(real):
    result = tttrace.run([], real.code("""
        d = open_shape("1")
        t = tensors(4, d)
        close(d)
        t.clear()
        os._exit(0)
    """))
    assert len(result.of("leak")) == 4
    assert result.classes() == {"device_closed": 4}


def test_closing_a_parent_leaves_the_submesh_to_its_own_verdict(real):
    result = tttrace.run([], real.code("""
        m = open_shape("2x4")
        s = m.create_submesh(ttnn.MeshShape(1, 2), ttnn.MeshCoordinate(0, 0))
        keep(tensors(2, m) + tensors(3, s, (64, 64)))
        checkpoint(m, s)
        close(m)
        close(s)
    """, cluster="t3k"))
    by_mesh = {mesh["mesh"]: mesh for mesh in real.logged("checkpoint")[0]["meshes"]}
    leaks = result.of("leak")
    assert len(leaks) == 5
    for number, mesh in by_mesh.items():
        assert bytes_by_type(leak for leak in leaks if leak["mesh"] == number) == mesh["bytes"]


def test_only_what_is_old_enough_is_reported(newest):
    result = tttrace.run(["-o", "300ms"], newest.code("""
        d = open_shape("1")
        keep(tensors(3, d))
        time.sleep(0.4)  # it has to grow old
        keep(tensors(2, d))
        close(d)
    """))
    assert len(result.of("leak")) == 3
