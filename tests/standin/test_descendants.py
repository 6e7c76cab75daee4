# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""-p PID means the process and what descends from it, those that are at work already, too."""

import os
import subprocess

import pytest

from support import tttrace
from support.processes import Process
from support.standin import Standin

FOOTPRINT = 73728  # of 65536 bytes of DRAM
WORK = ["open m 1", "alloc a m DRAM 65536 2048", "wait at work", "alloc b m DRAM 65536 2048", "free a", "close m"]


def servers(depth, workers, tmp_path):
    """A master that uses no runtime itself; its workers are children of children, @depth of them deep."""
    gen3 = Standin("gen3")
    pipe = tmp_path / "go"
    os.mkfifo(pipe)
    words = " ".join(f"'{word}'" for word in WORK)
    line = f"'{gen3.driver}' -l '{gen3.library}' {words} <'{pipe}'"
    for _ in range(depth):
        line = "sh -c " + subprocess.list2cmdline([line + "; :"]).replace("$", "\\$")
    master = Process(["sh", "-c", f"{' & '.join([line] * workers)} & wait"])
    writer = os.open(pipe, os.O_RDWR)
    for _ in range(workers):
        master.heard = master.stdout.wait_for(lambda said: '"sync"' in said, master.heard) + 1
    return master, writer


@pytest.mark.parametrize("depth", [0, 1])
@pytest.mark.parametrize("workers", [1, 3])
def test_workers_that_are_at_work_are_traced(tmp_path, depth, workers):
    master, writer = servers(depth, workers, tmp_path)
    trace = tttrace.start(["-v", "-p", str(master.pid)], before_attach=True).attached()
    os.write(writer, b"go\n" * workers)
    assert master.wait() == 0
    os.close(writer)
    result = trace.finish()
    assert result.status == 0 and result.summary["coverage"]["complete"], result.stderr
    assert result.summary["leaked"] == {"buffers": workers, "bytes": workers * FOOTPRINT, "size": workers * 65536}
    assert result.classes() == {"matched": workers}
    assert len({alloc["pid"] for alloc in result.of("alloc", **{"class": "pre_attach"})}) == workers
    assert "uses no Tenstorrent runtime" not in result.stderr
