# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""What processes do: load the runtime late, fork, become another program, stop, and end by a signal."""

import os
import shutil
import signal

import pytest

from support import kernel, standin as support, tttrace
from support.standin import Standin, hear, probed

WORK = """
    wait one
    open m 2 system=4096
    alloc a m DRAM 65536 2048
    alloc b m L1 4096 1024
    wait two
    free a
    total m
    wait three
    close m
    exit 3
"""


def act(process, *words):
    """The steps of WORK; each is done when the next one is waited for."""
    for word in words:
        process.tell()
        hear(process, word)


# --- the library ---------------------------------------------------------------------------------

@pytest.fixture(params=["gen1", "gen3"])
def library(request, tmp_path):
    """A copy of one build's library that nobody else maps."""
    made = Standin(request.param)
    made.library = shutil.copy(made.library, tmp_path / "libtt_metal.so")
    return made


def load_late(library, script):
    """The command of a driver without a runtime, which @script loads."""
    return [library.driver, *(line.strip() for line in script.strip().splitlines())]


def test_a_library_that_is_loaded_late_is_traced(library):
    trace = library.run(load_late(library, f"wait load\nload {library.library}\nwait\n" + WORK))
    hear(trace.process, "load")
    trace.tell()
    probed(trace)
    act(trace.process, "one", "two", "three")
    trace.tell()
    result = support.finish(trace, 3)
    assert result.classes() == {"matched": 1}
    assert len(result.of("leak")) == 1 + (library.generation == 1)


def test_a_library_that_is_loaded_late_under_another_name_is_traced(library, tmp_path):
    other = tmp_path / "_ttnncpp.so"
    os.rename(library.library, other)
    trace = library.run(load_late(library, f"load {other}\n" + WORK))
    probed(trace)
    act(trace.process, "two", "three")
    trace.tell()
    assert support.finish(trace, 3).classes() == {"matched": 1}


@pytest.mark.parametrize("change", ["rename", "remove", "replace"])
def test_a_library_that_changes_on_disk_while_it_is_traced_goes_on(library, change, tmp_path):
    trace = library.run(library.command(WORK))
    probed(trace)
    act(trace.process, "two")
    alter(library.library, change)
    act(trace.process, "three")
    trace.tell()
    assert support.finish(trace, 3).classes() == {"matched": 1}


def alter(path, change):
    if change == "rename":
        os.rename(path, f"{path}.old")
    elif change == "remove":
        os.remove(path)
    else:
        shutil.copy(path, f"{path}.new")
        os.replace(f"{path}.new", path)


@pytest.mark.parametrize("change", ["rename", "remove", "replace"])
def test_a_library_that_has_changed_on_disk_is_attached_to(library, change):
    driver = library.start(WORK)
    alter(library.library, change)
    trace = library.attach(driver)
    act(driver, "two", "three")
    driver.tell()
    assert driver.wait() == 3
    result = trace.finish()
    support.compare(result, support.expected(driver))
    assert result.classes() == {"matched": 1}


def test_a_program_that_renames_its_own_library_is_traced(library):
    result = library.trace(f"rename {library.library} {library.library}.old\nopen m 1\n"
                           "alloc a m DRAM 4096 2048\ntotal m\nfree a\nclose m")
    assert result.classes() == {"matched": 1}


# --- other programs, children --------------------------------------------------------------------

def test_a_process_that_becomes_another_program_begins_anew(standin):
    """The new program takes its script from stdin."""
    again = " ".join(map(str, standin.command("")))
    trace = standin.begin(f"open m 1\nalloc a m DRAM 4096 2048\nexec {again}")
    for line in ("begin", "open m 1", "alloc b m DRAM 8192 2048", "alloc c m DRAM 2048 2048", "free b",
                 "total m", "close m", "exit 4"):
        trace.tell(line)
    result = support.finish(trace, 4)
    assert len({event["pid"] for event in result.events}) == 1
    assert [leak["size"] for leak in result.of("leak")] == [4096, 2048]
    assert result.classes() == {"matched": 1}


def test_a_child_that_ends_by_a_signal_is_told_from_its_parent(standin):
    result = standin.trace("""
        open m 2
        alloc a m DRAM 65536 2048
        fork
        alloc b m DRAM 2048 2048
        kill 11
        end
        total m
        free a
        total m
        close m
    """)
    exits = result.of("process_exit")
    assert [event.get("signal") for event in exits] == [11, None]
    assert [buffer["pid"] for buffer in result.of("ended")] == [exits[0]["pid"]]
    assert not result.of("leak")


def test_the_name_of_a_process_is_that_of_its_first_thread_at_every_moment(standin):
    """The driver prints the name that it has with every line, and every line is compared."""
    result = standin.trace("""
        in one name thread
        in one open m 1
        alloc a m DRAM 4096 2048
        name first
        alloc b m DRAM 4096 2048
        in one name other
        in one free a
        fork
        alloc c m DRAM 4096 2048
        name child
        alloc d m DRAM 4096 2048
        end
        name a_name_that_is_too_long
        free b
        close m
    """)
    assert {event["comm"] for event in result.of("free")} == {"first", "a_name_that_is_"}
    assert {event["comm"] for event in result.of("alloc", kind="owning")} == {standin.driver.name[:15], "first", "child"}


def test_the_name_that_an_exec_gives_is_not_that_of_what_it_ends(gen3, tmp_path):
    again = shutil.copy(gen3.driver, tmp_path / "another")
    trace = gen3.begin(f"name first\nopen m 1\nalloc a m DRAM 4096 2048\n"
                       f"exec {again} -l {gen3.library}")
    for line in ("begin", "open m 1", "alloc b m DRAM 8192 2048", "_exit 0"):
        trace.tell(line)
    result = support.finish(trace)
    assert [event["comm"] for event in result.of("process_exit")] == ["first", "another"]
    assert [leak["comm"] for leak in result.of("leak")] == ["first", "another"]


def test_a_name_that_was_given_before_the_attach_is_the_one_that_is_shown(gen3):
    driver = gen3.start("name first\n" + WORK)
    trace = gen3.attach(driver)
    act(driver, "two", "three")
    driver.tell()
    assert driver.wait() == 3
    assert {event["comm"] for event in trace.finish().events} == {"first"}


# --- signals -------------------------------------------------------------------------------------

def test_a_program_that_is_killed_leaves_a_report(standin):
    result = standin.trace("""
        open m 2 system=4096
        alloc a m DRAM 65536 2048
        alloc b m L1 4096 1024
        free a
        kill 9
    """, status=128 + 9)
    assert result.classes() == {"matched": 1}
    assert result.of("process_exit")[0]["signal"] == 9
    assert result.of("ended")[-1]["type"] == "L1"
    # nothing says of what the first generation holds for itself that it does
    assert result.summary["ended"]["buffers"] == len(result.of("ended")) == 1 + (standin.generation == 1)
    assert not result.of("leak") and not result.summary["leaked"]["buffers"]


def test_a_tracer_that_is_killed_leaves_the_program_alone_and_no_probe(standin):
    before = kernel.ours()
    driver = standin.start(WORK)
    trace = standin.attach(driver)
    act(driver, "two")
    assert set(kernel.ours()) - set(before), "there was no probe"
    trace.signal(signal.SIGKILL)
    trace.process.wait()
    act(driver, "three")
    assert not kernel.leftovers(before, {trace.process.pid})
    driver.tell()
    assert driver.wait() == 3


def test_a_program_that_is_stopped_and_goes_on_is_traced(standin):
    driver = standin.start(WORK)
    trace = standin.attach(driver)
    act(driver, "two")
    driver.signal(signal.SIGSTOP)
    os.waitid(os.P_PID, driver.pid, os.WSTOPPED)
    driver.tell()
    driver.signal(signal.SIGCONT)
    hear(driver, "three")
    driver.tell()
    assert driver.wait() == 3
    result = trace.finish()
    support.compare(result, support.expected(driver))
    assert result.classes() == {"matched": 1}


def test_a_program_that_is_stopped_is_attached_to(gen3):
    driver = gen3.start(WORK)
    driver.signal(signal.SIGSTOP)
    os.waitid(os.P_PID, driver.pid, os.WSTOPPED)
    trace = gen3.attach(driver)
    driver.signal(signal.SIGCONT)
    act(driver, "two", "three")
    driver.tell()
    assert driver.wait() == 3
    result = trace.finish()
    support.compare(result, support.expected(driver))
    assert result.classes() == {"matched": 1}


def test_a_tracer_that_is_stopped_loses_nothing(gen3):
    trace = gen3.begin("open m 1\ntimes 200 alloc t% m DRAM 2048 2048\nwait done\nclose m")
    trace.signal(signal.SIGSTOP)
    os.waitid(os.P_PID, trace.process.pid, os.WSTOPPED)
    trace.tell()
    hear(trace.process, "done")
    trace.signal(signal.SIGCONT)
    trace.tell()
    result = support.finish(trace)
    assert len(result.of("leak")) == 200


# --- several -------------------------------------------------------------------------------------

def test_two_processes_with_the_same_script_are_kept_apart(standin):
    drivers = [standin.start(WORK) for _ in range(2)]
    trace = standin.attach(*drivers)
    for word in ("two", "three"):
        for driver in drivers:
            act(driver, word)
    for driver in drivers:
        driver.tell()
        assert driver.wait() == 3
    result = trace.finish()
    support.compare(result, [line for driver in drivers for line in support.expected(driver)])
    assert result.classes() == {"matched": 2}
    assert len(result.summary["processes"]) == 2


def test_a_process_that_was_not_asked_for_is_not_shown(standin):
    wanted, other = standin.start(WORK), standin.start(WORK)
    trace = standin.attach(wanted)
    for word in ("two", "three"):
        act(other, word)
        act(wanted, word)
    for driver in (other, wanted):
        driver.tell()
        assert driver.wait() == 3
    result = trace.finish()
    support.compare(result, support.expected(wanted))
    assert {event["pid"] for event in result.events} == {wanted.pid}
    assert [process["pid"] for process in result.summary["processes"]] == [wanted.pid]


def test_all_builds_at_once_are_traced_by_one_trace():
    drivers = [Standin(build).start(WORK) for build in support.BUILDS]
    trace = tttrace.start(["-v"], before_attach=True, lacking=1).attached()
    for word in ("two", "three"):
        for driver in drivers:
            act(driver, word)
    for driver in drivers:
        driver.tell()
        assert driver.wait() == 3
    trace.signal(signal.SIGINT)
    result = trace.finish()
    pids = {driver.pid for driver in drivers}
    result.events = [event for event in result.events if event.get("pid") in pids]
    support.compare(result, [line for driver in drivers for line in support.expected(driver)])
    assert result.classes() == {"matched": len(support.BUILDS)}
