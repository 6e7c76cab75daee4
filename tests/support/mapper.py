# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
mapper.py COUNT FILE…: each line that it reads has it map all of each FILE, and COUNT single pages of
the first one, every second as code, so that each is a mapping of its own; then it prints `mapped`. It
ends with its standard input.
"""

import ctypes
import mmap
import os
import sys

CODE = mmap.PROT_READ | mmap.PROT_EXEC
FAILED = ctypes.c_void_p(-1).value

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]


def map_file(name, size, rights, count=1):
    """Not by mmap.mmap(), which keeps a descriptor for each."""
    file = os.open(name, os.O_RDONLY)
    for number in range(count):
        at = libc.mmap(None, size, rights[number % len(rights)], mmap.MAP_PRIVATE, file, 0)
        assert at != FAILED, os.strerror(ctypes.get_errno())
    os.close(file)


def main(count, files):
    for _ in sys.stdin:
        for name in files:
            map_file(name, os.path.getsize(name), [CODE])
        map_file(files[0], mmap.PAGESIZE, [mmap.PROT_READ, CODE], count)
        print("mapped", flush=True)


print("ready", flush=True)
main(int(sys.argv[1]), sys.argv[2:])
