# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Signals, what a command under tttrace has of them, and standard descriptors that are closed."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

import pytest

from support import tttrace
from support.processes import PATIENCE, Process

PASSED_ON = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


def counting(exit_at):
    """A program that ends at that many signals, with a status that says so."""
    return [sys.executable, "-c", f"""if True:
        import os, signal, time
        seen = []
        def take(number, _):
            seen.append(number)
            if len(seen) == {exit_at}:
                os._exit(40 + len(seen))
            print("taken", flush=True)
        for number in {[int(number) for number in PASSED_ON]}:
            signal.signal(number, take)
        print("up", flush=True)
        while True:
            time.sleep(10)
    """]


def run(command, *options, **popen):
    process = Process([tttrace.BINARY, "-q", "--output", "/dev/null", *options, "--", *command], **popen)
    process.hear("up")
    return process


@pytest.mark.parametrize("number", PASSED_ON)
def test_a_signal_to_tttrace_alone_is_passed_on(number):
    process = run(counting(1))
    process.signal(number)
    assert process.wait() == 41


@pytest.mark.parametrize("number", PASSED_ON)
def test_two_signals_in_quick_succession_keep_the_status_of_the_command(number):
    process = run(counting(2))
    process.signal(number)
    process.hear("taken")
    process.signal(number)
    assert process.wait() == 42


def test_a_command_that_ignores_two_signals_goes_on_without_the_trace():
    process = run([sys.executable, "-c", """if True:
        import os, signal
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        print(os.getpid(), flush=True)
        print("up", flush=True)
        while True:
            signal.pause()
    """])
    pid = int(process.stdout.lines[0])
    begin = time.monotonic()
    process.signal(signal.SIGINT)
    time.sleep(0.1)
    process.signal(signal.SIGINT)
    assert process.wait() == 128 + signal.SIGINT
    assert time.monotonic() - begin < PATIENCE
    os.kill(pid, signal.SIGKILL)  # it is there


def press_ctrl_c(after_s, command):
    """On a terminal, so long after the start. Returns the status, and what was printed."""
    pid, terminal = pty.fork()
    if not pid:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell ignores it in what it runs in the background
        os.execv(tttrace.BINARY, ["tttrace", "-q", "--", *command])
    time.sleep(after_s)
    os.write(terminal, b"\x03")
    printed = b""
    while select.select([terminal], [], [], PATIENCE)[0]:
        try:
            printed += os.read(terminal, 65536)
        except OSError:
            break
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), printed.decode()


@pytest.mark.parametrize("after_ms", [20, 60, 100, 150, 1500])
def test_ctrl_c_ends_the_command_or_keeps_it_from_being_started(after_ms):
    status, printed = press_ctrl_c(after_ms / 1000, ["sh", "-c", "sleep 3; echo ran to its end"])
    assert status == 128 + signal.SIGINT
    assert "ran to its end" not in printed


def test_a_command_has_the_dispositions_that_tttrace_was_given():
    grep = ["grep", "-E", "^Sig(Ign|Blk|Cgt)", "/proc/self/status"]

    def ignore():
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    for prepare in (ignore, lambda: signal.signal(signal.SIGPIPE, signal.SIG_DFL)):
        shown = [subprocess.run([*within, *grep], preexec_fn=prepare, restore_signals=False, capture_output=True,
                                text=True, check=True).stdout
                 for within in ([], [tttrace.BINARY, "-q", "--output", "/dev/null", "--"])]
        assert shown[0] == shown[1]


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"])
def test_closed_descriptors_put_no_diagnostics_into_the_result(closed, tmp_path):
    """An option that is warned about, and a command that used no runtime: both are told on stderr."""
    file = tmp_path / "result"
    line = f'exec "$@" {closed}'
    done = subprocess.run(["sh", "-c", line, "sh", tttrace.BINARY, "-j", "-v", "--output", file, "--", "true"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert [one["event"] for one in tttrace.parse(file.read_text())][-1] == "summary"
    assert not re.search("^tttrace:", file.read_text(), re.M)


def test_who_is_to_outlive_the_terminal_does():
    """nohup(1): SIGHUP is ignored, by the trace as by the command."""
    process = Process([tttrace.BINARY, "-q", "--output", "/dev/null", "-p", str(os.getpid())],
                      preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    process.stderr.wait_for(lambda line: "waiting until it does" in line)
    time.sleep(0.5)
    process.signal(signal.SIGHUP)
    time.sleep(0.5)
    assert process.popen.poll() is None
    process.signal(signal.SIGTERM)
    assert process.wait() == 3


def test_a_limit_of_the_size_of_files_leaves_a_report(tmp_path, gen3):
    """As a full disk does: no signal ends it."""
    script = "\n".join(["open m 1", *["alloc a m DRAM 65536 2048\nfree a"] * 100, "close m"])
    line = f"ulimit -f 1; exec \"$@\""
    process = Process(["sh", "-c", line, "sh", tttrace.BINARY, "-j", "--output", tmp_path / "result", "--",
                       "sh", "-c", 'ulimit -f unlimited; exec "$@" >/dev/null', "sh", *gen3.command(script)])
    assert process.wait() == 1
    stderr = process.stderr.all()
    assert "cannot write to" in stderr and "SUMMARY: tttrace:" in stderr
