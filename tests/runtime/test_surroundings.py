# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Odd names, other namespaces, signals to a group, modes of the runtime, very many buffers."""

import os
import re
import signal
import subprocess

import pytest

from support import tttrace
from support.processes import Process
from support.replay import compare, compare_totals

HOSTILE = r"""
    import ctypes
    ctypes.CDLL(None).prctl(15, b'a"\\\n\x1b[31m\xff', 0, 0, 0)
    d = open_shape("1")
    ask()
    keep(tensors(2, d))
    close(d)
"""


@pytest.fixture
def hostile(newest):
    """A process with a name that wants to break a line and to colour the terminal."""
    program = newest.start(HOSTILE)
    program.hear()
    return program


def test_a_hostile_command_name_breaks_no_line(hostile):
    trace = tttrace.start(["-p", str(hostile.pid)], before_attach=True).attached()
    hostile.tell()
    assert hostile.wait() == 0
    result = trace.finish()
    assert len(result.of("leak")) == 2
    assert all(event["comm"].startswith('a"') for event in result.of("alloc"))


def test_a_hostile_command_name_reaches_no_terminal(hostile):
    trace = Process([tttrace.BINARY, "-p", hostile.pid])
    trace.stderr.wait_for(lambda line: "Ctrl-C ends it" in line)
    hostile.tell()
    assert hostile.wait() == 0
    assert trace.wait() == 0
    out = trace.stdout.all()
    assert out.count("Allocated 2048 bytes") == 2 and 'a"' in out
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", out)


def test_a_process_in_another_pid_namespace_is_traced(newest):
    command = newest.code("""
        d = open_shape("1")
        keep(tensors(2, d))
        assert os.getpid() == 1
        close(d)
    """)
    result = tttrace.run([], ["unshare", "-p", "-f", "--mount-proc", *command])
    assert result.status == 0, result.stderr
    assert len(result.of("leak")) == 2
    assert {event["pid"] for event in result.of("alloc")} != {1}


def test_in_a_container_pids_are_those_that_it_has(newest):
    result = tttrace.run([], newest.code("""
        d = open_shape("1")
        keep(tensors(2, d))
        log("self", pid=os.getpid())
        close(d)
    """), within=["unshare", "--pid", "--fork", "--mount-proc"])
    assert result.status == 0, result.stderr
    assert len(result.of("leak")) == 2
    assert {event["pid"] for event in result.of("alloc")} == {newest.logged("self")[0]["pid"]}


def test_ctrl_c_reaches_the_command_and_the_report_still_comes(newest):
    trace = tttrace.start([], newest.code("""
        import signal
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        d = open_shape("1")
        keep(tensors(2, d))
        ask()
    """))
    trace.hear()
    os.killpg(trace.process.pid, signal.SIGINT)
    result = trace.finish()
    assert result.status == 128 + signal.SIGINT
    assert result.of("process_exit", pid=result.of("alloc")[0]["pid"], signal=signal.SIGINT)
    assert len(result.of("ended")) == 2 and not result.of("leak")


def test_a_second_signal_ends_the_trace_of_a_command_that_stays(newest):
    trace = tttrace.start([], newest.code("""
        import signal
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        d = open_shape("1")
        keep(tensors(2, d))
        print("ready", flush=True)
        signal.sigwait({signal.SIGTERM})
        ask("still here")
    """))
    trace.hear()
    trace.signal(signal.SIGTERM)
    trace.hear("still here")
    trace.signal(signal.SIGTERM)
    result = trace.finish()
    assert len(result.of("alloc")) == 2
    assert result.summary["processes"][0]["state"] == "running"


def test_a_child_that_outlives_the_command_is_traced_to_its_end(newest):
    result = tttrace.run([], newest.code("""
        import subprocess
        child = subprocess.Popen([sys.executable, PROGRAMS + "/stays.py"], stdout=subprocess.PIPE,
                                 stdin=subprocess.PIPE)
        assert child.stdout.readline() == b"up\\n"
        os._exit(0)
    """))
    assert result.status == 0
    assert len(result.of("alloc")) == 1
    assert len(result.of("leak")) == 1  # it has ended as well
    assert newest.log.exists()


def test_a_process_that_is_dead_already_is_nothing_to_attach_to():
    zombie = subprocess.Popen(["true"])
    os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
    status, _, err = tttrace.plain("-p", zombie.pid)
    zombie.wait()
    assert status == 3
    assert f"'{zombie.pid}'" in err


def test_the_command_has_the_limits_that_tttrace_was_started_with():
    """tttrace itself opens as many files as it may."""
    status, out, err = tttrace.plain("-q", "--", "sh", "-c", "ulimit -Sn; ulimit -Hn",
                                     within=("prlimit", "--nofile=300:3000"))
    assert status == 0, err
    assert out.startswith("300\n3000\n")


@pytest.mark.slow
def test_fifty_thousand_leaks_are_fifty_thousand(newest):
    result = tttrace.run(["--ring-size", "64M"], newest.code("""
        d = open_shape("1")
        keep(tensors(50000, d))
        checkpoint(d, buffers=False)
        close(d)
    """))
    leaks = result.of("leak")
    assert sum(leak["buffers"] for leak in leaks) == result.summary["leaked"]["buffers"] == 50000
    held = newest.logged("checkpoint")[0]["meshes"][0]["bytes"]["DRAM"]
    assert sum(leak["footprint"] for leak in leaks) == held


# In the hybrid mode of the allocator L1 is taken at addresses that are found elsewhere.
HYBRID = """
    d = open_shape("1")
    keep(tensors(3, d, where="L1") + tensors(2, d))
    checkpoint(d)
    if sys.argv[1] == "slow": ask()
    os._exit(0)
"""


def test_what_is_taken_at_a_given_address_is_found_in_the_free_list(newest, monkeypatch):
    monkeypatch.setenv("TT_METAL_ALLOCATOR_MODE_HYBRID", "1")
    trace = tttrace.start([], newest.code(HYBRID, args=("slow",)))
    trace.hear()
    while '"reason":"measure"' not in trace.output.read_text():
        trace.process.stderr.pause()
    trace.tell()
    result = trace.finish()
    seen = newest.logged("checkpoint")[0]["meshes"][0]["bytes"]
    assert result.summary["leaked"]["bytes"] == seen["DRAM"] + seen["L1"]
    assert result.summary["leaked"]["buffers"] == 5 and "unsized" not in result.summary["leaked"]


def test_where_a_footprint_cannot_be_known_a_sum_is_at_least_so_much(newest, monkeypatch):
    """It ends before its free lists can be read, perhaps; then nothing says that it was a loss."""
    monkeypatch.setenv("TT_METAL_ALLOCATOR_MODE_HYBRID", "1")
    status, text, _ = tttrace.plain("--", *newest.code(HYBRID, args=("quick",)))
    seen = newest.logged("checkpoint")[0]["meshes"][0]["bytes"]
    assert status == 0 and "Repaired after a loss" not in text
    [summary] = [line for line in text.splitlines() if line.startswith("SUMMARY")]
    whole = f"SUMMARY: tttrace: {seen['DRAM'] + seen['L1']} bytes leaked in 5 buffers"
    assert summary.startswith(whole) or summary.startswith("SUMMARY: tttrace: at least ")


def test_semaphores_and_filled_tensors_are_held_as_the_allocator_says(real):
    result = tttrace.run([], real.code("""
        d = open_shape("1")
        some = ttnn.CoreRangeSet({ttnn.CoreRange(ttnn.CoreCoord(0, 0), ttnn.CoreCoord(1, 1))})
        semaphore = ttnn.create_global_semaphore(d, some, 0)
        checkpoint(d)
        held = [ttnn.zeros((64, 64), dtype=ttnn.bfloat16, layout=ttnn.TILE_LAYOUT, device=d),
                ttnn.full((3, 5), 1.5, dtype=ttnn.float32, layout=ttnn.ROW_MAJOR_LAYOUT, device=d)]
        checkpoint(d)
        del semaphore
        held.clear()
        checkpoint(d)
        close(d)
    """))
    assert result.status == 0, result.stderr
    compare(result, real.logged("checkpoint"))
    compare_totals(result)
    assert len(result.of("alloc")) >= 3
