# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The programs that are measured, and what each is measured under."""

import functools
import shutil

from contenders import SILENT, TOOLS, Library, Subject, bpftrace, counted, floor, nothing, traced
from rounds import compare, cost_of_hit, take_rounds
from support.pythons import pythons
from support.runtime import ROOT, set_up, settings_of
from support.tttrace import BINARY

VERSION = "0.81.1"
STANDIN = BINARY.parent / "standin/gen3/libtt_metal.so"

OTHER_PYTHON = 12  # of 3

REAL = {  # name: cluster, shape, what, minor version of Python (None: of the runtime that is set up)
    "create + free, 1 chip": ("n150", "1", "pairs", None),
    "create + free, 8 chips": ("t3k", "2x4", "pairs", None),
    "create + free, 32 chips": ("galaxy", "4x8", "pairs", None),
    "create + free below 15 layers, 1 chip": ("n150", "1", "deep", None),
    "create + free with Python 3.12, 1 chip": ("n150", "1", "pairs", OTHER_PYTHON),
    "create + free below 15 layers with Python 3.12, 1 chip": ("n150", "1", "deep", OTHER_PYTHON),
    "model loop, 1 chip": ("n150", "1", "model", None),
    "model loop, 8 chips": ("t3k", "2x4", "model", None),
    "model loop, 32 chips": ("galaxy", "4x8", "model", None),
}
UNTRACKED = {"TT_METAL_SHM_TRACKING_DISABLED": "1"}


@functools.lru_cache(maxsize=None)
def real_library(python=None):
    home, why_not = set_up(VERSION, python)
    assert home, why_not
    return Library(home / "ttnn/build/lib/libtt_metal.so")


def start(name, env=None):
    cluster, shape, what, python = REAL[name]
    return Subject([ROOT / "scripts/ttnn", VERSION, "-c", cluster, "--",
                    ROOT / "tests/bench/programs/loop.py", shape, what], real_library(python),
                   {**settings_of(python), **(env or {})})


def can_be_had(name):
    """Is there the Python that it wants?"""
    return REAL[name][-1] is None or REAL[name][-1] in pythons()


MODES = {"tttrace --no-stacks": ["--no-stacks"], "tttrace --lean": ["--lean"],
         "tttrace --all-probes --no-stacks": ["--all-probes", "--no-stacks"]}
STACKS = {"tttrace": [], "tttrace --lean --stacks": ["--lean", "--stacks"]}
WORDS = dict(zip(MODES, ("default", "lean", "all")))
FLOORS = {"empty programs, where tttrace is": "default", "empty programs, where --lean is": "lean"}


def others(library, pid):
    functions = ("Buffer::allocate_impl", "Buffer::deallocate_impl")
    offsets = [library.offset(name) for name in functions]
    known = {"what memleak does": functools.partial(floor, "memleak", library, offsets)}
    if shutil.which("bpftrace"):
        known["bpftrace that prints"] = functools.partial(bpftrace, library, pid)
    return known


def hits_of(subject, options):
    """Probes passed in one time round, by function."""
    with counted(subject.pid, *options) as summary:
        count = subject.run(0.1)["count"]
    return {name: hits / count for name, hits in summary["coverage"]["hits"].items()
            if hits / count > 0.01}


def measure_real(name, number, seconds):
    library = real_library(REAL[name][-1])
    subject, untracked = start(name), start(name, UNTRACKED)
    contenders = {"untraced": (nothing, subject), "untraced, once more": (nothing, subject)}
    for mode, options in {**MODES, **STACKS}.items():
        contenders[mode] = (functools.partial(traced, subject.pid, *options), subject)
    for other, mode in FLOORS.items():
        contenders[other] = (functools.partial(floor, "nothing", library, library.of_mode(mode)), subject)
    for other, contender in others(library, subject.pid).items():
        contenders[other] = (contender, subject)
    contenders["untraced, without the runtime's own tracking"] = (nothing, untracked)
    subject.run(1)
    untracked.run(1)
    taken = take_rounds(contenders, number, seconds)
    hits = {mode: hits_of(subject, options) for mode, options in MODES.items()}
    subject.end()
    untracked.end()
    return {"ratios": compare(taken), "hits": hits}


def measure_hit(function, number, seconds):
    """One hit on the stand-in: a function that does next to nothing is called, alone."""
    library = Library(STANDIN)
    subject = Subject([TOOLS / "hits", STANDIN, "call", library.symbol(function)], library)
    # no record is lost, or the cost of a loss would be measured
    roomy = [*SILENT, "--ring-size", "256M"]
    contenders = {"untraced": (nothing, subject),
                  "empty program": (functools.partial(floor, "nothing", library,
                                                      [library.offset(function)]), subject)}
    for mode, options in MODES.items():
        if library.offset(function) in library.of_mode(WORDS[mode]):
            contenders[mode] = (functools.partial(traced, subject.pid, *roomy, *options), subject)
    result = cost_of_hit(take_rounds(contenders, number, seconds))
    with counted(subject.pid, "--ring-size", "256M") as summary:
        subject.run(0.1)
        count = subject.run(seconds)["count"]
    result["lost"] = summary["coverage"]["lost"]
    subject.end()
    return result


HIT_FUNCTIONS = ("GraphTracker::track_allocate", "GraphTracker::track_deallocate")

# What an ordinary pair passes once, the most useful first.
PASSED = ("GraphTracker::track_allocate", "Allocator::deallocate_buffer", "FreeListOpt::allocate",
          "Buffer::deallocate_impl", "GraphTracker::track_deallocate", "Buffer::create",
          "Buffer::allocate_impl", "GraphTracker::hook_allocate", "GraphTracker::hook_deallocate",
          "Allocator::allocate_buffer")


def measure_probes(number, seconds):
    """A pair on one chip under a growing number of empty programs that it passes."""
    library, subject = real_library(), start("create + free, 1 chip")
    offsets = [library.offset(function) for function in PASSED]
    contenders = {"untraced": (nothing, subject)}
    for count in (1, 2, 3, 4, 6, 8, 10):
        contenders[str(count)] = (functools.partial(floor, "nothing", library, offsets[:count]), subject)
    subject.run(1)
    result = compare(take_rounds(contenders, number, seconds))
    subject.end()
    return result


def measure_instructions(number, seconds):
    """An empty program at a push, which the kernel emulates, and at the endbr64 before it."""
    library = Library(STANDIN.parent.parent / "gen3-cet/libtt_metal.so")
    function = HIT_FUNCTIONS[0]
    probe = next(line for line in library.lines if line["item"] == "probe" and line["function"] == function)
    assert probe["instruction"].startswith("push"), probe
    at_push = int(probe["file_offset"], 0)
    subject = Subject([TOOLS / "hits", library.path, "call", library.symbol(function)], library)
    contenders = {"untraced": (nothing, subject)}
    for name, offset in (("empty program", at_push), ("endbr64", at_push - probe["offset"])):
        contenders[name] = (functools.partial(floor, "nothing", library, [hex(offset)]), subject)
    result = cost_of_hit(take_rounds(contenders, number, seconds))
    subject.end()
    return {"push": result["empty program"], "endbr64": result["endbr64"]}
