# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Too early and too much: what was missed or lost is said, and nothing is made up for it."""

import os
import signal

import pytest

from support import standin as support, tttrace
from support.standin import BUILDS, Standin

STORM = "open m 2\nthreads 4 {count} m\nclose m\n_exit {status}"


@pytest.fixture(params=BUILDS + ("gen3-perf",))
def way(request):
    """A build, and the options to attach to it: the way of older kernels is a slow one to detach."""
    perf = request.param.endswith("-perf")
    return Standin(request.param.removesuffix("-perf")), ["--perf-events"] if perf else []


def test_a_ring_that_is_too_small_loses_records_and_invents_nothing(way):
    standin, attach = way
    trace = standin.begin(STORM.format(count=3000, status=0), ["--ring-size", "4096", *attach],
                          incomplete=True)
    trace.tell()
    result = trace.finish()
    coverage = result.summary["coverage"]
    assert result.of("alloc") and coverage["lost"] > 0
    # if its end is not among what is lost, all of it may be repaired by then
    assert coverage["complete"] == (coverage["repaired"] == coverage["lost"])
    assert result.status == (0 if coverage["complete"] else 4)
    assert sum(event["records"] for event in result.of("lost", pid=None)) == coverage["lost"]
    assert set(result.classes()) <= {"matched", "lost"}
    assert not result.of("leak") and not result.summary["leaked"]["buffers"]
    assert result.hits["track_allocate"] == result.hits["deallocate_impl"] == 12000


QUIET = """
    wait open
    open m 1
    alloc a m DRAM 65536 2048
    alloc b m L1 4096 1024
    wait free
    free b
    alloc c m DRAM 4096 2048
    wait close
    close m
    _exit 0
"""
STORMING = """
    wait open
    open m 2
    alloc x m DRAM 65536 2048
    wait storm
    threads 4 1000 m
    free x
    alloc y m L1 5120 1024
    wait close
    close m
    _exit 0
"""


def steps(process, *words):
    for word in words:
        process.tell()
        support.hear(process, word)


@pytest.mark.parametrize("first", ["quiet", "storming"])
def test_what_one_process_loses_leaves_the_leaks_of_another_certain(gen3, first):
    """Whichever of them closes its device first."""
    quiet, storming = gen3.start(QUIET), gen3.start(STORMING)
    trace = gen3.attach(quiet, storming, options=["--ring-size", "8192"], incomplete=True)
    steps(quiet, "free", "close")
    steps(storming, "storm", "close")
    for process in (quiet, storming) if first == "quiet" else (storming, quiet):
        process.tell()
        assert process.wait() == 0
    result = trace.finish()
    assert result.summary["coverage"]["lost"] > 0
    lost = {process["pid"]: process["lost"] for process in result.summary["processes"]}
    assert lost == {quiet.pid: 0, storming.pid: result.summary["coverage"]["lost"]}
    assert {event["pid"] for event in result.of("lost") if "pid" in event} == {storming.pid}
    assert sum(event["records"] for event in result.of("lost", pid=storming.pid)) == lost[storming.pid]
    assert {leak["size"] for leak in result.of("leak", pid=storming.pid)} <= {5120}
    process = next(one for one in result.summary["processes"] if one["pid"] == quiet.pid)
    assert sum(device["leaked"]["buffers"] for device in process["devices"]) == 2
    assert not any(device["unknown"]["buffers"] for device in process["devices"])
    result.events = [event for event in result.events if event.get("pid") == quiet.pid]
    support.compare(result, support.expected(quiet))


def test_what_a_process_has_lost_is_known_even_if_its_end_is_among_it(gen3):
    storming = gen3.start(STORMING)
    trace = gen3.attach(storming, options=["--ring-size", "4096"], incomplete=True)
    steps(storming, "storm")
    trace.signal(signal.SIGSTOP)
    os.waitid(os.P_PID, trace.process.pid, os.WSTOPPED)
    steps(storming, "close")
    storming.tell()
    assert storming.wait() == 0
    trace.signal(signal.SIGCONT)
    result = trace.finish()
    coverage = result.summary["coverage"]
    assert coverage["lost_kinds"]["process_exit"] == 1
    assert [process["lost"] for process in result.summary["processes"]] == [coverage["lost"]]
    assert [process["state"] for process in result.summary["processes"]] == ["exited"]
    assert len(result.of("process_exit", pid=storming.pid)) == 1
    assert not result.of("leak") and set(result.classes()) <= {"matched", "lost"}


def test_a_process_for_which_there_is_no_room_is_told_of_and_the_others_are_exact(gen3):
    """Four processes and room for two: nothing is known of the others, and that is said."""
    script = "wait\nopen m 1\nalloc a m DRAM 65536 2048\nwait all\nclose m"
    drivers = [gen3.start(script) for _ in range(4)]
    trace = tttrace.start(["--max-processes", "2"], incomplete=True).attached()
    for driver in drivers:
        driver.tell()
        support.hear(driver, "all")
    for driver in drivers:
        driver.tell()
        assert driver.wait() == 0
    trace.signal(signal.SIGINT)
    result = trace.finish()
    assert result.status == 4
    coverage = result.summary["coverage"]
    assert coverage["process_map_full"] > 0 and not coverage["complete"]
    pids = {driver.pid for driver in drivers}  # another run of this suite may be seen as well
    seen = [process for process in result.summary["processes"] if process["pid"] in pids]
    assert len(result.summary["processes"]) > 1
    for process in seen:  # one may come in when another has ended, and then only its close is seen
        assert process["memory"].get("DRAM", {"peak": 73728})["peak"] == 73728


def test_the_status_of_a_command_that_failed_goes_before_a_loss(gen3):
    result = gen3.trace(STORM.format(count=3000, status=7), ["--ring-size", "4096"], status=7,
                        incomplete=True)
    assert result.summary["coverage"]["lost"] > 0


def test_a_storm_into_a_ring_of_the_usual_size_is_seen_in_full(way):
    standin, attach = way
    result = standin.trace(STORM.format(count=250, status=0), attach)
    assert result.classes() == {"matched": 1000}


# --- early ---------------------------------------------------------------------------------------

# The attach falls before, into or after what the program does, which takes some 20 ms.
EARLY = """
    pause {delay}
    open m 2 system=4096
    pause 0.004
    alloc a m DRAM 65536 2048
    alloc z m L1 0 1024
    alloc b m L1 4096 1024
    pause 0.004
    free a
    pause 0.004
    free z
    alloc c m DRAM 65536 2048
    pause 0.004
    close m
    pause 0.004
    free b
    exit 5
"""
PARTLY = {"matched", "zero_size", "pre_attach", "device_closed"}


def outcome(result, lines):
    """Seen in full, seen from some moment on and said so, or said that it was not seen."""
    coverage = result.summary["coverage"]
    assert result.status == 5
    assert not result.frees("unknown") and not result.summary["classes"]["unknown"]
    if not result.events:
        assert "ended before" in result.stderr or not result.summary["activity"], result.stderr
        return "missed"
    if not coverage["processes_before_attach"]:
        support.compare(result, lines)
        return "seen"
    assert set(result.classes()) <= PARTLY
    names = ("event", "buffer", "size", "address", "footprint")
    true = {tuple(line.get(name) for name in names) for line in lines}
    for event in result.of("alloc", kind="owning") + result.of("leak"):
        # what the runtime had allocated for itself while it opened the device cannot be told apart
        if event.get("class") == "pre_attach" or event.get("older"):
            event = {**event, "event": "alloc"}
        seen = tuple(event.get(name) for name in names)
        # an allocation that had asked for its memory when the probes came: its footprint is absent
        assert seen in true or event.get("footprint") is None and seen[:-1] in {t[:-1] for t in true}
    return "partly"


@pytest.mark.parametrize("before, act", [
    ("total m", "close m"), ("total m", "bulk m"), ("total m", "oom m"), ("total m", "free a"),
    ("total m", "alloc b m DRAM 4096 2048"), ("close m", "free a")])
def test_whatever_is_seen_first_of_a_device_that_was_open_before_the_attach_says_so(before, act):
    """The tracer is held until the device is open, so that the race above has a sure loser."""
    for build in ("gen1", "gen3"):
        standin = Standin(build)
        script = ["wait load", f"load {standin.library}", "open m 1", "alloc a m DRAM 65536 2048",
                  before, "wait act", act, "_exit 0"]
        # what was closed, and what may have leaked then, nobody knows
        trace = standin.run([standin.driver, *script], before_attach=True, incomplete=True)
        support.hear(trace.process, "load")
        trace.signal(signal.SIGSTOP)
        os.waitid(os.P_PID, trace.process.pid, os.WSTOPPED)
        trace.tell()
        support.hear(trace.process, "act")
        trace.signal(signal.SIGCONT)
        support.probed(trace)
        trace.tell()
        result = trace.finish()
        assert result.summary["coverage"]["processes_before_attach"] == 1
        assert set(result.classes()) <= {"pre_attach", "device_closed"}


def race(standin, runs, options=()):
    """One run after the other, each with a little more time for the attach, until it suffices."""
    seen = []
    while len(seen) < runs or "seen" not in seen:
        assert len(seen) < 100, f"never attached in time: {seen}"
        script = EARLY.format(delay=len(seen) * 0.25 / runs)
        trace = standin.run(standin.command(script), options, incomplete=True)
        seen.append(outcome(trace.finish(), support.expected(trace.process)))
    return seen


def test_a_program_that_is_quicker_than_the_attach_is_never_misjudged(standin):
    race(standin, 5)


def test_a_program_that_is_quicker_than_a_slow_attach_is_never_misjudged(gen3):
    race(gen3, 4, ["--perf-events"])


def test_a_program_that_is_quicker_than_the_attach_is_never_misjudged_in_twenty_runs(gen3):
    race(gen3, 20)
