# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
Options, fixtures, and what holds for every test: nothing that it started goes on, no probe of ours
is left in the kernel, and it ends in time. Run as root:

  /usr/bin/python3 -m pytest tests [--quick] [--versions 0.81.1,0.74.0]

$TTTRACE is the binary under test, build/tttrace if not set. What is left to chance (the tests that
take a `seed`) is tried $TTTRACE_TIMES times, 3 if not set; `make check-long` does it 100 times. The
seed is part of the name of the test: $TTTRACE_SEED gives it again.
"""

import os
import random
import shutil
import signal
import tempfile
from pathlib import Path

import pytest

from support import kernel, processes, runtime, tttrace

PATIENCE = 120  # seconds for one test

# A shell starts what it runs in the background with SIGINT ignored, and what we start would inherit that.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser):
    parser.addoption("--versions", default="",
                     help="of the real runtime, a comma between; default: " + ",".join(runtime.VERSIONS))
    parser.addoption("--quick", action="store_true",
                     help="one version of each generation, without the slow tests")


def versions(config):
    if config.getoption("versions"):
        return config.getoption("versions").split(",")
    return ["0.78.0", "0.81.1"] if config.getoption("quick") else list(runtime.VERSIONS)


def times():
    return int(os.environ.get("TTTRACE_TIMES", "3"))


def is_long():
    """Is there time for what takes long?"""
    return times() >= 100


def seeds():
    """What chance begins from, each time."""
    if "TTTRACE_SEED" in os.environ:
        return [int(os.environ["TTTRACE_SEED"])]
    # always the same few, so that a change is judged by what it changes; by chance in the long run
    dice = random.Random() if "TTTRACE_TIMES" in os.environ else random.Random(1)
    return dice.sample(range(1 << 30), times())


def pytest_generate_tests(metafunc):
    """
    A test that takes `real` runs on every version, one that takes `newest` (or what is made of it)
    on the last; one that takes a `seed` on several.
    """
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", seeds())
    if "real" in metafunc.fixturenames:
        metafunc.parametrize("real", versions(metafunc.config), indirect=True)
    if "newest" in metafunc.fixturenames:
        metafunc.parametrize("newest", versions(metafunc.config)[-1:], indirect=True)


def pytest_collection_modifyitems(config, items):
    left_out = (["slow"] if config.getoption("quick") else []) + ([] if is_long() else ["long"])
    slow = [item for item in items if any(map(item.get_closest_marker, left_out))]
    if slow:
        config.hook.pytest_deselected(items=slow)
    items[:] = [item for item in items if item not in slow]


def pytest_sessionstart(session):
    if session.config.getoption("collectonly"):
        return
    if os.geteuid() != 0:
        pytest.exit("these tests attach probes: run them as root", 2)
    if not tttrace.BINARY.exists():
        pytest.exit(f"there is no {tttrace.BINARY}: run make first", 2)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    """No test goes on for ever, wherever it hangs."""
    def give_up(*_):
        raise TimeoutError(f"the test took longer than {seconds} s")

    marker = item.get_closest_marker("timeout")
    seconds = marker.args[0] if marker else PATIENCE
    old = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, old)


@pytest.fixture(autouse=True)
def clean():
    before = kernel.ours()
    yield
    pids = {process.pid for process in processes.Process.started}
    processes.end_all()
    left = kernel.leftovers(before, pids)
    assert not left, f"tttrace has ended, but the kernel still has {left}"


@pytest.fixture
def real(request, tmp_path, monkeypatch):
    """Every version of the real runtime."""
    return make_runtime(request.param, tmp_path, monkeypatch)


@pytest.fixture
def newest(request, tmp_path, monkeypatch):
    """The newest version of the real runtime, for what does not depend on it."""
    return make_runtime(request.param, tmp_path, monkeypatch)


@pytest.fixture
def newest_with_other_python(newest, tmp_path, monkeypatch):
    """The same with the other Python that there are wheels for."""
    return make_runtime(newest.version, tmp_path, monkeypatch, runtime.other_python(newest.home))


def make_runtime(version, directory, monkeypatch, minor=None):
    made = runtime.Runtime(version, directory, minor)
    for name, value in made.env.items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture
def public_binary():
    """A copy that everybody can run, in a directory that everybody can read."""
    with tempfile.TemporaryDirectory(prefix="tttrace-public-") as directory:
        os.chmod(directory, 0o755)
        place = shutil.copy(tttrace.BINARY, directory)
        os.chmod(place, 0o755)
        yield Path(place)
