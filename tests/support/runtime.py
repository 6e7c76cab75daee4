# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The real runtime, its devices mocked or simulated, and the programs that are traced on it."""

import functools
import json
import os
import subprocess
import textwrap
from pathlib import Path

import pytest

from support.processes import Process
from support.pythons import pythons

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAMS = ROOT / "tests/runtime/programs"
VERSIONS = ("0.74.0", "0.78.0", "0.80.0", "0.81.1")
WHEELS = (10, 12)  # the minor versions of Python that there are wheels for
QUIET = {"TT_LOGGER_LEVEL": "fatal", "LOGURU_LEVEL": "ERROR", "OMPI_MCA_btl": "self"}  # as scripts/ttnn


def settings_of(minor):
    """
    The environment for a runtime with Python 3.@minor, which is kept apart from that with the one
    that scripts/runtime finds first. None: that one.
    """
    if minor is None:
        return {}
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    cache = os.environ.get("TTTRACE_CACHE") or f"{home}/tttrace"
    return {"TTTRACE_PYTHON": pythons()[minor], "TTTRACE_CACHE": f"{cache}/cp3{minor}"}


@functools.lru_cache(maxsize=None)
def set_up(version, minor=None):
    """Returns (directory, None), or (None, why it cannot be had)."""
    done = subprocess.run([ROOT / "scripts/runtime", version], capture_output=True, text=True,
                          env={**os.environ, **settings_of(minor)},
                          stdin=subprocess.DEVNULL, timeout=1800, check=False)
    if done.returncode == 3:
        return None, "no Python 3.10 or 3.12 for the real runtime"
    assert done.returncode == 0, f"scripts/runtime {version} failed:\n{done.stderr}"
    return Path(done.stdout.strip()), None


def other_python(home):
    """The minor version of the other Python that there are wheels for than the runtime at @home has."""
    own = (home / "python").resolve().name
    other = next(minor for minor in WHEELS if own != f"cp3{minor}")
    if other not in pythons():
        pytest.skip(f"no Python 3.{other} on this machine")
    return other


def with_words(text):
    """@text with ttnn and the words of oracle.py at hand."""
    return "import gc, os, sys, time, ttnn\nfrom oracle import *\n" + textwrap.dedent(text)


class Runtime:
    """One version of the runtime, for one test: what its programs log is kept apart."""

    def __init__(self, version, directory, minor=None):
        self.home, why_not = set_up(version, minor)
        if why_not:
            pytest.skip(why_not)
        self.version = version
        self.log = directory / "log"
        self.env = {"PYTHONPATH": str(PROGRAMS), "TTTRACE_TEST_LOG": str(self.log), **settings_of(minor)}

    @property
    def library(self):
        return self.home / "ttnn/build/lib/libtt_metal.so"

    @property
    def generation(self):
        return 3 if tuple(map(int, self.version.split("."))) >= (0, 79) else 2

    def program(self, *words, cluster="n150"):
        """The command that runs one of tests/runtime/programs."""
        return [ROOT / "scripts/ttnn", self.version, "-c", cluster, "--", PROGRAMS / words[0],
                *words[1:]]

    def code(self, text, cluster="n150", args=()):
        """The command that runs @text, with ttnn and the words of oracle.py at hand."""
        return [ROOT / "scripts/ttnn", self.version, "-c", cluster, "--", "-c", with_words(text), *args]

    def start(self, text, cluster="n150", args=(), **options):
        """Runs @text without a tracer."""
        return Process(self.code(text, cluster, args), **options)

    def logged(self, kind):
        """The lines of a @kind that the programs of this test have logged. One may be on its way still."""
        lines = [json.loads(line) for line in self.log.read_text().split("\n")[:-1]]
        return [line for line in lines if line["kind"] == kind]


class Simulator(Runtime):
    """
    The runtime that python3 finds, on the simulator that $TT_METAL_SIMULATOR names. What else the two
    need is in the environment already.
    """

    def __init__(self, directory):
        if not os.environ.get("TT_METAL_SIMULATOR"):
            pytest.skip("no simulator: set TT_METAL_SIMULATOR, and what ttnn needs to run on it")
        if "TT_METAL_SLOW_DISPATCH_MODE" in os.environ:
            pytest.skip("kernel binaries and traces need fast dispatch: unset TT_METAL_SLOW_DISPATCH_MODE")
        self.directory = directory
        self.log = directory / "log"
        path = [str(PROGRAMS), os.environ.get("PYTHONPATH")]
        self.env = {name: os.environ.get(name, value) for name, value in QUIET.items()}
        self.env |= {"PYTHONPATH": ":".join(filter(None, path)), "TTTRACE_TEST_LOG": str(self.log)}

    def code(self, text, _cluster=None, args=()):
        """The same on the devices that the simulator has."""
        return ["env", "-C", self.directory, "python3", "-c", with_words(text), *args]
