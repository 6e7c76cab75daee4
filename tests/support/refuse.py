# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
Runs a command to which the kernel refuses some system calls, as other kernels do:

  python3 refuse.py RULE... -- COMMAND [ARG...]

A RULE is CALL:ERROR[:NAME=VALUE...][:log=TEXT], the error by its name. Calls are `perf_event_open`,
and commands of bpf(2): `prog_load` with `name`, `link_create` (of uprobe_multi, but not on "/", by
which it is tried whether the kernel has it), `raw_tracepoint_open` with `name`. `stacks=1`: only
while the map of known stacks is as large as one that is used. The log is what the verifier says.

A seccomp filter hands these calls over to this process, which looks at their arguments
(seccomp_unotify(2)): a filter alone cannot follow the pointers of bpf(2).
"""

import ctypes
import errno
import fcntl
import os
import select
import struct
import sys

libc = ctypes.CDLL(None, use_errno=True)

SYS_SECCOMP, SYS_BPF, SYS_PERF_EVENT_OPEN, SYS_PIDFD_OPEN, SYS_PIDFD_GETFD = 317, 321, 298, 434, 438
SET_MODE_FILTER, NEW_LISTENER = 1, 8
RET_USER_NOTIF, RET_ALLOW = 0x7FC00000, 0x7FFF0000
NOTIF_RECV, NOTIF_SEND = 0xC0502100, 0xC0182101
CONTINUE = 1
MAP_CREATE, PROG_LOAD, RAW_TRACEPOINT_OPEN, LINK_CREATE = 0, 5, 17, 28
COMMANDS = {PROG_LOAD: "prog_load", RAW_TRACEPOINT_OPEN: "raw_tracepoint_open", LINK_CREATE: "link_create"}
TRACE_UPROBE_MULTI = 48


class Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def install_filter():
    """Hands bpf(2) and perf_event_open(2) to whoever has the descriptor that this returns."""
    def instruction(code, true, false, value):
        return struct.pack("HBBI", code, true, false, value)

    program = b"".join([
        instruction(0x20, 0, 0, 0),  # load the number of the call
        instruction(0x15, 1, 0, SYS_BPF),
        instruction(0x15, 0, 1, SYS_PERF_EVENT_OPEN),
        instruction(0x06, 0, 0, RET_USER_NOTIF),
        instruction(0x06, 0, 0, RET_ALLOW),
    ])
    code = ctypes.create_string_buffer(program)
    fprog = Filter(len(program) // 8, ctypes.cast(code, ctypes.c_void_p))
    listener = libc.syscall(SYS_SECCOMP, SET_MODE_FILTER, NEW_LISTENER, ctypes.byref(fprog))
    if listener < 0:
        raise OSError(ctypes.get_errno(), "seccomp")
    return listener


class Memory:
    def __init__(self, pid):
        self.file = open(f"/proc/{pid}/mem", "r+b", buffering=0)

    def read(self, address, size):
        self.file.seek(address)
        return self.file.read(size)

    def write(self, address, data):
        self.file.seek(address)
        self.file.write(data)

    def text(self, address, size=64):
        return self.read(address, size).split(b"\0")[0].decode(errors="replace")


class Rule:
    def __init__(self, words):
        words, _, self.log = words.partition(":log=")
        self.call, error, *conditions = words.split(":")
        self.error = getattr(errno, error)
        self.conditions = dict(condition.split("=", 1) for condition in conditions)

    def fits(self, call, facts):
        return self.call == call and all(facts.get(name) == value
                                         for name, value in self.conditions.items())


class Refusal:
    def __init__(self, rules):
        self.rules = rules
        self.stacks = "0"

    def judge(self, number, arguments, memory):
        """The error of this call; 0: it goes on."""
        if number == SYS_PERF_EVENT_OPEN:
            return self.refuse("perf_event_open", {}, None, memory)
        command, attributes, size = arguments[:3]
        attr = memory.read(attributes, min(size, 144)).ljust(144, b"\0")
        if command == MAP_CREATE:
            if attr[28:44].startswith(b"known_stacks"):
                self.stacks = str(int(struct.unpack_from("I", attr, 12)[0] > 1))
            return 0
        facts = {"stacks": self.stacks}
        if command == PROG_LOAD:
            facts["name"] = attr[48:64].split(b"\0")[0].decode()
        elif command == RAW_TRACEPOINT_OPEN:
            facts["name"] = memory.text(struct.unpack_from("Q", attr)[0])
        elif command == LINK_CREATE:
            kind, = struct.unpack_from("I", attr, 8)
            if kind != TRACE_UPROBE_MULTI or memory.text(struct.unpack_from("Q", attr, 16)[0], 2) == "/":
                return 0
        return self.refuse(COMMANDS.get(command), facts, attr, memory)

    def refuse(self, call, facts, attr, memory):
        for rule in self.rules:
            if rule.fits(call, facts):
                level, size, buffer = struct.unpack_from("IIQ", attr, 24) if attr else (0, 0, 0)
                if rule.log and call == "prog_load" and level:
                    memory.write(buffer, rule.log.encode()[:size - 1] + b"\0")
                return rule.error
        return 0


def serve(listener, refusal):
    """Answers until nobody is left who could ask."""
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    while not poll.poll()[0][1] & select.POLLHUP:
        request = bytearray(80)
        try:
            fcntl.ioctl(listener, NOTIF_RECV, request)
            token, pid, _, number, _, _, *arguments = struct.unpack("QIIIIQ6Q", request)
            error = refusal.judge(number, arguments, Memory(pid))
            fcntl.ioctl(listener, NOTIF_SEND,
                        struct.pack("QqiI", token, 0, -error, 0 if error else CONTINUE))
        except OSError as problem:
            if problem.errno not in (errno.ENOENT, errno.EINTR):  # who asked has ended
                raise


def main():
    split = sys.argv.index("--")
    refusal = Refusal([Rule(words) for words in sys.argv[1:split]])
    said, told = os.pipe(), os.pipe()
    child = os.fork()
    if not child:
        os.write(said[1], b"%d" % install_filter())
        os.read(told[0], 1)
        os.closerange(said[0], told[1] + 1)
        os.execvp(sys.argv[split + 1], sys.argv[split + 1:])
    number = int(os.read(said[0], 16))
    pidfd = libc.syscall(SYS_PIDFD_OPEN, child, 0)
    listener = libc.syscall(SYS_PIDFD_GETFD, pidfd, number, 0)
    os.write(told[1], b"x")
    if not os.fork():
        # it waits for calls as long as somebody can make one; the exit status is for the parent
        for stream in (0, 1):
            os.close(stream)
        serve(listener, refusal)
        os._exit(0)
    os.close(listener)
    status = os.waitpid(child, 0)[1]
    code = os.waitstatus_to_exitcode(status)
    sys.exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    main()
