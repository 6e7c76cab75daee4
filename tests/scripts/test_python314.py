# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
scripts/python314, with packages that are played: what it calls stands first in PATH. That the real
ones run is seen by tests/standin/test_python.py.
"""

import subprocess
from pathlib import Path

import pytest

from support.played import play

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "python314"

# Packages are had by the release that $OFFERED names; in them is a loader that runs nothing.
PLAYED = {
    "apt-get": """
        for option; do case $option in Dir::Etc::SourceList=*) list=${option#*=} ;; esac; done
        case "$*" in
        *indextargets*) . /etc/os-release; echo "$VERSION_CODENAME main played:/debian/" ;;
        *update*) cat "$list" >>"$STATE/sources" ;;
        *download*) grep -q " $OFFERED main$" "$list" && touch one.deb two.deb ;;
        esac
    """,
    "dpkg-deb": """
        lib=$3/usr/lib/x86_64-linux-gnu
        mkdir -p "$lib"
        printf '#!/bin/sh\\necho "$@"\\n' >"$lib/ld-linux-x86-64.so.2"
        chmod +x "$lib/ld-linux-x86-64.so.2"
        echo "${2##*/}" >>"$STATE/unpacked"
    """,
}


@pytest.fixture
def system(tmp_path, monkeypatch):
    """The directory of its state: `sources` that were asked, packages `unpacked`, the `cache`."""
    if "\nID=debian\n" not in "\n" + Path("/etc/os-release").read_text():
        pytest.skip("scripts/python314 is for Debian")
    play(PLAYED, tmp_path, monkeypatch)
    monkeypatch.setenv("TTTRACE_CACHE", str(tmp_path / "the cache"))
    return tmp_path


def python314(*arguments):
    return subprocess.run([SCRIPT, *arguments], capture_output=True, text=True, check=False)


def asked(system):
    """The releases whose packages were asked for."""
    return [line.split()[-2] for line in (system / "sources").read_text().splitlines()]


@pytest.mark.parametrize("offered, releases", [("forky", ["forky"]), ("sid", ["forky", "sid"])])
def test_it_is_taken_from_the_first_release_that_has_it(system, monkeypatch, offered, releases):
    monkeypatch.setenv("OFFERED", offered)
    done = python314()
    assert done.returncode == 0, done.stderr
    assert asked(system) == releases
    assert (system / "unpacked").read_text().split() == ["one.deb", "two.deb"]
    # nothing but the Python is left, and the machine's own source is where it came from
    assert {path.name for path in (system / "the cache").iterdir()} == {"python314", "python314.lock"}
    assert " played:/debian/ " in (system / "sources").read_text()
    said = subprocess.run([done.stdout.strip(), "-c", "a program"], capture_output=True, text=True, check=True)
    assert said.stdout.endswith("/the cache/python314/usr/bin/python3.14 -c a program\n")


def test_what_is_there_already_is_not_made_again(system, monkeypatch):
    monkeypatch.setenv("OFFERED", "forky")
    first, second = python314(), python314()
    assert first.stdout == second.stdout and second.stderr == ""
    assert asked(system) == ["forky"]
    # but it is if it does not run any more
    (system / "the cache/python314/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2").unlink()
    assert python314().stdout == first.stdout
    assert asked(system) == ["forky", "forky"]


def test_where_no_release_has_it_that_is_said(system, monkeypatch):
    monkeypatch.setenv("OFFERED", "none")
    done = python314()
    assert done.returncode == 3 and done.stdout == ""
    assert "no release of Debian that is asked for has it" in done.stderr
    assert {path.name for path in (system / "the cache").iterdir()} == {"python314.lock"}


def test_what_it_does_not_understand_it_refuses(system):
    assert python314("--help").returncode == 2
