# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""What is left of our probes in the kernel: nothing, when tttrace has ended."""

import json
import os
import re
import subprocess
import time
from pathlib import Path

PROGRAMS = {"on_probe", "on_sched_fork", "on_sched_exec", "on_sched_exit", "on_task_rename"}
IDS = re.compile(r"^(prog|link)_id:\t(\d+)$", re.MULTILINE)


def bpftool(*args):
    """What bpftool lists. It fails when something goes away while it looks: then it looks again."""
    for _ in range(10):
        output = subprocess.run(["bpftool", "-j", *args], capture_output=True, timeout=30)
        if output.returncode == 0:
            return json.loads(output.stdout or b"[]")
    raise RuntimeError(f"bpftool {' '.join(args)} fails: {output.stdout} {output.stderr}")


def held_by(pid):
    """What BPF programs and links a process has descriptors of: ("prog" or "link", id)."""
    held = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        if "bpf" in os.readlink(descriptor):
            info = Path(f"/proc/{pid}/fdinfo/{descriptor.name}").read_text()
            held |= {(what, int(number)) for what, number in IDS.findall(info)}
    return held


def holders():
    """{("prog" or "link", id): PIDs}, over all processes."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            for thing in held_by(pid):
                found.setdefault(thing, set()).add(int(pid))
        except OSError:
            pass  # it has ended meanwhile
    return found


def ours():
    """The BPF programs of any tttrace and the links to them, each with the PIDs that hold it."""
    programs = {prog["id"] for prog in bpftool("prog", "show") if prog.get("name") in PROGRAMS}
    links = {link["id"] for link in bpftool("link", "show") if link.get("prog_id") in programs}
    things = {("prog", number) for number in programs} | {("link", number) for number in links}
    found = holders() if things else {}
    return {thing: found.get(thing, set()) for thing in things}


def leftovers(before, pids, patience=5):
    """
    What was not there @before and is still held by one of @pids, or by nobody. Another tttrace may
    run on this machine: what it holds is not ours. The kernel takes a moment to let go.
    """
    deadline = time.monotonic() + patience
    while True:
        left = {thing: held for thing, held in ours().items()
                if thing not in before and (not held or held & pids)}
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.05)
