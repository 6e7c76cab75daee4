# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""--snapshot of processes that do not wait for it."""

import subprocess

import pytest

from support import tttrace
from support.processes import Process

# so much address space that to look for present pages takes seconds
SCRIPT = """
    reserve 40 60
    open m 1
    alloc a m DRAM 65536 2048
    wait
"""


def opened(process):
    """What @process has open."""
    done = subprocess.run(["ls", "-l", f"/proc/{process.pid}/fd"], capture_output=True, text=True, check=False)
    return {line.split()[-1] for line in done.stdout.splitlines()}


@pytest.mark.parametrize("end", ["kill", "exit"])
def test_a_process_that_ends_while_it_is_read_is_an_error_and_does_not_hold_nothing(gen3, end):
    target = gen3.start(SCRIPT)
    look = Process([tttrace.BINARY, "--snapshot", target.pid])
    while f"/proc/{target.pid}/pagemap" not in opened(look):
        look.stderr.pause()
    if end == "kill":
        target.popen.kill()
    else:
        target.tell()
    status, out, err = look.wait(), look.stdout.all(), look.stderr.all()
    assert status == 3 and not out
    assert f"process '{target.pid}' has ended" in err
    target.wait()


def test_a_process_of_that_size_is_read_whole(gen3):
    target = gen3.start(SCRIPT)
    status, out, _ = tttrace.plain("-j", "--snapshot", target.pid)
    assert status == 0
    assert [line["size"] for line in tttrace.parse(out + "\n") if line["event"] == "alloc"] == [65536]
    target.tell()
    assert target.wait() == 0
