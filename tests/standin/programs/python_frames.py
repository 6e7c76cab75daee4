# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
Allocates on the stand-in from everywhere in Python, and prints what Python itself says of where that
was: for each allocation a line of JSON, [file, line, function] of each frame, innermost first.

  python_frames.py LIBRARY [fork | end | hide HIDE]

With `fork` a child does it; with `end` the program ends right after one allocation; with `hide` the
last allocation is made while some of the frames cannot be read (hide.c).
"""

import asyncio
import ctypes
import functools
import json
import os
import sys
import threading
import time


class OpenArgs(ctypes.Structure):
    _fields_ = [("first_chip", ctypes.c_int), ("num_chips", ctypes.c_int),
                ("bank_size", ctypes.c_uint64 * 5), ("num_banks", ctypes.c_uint32 * 5),
                ("list_alignment", ctypes.c_uint32), ("system_size", ctypes.c_uint64)]


class AllocArgs(ctypes.Structure):
    _fields_ = [("chip", ctypes.c_int), ("type", ctypes.c_int), ("size", ctypes.c_uint64),
                ("page_size", ctypes.c_uint64), ("layout", ctypes.c_int), ("cores", ctypes.c_uint32),
                ("top_down", ctypes.c_bool), ("has_address", ctypes.c_bool), ("address", ctypes.c_uint64)]


NAMES = ("open", "submesh", "close", "drop", "mesh_id", "system_tensor", "bulk", "occupied", "alloc",
         "facts", "deallocate", "release")


class Api(ctypes.Structure):
    _fields_ = [("generation", ctypes.c_int)] + [(name, ctypes.c_void_p) for name in NAMES]


library = ctypes.CDLL(sys.argv[1])
library.standin_api.restype = ctypes.POINTER(Api)
api = library.standin_api().contents
pointer = ctypes.c_void_p
open_mesh = ctypes.CFUNCTYPE(pointer, pointer)(api.open)
close = ctypes.CFUNCTYPE(None, pointer)(api.close)
alloc = ctypes.CFUNCTYPE(pointer, pointer, pointer)(api.alloc)

if "hide" in sys.argv:
    hide = ctypes.CDLL(sys.argv[-1]).alloc_without_page
    hide.argtypes = [pointer] * 4

print("ready", flush=True)
sys.stdin.readline()
if "fork" in sys.argv and os.fork():
    os.wait()
    sys.exit()
opened = OpenArgs(0, 1, (1 << 26, 1 << 20, 0, 1 << 15, 1 << 22), (12, 64, 0, 64, 12), 32, 0)
mesh = open_mesh(ctypes.addressof(opened))
wanted = AllocArgs(-1, 0, 4096, 2048)
size = ctypes.addressof(wanted)
logged = []


def here():
    frame, found = sys._getframe(1), []
    while frame:
        code = frame.f_code
        found.append([code.co_filename, frame.f_lineno, getattr(code, "co_qualname", code.co_name)])
        frame = frame.f_back
    return found


def log(frames, _):
    logged.append(frames)


def plain():
    log(here(), alloc(mesh, size))


def nested():
    def inner():
        def innermost():
            log(here(), alloc(mesh, size))
        innermost()
    inner()


def generator():
    yield log(here(), alloc(mesh, size))
    yield log(here(), alloc(mesh, size))


def through_generator():
    for _ in generator():
        pass
    return [log(here(), alloc(mesh, size)) for _ in range(2)]


def decorator(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)
    return wrapper


@decorator
@decorator
def decorated(depth):
    if depth:
        return decorated(depth - 1)
    return log(here(), alloc(mesh, size))


class Model:
    @property
    def weight(self):
        return log(here(), alloc(mesh, size))

    def __call__(self, *args):
        return self.forward(*args)

    def forward(self, x):
        log(here(), alloc(mesh, size))
        return (self.weight,
                x)


def callbacks():
    sorted([2, 1], key=lambda x: log(here(), alloc(mesh, size)) or x)
    functools.reduce(lambda x, y: log(here(), alloc(mesh, size)), [1, 2])
    list(map(lambda x: log(here(), alloc(mesh, size)), [1]))


def thread():
    worker = threading.Thread(target=callbacks)
    worker.start()
    worker.join()


async def coroutine():
    await asyncio.sleep(0)
    log(here(), alloc(mesh, size))


def in_exception():
    try:
        raise ValueError
    except ValueError:
        log(here(), alloc(mesh, size))
    finally:
        log(here(), alloc(mesh, size))


TEXT = "def größe():\n    pass\n\n\n    log(here(), alloc(mesh, size))\ngröße()"
kept = compile(TEXT, "<Prüfung>", "exec")


def made_of_text():
    exec(kept, globals())


def gone():
    """Its code is freed as soon as it has run; another takes its place."""
    exec(TEXT, globals())
    # what is as large as this lies where malloc() has put it
    exec(TEXT + "\n" + "größe.x = size + 1\n" * 200 + "log(here(), alloc(mesh, size))\n", globals())


def immortal():
    log(here(), alloc(mesh, size))


# The count of references of what is never freed: frames of 3.14 point to such code with a tag.
ctypes.c_uint64.from_address(id(immortal.__code__)).value = 3 << 30 | (sys.version_info >= (3, 14)) << 48


def recursion(depth):
    if depth:
        recursion(depth - 1)
    else:
        log(here(), alloc(mesh, size))


def beneath(depth, act):
    return beneath(depth - 1, act) if depth else act()


def without_a_page():
    """A page in which only frames are: the interpreter has them on a stack of its own, from 3.11 on."""
    outer, own = (ctypes.c_uint64.from_address(id(sys._getframe(nr)) + 24).value for nr in (40, 0))
    page = outer & -4096
    assert own & -4096 != page, (hex(outer), hex(own))
    log(here(), hide(api.alloc, mesh, size, page))


if "hide" in sys.argv:
    recursion(50)
    beneath(50, without_a_page)
    print(*map(json.dumps, logged), sep="\n", flush=True)
    os._exit(0)
if "end" in sys.argv:
    nested()
    print(json.dumps(logged[0]), flush=True)
    os._exit(0)
for _ in range(3):
    plain()
    nested()
    through_generator()
    decorated(2)
    Model()(1)
    callbacks()
    thread()
    asyncio.run(coroutine())
    in_exception()
    made_of_text()
    gone()
    immortal()
    recursion(40)
    log(here(), alloc(mesh, size))
    time.sleep(0.2)  # so that the tracer knows what was there before
close(mesh)
for one in logged:
    print(json.dumps(one))
