# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
Fresh minimal roots of Debian: what was built elsewhere runs there, and what is in the repository can
be set up, built, tried, packaged and removed there.
"""

import os
from pathlib import Path

import pytest

from support import roots, standin as support, tttrace
from support.runtime import ROOT, set_up
from support.standin import DIRECTORY, Standin

pytestmark = [pytest.mark.long, pytest.mark.timeout(2400)]

RELEASES = ["bookworm", "trixie"]  # that the package is for
SOURCE = "/root/tttrace"
RUNTIME = "0.81.1"  # of scripts/demo
SCRIPT = """
    wait begin
    open m 1
    alloc a m DRAM 65536 2048
    alloc b m L1 4096 1024
    free a
    close m
"""


@pytest.fixture(scope="module")
def archive():
    """The archive of `make dist`."""
    roots.make("dist")
    version = tttrace.plain("--version")[1].split()[1]
    return ROOT / f"build/tttrace-{version}-x86_64.tar.gz"


@pytest.fixture
def fresh(request, tmp_path):
    """A fresh root of the release that the test names."""
    with roots.debian(request.param, tmp_path / "root") as root:
        yield root


@pytest.fixture(scope="module", params=RELEASES)
def built(request, tmp_path_factory):
    """A fresh root in which the repository was set up and built as its README says."""
    with roots.debian(request.param, tmp_path_factory.mktemp("built") / "root") as root:
        root.release = request.param
        root.copy_tree(SOURCE)
        root.must("sh", "-c", f"cd {SOURCE} && scripts/setup && make -j2", patience=1500)
        yield root


def trace_from(root, binary):
    """Traces a stand-in outside of @root from within, to its end."""
    gen3 = Standin("gen3")
    driver = gen3.start(SCRIPT)
    within = root.within(["/proc", "/sys", "/dev", tttrace.OUTPUTS.name])
    trace = gen3.attach(driver, within=within, binary=binary)
    driver.tell()
    assert driver.wait() == 0
    judge(trace.finish(), driver)


def trace_in(root, binary):
    """Traces a stand-in that runs in @root."""
    gen3 = Standin("gen3")
    within = root.within(["proc", "/sys", "/dev", str(DIRECTORY), tttrace.OUTPUTS.name])
    trace = gen3.run(gen3.command(SCRIPT), within=within, binary=binary)
    support.probed(trace)
    trace.tell()
    judge(support.finish(trace), trace.process)


def judge(result, driver):
    support.compare(result, support.expected(driver))
    assert [leak["size"] for leak in result.of("leak")] == [4096]


# --- the archive of make dist --------------------------------------------------------------------

@pytest.mark.parametrize("fresh", ["bullseye", *RELEASES], indirect=True)
def test_the_static_binary_runs_where_nothing_was_installed(archive, fresh):
    fresh.copy(archive, "/opt/archive")
    fresh.must("tar", "-C", "/opt", "--strip-components=1", "-xzf", "/opt/archive")
    assert fresh.must("/opt/tttrace", "--version") == tttrace.plain("--version")[1]
    assert fresh.must("/opt/tttrace", "--help") == tttrace.plain("--help")[1]
    fresh.copy(Standin("gen3").library, "/libtt_metal.so")
    assert "track_allocate" in fresh.must("/opt/tttrace", "--check", "/libtt_metal.so")
    trace_from(fresh, "/opt/tttrace")


@pytest.mark.parametrize("fresh", RELEASES, indirect=True)
def test_the_static_binary_traces_what_runs_beside_it(archive, fresh):
    fresh.copy(archive, "/opt/archive")
    fresh.must("tar", "-C", "/opt", "--strip-components=1", "-xzf", "/opt/archive")
    trace_in(fresh, "/opt/tttrace")


# --- the repository ------------------------------------------------------------------------------

def test_setup_and_make_give_a_tracer(built):
    assert "nothing is missing" in built.run("sh", "-c", f"cd {SOURCE} && scripts/setup")[2]
    trace_in(built, f"{SOURCE}/build/tttrace")


def test_dist_makes_a_binary_that_needs_no_library(built, tmp_path):
    built.must("sh", "-c", f"cd {SOURCE} && make -j2 dist", patience=600)
    binary, = (built.directory / SOURCE[1:] / "build-static").glob("tttrace-*/tttrace")
    empty = roots.Root(tmp_path / "root", mounts=[])
    empty.copy(binary, "/tttrace")
    trace_from(empty, "/tttrace")


def test_the_demo_shows_the_leaks_of_a_stand_in_where_there_is_no_python_for_the_runtime(built):
    status, out, err = built.run(f"{SOURCE}/scripts/demo", patience=1500)
    assert status == 0, err
    assert "need Python 3.10 or 3.12" in err and "a stand-in for it is traced" in err
    assert "LEAKED, live at the close: 3 buffers" in out


def test_the_demo_shows_the_leaks_of_the_real_runtime(built):
    """With the cache and the Python of this machine, so that little is downloaded."""
    home, why_not = set_up(RUNTIME)
    assert home, why_not
    python = Path(os.path.realpath(home / "python/bin/python"))
    mounts = [*built.mounts, str(roots.cache()), str(python.parent.parent)]
    settings = {"TTTRACE_CACHE": roots.cache(), "TTTRACE_PYTHON": python}
    status, out, err = built.run(f"{SOURCE}/scripts/demo", mounts=mounts, env=settings, patience=1500)
    assert status == 0, err
    assert "on the runtime of ttnn" in err and "LEAKED" in out and "demo.py" in out


# --- the package ---------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def package(built):
    """The package, built in a root of its release."""
    tools = "build-essential debhelper"
    built.must("sh", "-c", "apt-get update && DEBIAN_FRONTEND=noninteractive "
               f"apt-get install -y --no-install-recommends {tools}", patience=600)
    built.must("sh", "-c", f"cd {SOURCE} && make deb", patience=600)
    file, = (built.directory / SOURCE[1:] / "build/deb").glob("tttrace_*.deb")
    return file


def test_the_package_is_installed_used_and_purged(built, package, tmp_path):
    with roots.debian(built.release, tmp_path / "root") as fresh:
        use(fresh, package)


def use(fresh, package):
    """Installs the package in a root, traces with it, and removes it again."""
    fresh.copy(package, "/root/tttrace.deb")
    fresh.must("apt-get", "update", patience=300)
    fresh.must("apt-get", "install", "-y", "--no-install-recommends", "/root/tttrace.deb",
               env={"DEBIAN_FRONTEND": "noninteractive"}, patience=300)
    files = fresh.must("dpkg", "-L", "tttrace").splitlines()
    files = [file for file in files if (fresh.directory / file[1:]).is_file()]
    assert "/usr/bin/tttrace" in files and "/usr/share/doc/tttrace/copyright" in files
    assert fresh.must("tttrace", "--version") == tttrace.plain("--version")[1]
    trace_in(fresh, "tttrace")
    fresh.must("apt-get", "purge", "-y", "tttrace", env={"DEBIAN_FRONTEND": "noninteractive"}, patience=300)
    assert not [file for file in files if (fresh.directory / file[1:]).exists()]
    assert not (fresh.directory / "usr/share/doc/tttrace").exists()
    assert "tttrace" not in fresh.must("dpkg-query", "-W")
