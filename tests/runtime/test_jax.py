# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
JAX through jax-tt-plugin, whose library holds the real runtime linked statically, stripped, and
compiled by another compiler than that of the wheels. What JAX says of its memory is the runtime's view.
"""

import json
import subprocess

import pytest

from support import schema, tttrace
from support.processes import Process
from support.runtime import ROOT

VERSION = "0.1.3"
CLUSTER = ROOT / "tests/runtime/clusters/p150.yaml"  # its compiler has headers for Blackhole only
WITHOUT = "holds the runtime without its symbols"
PROGRAM = """
import json, sys
import jax, jax.numpy as jnp
device = jax.devices()[0]
held = []
for line in sys.stdin:
    command = json.loads(line)
    if command["do"] == "hold":
        held += [jnp.ones(shape, getattr(jnp, command["type"])) for shape in command["shapes"]]
        [array.block_until_ready() for array in held]
    else:
        del held[::command["every"]]
    stats = device.memory_stats()
    print(json.dumps({"said": stats["bytes_in_use"], "hole": stats["largest_free_block_bytes"]}), flush=True)
"""


@pytest.fixture(scope="module")
def home():
    done = subprocess.run([ROOT / "scripts/jax", VERSION], capture_output=True, text=True, check=False)
    if done.returncode == 3:
        pytest.skip("no Python 3.11 for jax-tt-plugin")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def library(home):
    return next((tttrace.Path(home) / "lib").glob("python3.*/site-packages/jax_plugins/libtt/libtt.so"))


@pytest.fixture
def environment(tmp_path, home):
    return {"env": {"TT_METAL_MOCK_CLUSTER_DESC_PATH": str(CLUSTER), "TT_LOGGER_LEVEL": "fatal"}, "cwd": tmp_path}


@pytest.fixture
def program(home, environment):
    process = Process([home + "/bin/python", "-c", PROGRAM], **environment)
    yield process
    process.end()


class Teller:
    """Tells the program what to do; what it then says of its memory."""

    def __init__(self, process):
        self.process, self.heard = process, 0

    def __call__(self, **command):
        self.process.tell(json.dumps(command))
        self.heard = self.process.stdout.wait_for(lambda line: '"said"' in line, self.heard) + 1
        return json.loads(self.process.stdout.lines[self.heard - 1])


def look(pid):
    """Bytes of DRAM that are live on the one chip, and buffers, as a snapshot has them; its lines."""
    status, out, err = tttrace.plain("-j", "--snapshot", pid)
    lines = tttrace.parse(out + "\n")
    coverage = lines[-1]["coverage"]
    assert status == 0 and coverage["complete"] and "untraced" not in coverage, err
    devices = [device for process in lines[-1]["processes"] for device in process["devices"]]
    return sum(device["memory"]["DRAM"]["live"] for device in devices if "DRAM" in device["memory"]), lines


def test_a_snapshot_is_right_to_the_byte(program):
    tell = Teller(program)
    shapes = [[256, 256]] * 4
    for command in ({"do": "hold", "type": "bfloat16", "shapes": shapes},
                    {"do": "hold", "type": "float32", "shapes": [[32, 32], [1000, 100], [1, 7], [512, 2048]]},
                    {"do": "drop", "every": 2},
                    {"do": "hold", "type": "bfloat16", "shapes": [[64, 64]] * 200},
                    {"do": "drop", "every": 3}, {"do": "drop", "every": 1}):
        said = tell(**command)
        held, lines = look(program.pid)
        assert held == said["said"]
        assert held == sum(line["footprint"] for line in lines if line["event"] == "alloc")
    assert held == 0


def test_the_library_is_not_denied(library):
    status, out, err = tttrace.plain("--check", "-j", library)
    lines = tttrace.parse(out + "\n", schema.check_check)
    assert [line["stripped"] for line in lines if line.get("item") == "library"] == [True]
    assert status == 3 and WITHOUT in err


def test_a_command_that_uses_it_is_not_traced_and_that_is_said(home, library, environment):
    code = "import jax, jax.numpy as jnp; jnp.ones((256, 256), jnp.bfloat16).block_until_ready()"
    status, out, err = tttrace.plain("-j", "--", home + "/bin/python", "-c", code, **environment)
    summary = tttrace.parse("\n".join(line for line in out.splitlines() if line.startswith("{")) + "\n")[-1]
    assert status == 4 and not summary["coverage"]["complete"]
    assert [one["path"] for one in summary["coverage"]["untraced"]] == [str(library)]
    assert WITHOUT in err and "did not use" not in err
