# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""What is wrong is said in one clear line, with the exit status that was promised."""

import subprocess

import pytest

from support import tttrace
from support.processes import Process

BAD_OPTIONS = [
    ["--nonsense"], ["-p", "x"], ["-p", "0"], ["-p", "1,x"], ["-p", ""], ["-i", "x"], ["-i", "-1"],
    ["-d", "x"], ["-z", "12Q"], ["-Z", ""], ["-z", "2K", "-Z", "1K"], ["--type", "RAM"], ["-o", "x"],
    ["--device", "x"], ["--error-exitcode", "0"], ["--error-exitcode", "256"], ["--ring-size", "1"],
    ["-p", "1", "--", "true"], ["--check", "a", "b"],
]


@pytest.mark.parametrize("options", BAD_OPTIONS, ids=" ".join)
def test_a_bad_option_is_wrong_usage(options):
    status, out, err = tttrace.plain(*options)
    assert status == 2
    assert not out
    assert f"{tttrace.BINARY.name}: " in err.splitlines()[0]


def test_help_fits_a_screen():
    status, out, _ = tttrace.plain("--help")
    assert status == 0
    assert 10 < len(out.splitlines()) <= 48
    assert max(map(len, out.splitlines())) <= 80


def test_the_version_is_told():
    status, out, _ = tttrace.plain("--version")
    assert status == 0
    assert out.startswith("tttrace ")


def test_a_pid_that_is_not_there_is_nothing_to_attach_to():
    gone = subprocess.Popen(["true"])
    gone.wait()
    status, out, err = tttrace.plain("-p", gone.pid)
    assert status == 3
    assert not out
    assert f"'{gone.pid}'" in err


def test_a_process_without_the_runtime_is_waited_for_and_nothing_to_attach_to():
    idle = Process(["cat"])
    trace = Process([tttrace.BINARY, "-j", "-p", idle.pid])
    trace.stderr.wait_for(lambda line: "Ctrl-C ends it" in line)
    idle.popen.stdin.close()
    assert idle.wait() == 0
    assert trace.wait() == 3
    assert f"'{idle.pid}'" in trace.stderr.all()


def test_a_command_without_the_runtime_keeps_its_status_and_is_told_of():
    status, _, err = tttrace.plain("--", "sh", "-c", "exit 5")
    assert status == 5
    assert "'sh'" in err


def test_a_command_that_is_not_there_is_as_the_shell_has_it():
    status, _, err = tttrace.plain("--", "/no/such/command")
    assert status == 127
    assert "'/no/such/command'" in err


def test_a_command_that_cannot_be_run_is_as_the_shell_has_it(tmp_path):
    (tmp_path / "plain").write_text("not a program")
    status, _, err = tttrace.plain("--", tmp_path / "plain")
    assert status == 126
    assert str(tmp_path / "plain") in err


def test_without_privileges_it_says_what_to_do(public_binary):
    status, out, err = tttrace.as_nobody(public_binary, "--", "true")
    assert status == 1
    assert not out
    assert "root" in err or "sudo" in err or "CAP_" in err
    assert len(err.splitlines()) <= 3
