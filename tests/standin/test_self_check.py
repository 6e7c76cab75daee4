# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""--check tries each mode on itself: what it says of a mode is what a trace in it meets."""

import os
import sys

import pytest

from support import schema, tttrace
from test_missing_parts import LOG, REFUSE, WORDS

MODES = ["", "--no-stacks", "--lean", "--lean --stacks", "--all-probes", "--perf-events",
         "--lean --perf-events"]


def check(*rules, options=(), run=tttrace.plain, binary=()):
    """Status, the items of a machine by kind, with modes by their options, and stderr."""
    within = [sys.executable, REFUSE, *rules, "--"] if rules else []
    how = {"within": within} if run is tttrace.plain else {}
    status, out, err = run(*binary, "--check", "-j", *options, **how)
    return status, *items_of(out), err


def items_of(out):
    lines = tttrace.parse(out.rstrip("\n") + "\n", schema.check_check)
    kernel, privilege = (next(line for line in lines if line["item"] == item) for item in ("kernel", "privilege"))
    return kernel, privilege, {line["options"]: line for line in lines if line["item"] == "mode"}


def test_where_all_is_well_every_mode_works():
    status, kernel, privilege, modes, err = check()
    assert status == 0 and not err
    assert kernel["release"] == os.uname().release and privilege["ok"]
    assert list(modes) == MODES
    assert all(mode["works"] and not mode["missing"] and "why" not in mode for mode in modes.values())


def test_a_mode_whose_stacks_the_verifier_refuses_works_without_them():
    status, _, _, modes, _ = check(f"prog_load:EINVAL:name=on_probe:stacks=1:log={LOG}")
    assert status == 0
    with_stacks = {"", "--lean --stacks", "--all-probes", "--perf-events"}
    assert {options for options, mode in modes.items() if mode["missing"]} == with_stacks
    assert all(mode["works"] for mode in modes.values())
    assert all(modes[options]["missing"] == ["stacks"] and WORDS in modes[options]["why"] for options in with_stacks)


def test_a_program_that_the_verifier_refuses_is_told_with_its_last_words():
    status, _, _, modes, _ = check(f"prog_load:EINVAL:name=on_probe:log={LOG}")
    assert status == 1
    assert not any(mode["works"] for mode in modes.values())
    assert all(WORDS in mode["why"] and "--no-stacks" in mode["advice"] for mode in modes.values())


def test_what_is_reported_has_all_that_the_verifier_said(tmp_path):
    status, out, _ = tttrace.plain("--check", "-j", "--output", tmp_path / "report",
                                   within=[sys.executable, REFUSE, f"prog_load:EINVAL:name=on_probe:log={LOG}", "--"])
    assert status == 1 and not out
    kernel, _, modes = items_of((tmp_path / "report").read_text())
    assert all("find#1" in mode["log"] and WORDS in mode["log"] for mode in modes.values())
    assert kernel["version"] in (tmp_path / "report").read_text() and "lockdown" in kernel


def test_without_uprobe_multi_perf_events_take_its_place():
    status, _, _, modes, _ = check("link_create:EOPNOTSUPP")
    assert status == 0
    assert modes[""]["works"] and modes[""]["missing"] == ["uprobe_multi"]
    assert modes["--perf-events"]["works"] and not modes["--perf-events"]["missing"]


@pytest.mark.parametrize("part, tracepoint", [("fork", "sched_process_fork"), ("exit", "sched_process_exit"),
                                              ("rename", "task_rename")])
def test_a_tracepoint_that_is_refused_is_missing_in_every_mode(part, tracepoint):
    _, _, _, modes, _ = check(f"raw_tracepoint_open:EINVAL:name={tracepoint}")
    assert all(mode["works"] and mode["missing"] == [part] for mode in modes.values())


def test_without_perf_events_new_libraries_are_not_seen():
    _, _, _, modes, _ = check("perf_event_open:EPERM")
    assert modes[""]["works"] and modes[""]["missing"] == ["mappings"]
    assert not modes["--perf-events"]["works"] and "seccomp" in modes["--perf-events"]["why"]


def test_of_somebody_without_privileges_they_are_named(public_binary):
    status, _, privilege, modes, _ = check(run=tttrace.as_nobody, binary=[public_binary])
    assert status == 1
    assert not privilege["ok"] and "CAP_BPF" in privilege["why"] and "CAP_PERFMON" in privilege["why"]
    assert not any(mode["works"] for mode in modes.values())
    assert all("CAP_BPF" in mode["why"] and "setcap" in mode["advice"] for mode in modes.values())


def test_a_file_that_cannot_be_written_is_an_error(tmp_path):
    status, _, err = tttrace.plain("--check", "--output", tmp_path / "none" / "report")
    assert status == 1 and "none/report" in err
    status, _, err = tttrace.plain("--check", "--output", "/dev/full")
    assert status == 1 and "/dev/full" in err
