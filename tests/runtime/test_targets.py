# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Which processes are traced: one that runs, its children, all of them, a command."""

import signal

import pytest

from support import tttrace
from support.replay import compare

# Opens a device, says so, and does what it is told until it is told "end".
OBEDIENT = """
    d = open_shape("1")
    t = []
    word = ask()
    while word != "end":
        exec(word)
        word = ask("done")
    t.clear()
    close(d)
"""


def obedient(real):
    program = real.start(OBEDIENT)
    program.hear()
    return program


def do(program, word):
    program.tell(word)
    program.hear("done")


def end(program):
    program.tell("end")
    assert program.wait() == 0


def attach(*programs, options=()):
    pids = ",".join(str(program.pid) for program in programs)
    return tttrace.start(["-p", pids, *options], before_attach=True).attached()


def test_a_running_process_is_traced_from_the_attach_on(real):
    program = obedient(real)
    trace = attach(program)
    do(program, "t += tensors(4, d)")
    do(program, "checkpoint(d)")
    end(program)
    result = trace.finish()
    assert result.status == 0
    assert result.classes() == {"matched": 4}
    assert {event["pid"] for event in result.of("alloc")} == {program.pid}
    compare(result, real.logged("checkpoint"))
    assert result.summary["coverage"]["processes_before_attach"] == 1


def test_the_end_of_the_process_ends_the_trace(newest):
    program = obedient(newest)
    trace = attach(program)
    do(program, "t += tensors(2, d)")
    program.signal(signal.SIGKILL)
    result = trace.finish()
    assert result.status == 0
    assert len(result.of("ended")) == 2
    assert result.of("process_exit")[0]["pid"] == program.pid


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_trace_with_a_report_and_not_the_process(newest, number):
    program = obedient(newest)
    trace = attach(program)
    do(program, "t += tensors(2, d)")
    trace.signal(number)
    result = trace.finish()
    do(program, "t += tensors(2, d)")
    end(program)
    assert result.status == 0
    assert len(result.of("alloc")) == 2
    assert not result.of("leak")


def test_a_duration_ends_the_trace_and_not_the_process(newest):
    program = obedient(newest)
    trace = attach(program, options=["-d", "0.5"])
    result = trace.finish()
    do(program, "t += tensors(2, d)")
    end(program)
    assert result.status == 0
    assert result.summary["event"] == "summary"


def test_a_tracer_that_is_killed_leaves_the_process_alone(newest):
    program = obedient(newest)
    trace = attach(program)
    do(program, "t += tensors(2, d)")
    trace.process.end()
    do(program, "t += tensors(2, d)")
    end(program)


def test_two_processes_are_kept_apart(real):
    one, two = obedient(real), obedient(real)
    trace = attach(one, two)
    do(one, "t += tensors(2, d)")
    do(two, "t += tensors(3, d)")
    do(one, "checkpoint(d)")
    do(two, "checkpoint(d)")
    end(one)
    end(two)
    result = trace.finish()
    assert len(result.of("alloc", pid=one.pid)) == len(result.frees("matched")) - 3 == 2
    assert len(result.of("alloc", pid=two.pid)) == 3
    compare(result, real.logged("checkpoint"))


def test_a_process_that_was_not_asked_for_is_not_traced(newest):
    one, two = obedient(newest), obedient(newest)
    trace = attach(one)
    do(two, "t += tensors(3, d)")
    do(one, "t += tensors(2, d)")
    end(two)
    end(one)
    result = trace.finish()
    assert {event["pid"] for event in result.events} == {one.pid}
    assert result.hits["track_allocate"] == 2


def test_two_tracers_see_the_same(newest):
    program = obedient(newest)
    traces = [attach(program), attach(program)]
    do(program, "t += tensors(3, d)")
    end(program)
    first, second = [trace.finish() for trace in traces]
    assert len(first.of("alloc")) == 3
    for name in ("alloc", "free"):
        keys = [[(event["buffer"], event["footprint"]) for event in result.of(name)]
                for result in (first, second)]
        assert keys[0] == keys[1]


CHILDREN = {
    "spawn": """
        import multiprocessing
        child = multiprocessing.get_context("spawn").Process(target=held.main)
        child.start()
        child.join()
        status = child.exitcode
    """,
    "fork": """
        child = os.fork()
        if not child:
            held.main()
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    """,
    "subprocess": """
        import subprocess
        status = subprocess.call([sys.executable, held.__file__])
    """,
}


@pytest.mark.parametrize("way", CHILDREN)
@pytest.mark.parametrize("how", ["command", "pid"])
def test_a_child_is_traced(real, way, how):
    text = "    import held\n    if len(sys.argv) > 1: ask()\n" + CHILDREN[way].replace("\n    ", "\n")
    text += "    os._exit(status)\n"
    if how == "command":
        result = tttrace.run([], real.code(text))
    else:
        program = real.start(text, args=["wait"])
        program.hear()
        trace = attach(program)
        program.tell()
        assert program.wait() == 0
        result = trace.finish()
    point = real.logged("checkpoint")[0]
    assert result.status == 0
    assert len(result.of("alloc", pid=point["pid"])) == 3
    assert len(result.of("alloc")) == 3
    compare(result, [point])
    assert result.of("process_exit", pid=point["pid"])


def test_all_processes_are_traced_present_and_future(real):
    present = obedient(real)
    trace = tttrace.start([], before_attach=True).attached()
    future = obedient(real)
    do(present, "t += tensors(2, d)")
    do(future, "t += tensors(3, d)")
    do(future, "checkpoint(d)")
    end(present)
    end(future)
    trace.signal(signal.SIGINT)
    result = trace.finish()
    assert result.status == 0
    assert len(result.of("alloc", pid=present.pid)) == 2
    assert len(result.of("alloc", pid=future.pid)) == 3
    assert result.of("device_open", pid=future.pid)
    compare(result, real.logged("checkpoint"))


def test_a_program_that_starts_after_the_trace_is_seen_from_its_first_buffer(real):
    trace = tttrace.start([], before_attach=True).attached()
    program = real.start(LONG)
    program.hear()
    trace.signal(signal.SIGINT)
    result = trace.finish()
    program.tell()
    assert program.wait() == 0
    assert len(result.of("alloc", pid=program.pid)) == 20


LONG = """
    d = open_shape("1")
    t = tensors(20, d)
    ask()
    t.clear()
    close(d)
"""


def test_threads_of_a_process_are_one_ledger(real):
    result = tttrace.run([], real.code("""
        import threading
        d = open_shape("1")

        def work():
            for _ in range(50):
                tensors(3, d)

        threads = [threading.Thread(target=work) for _ in range(4)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        checkpoint(d)
        close(d)
    """))
    assert result.classes() == {"matched": 600}
    assert len({event["tid"] for event in result.of("alloc")}) == 4
    compare(result, real.logged("checkpoint"))


def test_a_process_that_becomes_another_program_begins_anew(newest):
    result = tttrace.run([], newest.code("""
        d = open_shape("1")
        keep(tensors(2, d))
        import held
        os.execv(sys.executable, [sys.executable, held.__file__])
    """))
    assert len(result.of("alloc")) == 5
    assert len({event["pid"] for event in result.of("alloc")}) == 1
    assert len(result.of("leak")) == 2
    assert result.classes() == {"matched": 3}


@pytest.mark.parametrize("status", [0, 1, 77])
def test_the_status_of_the_command_is_ours(newest, status):
    result = tttrace.run([], newest.code(f"""
        d = open_shape("1")
        tensor(d)
        close(d)
        os._exit({status})
    """))
    assert result.status == status
    assert len(result.of("alloc")) == 1


def test_a_signal_that_ends_the_command_is_in_the_status(newest):
    result = tttrace.run([], newest.code("""
        d = open_shape("1")
        keep(tensors(1, d))
        os.kill(os.getpid(), 15)
    """))
    assert result.status == 128 + 15
    assert len(result.of("ended")) == 1


def test_sigterm_is_passed_on_to_the_command(newest):
    trace = tttrace.start([], newest.code(LONG))
    trace.hear()
    trace.signal(signal.SIGTERM)
    result = trace.finish()
    assert result.status == 128 + signal.SIGTERM
    assert len(result.of("ended")) == 20
