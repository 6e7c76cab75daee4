# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
For gdb, which runs it inside itself: writes the stack of each allocation to the file $STACKS, a line
of JSON each, as [file, address in the file, function] of each frame but the innermost, which stands
behind its prologue.
"""

import json
import os

import gdb


def mappings():
    """(start, end, file) of what the program maps, and where the file begins in memory."""
    begins, found = {}, []
    with open(f"/proc/{gdb.selected_inferior().pid}/maps") as maps:
        for line in maps:
            fields = line.split(None, 5)
            if len(fields) < 6 or not fields[5].startswith("/"):
                continue
            start, end = (int(number, 16) for number in fields[0].split("-"))
            name = fields[5].strip()
            begins.setdefault(name, start - int(fields[2], 16))
            found.append((start, end, name))
    return begins, found


def place(pc, begins, found):
    for start, end, name in found:
        if start <= pc < end:
            return [os.path.basename(name), pc - begins[name]]
    return ["?", pc]


class Allocation(gdb.Breakpoint):
    def stop(self):
        begins, found = mappings()
        frame, stack = gdb.newest_frame().older(), []
        while frame:
            if frame.type() not in (gdb.INLINE_FRAME, gdb.TAILCALL_FRAME):  # only in debug information
                stack.append([*place(frame.pc(), begins, found), frame.name()])
            frame = frame.older()
        with open(os.environ["STACKS"], "a") as out:
            out.write(json.dumps(stack) + "\n")
        return False


for setting in ("pagination off", "confirm off", "breakpoint pending on", "follow-fork-mode parent",
                "detach-on-fork on", "backtrace past-main on", "backtrace past-entry on",
                "backtrace limit unlimited", "debuginfod enabled off", "print thread-events off"):
    gdb.execute(f"set {setting}")
Allocation("tt::tt_metal::GraphTracker::track_allocate")
gdb.execute("run")
