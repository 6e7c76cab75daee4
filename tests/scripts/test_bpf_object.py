# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
The BPF object, as each compiler that users have makes it: what kernels that are not here would
refuse. tests/standin/test_objects.py has the kernel that runs take it.

Since 6.13 a function of a BPF program at a probe may have 512 bytes of stack of its own; before, a
program and all that it calls have 512 bytes together (check_max_stack_depth() in
kernel/bpf/verifier.c), each function rounded up to 32.
"""

import json
import re
import shutil
import subprocess

import pytest

from support.tttrace import BINARY

# Ubuntu 22.04; Debian 12; Ubuntu 24.04; Debian 13 and 12 with LLVM's newest
COMPILERS = ("14", "16", "18", "19")
STACK_MAX = 512
CALL, HELPER, LOCAL = 0x85, 0x00, 0x10  # the opcode; what is called, in the source register
LINUX_5_15 = {
    "helper": 175,  # bpf_task_pt_regs: the last of __BPF_FUNC_MAPPER in include/uapi/linux/bpf.h
    "map": 29,      # BPF_MAP_TYPE_TASK_STORAGE: the last of enum bpf_map_type
}
# classes of instructions (linux/bpf.h, instruction-set.rst); the newest that 5.15 has are atomics
LD, LDX, ST, STX, ALU, JMP, JMP32, ALU64 = range(8)
JUMP, MOVE, DIVIDE, MODULO = 0x00, 0xB0, 0x30, 0x90


@pytest.fixture(params=COMPILERS)
def bpf_object(request):
    return BINARY.parent / f"clang-{request.param}" / "tttrace.bpf.o"


def tool(name):
    return next(filter(shutil.which, (f"{name}-19", f"{name}-16", name)))


def disassembled(path):
    return subprocess.run([tool("llvm-objdump"), "-dr", path], capture_output=True, text=True,
                          check=True).stdout.splitlines()


def instruction(line):
    """(number, code, text) of the instruction that @line shows; None: it shows none."""
    shown = re.match(r"\s+(\d+):\s+((?:[0-9a-f]{2}[ \t]){8,16})\s*(.*)", line)
    return shown and (int(shown[1]), bytes.fromhex(shown[2]), shown[3])


class Function:
    def __init__(self, section, begin):
        self.section, self.begin = section, begin
        self.stack = 0    # bytes
        self.calls = []   # names, or (section, instruction)


def read_functions(path):
    functions, section, function, called = {}, None, None, None
    for line in disassembled(path):
        if line.startswith("Disassembly of section "):
            section = line.split()[-1].rstrip(":")
        elif begins := re.match(r"([0-9a-f]+) <(?!LBB)(\w+)>:", line):
            function = functions[begins[2]] = Function(section, int(begins[1], 16) // 8)
        elif relocated := re.search(r"R_BPF_64_32\s+(\S+)", line):
            # a static function is named by its section and its place in that
            if function.calls:
                function.calls[-1] = (relocated[1], called + 1) if relocated[1].startswith(".") else relocated[1]
        elif shown := instruction(line):
            number, code, text = shown
            depths = re.findall(r"r10 - 0x([0-9a-f]+)", text) + re.findall(r"^r\d+ \+= -0x([0-9a-f]+)$", text)
            for depth in (int(depth, 16) for depth in depths):
                if depth <= STACK_MAX:  # what is more is none of the stack
                    function.stack = max(function.stack, depth)
            if code[0] == CALL and code[1] == LOCAL:
                called = int.from_bytes(code[4:8], "little", signed=True)
                function.calls.append((section, number + called + 1))
    return functions


def test_no_chain_of_calls_takes_more_stack_than_old_kernels_have(bpf_object):
    functions = read_functions(bpf_object)
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


def is_newer_than_5_15(code):
    """Of an instruction: of the fourth version of the instruction set, or later."""
    kind, operation = code[0] & 7, code[0] & 0xF0
    offset = int.from_bytes(code[2:4], "little")
    if kind == LDX:
        return code[0] & 0xE0 in (0x80, 0xC0)  # signed, atomic
    if kind in (ALU, ALU64) and operation in (MOVE, DIVIDE, MODULO):
        return offset != 0  # signed
    if kind == ALU64 and operation == 0xD0:
        return True  # byte swap
    return kind == JMP32 and operation == JUMP or kind == JMP and operation == 0xE0


def test_nothing_that_is_newer_than_linux_5_15_is_used(bpf_object):
    codes = [shown[1] for shown in map(instruction, disassembled(bpf_object)) if shown]
    calls = [code for code in codes if code[0] == CALL]
    helpers = {int.from_bytes(code[4:8], "little") for code in calls if code[1] == HELPER}
    assert 14 in helpers or 158 in helpers, "bpf_get_current_pid_tgid(), _task_btf() are not seen"
    assert max(helpers) <= LINUX_5_15["helper"], helpers
    assert {code[1] for code in calls} == {HELPER, LOCAL}, "it calls functions of the kernel"
    assert not [code.hex() for code in codes if is_newer_than_5_15(code)]
    types = map_types(bpf_object)
    assert {1, 27} <= types, "the hash tables and the ring are not seen"
    assert max(types) <= LINUX_5_15["map"]


def map_types(path):
    """enum bpf_map_type of all maps, as their BTF has them: the type is the length of an array."""
    raw = subprocess.run(["bpftool", "-j", "btf", "dump", "file", path], capture_output=True, check=True)
    types = {one["id"]: one for one in json.loads(raw.stdout)["types"]}
    section = next(one for one in types.values() if one["kind"] == "DATASEC" and one["name"] == ".maps")
    found = set()
    for variable in section["vars"]:
        members = types[types[variable["type_id"]]["type_id"]]["members"]
        pointer = next(types[member["type_id"]] for member in members if member["name"] == "type")
        found.add(types[pointer["type_id"]]["nr_elems"])
    return found
