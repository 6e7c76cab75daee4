# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
What the kernel that runs makes of the BPF object, as each compiler has made it. scripts/check-kernels
runs this on other kernels.
"""

import subprocess

import pytest

from support.tttrace import BINARY

COMPILERS = ("14", "16", "18", "19")
SLOW = ("", "lean", "stacks views", "stacks all views", "stacks perf", "lean perf")
MODES = ("stacks", "lean stacks", *(pytest.param(mode, marks=pytest.mark.slow) for mode in SLOW))
PROGRAMS = {"on_probe", "on_sched_fork", "on_sched_exec", "on_sched_exit", "on_task_rename"}
VERIFIED_MAX = 1_000_000 // 3  # BPF_COMPLEXITY_LIMIT_INSNS


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("mode", MODES)
def test_the_kernel_takes_it_at_a_third_of_what_it_allows(compiler, mode):
    path = BINARY.parent / f"clang-{compiler}" / "tttrace.bpf.o"
    shown = subprocess.run([BINARY.parent / "verify", path, *mode.split()], capture_output=True, text=True,
                           check=False)
    assert shown.returncode == 0, shown.stdout
    programs = {name: (int(verified), stack) for name, verified, stack in map(str.split, shown.stdout.splitlines())}
    assert programs.keys() == PROGRAMS
    # before 5.16 the kernel does not say how many
    assert all(verified <= VERIFIED_MAX for verified, _ in programs.values()), programs
    # one of its CPU would be shared by hits that preempt each other
    assert {stack for _, stack in programs.values()} == {"thread-stack"}
