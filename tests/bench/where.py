# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Where the time of a hit goes, as `perf` samples it, and the instructions of an event, as callgrind counts them."""

import functools
import json
import re
import shutil
import subprocess
import tempfile

from contenders import SILENT, TOOLS, Library, Subject, floor, traced
from workloads import HIT_FUNCTIONS, STANDIN

# The first that fits. Names of kernel 6.18.
GROUPS = (
    ("reading the program's memory", "probe_read|copy_from_user_nofault|check_object|check_stack_object|"
     "nmi_uaccess|is_vmalloc_addr|virt_addr_valid|check_heap_object"),
    ("the program of BPF itself", "^bpf_prog_"),
    ("maps, ring, sequence numbers", "htab|nulls_elem|array_map|ringbuf|map_lookup|jhash|bpf_map"),
    ("clock, task, cookie", "tsc|ktime|get_boot|pid_tgid|current_task|attach_cookie|clocksource|smp_processor"),
    ("the trap: into the kernel, the probe is found, the push emulated, and back", None),
)


def group_of(symbol):
    return next(name for name, pattern in GROUPS if pattern is None or re.search(pattern, symbol))


def sample(subject, seconds):
    """Shares of the processor time, by group; what is no kernel code is the program's own."""
    with tempfile.NamedTemporaryFile(prefix="tttrace-bench-") as file:
        perf = subprocess.Popen(["perf", "record", "-q", "-e", "cpu-clock", "-F", "10000", "-p",
                                 str(subject.pid), "-o", file.name, "--", "sleep", str(seconds)],
                                stderr=subprocess.DEVNULL)
        figures = subject.run(seconds + 0.2)
        perf.wait()
        text = subprocess.run(["perf", "report", "-i", file.name, "--stdio", "--no-children", "-s", "sym",
                               "-g", "none"], capture_output=True, text=True, check=True).stdout
    shares = {}
    for share, where, symbol in re.findall(r"^\s*([\d.]+)%\s+\[(.)\]\s+(\S+)", text, re.M):
        name = group_of(symbol) if where == "k" else "the function that is called"
        shares[name] = shares.get(name, 0) + float(share) / 100
    whole = sum(shares.values())
    return {name: share / whole * figures["typical"] * 1e9 for name, share in shares.items()}


def measure_where(seconds):
    """{contender: {group: nanoseconds of one hit}}, or None."""
    if not shutil.which("perf"):
        return None
    library, function = Library(STANDIN), HIT_FUNCTIONS[0]
    subject = Subject([TOOLS / "hits", STANDIN, "call", library.symbol(function)], library)
    roomy = [*SILENT, "--ring-size", "256M"]
    contenders = {
        "empty program": functools.partial(floor, "nothing", library, [library.offset(function)]),
        "tttrace --no-stacks": functools.partial(traced, subject.pid, *roomy, "--no-stacks"),
        "tttrace --lean": functools.partial(traced, subject.pid, *roomy, "--lean"),
    }
    result = {}
    for name, contender in contenders.items():
        with contender():
            subject.run(0.1)
            result[name] = sample(subject, seconds)
    subject.end()
    return result


# The first that fits: of "file:function [object]".
PARTS = (
    ("the index of buffers by their pointer", "libJudy|buffer_index"),
    ("whether something was lost", "core/loss"),
    ("the record checked, and the Buffer taken out of it", "core/record|core/libraries"),
    ("which process, which thread", "core/process|core/thread|process\\.h"),
    ("an allocation entered", "core/births|core/footprint"),
    ("a free decided, the row ended", "core/frees|core/release|core/classify|core/endings|core/undecided"),
    ("sums of devices, types and allocators", "core/usage|core/device|core/allocator|core/bank_map|core/buffers"),
    ("the way from record to taker, and the event out", "core/ledger"),
    ("the rest", ""),
)


def measure_user(pairs=8192):
    """{part: instructions of the user side for one event}, or None where there is no callgrind."""
    if not shutil.which("callgrind_annotate"):
        return None
    with tempfile.NamedTemporaryFile(prefix="tttrace-bench-") as file:
        done = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={file.name}",
                               "--toggle-collect=play", TOOLS / "ledger", "rate", "1000", str(pairs)],
                              capture_output=True, text=True, check=True)
        text = subprocess.run(["callgrind_annotate", "--threshold=100", "--auto=no", file.name],
                              capture_output=True, text=True, check=True).stdout
    events = json.loads(done.stdout)["events"]
    parts = {}
    for count, where in re.findall(r"^\s*([\d,]+) \(\s*[\d.]+%\)\s+(\S.*)$", text, re.M):
        if where != "PROGRAM TOTALS":
            name = next(part for part, pattern in PARTS if re.search(pattern, where))
            parts[name] = parts.get(name, 0) + int(count.replace(",", "")) / events
    return parts
