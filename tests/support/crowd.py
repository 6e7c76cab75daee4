# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
crowd.py FILE: the program under a trace of many lives. FILE is JSON: {"held": [command, …], "lives":
[{"command": […], "status": N, "pid": N or null}, …], "width": how many live at the same time}. The
held ones share our standard input, so that a test can wait until their runtime is probed; when they
have ended, the lives begin. A life may be given a PID, over and over again. Exits with 1, and says
why, if one has ended with another status than it should have.
"""

import ctypes
import errno
import json
import os
import subprocess
import sys

SYS_CLONE3 = 435  # <asm/unistd_64.h>; the same number on every architecture
SIGCHLD = 17


class CloneArgs(ctypes.Structure):
    """struct clone_args of <linux/sched.h>, clone3(2)."""
    _fields_ = [(name, ctypes.c_uint64) for name in (
        "flags", "pidfd", "child_tid", "parent_tid", "exit_signal", "stack", "stack_size", "tls",
        "set_tid", "set_tid_size")]


def start_as(pid, command):
    """Starts @command with PID @pid, which must be free: in our own PID namespace."""
    wanted = (ctypes.c_int32 * 1)(pid)
    args = CloneArgs(exit_signal=SIGCHLD, set_tid=ctypes.addressof(wanted), set_tid_size=1)
    libc = ctypes.CDLL(None, use_errno=True)
    while True:
        child = libc.syscall(SYS_CLONE3, ctypes.byref(args), ctypes.sizeof(args))
        if child == 0:
            os.execv(command[0], command)
        if child > 0:
            return child
        if ctypes.get_errno() != errno.EEXIST:
            raise OSError(ctypes.get_errno(), f"cannot start a process with PID {pid}")


def start(life):
    if life.get("pid"):
        return start_as(life["pid"], life["command"])
    return os.posix_spawn(life["command"][0], life["command"], os.environ)


def hold(commands):
    for process in [subprocess.Popen(command) for command in commands]:
        assert process.wait() == 0, process.args


def main(plan):
    hold(plan["held"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    lives, running, wrong = list(plan["lives"]), {}, 0
    while lives or running:
        while lives and len(running) < plan["width"]:
            life = lives.pop(0)
            running[start(life)] = life
        pid, status = os.wait()
        status = os.waitstatus_to_exitcode(status)
        wanted = running.pop(pid)["status"]
        if (status if status >= 0 else 128 - status) != wanted:
            print(f"crowd: {pid} ended with {status}, not {wanted}", file=sys.stderr)
            wrong = 1
    sys.exit(wrong)


if __name__ == "__main__":
    with open(sys.argv[1], encoding="ascii") as file:
        main(json.load(file))
