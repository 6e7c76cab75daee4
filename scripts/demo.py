# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""What scripts/demo traces: a small model-like program that also does what puzzles people."""

import ttnn

TILE = dict(dtype=ttnn.bfloat16, layout=ttnn.TILE_LAYOUT)


def tensor(shape, device, where=ttnn.DRAM_MEMORY_CONFIG):
    return ttnn.empty(shape, device=device, memory_config=where, **TILE)


def forward(device, weights):
    """Two inputs in L1, a matmul, and its result; all freed but the result."""
    x = tensor((64, 256), device, ttnn.L1_MEMORY_CONFIG)
    y = ttnn.matmul(x, weights)
    ttnn.deallocate(x)
    return y


def capture(device):
    """A graph capture stands in for the allocator: its tensor takes no memory."""
    graph = ttnn._ttnn.graph
    graph.begin_graph_capture(graph.RunMode.NO_DISPATCH)
    ttnn.deallocate(tensor((1024, 1024), device))
    graph.end_graph_capture()


def too_much(device):
    """More than the chip has; the program catches the error and goes on."""
    try:
        return [tensor((65536, 65536), device) for _ in range(2)]
    except RuntimeError:
        return []


def main():
    device = ttnn.open_device(device_id=0)
    weights = tensor((256, 512), device)
    results = [forward(device, weights) for _ in range(3)]
    empty = ttnn.empty((0, 32), dtype=ttnn.bfloat16, layout=ttnn.ROW_MAJOR_LAYOUT, device=device)
    ttnn.deallocate(empty)
    capture(device)
    too_much(device)
    ttnn.deallocate(results[0])
    # forgotten: the weights and two results
    ttnn.close_device(device)


main()
