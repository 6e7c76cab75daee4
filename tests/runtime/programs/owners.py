# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Memory for what is no tensor. Says of each whether this version of the runtime could do it."""

import sys

import ttnn

d = ttnn.open_device(device_id=0)
WORKERS = ttnn.CoreRangeSet({ttnn.CoreRange(ttnn.CoreCoord(0, 0), ttnn.CoreCoord(3, 3))})
RECEIVERS = ttnn.CoreRangeSet({ttnn.CoreRange(ttnn.CoreCoord(1, 1), ttnn.CoreCoord(2, 2))})


def make_socket():
    ends = [ttnn.MeshCoreCoord(ttnn.MeshCoordinate(0, 0), ttnn.CoreCoord(0, y)) for y in range(2)]
    memory = ttnn.SocketMemoryConfig(ttnn.BufferType.L1, 4096)
    return ttnn.create_socket_pair(d, d, ttnn.SocketConfig([ttnn.SocketConnection(*ends)], memory))


THINGS = {
    "tensor": lambda: ttnn.ones((64, 64), dtype=ttnn.bfloat16, layout=ttnn.TILE_LAYOUT, device=d),
    "semaphore": lambda: ttnn.create_global_semaphore(d, WORKERS, 0),
    "circular_buffer": lambda: ttnn.create_global_circular_buffer(d, [(ttnn.CoreCoord(0, 0), RECEIVERS)], 4096),
    "socket": make_socket,
}
held = []
for name, make in THINGS.items():
    try:
        held.append(make())
    except Exception as error:  # not in every version
        print(name, "failed", type(error).__name__, str(error)[:200], file=sys.stderr)
    else:
        print("made", name, flush=True)
ttnn.close_device(d)
