# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Coming late: to a process that is at work, a second time, while others watch it as well."""

import signal

import pytest

from support import kernel, tttrace

# Allocates and frees without a pause until it is told to end.
BUSY = """
    import threading
    d = open_shape("1")
    ending = threading.Event()

    def work():
        while not ending.is_set():
            t = tensors(5, d)
            ttnn.deallocate(t[2])
            zero_size(d)
            del t

    worker = threading.Thread(target=work)
    worker.start()
    ask()
    ending.set()
    worker.join()
    close(d)
"""


def attach(program, options=()):
    return tttrace.start(["-p", str(program.pid), *options], before_attach=True).attached()


def stop_after(trace, events):
    """Ends the trace when so many bytes of events have come."""
    while trace.output.stat().st_size < events * 100:
        trace.process.stderr.pause()
    trace.signal(signal.SIGINT)
    return trace.finish()


def test_attaching_to_a_busy_process_invents_no_free(real):
    program = real.start(BUSY)
    program.hear()
    for _ in range(4):
        result = stop_after(attach(program), 2000)
        assert result.status == 0
        classes = result.classes()
        assert classes.pop("matched") > 100
        assert classes.pop("zero_size") > 10
        assert classes.pop("pre_attach", 0) <= 5
        assert not classes
        assert not result.of("leak")
    program.tell()
    assert program.wait() == 0


def test_a_second_trace_begins_where_it_attaches(newest):
    program = newest.start("""
        d = open_shape("1")
        first = tensors(2, d)
        ask()
        second = tensors(3, d)
        ask("again")
        del first, second
        close(d)
    """)
    program.hear()
    trace = attach(program)
    program.tell()
    program.hear("again")
    trace.signal(signal.SIGINT)
    first = trace.finish()
    trace = attach(program)
    program.tell()
    assert program.wait() == 0
    second = trace.finish()
    assert len(first.of("alloc")) == 5 and not first.of("free")
    assert len(second.of("alloc", **{"class": "pre_attach"})) == 5 == len(second.of("alloc"))
    assert second.classes() == {"matched": 5}


def test_perf_events_reach_a_running_process_and_its_children(real):
    program = real.start("""
        import held, subprocess
        ask()
        held.main()
        subprocess.check_call([sys.executable, held.__file__])
    """)
    program.hear()
    trace = attach(program, ["--perf-events"])
    program.tell()
    assert program.wait() == 0
    result = trace.finish()
    assert result.classes() == {"matched": 6}
    assert len({event["pid"] for event in result.of("alloc")}) == 2


@pytest.mark.parametrize("options", [[], ["--perf-events"]], ids=["uprobe_multi", "perf_events"])
def test_probes_are_in_the_kernel_only_while_the_trace_goes_on(newest, options):
    program = newest.start("ask()")
    program.hear()
    before = kernel.ours()
    trace = attach(program, options)
    during = {thing for thing, pids in kernel.ours().items() if trace.process.pid in pids}
    assert {what for what, _ in during} == {"prog", "link"}
    program.tell()
    assert program.wait() == 0
    trace.finish()
    assert not kernel.leftovers(before, {trace.process.pid})
    assert not during & set(kernel.ours())


@pytest.mark.parametrize("options", [[], ["--perf-events"]], ids=["uprobe_multi", "perf_events"])
def test_probes_go_with_a_trace_that_is_killed(newest, options):
    program = newest.start("ask()")
    program.hear()
    before = kernel.ours()
    trace = attach(program, options)
    assert set(kernel.ours()) - set(before)
    trace.process.end()
    assert not kernel.leftovers(before, {trace.process.pid})
    program.tell()
    assert program.wait() == 0
