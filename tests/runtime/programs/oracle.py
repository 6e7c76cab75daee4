# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
For the traced programs: short words for what they do with ttnn, and the oracle.

The oracle is the allocator's own view of itself. checkpoint() writes it down with the time, as one
JSON line in the file $TTTRACE_TEST_LOG; the test replays the events of tttrace up to that time and
compares. The test talks to a program through its standard input and output: see ask().
"""

import ctypes
import json
import os
import sys
import time

import ttnn

PROGRAMS = os.path.dirname(os.path.abspath(__file__))
TYPES = ("DRAM", "L1", "L1_SMALL", "TRACE")


def log(kind, **fields):
    """Appends a line to the log: what happened, and when."""
    line = {"kind": kind, "ts_ns": time.clock_gettime_ns(time.CLOCK_BOOTTIME), "pid": os.getpid()}
    file = os.open(os.environ["TTTRACE_TEST_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(file, json.dumps({**line, **fields}).encode() + b"\n")
    os.close(file)


def say(word):
    """Tells the test @word: at once, as the runtime and other processes write there, too."""
    os.write(1, word.encode() + b"\n")


def ask(word="ready"):
    """Tells the test @word and returns its answer; ends the program when the test has gone."""
    say(word)
    answer = sys.stdin.readline()
    if not answer:
        os._exit(111)
    return answer.rstrip("\n")


def occupied(device, name):
    view = ttnn.get_memory_view(device, getattr(ttnn.BufferType, name))
    return view.total_bytes_allocated_per_bank * view.num_banks


def blocks(device):
    """What is taken in the free lists of @device: (type, address from the begin of the bank, bytes of it)."""
    return {(name, int(block["address"]), int(block["size"])) for name in TYPES
            for block in ttnn.get_memory_view(device, getattr(ttnn.BufferType, name)).block_table
            if block["allocated"] == "yes"}


def banks(device):
    """How many there are of each type."""
    return {name: ttnn.get_memory_view(device, getattr(ttnn.BufferType, name)).num_banks for name in TYPES}


def bytes_of(some_blocks, number):
    """What @some_blocks occupy on a chip, with so many banks of each type as @number says."""
    return {name: sum(size for kind, _, size in some_blocks if kind == name) * number[name] for name in TYPES}


def type_name(buffer_type):
    return str(buffer_type).split(".")[-1]


def look_at(device, buffers):
    """The allocator of @device as it sees itself. @buffers: with its list of buffers."""
    seen = {
        "mesh": device.id(),
        "devices": sorted(device.get_device_ids()),
        "bytes": {name: occupied(device, name) for name in TYPES},
    }
    if buffers:
        rows = ttnn._ttnn.reports.get_buffers([device])
        seen["buffers"] = sorted([type_name(row.buffer_type), row.address] for row in rows)
    return seen


def checkpoint(*devices, buffers=True):
    """
    Writes down what the allocators say. Their list of buffers dangles after a free that a graph
    capture suppressed: @buffers is False then.
    """
    log("checkpoint", meshes=[look_at(device, buffers) for device in devices])


# --- short words ---------------------------------------------------------------------------------

def tensor(device, shape=(32, 32), dtype="bfloat16", layout="TILE", where="DRAM"):
    config = where if isinstance(where, ttnn.MemoryConfig) else getattr(ttnn, where + "_MEMORY_CONFIG")
    return ttnn.empty(shape, dtype=getattr(ttnn, dtype), layout=getattr(ttnn, layout + "_LAYOUT"),
                      device=device, memory_config=config)


def tensors(number, device, *args, **options):
    return [tensor(device, *args, **options) for _ in range(number)]


def keep(objects):
    """Nobody will ever destroy them: as if a reference to each had been forgotten."""
    for one in objects:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(one))


def zero_size(device):
    return tensor(device, (0, 32), layout="ROW_MAJOR")


class Capture:
    """A graph capture that stands in for the allocator on this thread."""

    def __enter__(self):
        ttnn._ttnn.graph.begin_graph_capture(ttnn._ttnn.graph.RunMode.NO_DISPATCH)

    def __exit__(self, *_):
        ttnn._ttnn.graph.end_graph_capture()


def open_shape(shape, **options):
    """Opens "1" (a device) or "2x4" (a mesh)."""
    if "x" not in shape:
        return ttnn.open_device(device_id=0, **options)
    rows, columns = shape.split("x")
    return ttnn.open_mesh_device(ttnn.MeshShape(int(rows), int(columns)), **options)


def close(device):
    ttnn.close_mesh_device(device)


def out_of_memory(device, size=65536, where="DRAM"):
    """Asks for more than there is; returns the words of the error, or fails if there was room."""
    try:
        tensor(device, (size, size), where=where)
    except RuntimeError as error:
        return str(error)
    raise AssertionError("there was room")
