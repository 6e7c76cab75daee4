# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""counts.py SHAPE TENSORS FREED [ZERO_SIZE HOOKED]: so many of each; all of the latter are freed."""

import os
import sys

import ttnn
from oracle import Capture, close, open_shape, tensor, tensors, zero_size

number, freed, zero, hooked = [int(arg) for arg in (sys.argv[2:] + ["0", "0"])[:4]]
device = open_shape(sys.argv[1])
kept = tensors(number, device)
for one in kept[:freed]:
    ttnn.deallocate(one)
for _ in range(zero):
    zero_size(device)
for _ in range(hooked):
    with Capture():
        tensor(device)
close(device)
os._exit(0)  # the tensors that are left are not destroyed any more
