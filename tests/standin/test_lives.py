# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
Lives and deaths, by chance: processes that are many, short, killed, stopped, forked, replaced, that
have the PID of another, or that end while they are attached to; and the same of the tracer.
"""

import os
import random
import signal
import time

import pytest

from support import chance, kernel, standin as support, tttrace
from support.standin import BUILDS, Crowd, Standin

PLAIN = ("step_alloc", "step_free", "step_dealloc", "step_oom", "step_threads")


def some_pid(dice):
    """One that is far from those that the kernel gives out next."""
    with open("/proc/sys/kernel/pid_max", encoding="ascii") as file:
        most = int(file.read())
    while True:
        pid = dice.randrange(most // 2, most)
        if not os.path.exists(f"/proc/{pid}"):
            return pid


def doze(dice, most=0.02):
    """Lets chance decide at what the other one is disturbed; nothing is expected of the time."""
    time.sleep(dice.random() * most)


# --- many ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("build", ["gen1", "gen3"])
def test_hundreds_of_short_lives_are_kept_apart(build, seed, tmp_path):
    dice = random.Random(seed)
    crowd = Crowd(tmp_path, width=8)
    for _ in range(200):
        crowd.add(build, *chance.script(dice.random(), Standin(build).generation, steps=8))
    result = crowd.trace()
    assert len(result.summary["processes"]) >= 200


def test_all_builds_of_the_runtime_live_side_by_side(seed, tmp_path):
    dice = random.Random(seed)
    crowd = Crowd(tmp_path, width=len(BUILDS))
    for build in dice.sample(BUILDS * 3, 3 * len(BUILDS)):
        crowd.add(build, *chance.script(dice.random(), Standin(build).generation, steps=30))
    result = crowd.trace()
    assert len(result.summary["coverage"]["libraries"]) == len(BUILDS)


def test_a_pid_that_is_used_again_is_another_process(seed, tmp_path):
    dice = random.Random(seed)
    crowd = Crowd(tmp_path)
    pid = some_pid(dice)
    for _ in range(20):
        build = dice.choice(("gen1", "gen3"))
        crowd.add(build, *chance.script(dice.random(), Standin(build).generation, steps=10), pid)
    result = crowd.trace()
    lives = [process for process in result.summary["processes"] if process["pid"] == pid]
    assert len(lives) == len({life["start_ns"] for life in lives}) == 20


def test_one_process_is_many_programs_one_after_the_other(gen3, seed):
    """Each takes its script from stdin, up to the line by which it is replaced."""
    dice = random.Random(seed)
    again = "exec " + " ".join(map(str, gen3.command("")))
    trace = gen3.begin(again)
    trace.tell()
    status = 0
    for turn in range(10):
        script, status = chance.script(dice.random(), gen3.generation, steps=15, ends=("exit",))
        lines = script.splitlines()
        for line in lines if turn == 9 else lines[:-1] + [again]:
            trace.tell(line)
    result = support.finish(trace, status)
    assert len({event["pid"] for event in result.of("alloc", kind="owning")}) >= 1
    assert [process["state"] for process in result.summary["processes"]].count("exec") >= 9


# --- death ---------------------------------------------------------------------------------------

def hard_to_stop(gen3, seed):
    """A long script of simple steps, each of which says what it did. It does not end by itself."""
    made = chance.Script(seed, gen3.generation, steps=1500, only=PLAIN)
    return "\n".join([*made.lines[:-1], "wait for its end"])


def driver_of(trace):
    return support.json.loads(trace.process.stdout.lines[0])["pid"]


def unseen(result, lines):
    """How many of these were not seen, and how much was seen that is not there."""
    rest = list(result.events)
    missing = 0
    for line in (line for line in lines if line["event"] in ("alloc", "free", "alloc_failed")):
        found = next((event for event in rest if support.agrees(line, event, set())), None)
        missing += not found
        if found:
            rest.remove(found)
    return missing, [event for event in rest if event["event"] in ("alloc", "free")]


def test_a_program_that_is_killed_anywhere_ends_with_what_it_held(gen3, seed):
    dice = random.Random(seed)
    trace = gen3.begin(hard_to_stop(gen3, seed))
    trace.tell()
    doze(dice, 0.05)
    pid = driver_of(trace)
    os.kill(pid, signal.SIGKILL)
    result = trace.finish()
    missing, extra = unseen(result, [support.json.loads(line) for line in
                                     trace.process.stdout.all().splitlines() if line.endswith("}")])
    assert result.status == 128 + 9
    # each of four threads may have been on its way from the runtime to its words, or back
    assert missing <= 4 and len([event for event in extra if event["kind"] != "view"]) <= 4
    held = {(event["buffer"], event["id"]) for event in result.replay().live.values()
            if event["kind"] == "owning"}
    assert {(event["buffer"], event["id"]) for event in result.of("ended")} == held
    assert result.summary["ended"]["buffers"] == len(held)
    assert not result.of("leak") and not result.summary["leaked"]["buffers"]


def test_a_tracer_that_is_killed_anywhere_leaves_no_probe_and_no_trace_in_the_program(gen3, seed):
    dice = random.Random(seed)
    before = kernel.ours()
    script, status = chance.script(seed, gen3.generation, steps=300)
    driver = gen3.start("wait begin\n" + script)
    trace = tttrace.start(["-p", str(driver.pid)], before_attach=True)
    if dice.random() < 0.7:
        trace.attached()
    driver.tell()
    doze(dice)
    trace.signal(signal.SIGKILL)
    trace.process.wait()
    assert driver.wait() == status
    assert not kernel.leftovers(before, {trace.process.pid})


def test_a_program_that_ends_while_it_is_attached_to_is_not_misjudged(gen3, seed):
    """It ends before, while, or after its probes come to be in place: whatever is said, is so."""
    dice = random.Random(seed)
    driver = gen3.start(f"open m 2\nalloc a m DRAM 65536 2048\nwait begin\npause {dice.random() * 0.08}\n"
                        "alloc b m L1 4096 1024\nfree a\nfree b\n" + dice.choice(("exit 5", "_exit 5", "kill 9")))
    trace = tttrace.start(["-v", "-p", str(driver.pid)], incomplete=True)
    driver.tell()
    driver.wait()
    status = trace.process.wait()
    if status == 3:
        words = trace.process.stderr.all()
        assert "has ended" in words or "there is no process" in words or "nothing was traced" in words
        assert not trace.output.stat().st_size or not trace.finish().summary["activity"]
        return
    result = trace.finish()
    unseen = result.summary["coverage"].get("untraced")  # it had ended before its probes were in place
    assert status == (4 if unseen else 0), result.stderr
    assert set(result.classes()) <= {"matched", "pre_attach"}
    assert not result.of("leak") and not result.of("ended")
    assert not result.summary["classes"]["unknown"]


# --- stopping ------------------------------------------------------------------------------------

def disturb(dice, pids, turns=6):
    for _ in range(turns):
        pid = dice.choice(pids)
        os.kill(pid, signal.SIGSTOP)
        doze(dice)
        os.kill(pid, signal.SIGCONT)
        doze(dice)


def test_stopping_program_and_tracer_changes_nothing(gen3, seed):
    dice = random.Random(seed)
    script, status = chance.script(seed, gen3.generation, steps=400)
    trace = gen3.begin(f"{script.rsplit(chr(10), 1)[0]}\nwait end\n{script.rsplit(chr(10), 1)[1]}")
    trace.tell()
    disturb(dice, [driver_of(trace), trace.process.pid])
    support.hear(trace.process, "end")
    trace.tell()
    support.finish(trace, status)


# --- containers ----------------------------------------------------------------------------------

CONTAINED = ("step_alloc", "step_free", "step_dealloc", "step_total", "step_capture", "step_bulk", "step_oom",
             "step_throw", "step_open", "step_submesh", "step_close")
ENTER = 'mount --bind "$1" "$2" && shift 2 && exec "$@"'


class Container:
    """A driver that is process 1 of namespaces of its own, with its build's library at @place."""

    def __init__(self, build, place, script):
        self.standin = Standin(build)
        library, self.standin.library = self.standin.library, place
        command = self.standin.command("wait begin\n" + script)
        self.process = support.Process(["unshare", "--mount", "--pid", "--fork", "--mount-proc", "sh", "-c",
                                        ENTER, "sh", library, place,
                                        *command])
        support.hear(self.process, "begin")
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as file:
            self.pid = int(file.read())

    def expected(self):
        """What it has printed, with the PID that it has outside."""
        lines = support.expected(self.process)
        assert {line["pid"] for line in lines} == {line["tid"] for line in lines} == {1}
        return [{**line, "pid": self.pid, "tid": self.pid} for line in lines]


def test_containers_with_the_same_pids_and_paths_are_kept_apart(seed, tmp_path):
    dice = random.Random(seed)
    place = tmp_path / "libtt_metal.so"
    place.touch()
    containers, statuses = [], []
    for build in ("gen1", "gen3"):
        made = chance.Script(dice.random(), Standin(build).generation, only=CONTAINED)
        lines = [line.split(" ", 2)[2] if line.startswith("in ") else line for line in made.lines]
        statuses.append(dice.randrange(100))
        containers.append(Container(build, place, "\n".join(lines + [f"_exit {statuses[-1]}"])))
    pids = ",".join(str(one.pid) for one in containers)
    trace = tttrace.start(["-v", "-p", pids], before_attach=True, lacking=1).attached()
    for one in containers:
        one.process.tell()
    assert [one.process.wait() for one in containers] == statuses
    result = trace.finish()
    support.compare(result, [line for one in containers for line in one.expected()])
    assert len(result.summary["processes"]) == 2
