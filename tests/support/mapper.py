# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
mapper.py COUNT FILE…: each line that it reads has it map all of each FILE, and COUNT single pages of
the first one, every second as code, so that each is a mapping of its own; then it prints `mapped`. It
ends with its standard input.
"""

import mmap
import sys

CODE = mmap.PROT_READ | mmap.PROT_EXEC


def main(count, files):
    kept = []
    for _ in sys.stdin:
        for name in files:
            with open(name, "rb") as file:
                kept.append(mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=CODE))
        with open(files[0], "rb") as file:
            for number in range(count):
                rights = CODE if number % 2 else mmap.PROT_READ
                kept.append(mmap.mmap(file.fileno(), mmap.PAGESIZE, flags=mmap.MAP_PRIVATE, prot=rights))
        print("mapped", flush=True)


print("ready", flush=True)
main(int(sys.argv[1]), sys.argv[2:])
