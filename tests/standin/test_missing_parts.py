# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Where the kernel refuses a part of the tracer the rest works, and the coverage says what is missing."""

import sys
from pathlib import Path

import pytest

from support import standin as support, tttrace
from support.processes import Process

REFUSE = Path(support.__file__).parent / "refuse.py"

WORDS = "infinite loop detected at insn 77"
LOG = f"0: R1=ctx() R10=fp0\n; int on_probe(ctx)\n76: (85) call find#1\n{WORDS}\nprocessed 78 insns (limit 1000000)\n"

SCRIPT = """
    open m 2
    alloc a m DRAM 65536 2048
    alloc b m L1 4096 1024
    free a
    close m
    exit 3
"""

TRACEPOINTS = {"fork": "sched_process_fork", "exec": "sched_process_exec", "exit": "sched_process_exit",
               "rename": "task_rename"}


def refusing(*rules):
    return [sys.executable, REFUSE, *rules, "--"]


def missing(result):
    return {one["part"]: one["why"] for one in result.summary["coverage"].get("missing", [])}


def trace(gen3, *rules, options=(), **how):
    return gen3.trace(SCRIPT, options, 3, within=refusing(*rules), **how)


def warnings(result, words):
    return [line for line in result.stderr.splitlines() if words in line and "warning: " in line]


def test_where_nothing_is_refused_nothing_is_missing(gen3):
    result = trace(gen3, "prog_load:EINVAL:name=of_nobody")
    assert not missing(result)
    assert result.sites


def test_if_the_verifier_refuses_stacks_all_else_is_traced(gen3):
    result = trace(gen3, f"prog_load:EINVAL:name=on_probe:stacks=1:log={LOG}")
    assert list(missing(result)) == ["stacks"] and WORDS in missing(result)["stacks"]
    assert len(warnings(result, WORDS)) == 1
    assert not result.sites and "stacks" not in result.summary["coverage"]


def test_if_uprobe_multi_is_refused_at_the_attach_perf_events_take_its_place(gen3):
    result = trace(gen3, "link_create:EOPNOTSUPP")
    assert list(missing(result)) == ["uprobe_multi"]
    assert len(warnings(result, "uprobe_multi")) == 1
    assert result.sites


@pytest.mark.parametrize("part", TRACEPOINTS)
def test_without_a_tracepoint_the_rest_is_traced_and_counts_as_incomplete(gen3, part):
    result = trace(gen3, f"raw_tracepoint_open:EINVAL:name={TRACEPOINTS[part]}", incomplete=True)
    assert list(missing(result)) == [part]
    assert not result.summary["coverage"]["complete"]
    assert len(result.of("alloc", kind="owning")) == 2 and result.classes() == {"matched": 1}
    assert len(result.of("leak")) == 1


@pytest.mark.parametrize("program", ["on_sched_fork", "on_task_rename"])
def test_a_program_of_a_tracepoint_that_is_refused_is_left_out(gen3, program):
    result = trace(gen3, f"prog_load:EINVAL:name={program}:log={LOG}", incomplete=True)
    part, = missing(result)
    assert part in program and WORDS in missing(result)[part]
    assert result.sites


def test_an_incomplete_trace_of_a_process_ends_with_status_4(gen3):
    driver = gen3.start("wait begin\n" + SCRIPT)
    trace = gen3.attach(driver, within=refusing("raw_tracepoint_open:EINVAL:name=sched_process_exit"),
                        incomplete=True)
    driver.tell()
    assert driver.wait() == 3
    result = trace.finish()
    assert result.status == 4 and list(missing(result)) == ["exit"]


def test_without_perf_events_what_is_mapped_already_is_traced(gen3):
    driver = gen3.start("wait begin\n" + SCRIPT)
    trace = gen3.attach(driver, within=refusing("perf_event_open:EPERM"), incomplete=True)
    driver.tell()
    assert driver.wait() == 3
    result = trace.finish()
    assert result.status == 4 and "perf_event_open()" in missing(result)["mappings"]
    assert len(result.of("leak")) == 1


def test_without_perf_events_a_command_cannot_be_traced_and_does_not_begin(tmp_path):
    process = Process([*refusing("perf_event_open:EPERM"), tttrace.BINARY, "--", "touch", tmp_path / "it"])
    assert process.wait() == 1
    assert "seccomp" in process.stderr.all() and "perf_event_open()" in process.stderr.all()
    assert not (tmp_path / "it").exists()


def test_if_all_is_refused_the_last_words_of_the_kernel_are_told():
    process = Process([*refusing(f"prog_load:EINVAL:name=on_probe:log={LOG}"), tttrace.BINARY, "--", "true"])
    assert process.wait() == 1
    said = process.stderr.all()
    assert WORDS in said and "'on_probe'" in said and "processed" not in said
    assert "--no-stacks" in said and "--check --output" in said and "5.15" not in said
    assert len(said.splitlines()) == 2


def test_the_debug_messages_of_libbpf_are_shown_if_asked_for_twice():
    once, twice = (tttrace.plain(option, "--", "true")[2] for option in ("-v", "-vv"))
    assert "libbpf: map 'ring': created" not in once
    assert "libbpf: map 'ring': created" in twice
