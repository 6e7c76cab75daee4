# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
chaos.py SHAPE SEED STEPS: whatever a program may do with tensors, by chance: allocate and free all
kinds of them, under captures, on threads, in submeshes that overlap; fill the program cache and clear it;
run out of memory, take all memory back at once, close and open again; fork children that die, and workers
that go on. Every few steps a checkpoint, of each process. It ends in one of five ways, each of which
leaves what is there to whom it may concern.

What a worker holds itself is what its allocators have, without what it has inherited and not freed yet.
Both are read out of its allocators: a block that was taken at the fork is inherited until it is free.
"""

import os
import random
import sys
import threading

import ttnn
from cached import convolve
from oracle import (Capture, banks, blocks, bytes_of, close, keep, log, look_at, open_shape, out_of_memory,
                    tensor, tensors, zero_size)
from random_tensors import Maker

MOST_LIVE = 60
MOST_WORKERS = 2


class Place:
    """A device, a mesh, or a submesh, and what is live on it."""

    def __init__(self, device):
        self.device = device
        self.live = []
        self.cached = set()     # blocks that programs in the cache hold
        self.inherited = set()  # blocks that a parent has taken before the fork
        self.rows = []          # buffers of such

    def inherit(self, has_list):
        self.inherited = blocks(self.device)
        self.rows = look_at(self.device, has_list).get("buffers", [])
        self.cached = set()

    def lose(self, has_list):
        """Something that was inherited may have been freed; nothing was allocated afterwards."""
        if self.inherited:
            self.inherited &= blocks(self.device)
        if self.rows and has_list:
            there = look_at(self.device, True)["buffers"]
            self.rows = [row for row in self.rows if row in there]

    def look(self, has_list):
        """As look_at(), and what is taken by address."""
        seen, number = look_at(self.device, has_list), banks(self.device)
        taken = blocks(self.device)
        assert bytes_of(taken, number) == seen["bytes"]
        seen["bytes"] = bytes_of(taken - self.inherited, number)
        seen["banks"], seen["blocks"] = number, sorted(taken - self.inherited)
        if has_list:
            seen["buffers"] = [row for row in seen["buffers"] if row not in self.rows]
        return seen

    def left(self):
        """What is to be found at the end, by type, and which of it is no leak: it is the runtime's."""
        number = banks(self.device)
        own = blocks(self.device) - self.inherited
        return {"mesh": self.device.id(), "bytes": bytes_of(own, number), "cached": bytes_of(own & self.cached, number)}


class Chaos:
    def __init__(self, shape, seed):
        self.shape = shape
        self.seed = seed
        self.random = random.Random(seed)
        self.number = 0
        self.workers = []
        self.forked = 0
        self.is_worker = False
        self.open()

    def open(self):
        self.root = Place(open_shape(self.shape, l1_small_size=64 << 10))
        self.maker = Maker(self.root.device, self.seed)
        self.submeshes = []
        self.has_list = True  # until a free is suppressed: then the allocator's list of its buffers dangles

    @property
    def device(self):
        return self.root.device

    @property
    def live(self):
        return self.root.live

    def places(self):
        return [self.root, *self.submeshes]

    def checkpoint(self):
        log("checkpoint", meshes=[place.look(self.has_list) for place in self.places()])

    # --- steps -------------------------------------------------------------------------------

    def step_alloc(self):
        if len(self.live) >= MOST_LIVE:
            return self.step_free()
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
        self.step_clear_cache()

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

    # --- the program cache -------------------------------------------------------------------

    def operate(self):
        if self.random.random() < 0.7:
            convolve(self.device, self.random.choice((8, 16, 32)))
        else:
            one = tensor(self.device, (64, 64))
            ttnn.deallocate(ttnn.matmul(one, one))
            ttnn.deallocate(one)

    def step_operation(self):
        """What is there afterwards and was not before, its program has."""
        before = blocks(self.device)
        try:
            self.operate()
        except RuntimeError:  # what is live in L1 may be in its way
            pass
        self.root.cached |= blocks(self.device) - before

    def step_clear_cache(self):
        self.device.disable_and_clear_program_cache()
        assert not self.root.cached & blocks(self.device)
        self.root.cached = set()
        self.device.enable_program_cache()

    # --- processes ---------------------------------------------------------------------------

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

    def step_worker(self):
        """A child that goes on as its parent does."""
        if len(self.workers) == MOST_WORKERS:
            return
        self.forked += 1
        self.before_worker()
        child = os.fork()
        if child:
            self.workers.append(child)
            self.after_worker()
            return
        try:
            self.be_worker()
            self.work()
        finally:
            os._exit(1)  # it did not come to its end

    def before_worker(self):
        pass

    def after_worker(self):
        pass

    def be_worker(self):
        self.is_worker, self.workers = True, []
        self.random = self.maker.random = random.Random(f"{self.seed} {self.forked}")
        self.steps = self.STEPS_OF_WORKERS
        for place in self.places():
            place.inherit(self.has_list)

    def work(self):
        self.run(25)
        self.end_worker()

    def end_worker(self):
        how = self.random.choice(("at_once", "kill"))
        self.say_end(how)
        if how == "kill":
            os.kill(os.getpid(), 9)
        os._exit(0)

    def join_workers(self):
        """None of them has come to harm."""
        for worker in self.workers:
            status = os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])
            assert status in (0, -9), f"a worker ended with {status}"
        self.workers.clear()

    # --- meshes ------------------------------------------------------------------------------

    def step_submesh(self):
        if len(self.submeshes) == 2 or "x" not in self.shape:
            return self.step_in_submesh()
        rows, columns = map(int, self.shape.split("x"))
        row, column = self.random.randrange(rows), self.random.randrange(columns)
        shape = self.random.randint(1, rows - row), self.random.randint(1, columns - column)
        made = Place(self.device.create_submesh(ttnn.MeshShape(*shape), ttnn.MeshCoordinate(row, column)))
        made.live = tensors(3, made.device, (64, 64))
        self.submeshes.append(made)

    def step_in_submesh(self):
        if self.submeshes:
            place = self.random.choice(self.submeshes)
            place.live.append(tensor(place.device, (32, 64), where=self.random.choice(("L1", "DRAM"))))
            del place.live[0]

    def step_reopen(self):
        """What is live when it is closed leaks; its objects go before the next one is opened."""
        self.checkpoint()
        for place in reversed(self.submeshes):
            place.live.clear()
            close(place.device)
        close(self.device)
        self.live.clear()
        self.open()

    STEPS = ((step_alloc, 40), (step_free, 25), (step_zero_size, 2), (step_out_of_memory, 2),
             (step_capture, 4), (step_bulk, 1), (step_threads, 2), (step_fork, 2), (step_worker, 1),
             (step_submesh, 3), (step_in_submesh, 3), (step_operation, 4), (step_clear_cache, 1), (step_reopen, 1))
    # the threads by which the runtime compiles programs are not in a child
    STEPS_OF_WORKERS = ((step_alloc, 40), (step_free, 30), (step_zero_size, 2), (step_out_of_memory, 2),
                        (step_capture, 4), (step_bulk, 1), (step_threads, 2), (step_submesh, 2),
                        (step_in_submesh, 5), (step_clear_cache, 1))
    steps = STEPS

    def step(self):
        functions, weights = zip(*self.steps)
        self.random.choices(functions, weights)[0](self)
        if self.is_worker:
            for place in self.places():
                place.lose(self.has_list)
        self.number += 1
        if self.number % 7 == 0:
            self.checkpoint()

    def run(self, steps):
        for _ in range(steps):
            self.step()
        self.checkpoint()

    # --- the end -----------------------------------------------------------------------------

    def say_end(self, how):
        log("end", how=how, worker=self.is_worker, meshes=[place.left() for place in self.places()])

    def end(self):
        self.join_workers()
        how = self.random.choice(("close", "exit", "exception", "at_once", "kill"))
        self.say_end(how)
        sys.stdout.flush()
        if how == "close":
            close(self.device)
            os._exit(0)
        if how == "at_once":
            os._exit(0)
        if how == "kill":
            os.kill(os.getpid(), 9)
        keep([one for place in self.places() for one in place.live])
        if how == "exception":
            raise ValueError
        sys.exit(0)


def main():
    chaos = Chaos(sys.argv[1], int(sys.argv[2]))
    chaos.run(int(sys.argv[3]))
    chaos.end()


if __name__ == "__main__":
    main()
