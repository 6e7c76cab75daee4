# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
goes_on.py SHAPE SEED [workers | trail]: a chaos that goes on until its input says "end". After "wait" it
writes a checkpoint, says "waits", and stands still until it is told to go on.

  workers  it forks two at the begin that go on as long as it does
  trail    after every step it writes down what it holds, and whether the step may change that twice

With workers it is made so that a census can tell what is whose, where the README says that it cannot in
general. What was the last to be allocated before the fork stays, in each allocator, in parent and child:
else what the parent has freed of such would be taken for the child's. A worker counts on from far above
where its parent will come to, so that no Buffer of both has the same place and number. What it has inherited it does not free
under a capture: of what is left nobody could tell whose it was, once the parent has freed it. The parent
neither ends, nor closes the device, nor frees in bulk before its workers have ended.
"""

import os
import select
import sys
import time

from chaos import Chaos
from oracle import TYPES, log, occupied, say, tensor, zero_size

NUMBERS = 5000  # of buffers that a parent makes at most while a worker lives
MOST_PAUSE = 0.002  # seconds, between two steps


def read_line(file=0):
    """None: nobody tells us any more. Reads not a byte more, so that select() knows of the rest."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(file, 1)
        if not byte:
            return None
        line += byte
    return line.decode().rstrip("\n")


def has_news(file):
    return bool(select.select([file], [], [], 0)[0])


class GoesOn(Chaos):
    def __init__(self, shape, seed, how):
        super().__init__(shape, seed)
        self.how = how
        self.anchors = []
        self.told, self.tells = os.pipe()
        self.came, self.comes = os.pipe()
        self.steps = self.some_steps(self.STEPS)

    def some_steps(self, steps):
        without = {"workers": ("step_bulk", "step_reopen"), "trail": ("step_worker",)}.get(self.how, ("step_worker",))
        return [(step, weight) for step, weight in steps if step.__name__ not in without]

    # --- workers -----------------------------------------------------------------------------

    def before_worker(self):
        self.anchors += [tensor(place.device) for place in self.places()]

    def after_worker(self):
        os.read(self.came, 1)

    def be_worker(self):
        super().be_worker()
        self.steps = [*self.some_steps(self.steps), (GoesOn.step_free_inherited, 10)]
        self.old, self.root.live = self.root.live, []
        os.close(self.tells)
        for _ in range(NUMBERS):
            zero_size(self.device)

    def step_free_inherited(self):
        if self.old:
            self.maker.free_one(self.old)

    def work(self):
        """Until the parent tells, or has gone."""
        log("worker")
        os.write(self.comes, b"x")
        while not has_news(self.told):
            self.step()
            time.sleep(self.random.random() * MOST_PAUSE)
        self.checkpoint()
        self.end_worker()

    def join_workers(self):
        os.close(self.tells)
        super().join_workers()

    # --- being told --------------------------------------------------------------------------

    # steps that allocate or free more than once
    OPAQUE = ("step_out_of_memory", "step_bulk", "step_threads", "step_submesh", "step_in_submesh", "step_operation",
              "step_clear_cache", "step_reopen")

    def step(self):
        if self.how != "trail":
            return super().step()
        function, = self.random.choices(*zip(*self.steps))
        function(self)
        log("trail", opaque=function.__name__ in self.OPAQUE,
            meshes=[{"mesh": place.device.id(), "bytes": {name: occupied(place.device, name) for name in TYPES}}
                    for place in self.places()])

    def stand_still(self):
        self.checkpoint()
        say("waits")
        if read_line() is None:
            os._exit(111)

    def go_on(self):
        self.run(20)
        if self.how == "workers":
            self.step_worker()
            self.run(5)
            self.step_worker()
        say("ready")
        while True:
            word = read_line() if has_news(0) else ""
            if word is None:
                os._exit(111)
            if word == "end":
                break
            if word == "wait":
                self.stand_still()
            self.step()
            time.sleep(self.random.random() * MOST_PAUSE)
        self.checkpoint()
        self.end()


if __name__ == "__main__":
    GoesOn(sys.argv[1], int(sys.argv[2]), "".join(sys.argv[3:])).go_on()
