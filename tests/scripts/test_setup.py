# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
scripts/setup, on a system of packages that is played: what it calls stands first in PATH and keeps
its state in a directory, so that nothing is installed.
"""

import subprocess
from pathlib import Path

import pytest

from support.played import play

SETUP = Path(__file__).resolve().parents[2] / "scripts" / "setup"

# What apt and dpkg do and say, as far as setup can tell.
PLAYED = {
    "dpkg": """
        [ "$1" != --configure ] || { rm -f "$STATE/interrupted"; echo finish >>"$STATE/calls"; exit 0; }
        exec /usr/bin/dpkg "$@"
    """,
    "dpkg-query": """
        [ -e "$STATE/installed" ] && echo "installed 99:1"
    """,
    "apt-cache": """
        echo "  Candidate: 99:1"
    """,
    "apt-get": """
        case "$*" in
        *update*) exit 0 ;;
        esac
        if [ -e "$STATE/interrupted" ]; then
            echo "E: dpkg was interrupted, you must manually run 'dpkg --configure -a'" >&2
            exit 100
        fi
        echo install >>"$STATE/calls"
        touch "$STATE/installed"
    """,
}


@pytest.fixture
def system(tmp_path, monkeypatch):
    """The directory of its state: a file `interrupted`, `installed`, `calls`."""
    play(PLAYED, tmp_path, monkeypatch)
    return tmp_path


def setup(*arguments):
    return subprocess.run([SETUP, *arguments], capture_output=True, text=True, check=False)


def calls(system):
    file = system / "calls"
    return file.read_text().split() if file.exists() else []


def test_installs_what_is_missing(system):
    done = setup("runtime")
    assert done.returncode == 0, done.stderr
    assert "install" in calls(system)


def test_an_interrupted_installation_is_finished_first(system):
    (system / "interrupted").touch()
    done = setup("runtime")
    assert done.returncode == 0, done.stderr
    assert calls(system)[:2] == ["finish", "install"]


def test_touches_nothing_when_nothing_is_missing(system):
    (system / "installed").touch()
    done = setup("runtime")
    assert done.returncode == 0 and "nothing is missing" in done.stderr
    assert calls(system) == []


def test_n_only_tells(system):
    done = setup("-n", "bench")
    assert done.returncode == 0
    assert "bpftrace" in done.stdout.split() and calls(system) == []
