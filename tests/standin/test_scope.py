# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Who is not asked for is not probed, counted or warned about: also when records of mappings were lost."""

import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

from support import tttrace
from support.processes import Process

MAPPER = Path(tttrace.__file__).parent / "mapper.py"
STORM = 8000  # mappings: more than there is room for while nobody reads


def mapper(count, *files):
    return [sys.executable, MAPPER, count, *files]


@pytest.fixture
def libraries(gen3, tmp_path):
    """Of the command, and two of somebody else: the runtime, and one that has only its names."""
    own, other, odd = (tmp_path / name for name in ("own.so", "other.so", "odd.so"))
    shutil.copy(gen3.library, own)
    shutil.copy(gen3.library, other)
    shutil.copy(gen3.library.parent.parent / "gen1/libtt_metal.so", odd)
    return own, other, odd


def trace(libraries, storming, way, *options):
    """Returns what tttrace has said, on stdout and stderr, of a command that maps its own library."""
    own, *others = libraries
    bystander = Process(mapper(STORM if storming == "bystander" else 0, *others))
    bystander.hear()
    words = mapper(STORM if storming == "asked" else 0, own)
    if way == "-p":
        target = Process(words)
        target.hear()
        tracer = Process([tttrace.BINARY, *options, "-v", "-p", target.pid])
        tracer.stderr.wait_for(lambda line: "Ctrl-C ends it" in line)
    else:
        tracer = target = Process([tttrace.BINARY, *options, "-v", "--", *words])
        tracer.stdout.wait_for(lambda line: line == "ready")
    tracer.signal(signal.SIGSTOP)
    os.waitid(os.P_PID, tracer.pid, os.WSTOPPED)
    for process in (bystander, target):
        process.tell()
        process.stdout.wait_for(lambda line: line == "mapped")
    tracer.signal(signal.SIGCONT)
    tracer.stderr.wait_for(lambda line: line.startswith("tttrace: attached to"))
    target.popen.stdin.close()
    target.popen.stdin = None
    assert tracer.wait() in (0, 4)
    return tracer.stdout.all(), tracer.stderr.all()


@pytest.mark.parametrize("way", ["--", "-p"])
@pytest.mark.parametrize("storming", ["bystander", "asked"])
def test_after_a_loss_of_mappings_only_who_was_asked_for_is_looked_at(libraries, storming, way):
    out, err = trace(libraries, storming, way, "-j")
    lines = "".join(f"{line}\n" for line in out.splitlines() if line.startswith("{"))
    coverage = tttrace.parse(lines)[-1]["coverage"]
    assert [library["path"] for library in coverage["libraries"]] == [str(libraries[0])]
    assert err.count("attached to '") == 1
    assert not [line for line in err.splitlines() if "other.so" in line or "odd.so" in line]


@pytest.mark.parametrize("storming", ["bystander", "asked"])
def test_the_report_counts_the_probes_of_its_library_only(libraries, storming):
    out, err = trace(libraries, storming, "--")
    assert " probes in 1 library," in out, out
    assert "other.so" not in err and "odd.so" not in err
