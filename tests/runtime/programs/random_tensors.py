# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
random_tensors.py SHAPE SEED STEPS: tensors of random type, shape, layout and place, freed in random
order; every ten steps a checkpoint.
"""

import random
import sys

import ttnn
from oracle import checkpoint, close, log, open_shape, tensor

TILE_ONLY = ("bfloat8_b", "bfloat4_b")
DTYPES = ("bfloat16", "float32", "uint32", "int32", "uint16", "uint8") + TILE_ONLY


def cores(columns, rows):
    last = ttnn.CoreCoord(columns - 1, rows - 1)
    return ttnn.CoreRangeSet({ttnn.CoreRange(ttnn.CoreCoord(0, 0), last)})


def sharded(scheme, where, grid, shard):
    return ttnn.MemoryConfig(getattr(ttnn.TensorMemoryLayout, scheme + "_SHARDED"),
                             getattr(ttnn.BufferType, where),
                             ttnn.ShardSpec(grid, shard, ttnn.ShardOrientation.ROW_MAJOR))


class Maker:
    def __init__(self, device, seed):
        self.device = device
        self.random = random.Random(seed)
        self.grid = device.compute_with_storage_grid_size()
        self.dram_banks = device.dram_grid_size().x

    def some_layout(self):
        """A data type, a layout, and the unit that a shard is made of in it: rows, columns."""
        dtype = self.random.choice(DTYPES)
        if dtype in TILE_ONLY or self.random.random() < 0.5:
            return dtype, "TILE", (32, 32)
        return dtype, "ROW_MAJOR", (1, 16)

    def interleaved(self):
        dtype, layout, _ = self.some_layout()
        shape = [self.random.randint(1, 5) for _ in range(self.random.randint(0, 2))]
        shape += [self.random.randint(1, 300), self.random.randint(1, 700)]
        return tensor(self.device, shape, dtype, layout, self.random.choice(("DRAM", "L1")))

    def place(self):
        """Where shards go: the memory, and how many columns and rows of cores or banks."""
        if self.random.random() < 0.2:
            return "DRAM", self.random.randint(1, self.dram_banks), 1
        columns = self.random.randint(1, self.grid.x)
        rows = self.random.randint(1, self.grid.y)
        return self.random.choice(("L1", "L1", "L1_SMALL")), columns, rows

    def shard(self, unit, where):
        most = 1 if where == "L1_SMALL" else 4
        return [unit[0] * self.random.randint(1, most), unit[1] * self.random.randint(1, most)]

    def height_sharded(self):
        dtype, layout, unit = self.some_layout()
        where, columns, rows = self.place()
        shard = self.shard(unit, where)
        config = sharded("HEIGHT", where, cores(columns, rows), shard)
        return tensor(self.device, (1, 1, shard[0] * columns * rows, shard[1]), dtype, layout, config)

    def width_sharded(self):
        dtype, layout, unit = self.some_layout()
        where, columns, rows = self.place()
        shard = self.shard(unit, where)
        config = sharded("WIDTH", where, cores(columns, rows), shard)
        return tensor(self.device, (1, 1, shard[0], shard[1] * columns * rows), dtype, layout, config)

    def block_sharded(self):
        dtype, layout, unit = self.some_layout()
        columns, rows = self.random.randint(1, self.grid.x), self.random.randint(1, self.grid.y)
        shard = self.shard(unit, "L1")
        config = sharded("BLOCK", "L1", cores(columns, rows), shard)
        return tensor(self.device, (1, 1, shard[0] * rows, shard[1] * columns), dtype, layout, config)

    def nd_sharded(self):
        dtype, layout, unit = self.some_layout()
        where, columns, rows = self.place()
        shard = [self.random.randint(1, 2)] + self.shard(unit, where)
        shape = [self.random.randint(1, 3) * shard[0], self.random.randint(1, 3) * shard[1],
                 self.random.randint(1, 3) * shard[2]]
        spec = ttnn.NdShardSpec(shard, cores(columns, rows))
        config = ttnn.MemoryConfig(getattr(ttnn.BufferType, where), spec)
        return tensor(self.device, shape, dtype, layout, config)

    def any(self):
        makers = (self.interleaved, self.interleaved, self.height_sharded, self.width_sharded,
                  self.block_sharded, self.nd_sharded)
        return self.random.choice(makers)()

    def free_one(self, live):
        one = live.pop(self.random.randrange(len(live)))
        if self.random.random() < 0.5:
            ttnn.deallocate(one)


def main(shape, seed, steps):
    device = open_shape(shape, l1_small_size=64 << 10)
    maker = Maker(device, seed)
    live, made, refused = [], 0, 0
    for step in range(steps):
        if live and maker.random.random() < 0.4:
            maker.free_one(live)
        else:
            try:
                live.append(maker.any())
                made += 1
            except RuntimeError:  # the runtime refuses some combinations
                refused += 1
        if step % 10 == 9:
            checkpoint(device)
    log("made", made=made, refused=refused)
    live.clear()
    checkpoint(device)
    close(device)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
