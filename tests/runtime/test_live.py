# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
Where fields lie, as the objects of a process tell it, which is all that there is of a runtime without
symbols: on runtimes that have them, where the code says it as well.
"""

import subprocess

import pytest

from support import tttrace

FIELDS = tttrace.BINARY.parent / "tests/live/fields"
# of all that the code tells, what objects do not: flags, numbers, and what only events need
NOT_TOLD = {"Buffer.bottom_up_", "Buffer.owns_data_", "Buffer.allocation_status_", "Buffer.hooked_allocation_",
            "Buffer.unique_id_", "Device.initialized_", "MeshDevice.is_internal_state_initialized",
            "FreeListOpt.min_allocation_size_", "FreeListOpt.allocated_block_table_", "CoreRangeSet.ranges_",
            "CircularBufferAllocator.l1_regions"}
HOLD = """
    device = open_shape(sys.argv[1])
    held = []
    for rows in 32, 96, 512:
        for memory in ttnn.DRAM_MEMORY_CONFIG, ttnn.L1_MEMORY_CONFIG:
            for layout in ttnn.TILE_LAYOUT, ttnn.ROW_MAJOR_LAYOUT:
                held.append(ttnn.empty((rows, 1000), dtype=ttnn.bfloat16, layout=layout, device=device,
                                       memory_config=memory))
    del held[3::4]
    {more}
    ask()
    held.clear()
    close(device)
"""
SHARDED = """
    sharded = ttnn.create_sharded_memory_config((64, 64), core_grid=ttnn.CoreGrid(y=2, x=2),
                                                strategy=ttnn.ShardStrategy.HEIGHT,
                                                use_height_and_width_as_shard_shape=True)
    held.append(ttnn.empty((256, 64), dtype=ttnn.bfloat16, layout=ttnn.TILE_LAYOUT, device=device,
                           memory_config=sharded))
"""
LIVES = """
    close(device)
    held.clear()
    device = open_shape(sys.argv[1])
    held.append(ttnn.empty((512, 1000), dtype=ttnn.bfloat16, layout=ttnn.TILE_LAYOUT, device=device))
"""


def told(pid, library):
    """By name of a field: its place as the code has it, and as the objects do; the first line."""
    done = subprocess.run([FIELDS, str(pid), library], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    head, *lines = done.stdout.splitlines()
    return head.split(), {line.split()[0]: line.split()[1:3] for line in lines}


@pytest.mark.parametrize("more", ["", SHARDED, LIVES], ids=["interleaved", "sharded", "lives"])
@pytest.mark.parametrize("cluster, shape", [("n150", "1"), ("t3k", "2x4")], ids=["chip", "mesh"])
def test_objects_tell_what_the_code_tells(real, cluster, shape, more):
    program = real.start(HOLD.format(more=more), cluster, args=(shape,))
    program.hear()
    head, fields = told(program.pid, real.library)
    program.tell()
    assert program.wait() == 0
    assert head[:4] == ["state", "1", "unexplained", "0"]
    differ = {name: places for name, places in fields.items() if name not in NOT_TOLD and places[0] != places[1]}
    # a mesh leads to its chips by several ways
    assert set(differ) <= {"MeshDevice.devices_"}, differ
    assert fields["MeshDevice.devices_"][1] != "-"
    assert all(fields[name][1] == "-" for name in NOT_TOLD)


def test_nothing_is_told_where_nothing_is_held(real):
    program = real.start("""
        ask()
        device = open_shape("1")
        ask()
        close(device)
    """)
    for _ in range(2):
        program.hear()
        head, _ = told(program.pid, real.library)
        assert head[:2] == ["state", "0"]
        program.tell()
    assert program.wait() == 0
