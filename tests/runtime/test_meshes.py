# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""A mesh is not a chip: which chips hold a buffer, and whose allocator."""

import pytest

from support import tttrace
from support.replay import compare, compare_totals, union


def trace(real, text, cluster="t3k"):
    result = tttrace.run([], real.code(text, cluster))
    assert result.status == 0, result.stderr
    compare(result, real.logged("checkpoint"))
    compare_totals(result)
    return result


def chips(result):
    return [tuple(event["devices"]) for event in result.of("alloc", kind="owning")]


def test_a_tensor_on_a_mesh_occupies_each_of_its_chips(real):
    result = trace(real, """
        m = open_shape("2x4")
        t = tensors(3, m)
        checkpoint(m)
        close(m)
    """)
    assert chips(result) == [tuple(range(8))] * 3


def test_a_device_of_another_id_is_named_by_its_chip(real):
    result = trace(real, """
        d = ttnn.open_device(device_id=3)
        t = tensor(d)
        checkpoint(d)
        close(d)
    """)
    assert chips(result) == [(3,)]


def test_a_submesh_and_its_parent_have_allocators_of_their_own(real):
    result = trace(real, """
        m = open_shape("2x4")
        s = m.create_submesh(ttnn.MeshShape(1, 2), ttnn.MeshCoordinate(1, 0))
        t = tensors(3, m)
        u = tensors(5, s, (64, 64), where="L1")
        checkpoint(m, s)
        del t[1], u[2]
        checkpoint(m, s)
        t.clear(), u.clear()
        close(s)
        close(m)
    """)
    assert sorted(map(len, chips(result))) == [2] * 5 + [8] * 3


def test_submeshes_of_a_mesh_are_told_apart(real):
    result = trace(real, """
        m = open_shape("2x4")
        rows = m.create_submeshes(ttnn.MeshShape(1, 4))
        held = [tensors(i + 1, row) for i, row in enumerate(rows)]
        checkpoint(m, *rows)
        held.clear()
        checkpoint(m, *rows)
        [close(row) for row in rows]
        close(m)
    """)
    first, second = chips(result)[0], chips(result)[1]
    assert len(first) == len(second) == 4 and not set(first) & set(second)


def test_devices_that_were_created_together_are_told_apart(real):
    result = trace(real, """
        devices = ttnn.CreateDevices([1, 4, 6])
        held = [tensors(chip, d) for chip, d in devices.items()]
        checkpoint(*devices.values())
        held.clear()
        ttnn.CloseDevices(devices)
    """)
    assert sorted(chips(result)) == [(1,)] + [(4,)] * 4 + [(6,)] * 6


def test_several_devices_open_at_once_are_told_apart(real):
    result = trace(real, """
        a, b = ttnn.open_device(device_id=3), ttnn.open_device(device_id=5)
        t = [tensor(d, where=where) for d in (a, b, a) for where in ("DRAM", "L1")]
        checkpoint(a, b)
        t.clear()
        close(a)
        close(b)
    """)
    assert sorted(chips(result)) == [(3,)] * 4 + [(5,)] * 2


def test_a_device_that_is_opened_again_begins_anew(real):
    result = trace(real, """
        for turn in range(3):
            d = ttnn.open_device(device_id=0)
            t = tensors(turn + 1, d)
            checkpoint(d)
            del t
            close(d)
    """, cluster="n150")
    assert result.classes() == {"matched": 6}
    assert len({event["mesh"] for event in result.of("alloc", kind="owning")}) == 3


def test_a_mesh_keeps_its_chips_when_it_is_reshaped(real):
    result = trace(real, """
        m = open_shape("2x4")
        t = tensors(2, m)
        m.reshape(ttnn.MeshShape(1, 8))
        t += tensors(2, m)
        checkpoint(m)
        t.clear()
        checkpoint(m)
        close(m)
    """)
    assert result.classes() == {"matched": 4}
    assert not result.of("leak")


def test_opening_and_closing_are_events_of_the_mesh(real):
    result = trace(real, """
        m = open_shape("2x4")
        t = tensor(m)
        checkpoint(m)
        close(m)
    """)
    pid = result.of("alloc")[0]["pid"]
    mesh = result.of("alloc")[0]["mesh"]
    for name in ("device_open", "device_close"):
        seen = [event for event in result.of(name, pid=pid) if event.get("mesh") == mesh]
        assert len(seen) == 1 and sorted(seen[0]["devices"]) == list(range(8)), (name, seen)


def peak_by_hand(result, chip, kind, banks):
    """The most that was held on a chip at any time, from the addresses of the events."""
    live, most = {}, 0
    for event in result.events:
        if event.get("type") != kind or chip not in event.get("devices", ()) or not event.get("footprint"):
            continue
        if event["event"] == "alloc":
            live[event["buffer"]] = (event["address"], event["address"] + event["footprint"] // banks)
            most = max(most, union(live.values()) * banks)
        elif event["event"] == "free":
            live.pop(event["buffer"], None)
    return most


def test_memory_that_a_mesh_and_its_submeshes_share_counts_once_on_a_chip(real):
    """Allocators of a parent and of its submeshes hand out the same addresses of the same chips."""
    result = trace(real, """
        m = open_shape("2x4")
        whole = tensors(2, m, (1024, 1024))
        rows = m.create_submeshes(ttnn.MeshShape(1, 4))
        held = [tensors(3 * i + 1, row, (512, 512)) for i, row in enumerate(rows)]
        small = tensors(4, rows[0], (64, 64), where="L1")
        checkpoint(m, *rows)
        whole.clear()
        whole = tensors(3, m, (256, 256)) + tensors(1, m, (64, 64), where="L1")
        checkpoint(m, *rows)
        held.clear(), small.clear(), whole.clear()
        [close(row) for row in rows]
        close(m)
    """)
    process, = result.summary["processes"]
    parent = next(device for device in process["devices"] if len(device["devices"]) == 8 and device["memory"])
    for chip in process["chips"]:
        for kind in ("DRAM", "L1"):
            banks = parent["regions"][kind]["banks"]
            assert chip["memory"][kind]["peak"] == peak_by_hand(result, chip["device"], kind, banks)
            assert chip["memory"][kind]["live"] == 0
    added_up = sum(device["memory"]["DRAM"]["peak"] for device in process["devices"]
                   if process["chips"][0]["device"] in device["devices"] and "DRAM" in device["memory"])
    assert process["chips"][0]["memory"]["DRAM"]["peak"] < added_up  # they do overlap
    meshes = [device["mesh"] for device in process["devices"] if "mesh" in device]
    assert meshes == sorted(meshes)


@pytest.mark.parametrize("times", [8, 20])
def test_all_openings_of_a_mesh_are_counted(newest, times, tmp_path):
    """Each life of a mesh on eight chips is nine lives of devices: they are shown as one."""
    report = tmp_path / "report"
    text = f"""
        for _ in range({times}):
            m = open_shape("2x4")
            t = tensors(1, m)
            t.clear()
            close(m)
    """
    result = tttrace.run([], newest.code(text, "t3k"))
    process, = result.summary["processes"]
    assert [device["lives"] for device in process["devices"] if any(device["allocs"].values())] == [times]
    tttrace.plain("-q", "--output", report, "--", *newest.code(text, "t3k"))
    assert f"  devices 0-7, opened and closed {times} times\n" in report.read_text()
    assert "closed without a leak" not in report.read_text()
