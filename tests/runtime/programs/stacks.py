# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Twenty operations, one after the other, each from a place of its own; and all of them again."""

import sys
import time

import ttnn

TILE = {"dtype": ttnn.bfloat16, "layout": ttnn.TILE_LAYOUT}

d = ttnn.open_device(device_id=0)
d.enable_program_cache()
L1 = ttnn.L1_MEMORY_CONFIG

x = ttnn.zeros((64, 64), device=d, **TILE)
y = ttnn.ones((64, 64), device=d, **TILE)

OPERATIONS = {
    "add": lambda: ttnn.add(x, y),
    "subtract": lambda: ttnn.subtract(x, y),
    "multiply": lambda: ttnn.multiply(x, y),
    "scalar": lambda: ttnn.add(x, 2.0),
    "matmul": lambda: ttnn.matmul(x, y),
    "linear": lambda: ttnn.linear(x, y),
    "softmax": lambda: ttnn.softmax(x, dim=-1),
    "relu": lambda: ttnn.relu(x),
    "gelu": lambda: ttnn.gelu(x),
    "exp": lambda: ttnn.exp(x),
    "sqrt": lambda: ttnn.sqrt(y),
    "empty": lambda: ttnn.empty((32, 32), device=d, **TILE),
    "zeros": lambda: ttnn.zeros((32, 32), device=d, **TILE),
    "full": lambda: ttnn.full((32, 32), 3.0, device=d, **TILE),
    "to_memory_config": lambda: ttnn.to_memory_config(x, L1),
    "clone": lambda: ttnn.clone(x),
    "concat": lambda: ttnn.concat([x, y], dim=0),
    "slice": lambda: ttnn.slice(x, [0, 0], [32, 32]),
    "to_layout": lambda: ttnn.to_layout(x, ttnn.ROW_MAJOR_LAYOUT),
    "typecast": lambda: ttnn.typecast(x, ttnn.float32),
    "sum": lambda: ttnn.sum(x, dim=-1),
    "rms_norm": lambda: ttnn.rms_norm(x),
    "transpose": lambda: ttnn.transpose(x, 0, 1),
}

for _ in range(3):
    time.sleep(0.2)  # so that the tracer has seen what was there before
    for name, operation in OPERATIONS.items():
        try:
            held = operation()
        except Exception as error:  # not in every version
            print(name, type(error).__name__, str(error)[:100], file=sys.stderr)
        else:
            del held
ttnn.close_device(d)
