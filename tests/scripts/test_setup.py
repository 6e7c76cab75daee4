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


@pytest.fixture
def ubuntu(system, monkeypatch):
    """Runs setup on a release of Ubuntu, with what it offers: {package: version}, the others at 99:1."""
    def run(version, codename, offers, *arguments):
        release = system / "os-release"
        release.write_text(f"ID=ubuntu\nID_LIKE=debian\nVERSION_ID={version}\nVERSION_CODENAME={codename}\n")
        for name, text in {"pkg-config": "exit 1", "apt-cache": OFFERING}.items():
            (system / "bin" / name).write_text(f"#!/bin/sh\n{text}")
            (system / "bin" / name).chmod(0o755)
        for package, offered in offers.items():
            (system / f"offered-{package}").write_text(offered)
        return subprocess.run(["unshare", "--mount", "sh", "-c", 'mount --bind "$0" "$(realpath /etc/os-release)" && exec "$@"',
                               release, SETUP, *arguments], capture_output=True, text=True, check=False)
    return run


OFFERING = """
    for package; do :; done
    offered=$(cat "$STATE/offered-$package" 2>/dev/null || echo 99:1)
    echo "  Candidate: $offered"
"""


def test_on_ubuntu_2204_the_binary_is_recommended(ubuntu, system):
    done = ubuntu("22.04", "jammy", {"libbpf-dev": "1:0.5.0-1ubuntu22.04.1", "bpftool": "(none)"})
    assert done.returncode == 1 and "install" not in calls(system)
    assert "this system offers 1:0.5.0" in done.stderr and "make dist" in done.stderr


def test_on_ubuntu_2404_bpftool_is_among_the_tools_of_the_kernel(ubuntu):
    done = ubuntu("24.04", "noble", {"libbpf-dev": "1:1.3.0-2build2", "bpftool": "(none)"}, "-n")
    names = done.stdout.split()
    assert done.returncode == 0 and {"clang", "llvm", "libbpf-dev", "linux-tools-generic"} <= set(names)
    assert not {"bpftool", "clang-16"} & set(names)


def test_where_ubuntu_has_a_package_of_bpftool_it_is_taken(ubuntu):
    done = ubuntu("25.04", "plucky", {"bpftool": "7.6.0+6.14.0"}, "-n")
    assert "bpftool" in done.stdout.split() and "linux-tools-generic" not in done.stdout.split()
