# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
loop.py SHAPE pairs|deep|model: works on the real runtime for as long as each line of its input says
(seconds), and prints how often it went round, as a JSON object: start-up is not in the figures.
typical is the median of the time of a batch, each of which takes about a millisecond at the most:
one in which the program had to wait for its core does not count.

pairs: a tensor is created and freed. deep: the same below 15 layers of two functions each. model:
a matmul, an add, a softmax, with what they allocate.
"""

import json
import statistics
import sys
import time

import ttnn


def open_shape(shape):
    if "x" not in shape:
        return ttnn.open_device(device_id=0)
    rows, columns = shape.split("x")
    return ttnn.open_mesh_device(ttnn.MeshShape(int(rows), int(columns)))


def tensor(shape=(32, 32)):
    return ttnn.empty(shape, dtype=ttnn.bfloat16, layout=ttnn.TILE_LAYOUT, device=device,
                      memory_config=ttnn.DRAM_MEMORY_CONFIG)


def make_pair():
    ttnn.deallocate(tensor())


class Layer:
    def __init__(self, forward):
        self.forward = forward

    def __call__(self):
        self.forward()


def below_layers(inner, number=15):
    """@inner, called through so many layers: each has a function of its own and one that all have."""
    for _ in range(number):
        names = {"inner": inner}
        exec("def forward():\n    inner()", names)
        inner = Layer(names["forward"])
    return inner


def run_model():
    product = ttnn.matmul(x, weights)
    shifted = ttnn.add(product, bias)
    ttnn.deallocate(product)
    result = ttnn.softmax(shifted, dim=-1)
    ttnn.deallocate(shifted)
    ttnn.deallocate(result)


def go_on(work, seconds, batch):
    begin, cpu = time.perf_counter(), time.process_time()
    times = []
    now = begin
    while now - begin < seconds:
        before = now
        for _ in range(batch):
            work()
        now = time.perf_counter()
        times.append((now - before) / batch)
    return {"count": batch * len(times), "seconds": now - begin, "cpu": time.process_time() - cpu,
            "typical": statistics.median(times)}


device = open_shape(sys.argv[1])
x, weights, bias = tensor((1, 1, 128, 128)), tensor((1, 1, 128, 128)), tensor((1, 1, 128, 128))
work, batch = {"pairs": (make_pair, 20), "deep": (below_layers(make_pair), 20), "model": (run_model, 5)}[sys.argv[2]]
for _ in range(batch):
    work()
print("ready", flush=True)
for line in sys.stdin:
    print(json.dumps(go_on(work, float(line), batch)), flush=True)
