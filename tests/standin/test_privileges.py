# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
As an ordinary user with a few capabilities, as files and services give them; what is given up; and
what a command under tttrace has. docs/privileges.md is the table.
"""

import os
import re
import shutil
import struct
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from support import standin as support, tttrace
from support.processes import PATIENCE, Process
from support.standin import Standin

CHECKPOINT_RESTORE, BPF, PERFMON, SYS_ADMIN, SYS_PTRACE, KILL, DAC_READ_SEARCH = 40, 39, 38, 21, 19, 5, 2
USED = BPF, PERFMON, SYS_PTRACE, DAC_READ_SEARCH, CHECKPOINT_RESTORE  # docs/privileges.md
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
PREPARE = "open m 1\nalloc a m DRAM 65536 2048\nwait traced\nalloc b m L1 4096 1024\nfree a\nclose m"


def mask(*capabilities):
    return sum(1 << number for number in capabilities)


def give(path, *capabilities):
    """File capabilities, permitted and effective: struct vfs_cap_data of linux/capability.h."""
    wanted = mask(*capabilities)
    os.setxattr(path, "security.capability",
                struct.pack("<IIIII", 0x02000001, wanted & 0xFFFFFFFF, 0, wanted >> 32, 0))


@pytest.fixture
def public(monkeypatch):
    """The build, where everybody can read it."""
    with tempfile.TemporaryDirectory(prefix="tttrace-public-") as directory:
        place = Path(directory)
        shutil.copy(tttrace.BINARY, place)
        shutil.copytree(support.DIRECTORY / "gen3", place / "standin" / "gen3")
        shutil.copy(support.DIRECTORY / "ttdriver", place / "standin")
        subprocess.run(["chmod", "-R", "a+rX", place], check=True)
        (place / "out").mkdir()
        (place / "out").chmod(0o777)
        monkeypatch.setattr(support, "DIRECTORY", place / "standin")
        yield place


def traced(public, options, command=()):
    """A trace by nobody, and where its result goes."""
    output = public / "out" / "result"
    words = [*NOBODY, public / "tttrace", "-j", "--output", output, *options, *(["--", *command] if command else [])]
    process = Process(words)
    return process, output


def events(output):
    return tttrace.parse(output.read_text())


def trace_command(public, *options):
    """Traces a command of nobody's own, whose leak is seen. Returns what was said."""
    process, output = traced(public, ["-v", *options], Standin("gen3").command("wait begin\n" + PREPARE.replace("wait traced\n", "")))
    process.stderr.wait_for(lambda line: line.startswith("tttrace: attached to"))
    process.tell()
    assert process.wait() == 0, process.stderr.all()
    lines = events(output)
    assert lines[-1]["coverage"]["complete"]
    assert [line["size"] for line in lines if line["event"] == "leak"] == [4096]
    return process.stderr.all()


def test_two_capabilities_are_enough_for_a_command_of_ones_own(public):
    give(public / "tttrace", BPF, PERFMON)
    assert "warning: without" not in trace_command(public)


def attach(public, owner=()):
    target = Process([*owner, *Standin("gen3").command(PREPARE)])
    support.hear(target, "traced")
    process, output = traced(public, ["-p", target.pid])
    process.stderr.wait_for(lambda line: "Ctrl-C ends it" in line)
    target.tell()
    assert target.wait() == 0
    status = process.wait()
    return status, events(output), process.stderr.all()


def test_two_capabilities_are_enough_for_a_process_of_ones_own(public):
    give(public / "tttrace", BPF, PERFMON)
    status, lines, err = attach(public, NOBODY)
    assert status == 0 and lines[-1]["coverage"]["complete"], err
    assert "warning: without" not in err


def test_for_a_process_of_another_user_what_lacks_is_named_and_the_result_is_incomplete(public):
    give(public / "tttrace", BPF, PERFMON)
    status, lines, err = attach(public)
    assert status == 4 and not lines[-1]["coverage"]["complete"]
    for name in ("CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH", "CAP_CHECKPOINT_RESTORE"):
        assert len(re.findall(f"warning: without {name} ", err)) == 1


def test_five_capabilities_are_enough_for_any_process(public):
    give(public / "tttrace", BPF, PERFMON, SYS_PTRACE, DAC_READ_SEARCH, CHECKPOINT_RESTORE)
    status, lines, err = attach(public)
    assert status == 0 and lines[-1]["coverage"]["complete"], err
    assert [line["size"] for line in lines if line["event"] == "leak"] == [4096]
    assert "warning: without" not in err


def test_capabilities_from_a_service_are_as_good_as_those_of_a_file(public):
    """Ambient ones, as AmbientCapabilities= of systemd gives them; the command has them as well."""
    ambient = [*NOBODY, "--inh-caps=+bpf,+perfmon", "--ambient-caps=+bpf,+perfmon"]
    process = Process([*ambient, public / "tttrace", "-q", "--", "grep", "CapAmb", "/proc/self/status"])
    assert process.wait() == 0, process.stderr.all()
    shown = process.stdout.all().splitlines()
    assert int(shown[0].split()[1], 16) == mask(BPF, PERFMON)


def capabilities(pid):
    text = Path(f"/proc/{pid}/status").read_text()
    return {name: int(value, 16) for name, value in re.findall(r"^Cap(\w+):\t(\w+)$", text, re.M)}


def holds(process, *used):
    """@process has these capabilities, as far as we have them: soon, for it gives up the others as it goes on."""
    wanted = mask(*used) & capabilities("self")["Prm"]
    deadline = time.monotonic() + PATIENCE
    while (seen := capabilities(process.pid))["Eff"] != wanted:
        assert time.monotonic() < deadline, f"{seen['Eff']:x} and not {wanted:x}"
        time.sleep(0.01)
    assert seen["Prm"] == seen["Eff"] == wanted
    assert seen["Inh"] == seen["Amb"] == 0


def test_root_gives_up_what_is_not_needed_to_wait_for_a_runtime():
    trace = tttrace.start([]).process
    trace.stderr.wait_for(lambda line: "Ctrl-C ends it" in line)
    holds(trace, *USED, SYS_ADMIN)
    trace.end()


@pytest.mark.parametrize("options, kept", [((), ()), (("--perf-events",), (SYS_ADMIN,))], ids=["multi", "perf_events"])
def test_root_keeps_of_sys_admin_what_perf_events_need(options, kept):
    standin = Standin("gen3")
    trace = standin.begin("open m 1\nclose m", options)
    holds(trace.process, *USED, KILL, *kept)
    trace.tell()
    assert trace.finish().summary["coverage"]["complete"]


def test_without_sys_admin_perf_events_work_or_are_refused_in_words(public):
    """Since Linux 6.16, and in the stable kernels of that time, CAP_PERFMON is not enough for them."""
    give(public / "tttrace", BPF, PERFMON)
    process, output = traced(public, ["--perf-events"], ["true"])
    if process.wait() != 0:
        assert process.popen.returncode == 1 and not output.read_text()
        assert "CAP_SYS_ADMIN" in process.stderr.all() and "cap_sys_admin" in process.stderr.all()
        give(public / "tttrace", BPF, PERFMON, SYS_ADMIN)
    trace_command(public, "--perf-events")


STATUS = ["grep", "-E", "^(Uid|Gid|Groups|Cap.*|NoNewPrivs|Seccomp):", "/proc/self/status"]


@pytest.mark.parametrize("user", [(), NOBODY], ids=["root", "nobody"])
def test_a_command_has_the_privileges_that_tttrace_was_given(public, user):
    give(public / "tttrace", BPF, PERFMON)
    plain = subprocess.run([*user, *STATUS], capture_output=True, text=True, check=True).stdout
    process = Process([*user, public / "tttrace", "-q", "--output", public / "out" / "none", "--", *STATUS])
    assert process.wait() == 0, process.stderr.all()
    assert process.stdout.all() + "\n" == plain


def test_a_process_that_proc_hides_is_not_said_not_to_run(public):
    give(public / "tttrace", BPF, PERFMON)
    hide = 'mount -t proc -o hidepid=invisible proc /proc && exec "$@"'
    process = Process(["unshare", "--mount", "sh", "-c", hide, "sh", *NOBODY, public / "tttrace", "-p", "1"])
    assert process.wait() == 1
    assert "hidepid" in process.stderr.all() and "no process" not in process.stderr.all()
