# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
A program that others start: it holds three tensors, says so in the log, and frees them.

  held.py [SECONDS]    to wait before that, with the runtime mapped
"""

import sys
import time

from oracle import checkpoint, close, open_shape, tensors


def main(pause=0.0):
    time.sleep(pause)
    device = open_shape("1")
    held = tensors(3, device)
    checkpoint(device)
    held.clear()
    close(device)


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))
