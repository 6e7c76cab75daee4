# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Filters hide; they change no total."""

import pytest

from support import tttrace

PROGRAM = """
    m = open_shape("2x4")
    s = m.create_submesh(ttnn.MeshShape(1, 1), ttnn.MeshCoordinate(0, 0))
    log("chip", chip=s.get_device_ids()[0])
    big = [tensor(d, (256, 256), where=where) for d in (m, s) for where in ("DRAM", "L1")]
    small = [tensor(d, (32, 32), where=where) for d in (m, s) for where in ("DRAM", "L1")]
    keep(big + small)
    close(s)
    close(m)
"""


@pytest.fixture
def whole(newest):
    return tttrace.run([], newest.code(PROGRAM, "t3k"))


def filtered(newest, whole, options, passes):
    """With @options, exactly those allocations and leaks are shown that @passes."""
    result = tttrace.run(options, newest.code(PROGRAM, "t3k"))
    for name in ("alloc", "leak"):
        expected = [event for event in whole.of(name) if passes(event)]
        assert 0 < len(expected) < len(whole.of(name))
        assert all(passes(event) for event in result.of(name))
        assert len(result.of(name)) == len(expected)
    assert sum(result.summary["classes"].values()) == sum(whole.summary["classes"].values())
    assert result.hits == whole.hits
    return result


@pytest.mark.parametrize("name", ["DRAM", "L1", "l1"])
def test_a_type_filter_shows_only_that_type(newest, whole, name):
    filtered(newest, whole, ["--type", name], lambda event: event["type"] == name.upper())


def test_a_least_size_hides_what_is_smaller(newest, whole):
    filtered(newest, whole, ["-z", "64K"], lambda event: event["size"] >= 65536)


def test_a_greatest_size_hides_what_is_larger(newest, whole):
    filtered(newest, whole, ["-Z", "4096"], lambda event: event["size"] <= 4096)


def test_a_chip_that_only_the_mesh_has_hides_the_submesh(newest, whole):
    other = next(chip for chip in range(8) if chip != newest.logged("chip")[0]["chip"])
    filtered(newest, whole, ["--device", str(other)], lambda event: other in event["devices"])


def test_a_command_name_hides_processes_of_another(newest):
    result = tttrace.run(["-n", "nobody"], newest.code(PROGRAM, "t3k"))
    assert result.hits["track_allocate"] == 8
    assert not result.of("alloc") and not result.of("leak")


def test_a_name_that_the_program_gives_itself_lets_it_pass_from_then_on(newest):
    """As ps shows it: threads have names of their own, which do not count."""
    result = tttrace.run(["-n", "worker-7"], newest.code("""
        import ctypes, threading
        def rename(name):
            ctypes.CDLL(None).prctl(15, name, 0, 0, 0)
        d = open_shape("1")
        keep(tensors(2, d))
        thread = threading.Thread(target=rename, args=(b"worker-7",))
        thread.start()
        thread.join()
        keep(tensors(3, d))
        rename(b"worker-7")
        keep(tensors(4, d))
        close(d)
    """))
    assert result.hits["track_allocate"] == 9
    assert len(result.of("alloc")) == 4
    assert len(result.of("leak")) == 9
    assert result.summary["processes"][0]["comm"] == "worker-7"


def test_the_command_name_of_a_process_lets_it_pass(newest, whole):
    name = whole.of("alloc")[0]["comm"]
    result = tttrace.run(["-n", name], newest.code(PROGRAM, "t3k"))
    assert len(result.of("alloc")) == len(whole.of("alloc")) == 8
