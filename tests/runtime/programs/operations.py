# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""operations.py SHAPE: operations with output tensors of their own, views, kept or dropped."""

import sys

import ttnn
from oracle import checkpoint, close, log, open_shape, tensor

OPERATIONS = (
    lambda a, b: ttnn.add(a, b),
    lambda a, b: ttnn.matmul(a, b),
    lambda a, b: ttnn.softmax(a, dim=-1),
    lambda a, b: ttnn.to_memory_config(a, ttnn.L1_MEMORY_CONFIG),
    lambda a, b: ttnn.to_memory_config(b, ttnn.DRAM_MEMORY_CONFIG),
    lambda a, b: ttnn.reshape(a, (1, 1, 64, 256)),
    lambda a, b: ttnn.reshape(a, (1, 4, 32, 128)),
    lambda a, b: a[:, :, 0:32, 0:64],
    lambda a, b: a[:, :, 0:16, 0:16],
    lambda a, b: ttnn.to_layout(a, ttnn.ROW_MAJOR_LAYOUT),
    lambda a, b: ttnn.typecast(a, ttnn.float32),
    lambda a, b: ttnn.sum(a, dim=-1),
)


def operate(device, a, b):
    """All that this runtime can do on its mocked devices, which is not everything."""
    results = []
    for operation in OPERATIONS:
        try:
            results.append(operation(a, b))
        except RuntimeError:
            pass
        checkpoint(device)
    return results


device = open_shape(sys.argv[1])
a = tensor(device, (1, 1, 128, 128))
b = tensor(device, (1, 1, 128, 128), where="L1")
kept = operate(device, a, b)
log("done", operations=len(kept))
operate(device, a, b)  # now the programs come out of the cache
checkpoint(device)
ttnn.deallocate(a)  # some of what is kept may be a view of it
checkpoint(device)
while kept:
    del kept[len(kept) // 2]
    checkpoint(device)
close(device)
