# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
chaos.py SHAPE SEED STEPS: whatever a program may do with tensors, by chance: allocate and free all
kinds of them, under captures, on threads, in submeshes and forked children; run out of memory, take all
memory back at once, close and open again. Every few steps a checkpoint. It ends in one of five ways,
each of which leaves what is there to whom it may concern.
"""

import os
import random
import sys
import threading

import ttnn
from oracle import Capture, checkpoint, close, keep, log, open_shape, out_of_memory, tensor, tensors, zero_size
from random_tensors import Maker


class Chaos:
    def __init__(self, shape, seed):
        self.shape = shape
        self.seed = seed
        self.random = random.Random(seed)
        self.open()

    def open(self):
        self.device = open_shape(self.shape, l1_small_size=64 << 10)
        self.maker = Maker(self.device, self.seed)
        self.live = []
        self.submesh, self.live_there = None, []
        self.has_list = True  # until a free is suppressed: then the allocator's list of its buffers dangles

    def checkpoint(self):
        places = [self.device] + ([self.submesh] if self.submesh else [])
        checkpoint(*places, buffers=self.has_list)

    # --- steps -------------------------------------------------------------------------------

    def step_alloc(self):
        try:
            self.live.append(self.maker.any())
        except RuntimeError:  # the runtime refuses some combinations
            pass

    def step_free(self):
        if self.live:
            self.maker.free_one(self.live)

    def step_zero_size(self):
        zero_size(self.device)

    def step_out_of_memory(self):
        """What fits once does not fit twice, on any chip."""
        try:
            held = tensor(self.device, (65536, 65536))
        except RuntimeError:
            return
        out_of_memory(self.device)
        ttnn.deallocate(held)

    def step_capture(self):
        """What is made under it has no memory; what is freed under it keeps its memory."""
        with Capture():
            made = tensors(3, self.device)
            if self.live and self.random.random() < 0.3:
                self.live.pop(self.random.randrange(len(self.live)))
                self.has_list = False
        made.clear()

    def step_bulk(self):
        """What was there then is let go at once: afterwards its addresses are others'."""
        ttnn._ttnn.device.deallocate_buffers(self.device)
        self.live.clear()

    def step_threads(self):
        """Each allocates, and frees what another one has allocated."""
        made = [[] for _ in range(3)]

        def work(number):
            for _ in range(10):
                made[number].append(tensor(self.device, (32, 32), where="L1"))

        for target in (work, lambda number: made[(number + 1) % 3].clear()):
            threads = [threading.Thread(target=target, args=(number,)) for number in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

    def step_fork(self):
        """The child has copies of all objects, and frees some of them, or none."""
        child = os.fork()
        if not child:
            if self.random.random() < 0.5:
                del self.live[:3]
            if self.random.random() < 0.5:
                os.kill(os.getpid(), 9)
            os._exit(0)
        os.waitpid(child, 0)

    def step_submesh(self):
        if self.submesh or "x" not in self.shape:
            return self.step_in_submesh()
        self.submesh = self.device.create_submesh(ttnn.MeshShape(1, 1), ttnn.MeshCoordinate(0, 0))
        self.live_there = tensors(3, self.submesh, (64, 64))

    def step_in_submesh(self):
        if self.submesh:
            self.live_there.append(tensor(self.submesh, (32, 64), where=self.random.choice(("L1", "DRAM"))))
            del self.live_there[0]

    def step_reopen(self):
        """What is live when it is closed leaks; its objects go before the next one is opened."""
        self.checkpoint()
        self.live_there.clear()
        if self.submesh:
            close(self.submesh)
        close(self.device)
        self.live.clear()
        self.open()

    STEPS = ((step_alloc, 40), (step_free, 25), (step_zero_size, 2), (step_out_of_memory, 2),
             (step_capture, 4), (step_bulk, 1), (step_threads, 2), (step_fork, 2), (step_submesh, 3),
             (step_reopen, 1))

    def run(self, steps):
        for number in range(steps):
            functions, weights = zip(*self.STEPS)
            self.random.choices(functions, weights)[0](self)
            if number % 7 == 6:
                self.checkpoint()
        self.checkpoint()

    def end(self):
        how = self.random.choice(("close", "exit", "exception", "at_once", "kill"))
        log("end", how=how)
        sys.stdout.flush()
        if how == "close":
            close(self.device)
            os._exit(0)
        if how == "at_once":
            os._exit(0)
        if how == "kill":
            os.kill(os.getpid(), 9)
        keep(self.live + self.live_there)
        if how == "exception":
            raise ValueError
        sys.exit(0)


def main():
    chaos = Chaos(sys.argv[1], int(sys.argv[2]))
    chaos.run(int(sys.argv[3]))
    chaos.end()


if __name__ == "__main__":
    main()
