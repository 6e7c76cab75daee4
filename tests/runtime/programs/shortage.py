# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
shortage.py SHAPE holes: fills each kind of memory, cuts it up, asks for more than any hole has.
shortage.py SHAPE random SEED STEPS: at any time, asks for more than there is.

After each error that was caught, the log has what the allocator says of itself.
"""

import re
import sys

import ttnn
from oracle import close, log, open_shape, tensor
from random_tensors import Maker, cores, sharded

LARGE = {"DRAM": 1 << 17, "L1": 1 << 14}  # rows and columns: more than any chip has


def judge(asked, view):
    """Why it did not fit, by the allocator's own numbers."""
    if asked > view.total_bytes_per_bank:
        return "too_large"
    return "full" if asked > view.total_bytes_free_per_bank else "fragmented"


def note(device, where, error, fit=None):
    """What the error asked for, and what get_memory_view() says was free."""
    view = ttnn.get_memory_view(device, getattr(ttnn.BufferType, where))
    words = str(error)
    assert "Out of Memory" in words, words
    asked = int(re.search(r"store (\d+) B", words).group(1))
    log("failed", type=where, fit=fit or judge(asked, view), bank_size=view.total_bytes_per_bank,
        banks=view.num_banks,
        free_per_bank=view.total_bytes_free_per_bank,
        held_per_bank=view.total_bytes_allocated_per_bank,
        largest_hole_per_bank=view.largest_contiguous_bytes_free_per_bank,
        asked_per_bank=asked,
        told=[int(number) for number in re.findall(r"(?:free|block): (\d+) B", words)])


class Way:
    """One way to take memory: of a type, as a tensor of some units of size."""

    def __init__(self, device, where, scheme):
        self.device = device
        self.where = where
        self.scheme = scheme
        self.grid = (device.dram_grid_size().x, 1) if where == "DRAM" else (4, 4)

    def make(self, units):
        if self.scheme == "interleaved":
            rows = 8192 if self.where == "DRAM" else 512
            return tensor(self.device, (rows, rows * units), where=self.where)
        rows = {"DRAM": 4096, "L1": 64, "L1_SMALL": 32}[self.where]
        shard = [rows, rows * units]
        config = sharded("HEIGHT", self.where, cores(*self.grid), shard)
        shape = (1, 1, rows * self.grid[0] * self.grid[1], rows * units)
        return tensor(self.device, shape, where=config)

    def fails(self, units, fit):
        try:
            self.make(units)
        except RuntimeError as error:
            note(self.device, self.where, error, fit)
            return
        raise AssertionError(f"{units} of {self.where} {self.scheme} fitted")

    def fill(self):
        held = []
        while True:
            try:
                held.append(self.make(1))
            except RuntimeError as error:
                note(self.device, self.where, error, "full")
                return held

    def play(self):
        self.fails(1 << 12, "too_large")
        held = self.fill()
        assert len(held) > 8
        del held[1::2]
        self.fails(3, "fragmented")
        while held:  # larger and larger holes
            del held[::2]
            self.fails(1 << 12, "too_large")


WAYS = (("DRAM", "interleaved"), ("L1", "interleaved"), ("DRAM", "sharded"), ("L1", "sharded"),
        ("L1_SMALL", "sharded"))


def holes(device):
    tensor(device)  # so that the allocator has been met when the first one fails
    for where, scheme in WAYS:
        Way(device, where, scheme).play()


def ask_for_all(device):
    for where, size in LARGE.items():
        try:
            tensor(device, (size, size), where=where)
        except RuntimeError as error:
            note(device, where, error, "too_large")
        else:
            raise AssertionError(f"all of {where} fitted")


def at_random(device, seed, steps):
    maker = Maker(device, seed)
    live = []
    for step in range(steps):
        if live and maker.random.random() < 0.45:
            maker.free_one(live)
        else:
            try:
                live.append(maker.any())
            except RuntimeError as error:  # the runtime refuses some combinations, or has no room
                kind = re.search(r"Out of Memory.* (DRAM|L1_SMALL|L1) buffer", str(error))
                if kind:
                    note(device, kind.group(1), error)
        if step % 10 == 9:
            ask_for_all(device)


def main(shape, what, *args):
    device = open_shape(shape, l1_small_size=64 << 10)
    if what == "holes":
        holes(device)
    else:
        at_random(device, *map(int, args))
    close(device)


main(*sys.argv[1:])
