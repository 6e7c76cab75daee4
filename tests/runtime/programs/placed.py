# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
placed.py graph SHAPE           operations, and what a graph capture says of their circular buffers
placed.py clash SHAPE OPERATION  one operation for which L1 is too full: the runtime says how high
                                 its circular or dataflow buffers reach
placed.py regions SHAPE         how the memory is divided, as the allocator has it
placed.py often SHAPE TIMES      the same operations again and again
"""

import re
import sys

import ttnn
from oracle import TYPES, close, log, open_shape, tensor

graph = ttnn._ttnn.graph
CLASH = re.compile(r"Statically allocated (\w+) buffers in .* L1 buffer allocated at (\d+) and .* ends at (\d+)")
LEFT = 6 << 10  # bytes per core: less than any of the operations wants

OPERATIONS = {
    "add": lambda a, b: ttnn.add(a, b),
    "matmul": lambda a, b: ttnn.matmul(a, b),
    "softmax": lambda a, b: ttnn.softmax(a, dim=-1),
    "sum": lambda a, b: ttnn.sum(a, dim=-1),
    "layer_norm": lambda a, b: ttnn.layer_norm(a),
    "transpose": lambda a, b: ttnn.transpose(a, -2, -1),
    "concat": lambda a, b: ttnn.concat([a, b], dim=-1),
    "typecast": lambda a, b: ttnn.typecast(a, ttnn.float32),
    "to_l1": lambda a, b: ttnn.to_memory_config(a, ttnn.L1_MEMORY_CONFIG),
    "multiply": lambda a, b: ttnn.multiply(a, 2.0),
    "where": lambda a, b: ttnn.where(a, a, b),
    "untilize": lambda a, b: ttnn.to_layout(a, ttnn.ROW_MAJOR_LAYOUT),
    "repeat": lambda a, b: ttnn.repeat(a, (1, 1, 2, 1)),
    "attention": lambda a, b: ttnn.transformer.scaled_dot_product_attention(a, a, b, is_causal=True),
}


def tensors_of(device, shape):
    return tensor(device, shape), tensor(device, shape)


def attempt(name, a, b):
    """The error, if the runtime refuses: its mocked devices cannot do everything."""
    try:
        OPERATIONS[name](a, b)
    except RuntimeError as error:
        return str(error)
    return ""


def show_graph(device):
    for shape in ((1, 1, 64, 96), (1, 4, 64, 64), (1, 1, 256, 256), (1, 1, 1056, 320)):
        a, b = tensors_of(device, shape)
        for name in OPERATIONS:
            graph.begin_graph_capture(graph.RunMode.NORMAL)
            attempt(name, a, b)
            nodes = graph.end_graph_capture()
            log("graph", operation=name, nodes=[[node["node_type"], node["params"]] for node in nodes
                                                if node["node_type"].startswith("circular_buffer")])


def show_clash(device, name):
    a, b = tensors_of(device, (1, 1, 256, 256))
    view = ttnn.get_memory_view(device, ttnn.BufferType.L1)
    tiles = (view.largest_contiguous_bytes_free_per_bank - LEFT) // 2048 * view.num_banks
    full = tensor(device, (1, 1, 32, 32 * tiles), where="L1")
    found = CLASH.search(attempt(name, a, b))
    if found:
        log("clash", what=found[1], address=int(found[2]), end=int(found[3]))
    ttnn.deallocate(full)


def show_regions(device):
    """The first buffer at the bottom of DRAM, and the one that ends at the top of L1."""
    low, high = tensor(device, (1, 1, 64, 64)), tensor(device, (1, 1, 32, 32), where="L1")
    views = {name: ttnn.get_memory_view(device, getattr(ttnn.BufferType, name)) for name in TYPES}
    log("regions", dram=low.buffer_address(), l1=high.buffer_address(),
        sizes={name: view.total_bytes_per_bank for name, view in views.items()},
        banks={name: view.num_banks for name, view in views.items()})


def repeat(device, times):
    a, b = tensors_of(device, (1, 1, 256, 256))
    for _ in range(times):
        for name in ("add", "matmul", "softmax"):
            attempt(name, a, b)


options = {"l1_small_size": 32768, "trace_region_size": 1 << 20} if sys.argv[1] == "regions" else {}
device = open_shape(sys.argv[2], **options)
{"graph": lambda: show_graph(device), "clash": lambda: show_clash(device, *sys.argv[3:]),
 "regions": lambda: show_regions(device), "often": lambda: repeat(device, int(sys.argv[3]))}[sys.argv[1]]()
log("done")
close(device)
