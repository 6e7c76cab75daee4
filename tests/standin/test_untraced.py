# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""A runtime that was seen and is not traced is in the result: what it did is not known."""

import shutil

import pytest

from support import tttrace
from support.processes import Process
from test_privileges import BPF, NOBODY, PERFMON, SYS_PTRACE, attach, give, public  # noqa: F401
from test_refusals import least_files

COPIES = 20
LIFE = ["open m 1", "alloc b m DRAM 65536 2048", "close m"]


@pytest.fixture
def crowd(gen3, tmp_path):
    """A shell script that uses many copies of a library, one after the other."""
    lines = []
    for number in range(COPIES):
        copy = tmp_path / f"{number}.so"
        shutil.copy(gen3.library, copy)
        words = " ".join(f"'{word}'" for word in ["pause 0.3", *LIFE])
        lines.append(f"'{gen3.driver}' -o /dev/null -l '{copy}' {words}")
    script = tmp_path / "script"
    script.write_text("\n".join(lines))
    return ["sh", script]


def untraced(summary):
    return {one["path"]: one for one in summary["coverage"].get("untraced", [])}


def test_libraries_for_which_files_ran_out_are_told_of_one_by_one(crowd, tmp_path):
    limit = least_files() + 20
    status, out, err = tttrace.plain("-j", "--", *crowd, within=["prlimit", f"--nofile={limit}"])
    summary = tttrace.parse(out + "\n")[-1]
    traced = {library["path"] for library in summary["coverage"]["libraries"]}
    missing = untraced(summary)
    assert 0 < len(traced) < COPIES
    assert {str(tmp_path / f"{number}.so") for number in range(COPIES)} <= traced | set(missing)
    assert all("oo many open files" in one["why"] for one in missing.values())
    assert status == 4 and not summary["coverage"]["complete"]
    assert "ulimit -Hn" in err or "cannot be read" in err


def test_with_files_enough_all_are_traced(crowd):
    status, out, _ = tttrace.plain("-j", "--", *crowd)
    summary = tttrace.parse(out + "\n")[-1]
    assert status == 0 and summary["coverage"]["complete"] and not untraced(summary)
    assert len(summary["coverage"]["libraries"]) == summary["leaked"]["buffers"] == COPIES


@pytest.fixture
def hidden(public):  # noqa: F811
    """A library that nobody may not read, and a process of root that maps it."""
    place = public / "hidden"
    place.mkdir(mode=0o700)
    shutil.copy(public / "standin/gen3/libtt_metal.so", place / "l.so")
    give(public / "tttrace", BPF, PERFMON, SYS_PTRACE)
    target = Process([public / "standin/ttdriver", "-l", place / "l.so", *LIFE[:2], "wait", LIFE[2]])
    target.stdout.wait_for(lambda line: '"sync"' in line)
    return target


def test_a_library_that_cannot_be_read_is_no_reason_to_say_that_there_is_none(hidden, public):  # noqa: F811
    process = Process([*NOBODY, public / "tttrace", "-p", hidden.pid])
    process.stderr.wait_for(lambda line: "is not traced: it cannot be read" in line)
    hidden.tell()
    assert process.wait() == 4
    assert "no process used" not in process.stderr.all()
    assert "NOT TRACED: '" in process.stdout.all() and "THE DATA IS INCOMPLETE" in process.stdout.all()


@pytest.mark.parametrize("option", ["--snapshot", "--check"])
def test_a_look_at_it_does_not_say_so_either(hidden, public, option):  # noqa: F811
    process = Process([*NOBODY, public / "tttrace", option, hidden.pid])
    assert process.wait() in (1, 4)
    assert "/l.so" in process.stderr.all() and "Permission denied" in process.stderr.all()
    assert "uses no Tenstorrent" not in process.stderr.all() and "maps no" not in process.stderr.all()
    hidden.tell()
