# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
Every mode on the kernel that runs: the stand-in's programs are seen as they are, whoever preempts
whom. scripts/check-kernels runs this on other kernels, under emulation.
"""

import pytest

from test_exceptions import ALLOC, EVERY, FREE
from support import chance, standin as support, tttrace
from support.processes import Process
from support.standin import Crowd, Standin

MODES = {
    "default": [],
    "no-stacks": ["--no-stacks"],
    "lean": ["--lean"],
    "lean-stacks": ["--lean", "--stacks"],
    "all-probes": ["--all-probes"],
    "perf-events": ["--perf-events"],
    "lean-perf-events": ["--lean", "--perf-events"],
}
THREADS = 8
# what --lean sees of a random program needs no other probe
LEAN_STEPS = ("step_alloc", "step_free", "step_dealloc", "step_total", "step_open", "step_close", "step_fork")


FIRST_MODES = ("default", "lean", "perf-events")  # the others differ less


@pytest.fixture(params=MODES)
def mode(request):
    """The options of a mode."""
    return MODES[request.param]


@pytest.fixture(params=[name if name in FIRST_MODES else pytest.param(name, marks=pytest.mark.slow)
                        for name in MODES])
def some_mode(request):
    """The same, of fewer modes where it has to be quick."""
    return MODES[request.param]


def is_lean(mode):
    return "--lean" in mode


@pytest.fixture
def pairs(request):
    """How many allocations and frees of each thread."""
    return 40 if request.config.getoption("quick") else 250


@pytest.fixture
def hogs():
    """What wants the processors as well, so that threads are preempted wherever they are."""
    for _ in range(3):
        Process(["sh", "-c", "while :; do :; done"])


def test_the_kernel_takes_the_mode(mode):
    """All of its parts. scripts/check-kernels tells a kernel that does not from one that is wrong."""
    status, out, err = tttrace.plain("-j", *mode, "--", "true")
    assert status == 0, err
    assert "missing" not in tttrace.parse(out + "\n")[-1]["coverage"], err


def test_a_random_program_is_seen_as_it_is(mode, gen3):
    script, status = chance.script(13, gen3.generation)
    if is_lean(mode):
        script, status = f"{chance.Script(13, gen3.generation, only=LEAN_STEPS)}\n_exit 3", 3
    gen3.trace(script, mode, status=status)


def test_threads_that_preempt_each_other_are_seen_in_full(mode, gen3, hogs, pairs):
    script = f"open m 2\nthreads {THREADS} {pairs} m\ntotal m\nclose m\n_exit 3"
    options = [*mode, "--ring-size", "64M"]
    if not is_lean(mode):
        result = gen3.trace(script, options, status=3)
    else:  # a table that another thread is changing is not read: a footprint is then absent
        trace = gen3.begin(script, options, incomplete=True)
        trace.tell()
        result = trace.finish()
        assert result.status == 3
    coverage = result.summary["coverage"]
    assert result.classes() == {"matched": THREADS * pairs}
    assert coverage["complete"] and not coverage["lost"] and not result.of("leak")
    assert not coverage["processes_before_attach"]
    if coverage.get("stacks"):
        assert coverage["stacks"]["complete"] and not coverage["stacks"]["missing"], coverage["stacks"]


@pytest.mark.parametrize("attach", [[], ["--perf-events"]], ids=["multi", "perf"])
def test_an_exception_through_every_probed_frame_leaves_the_program_alone(attach, gen3):
    result = gen3.trace(EVERY + "\nexit 23", ["--all-probes", *attach], status=23)
    assert len(result.of("alloc_failed")) == 4
    assert all(result.hits[name] for name in ALLOC + FREE)


def test_many_lives_of_all_generations_are_kept_apart(tmp_path):
    """They fork, throw, run out of memory, are killed."""
    crowd = Crowd(tmp_path, width=3)
    for seed, build in enumerate(("gen1", "gen2", "gen3", "linked") * 3):
        crowd.add(build, *chance.script(seed, Standin(build).generation, steps=20))
    result = crowd.trace()
    assert len(result.summary["processes"]) >= 12


def test_a_process_that_calls_exec_is_another_one(some_mode, gen3):
    trace = gen3.begin("open m 1\nalloc a m DRAM 65536 2048\nexec " + " ".join(map(str, gen3.command(""))), some_mode)
    trace.tell()
    for line in ("open m 2", "alloc b m L1 4096 1024", "close m", "_exit 5"):
        trace.tell(line)
    result = support.finish(trace, 5, options=some_mode)
    assert [process["state"] for process in result.summary["processes"]] == ["exec", "exited"]
    assert [leak["size"] for leak in result.of("leak")] == [65536, 4096]


def test_what_was_there_before_the_attach_is_found(some_mode, gen3):
    target = gen3.start("""
        open m 2
        alloc a m DRAM 65536 2048
        wait traced
        alloc b m L1 4096 1024
        free a
        total m
        close m
    """)
    trace = gen3.attach(target, options=some_mode)
    target.tell()
    result = trace.finish()
    assert result.classes() == {"matched": 1}
    assert len(result.of("alloc", **{"class": "pre_attach"})) == 1
    assert [leak["size"] for leak in result.of("leak")] == [4096]


@pytest.mark.parametrize("attach", [[], ["--lean"], ["--perf-events"]], ids=["default", "lean", "perf"])
def test_what_is_lost_is_said_and_nothing_is_made_up_for_it(attach, gen3, hogs, pairs):
    trace = gen3.begin(f"open m 2\nthreads 4 {pairs * 4} m\nclose m\n_exit 0",
                       ["--ring-size", "4096", *attach], incomplete=True)
    trace.tell()
    result = trace.finish()
    coverage = result.summary["coverage"]
    assert coverage["lost"] > 0
    assert coverage["complete"] == (coverage["repaired"] == coverage["lost"])
    assert result.status == (0 if coverage["complete"] else 4)
    assert set(result.classes()) <= {"matched", "lost"} and not result.of("leak")
