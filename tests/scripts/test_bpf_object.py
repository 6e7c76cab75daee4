# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
What kernels that are not here would refuse. Since 6.13 a function of a BPF program at a probe may have
512 bytes of stack of its own; before, a program and all that it calls have 512 bytes together
(check_max_stack_depth() in kernel/bpf/verifier.c), each function rounded up to 32.
"""

import re
import shutil
import subprocess

from support.tttrace import BINARY

OBJECT = BINARY.parent / "tttrace.bpf.o"
STACK_MAX = 512
CALL, LOCAL = 0x85, 0x10  # the opcode; what tells the call of a function from that of a helper


def disassembled():
    tool = next(filter(shutil.which, ("llvm-objdump-19", "llvm-objdump-16", "llvm-objdump")))
    return subprocess.run([tool, "-dr", OBJECT], capture_output=True, text=True, check=True).stdout.splitlines()


class Function:
    def __init__(self, section, begin):
        self.section, self.begin = section, begin
        self.stack = 0    # bytes
        self.calls = []   # names, or (section, instruction)


def read_functions():
    functions, section, function, called = {}, None, None, None
    for line in disassembled():
        if line.startswith("Disassembly of section "):
            section = line.split()[-1].rstrip(":")
        elif begins := re.match(r"([0-9a-f]+) <(?!LBB)(\w+)>:", line):
            function = functions[begins[2]] = Function(section, int(begins[1], 16) // 8)
        elif relocated := re.search(r"R_BPF_64_32\s+(\S+)", line):
            # a static function is named by its section and its place in that
            if function.calls:
                function.calls[-1] = (relocated[1], called + 1) if relocated[1].startswith(".") else relocated[1]
        elif instruction := re.match(r"\s+(\d+):\s+((?:[0-9a-f]{2}[ \t]){8,16})\s*(.*)", line):
            number, code, text = int(instruction[1]), bytes.fromhex(instruction[2]), instruction[3]
            depths = re.findall(r"r10 - 0x([0-9a-f]+)", text) + re.findall(r"^r\d+ \+= -0x([0-9a-f]+)$", text)
            for depth in (int(depth, 16) for depth in depths):
                if depth <= STACK_MAX:  # what is more is none of the stack
                    function.stack = max(function.stack, depth)
            if code[0] == CALL and code[1] == LOCAL:
                called = int.from_bytes(code[4:8], "little", signed=True)
                function.calls.append((section, number + called + 1))
    return functions


def test_no_chain_of_calls_takes_more_stack_than_old_kernels_have():
    functions = read_functions()
    at = {(one.section, one.begin): name for name, one in functions.items()}

    def depth(name):
        one = functions[name]
        own = max(32, (one.stack + 31) // 32 * 32)
        return own + max((depth(call if call in functions else at[call]) for call in one.calls), default=0)

    depths = {name: depth(name) for name in functions}
    # it does read what it is given
    assert functions["on_probe"].calls and functions["on_alloc"].stack > 128
    assert depths["on_probe"] >= depths["on_alloc"] + 32
    assert max(depths.values()) <= STACK_MAX, depths
