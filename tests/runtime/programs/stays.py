# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""A program that others start: it holds a tensor, says so, and goes on until its input ends."""

import sys

from oracle import log, open_shape, tensor

device = open_shape("1")
held = tensor(device)
print("up", flush=True)
sys.stdin.readline()
log("survived")
