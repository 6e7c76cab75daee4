# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""There is room for 256 libraries: nobody can take it away from others, and what is refused is in the result."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support import tttrace
from support.processes import Process

NOBODY = 65534
PLACES = 256
FOOTPRINT = 73728  # of 65536 bytes of DRAM
MAPPER = Path(__file__).parent.parent / "support/mapper.py"
FUNCTIONS = """
int sink;
__attribute__((noinline)) void alloc(void *t, const void *b)
    __asm__("_ZN2tt8tt_metal12GraphTracker14track_allocateEPKNS0_6BufferE");
void alloc(void *t, const void *b) { __asm__ volatile("push %rbp; pop %rbp"); sink = (long)b; }
"""
TOUCHING = """
import ctypes, mmap, os, sys, time
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
sys.stdin.readline()
for number in range(int(sys.argv[1])):
    name = sys.argv[2 + number % (len(sys.argv) - 2)]
    file = os.open(name, os.O_RDONLY)
    os.utime(file, (number, number))
    at = libc.mmap(None, 4096, mmap.PROT_READ | mmap.PROT_EXEC, mmap.MAP_PRIVATE, file, 0)
    time.sleep(0.005)
    libc.munmap(at, 4096)
    os.close(file)
print("mapped", flush=True)
sys.stdin.readline()
"""


def make_libraries(directory, count, owner):
    """Small ones with the runtime's name, each a file of its own."""
    source = directory / "few.c"
    source.write_text(FUNCTIONS)
    first = directory / "0.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-nostdlib", source, "-o", first], check=True, timeout=60)
    files = [first, *(directory / f"{number}.so" for number in range(1, count))]
    for file in files[1:]:
        shutil.copy(first, file)
    for file in files:
        os.chown(file, owner, -1)
    return files


def trace_beside(gen3, tmp_path, command, *options):
    """Traces all while @command maps what it wants, and then another program runs: its PID, status, and what was said."""
    output, library = tmp_path / "out", tmp_path / "victim.so"
    shutil.copy(gen3.library, library)
    hostile = Process(command)
    trace = Process([tttrace.BINARY, "-v", *options, "--output", output])
    trace.stderr.wait_for(lambda line: "Ctrl-C ends it" in line)
    hostile.tell()
    hostile.stdout.wait_for(lambda line: line == "mapped")
    victim = Process([gen3.driver, "-l", library, "wait", "open m 1", "alloc a m DRAM 65536 2048", "close m"])
    trace.stderr.wait_for(lambda line: line.startswith(f"tttrace: attached to '{library}'"))
    victim.tell()
    assert victim.wait() == 0
    trace.signal(2)
    status = trace.wait()
    hostile.tell()
    return victim.pid, status, output.read_text()


def untraced_of(summary, files):
    """A trace of all sees what else runs on this machine."""
    names = set(map(str, files))
    return [one for one in summary["coverage"].get("untraced", []) if one["path"] in names]


def traced_of(summary, files):
    return {library["path"] for library in summary["coverage"]["libraries"]} & set(map(str, files))


def leaked_of(summary, pid):
    process = next(one for one in summary["processes"] if one["pid"] == pid)
    return sum(device["leaked"]["bytes"] for device in process["devices"])


@pytest.mark.parametrize("count", [1, 2], ids=["one_file", "two_files"])
def test_a_file_that_is_touched_again_and_again_has_one_place(gen3, tmp_path, count):
    files = make_libraries(tmp_path, count, 0)
    pid, _, out = trace_beside(gen3, tmp_path, [sys.executable, "-c", TOUCHING, 2 * PLACES, *files], "-j")
    summary = tttrace.parse(out)[-1]
    assert not untraced_of(summary, [*files, tmp_path / "victim.so"])
    assert leaked_of(summary, pid) == FOOTPRINT
    named = [library["path"] for library in summary["coverage"]["libraries"]]
    assert [named.count(str(file)) for file in files] == [1] * count


def test_what_nobody_maps_any_more_makes_room(gen3, tmp_path):
    files = make_libraries(tmp_path, PLACES + 40, 0)
    pid, _, out = trace_beside(gen3, tmp_path, [sys.executable, "-c", TOUCHING, len(files), *files], "-j")
    summary = tttrace.parse(out)[-1]
    assert leaked_of(summary, pid) == FOOTPRINT
    assert not untraced_of(summary, [tmp_path / "victim.so"])
    assert len(traced_of(summary, files)) > PLACES


def test_one_user_does_not_get_them_all(gen3, tmp_path):
    files = make_libraries(tmp_path, PLACES + 10, NOBODY)
    pid, status, out = trace_beside(gen3, tmp_path, [sys.executable, MAPPER, 0, *files], "-j")
    summary = tttrace.parse(out)[-1]
    coverage = summary["coverage"]
    assert leaked_of(summary, pid) == FOOTPRINT
    assert len(traced_of(summary, files)) == PLACES // 2
    assert coverage["untraced_times"] >= len(files) - PLACES // 2 and not coverage["complete"] and status == 4
    assert all("too many libraries" in one["why"] for one in untraced_of(summary, files))


def test_the_report_says_what_was_refused(gen3, tmp_path):
    files = make_libraries(tmp_path, PLACES // 2 + 10, NOBODY)
    _, status, out = trace_beside(gen3, tmp_path, [sys.executable, MAPPER, 0, *files])
    assert status == 4 and "too many libraries are traced already: 256 at most" in out
