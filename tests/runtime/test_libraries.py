# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The runtime is found wherever it lies: replaced on disk, in another namespace, in two versions."""

import os
import shlex
import shutil
import signal
import subprocess

import pytest

from support import tttrace
from support.processes import Process
from support.replay import compare

HOLD = """
    d = open_shape("1")
    ask()
    t = tensors(4, d)
    checkpoint(d)
    t.clear()
    close(d)
"""


PROBED = 1  # seconds, by which the probes are in place of what is mapped before: nothing is in the gap


@pytest.fixture
def private(real, tmp_path, monkeypatch):
    """A wheel of our own: hard links to the files of the real one, so that it costs nothing."""
    home = tmp_path / "cache/runtime" / real.version
    home.mkdir(parents=True)
    for part in real.home.iterdir():
        if part.name not in ("scratch", "kernels", "python"):
            subprocess.run(["cp", "-al", part, home], check=True, timeout=60)
    shutil.rmtree(home / "ttnn/generated", ignore_errors=True)
    (home / "scratch").mkdir()
    (home / "python").symlink_to((real.home / "python").resolve())
    monkeypatch.setenv("TTTRACE_CACHE", str(tmp_path / "cache"))
    real.cache, real.home = real.home.parent.parent, home
    yield real
    shutil.rmtree(home)


def replace(path):
    """What pip install -U does: another file takes the name."""
    shutil.copy(path, f"{path}.new")
    os.replace(f"{path}.new", path)


def check_held(real, result):
    assert result.status == 0
    assert result.classes() == {"matched": 4}
    compare(result, real.logged("checkpoint"))


def test_a_library_that_was_replaced_while_mapped_is_traced(private):
    replace(private.library)  # no other name leads to this one
    program = private.start(HOLD)
    program.hear()
    replace(private.library)
    trace = tttrace.start(["-p", program.pid], before_attach=True).attached()
    program.tell()
    assert program.wait() == 0
    check_held(private, trace.finish())


def test_a_library_that_was_removed_while_mapped_is_traced_by_a_trace_of_all(private):
    replace(private.library)
    program = private.start(HOLD)
    program.hear()
    private.library.unlink()
    trace = tttrace.start([], before_attach=True).attached()
    program.tell()
    assert program.wait() == 0
    trace.signal(signal.SIGINT)
    result = trace.finish()
    assert len(result.of("alloc", pid=program.pid)) == 4
    compare(result, private.logged("checkpoint"))


def in_a_namespace(private, command):
    """@command in a mount namespace in which the library is a file that nobody outside sees."""
    hide = ('mount -t tmpfs none /mnt && cp "$0" /mnt/lib.so && mount --bind /mnt/lib.so "$0" && '
            'exec "$@"')
    return ["unshare", "-m", "sh", "-c", hide, private.library, *command]


def test_a_library_in_another_mount_namespace_is_traced_as_a_command(private):
    result = tttrace.run([], in_a_namespace(private, private.program("held.py")))
    assert result.status == 0
    assert len(result.of("alloc")) == 3
    compare(result, private.logged("checkpoint"))


def test_a_library_in_another_mount_namespace_is_traced_by_pid(private):
    program = Process(in_a_namespace(private, private.code(HOLD)))
    program.hear()
    trace = tttrace.start(["-p", program.pid], before_attach=True).attached()
    program.tell()
    assert program.wait() == 0
    check_held(private, trace.finish())


def side_by_side(one, other):
    """Both at once; it ends when both have ended."""
    one, other = [shlex.join(map(str, command)) for command in (one, other)]
    return ["sh", "-c", f"{one} & {other}; status=$?; wait; exit $status"]


def test_two_names_of_one_library_are_probed_once(private):
    """The private wheel's library is the same inode as the real one's."""
    other = ["env", f"TTTRACE_CACHE={private.cache}", *private.program("held.py", PROBED)]
    result = tttrace.run([], side_by_side(other, private.program("held.py", PROBED)))
    assert len({event["pid"] for event in result.of("alloc")}) == 2
    assert len(result.of("alloc")) == 6
    assert result.hits["track_allocate"] == 6
    compare(result, private.logged("checkpoint"))


def stopped_before_it_maps(trace):
    """tttrace reads nothing from now on."""
    trace.signal(signal.SIGSTOP)
    os.waitid(os.P_PID, trace.process.pid, os.WSTOPPED)


def test_what_has_ended_before_the_probes_were_in_place_is_not_called_complete(real):
    trace = tttrace.start(["-v"], ["sh", "-c", 'echo ready; "$@"; echo ended; read line', "sh",
                                   *map(str, real.program("held.py"))], incomplete=True)
    trace.hear()
    stopped_before_it_maps(trace)
    trace.hear("ended")
    trace.signal(signal.SIGCONT)
    trace.process.stderr.wait_for(lambda line: line.startswith("tttrace: attached to"))
    trace.tell()
    result = trace.finish()
    coverage = result.summary["coverage"]
    assert result.status == 4 and not coverage["complete"]
    assert [one["path"] for one in coverage["untraced"]] == [str(real.library)] and not result.of("alloc")


@pytest.mark.parametrize("turn", range(8))
def test_of_two_versions_at_once_none_goes_without_notice(newest, turn):
    """A program of half a second may be over before its library is probed."""
    older = [str(word).replace(newest.version, "0.74.0") for word in newest.program("held.py")]
    result = tttrace.run([], side_by_side(older, newest.program("held.py")), incomplete=True)
    coverage = result.summary["coverage"]
    if not coverage["complete"]:
        assert result.status == 4 and (coverage.get("untraced") or coverage["census_torn"]), coverage
        return
    assert result.status == 0
    assert len({event["pid"] for event in result.of("alloc")}) == 2 and len(result.of("alloc")) == 6, coverage
    assert sum(result.classes().values()) == 6 and not result.frees("unknown")


def test_two_versions_at_once_are_each_read_in_their_own_way(newest):
    older = [str(word).replace(newest.version, "0.74.0") for word in newest.program("held.py", PROBED)]
    result = tttrace.run([], side_by_side(older, newest.program("held.py", PROBED)))
    assert result.status == 0
    assert len(newest.logged("checkpoint")) == 2
    assert len(result.of("alloc")) == 6
    assert len(result.summary["coverage"]["libraries"]) == 2
    compare(result, newest.logged("checkpoint"))
