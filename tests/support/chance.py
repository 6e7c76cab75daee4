# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
Random scripts for the driver of the stand-in: from a seed, whatever a program may do, in an order
that no one has thought of. The driver keeps the books and says what is to be seen of it, so a
script need only be possible: it frees what is there, and uses what is open.

What keeps the books simple: what is allocated in an allocator after a bulk free, while buffers of
before are still to be freed, is not freed itself any more; its memory may be another's by then.
"""

import random

# (type, page size, most pages): a few hundred of them fit into the memory of one mesh
SPACES = (("DRAM", 2048, 40), ("L1", 1024, 20), ("L1", 1000, 7), ("L1_SMALL", 100, 1), ("TRACE", 4096, 4))
SHARDS = ("height=8", "width=4", "block=4")
THROWN_BY_ALLOC = ("buffer_create", "buffer_create_at", "allocate_impl", "hook_allocate", "allocate_buffer",
                   "free_list_allocate", "track_allocate")
THROWN_BY_FREE = ("deallocate_impl", "track_deallocate", "hook_deallocate", "deallocate_buffer")
BULKS = ("deallocate_buffers", "clear", "override_state")
SIGNALS = (9, 11, 6, 15)
ENDS = ("exit", "_exit", "kill")
MOST_LIVE = 40


class Mesh:
    def __init__(self, name, chips, first, parent=None):
        self.name = name
        self.chips = chips
        self.first = first
        self.parent = parent
        self.open = True

    @property
    def root(self):
        return self.parent or self


class Tensor:
    def __init__(self, name, mesh, place, owns=True, captured=False):
        self.name = name
        self.mesh = mesh
        self.place = place        # of the mesh, or of one chip of it
        self.owns = owns
        self.captured = captured
        self.dead = False         # its memory went in bulk
        self.stays = False        # it is not freed before its device is closed
        self.freed = False        # its object lives on


class Script:
    """Lines for a driver of @generation, made by steps; @only: by these. The end is the caller's."""

    def __init__(self, seed, generation, steps=60, only=()):
        self.random = random.Random(seed)
        self.generation = generation
        self.lines = []
        self.meshes = []
        self.tensors = []
        self.only = only
        self.count = 0
        self.step_open()
        for _ in range(steps):
            self.step()
        self.total()

    def __str__(self):
        return "\n".join(self.lines)

    def say(self, line):
        self.lines.append(line)

    def name(self, letter):
        self.count += 1
        return f"{letter}{self.count}"

    def step(self):
        steps = ((self.step_alloc, 30), (self.step_free, 22), (self.step_dealloc, 6), (self.step_total, 6),
                 (self.step_capture, 3), (self.step_bulk, 3), (self.step_oom, 3), (self.step_throw, 4),
                 (self.step_fork, 3), (self.step_threads, 1), (self.step_open, 2), (self.step_submesh, 2),
                 (self.step_close, 2))
        if self.only:
            steps = [(step, weight) for step, weight in steps if step.__name__ in self.only]
        self.random.choices([step for step, _ in steps], [weight for _, weight in steps])[0]()

    # --- what there is -----------------------------------------------------------------------

    def open_meshes(self):
        return [mesh for mesh in self.meshes if mesh.open]

    def some_place(self):
        """A mesh that is open, and where on it: all of it, or one chip (named by the parent mesh)."""
        meshes = self.open_meshes()
        if not meshes:
            self.step_open()
            meshes = self.open_meshes()
        mesh = self.random.choice(meshes)
        if mesh.parent or self.random.random() < 0.75:
            return mesh, mesh.name
        return mesh, f"{mesh.name}/{self.random.randrange(mesh.chips)}"

    def has_dead(self, place):
        return any(tensor.dead and tensor.place == place for tensor in self.tensors)

    def freeable(self):
        return [tensor for tensor in self.tensors if not tensor.stays or not tensor.mesh.open]

    def total(self):
        for mesh in self.open_meshes():
            self.say(f"total {mesh.name}")

    # --- buffers -----------------------------------------------------------------------------

    def some_spec(self):
        name, page, most = self.random.choice(SPACES)
        chance = self.random.random()
        if chance < 0.05:
            return f"{name} 0 {page}"
        if chance < 0.15 and name == "L1":
            return f"L1 8192 1024 {self.random.choice(SHARDS)}"
        if chance < 0.2 and name == "DRAM":
            return f"DRAM {page * 3} {page} topdown"
        return f"{name} {page * self.random.randint(1, most)} {page}"

    def alloc(self, prefix="", captured=False, spec=None):
        mesh, place = self.some_place()
        tensor = Tensor(self.name("t"), mesh, place, captured=captured)
        if spec is None and self.random.random() < 0.03 and not captured:
            spec, tensor.owns = "DRAM 2048 2048 at=0x5000", False
        self.say(f"{prefix}alloc {tensor.name} {place} {spec or self.some_spec()}")
        tensor.stays = self.has_dead(place) and not captured
        self.tensors.append(tensor)
        return tensor

    def worker(self):
        """Now and then it is another thread that does it."""
        return f"in w{self.random.randrange(3)} " if self.random.random() < 0.15 else ""

    def step_alloc(self):
        if len(self.tensors) < MOST_LIVE:
            self.alloc(self.worker())

    def step_free(self):
        for tensor in self.random.sample(self.freeable(), min(1, len(self.freeable()))):
            self.say(f"{self.worker()}free {tensor.name}")
            self.tensors.remove(tensor)

    def step_dealloc(self):
        there = [tensor for tensor in self.freeable() if tensor.owns and tensor.mesh.open and not tensor.dead]
        if there:
            tensor = self.random.choice(there)
            self.say(f"dealloc {tensor.name}")
            tensor.freed = True

    def step_total(self):
        self.total()

    def step_oom(self):
        _, place = self.some_place()
        self.say(f"oom {place} {self.random.choice(('DRAM', 'L1', 'L1_SMALL'))}")

    def step_capture(self):
        """Captured buffers come and go; a free of another one is swallowed."""
        if not self.open_meshes():
            return
        self.say("capture on")
        made = [self.alloc(captured=True) for _ in range(self.random.randint(1, 3))]
        for tensor in made[1:]:
            self.say(f"free {tensor.name}")
            self.tensors.remove(tensor)
        there = [tensor for tensor in self.freeable() if tensor.owns and tensor.mesh.open
                 and not (tensor.dead or tensor.freed or tensor.captured)]
        if there and self.random.random() < 0.5:
            tensor = self.random.choice(there)
            self.say(f"free {tensor.name}")
            self.tensors.remove(tensor)
        self.say("capture off")
        # else nobody knows, if a signal comes next, what kept the last free from its end
        self.alloc(spec="DRAM 2048 2048")

    def step_bulk(self):
        _, place = self.some_place()
        kind = self.random.choice(BULKS[:2] if self.generation == 1 else BULKS)
        self.say(f"bulk {place} {kind}")
        there = [tensor for tensor in self.tensors if tensor.place == place and tensor.owns
                 and not tensor.captured]
        for tensor in there:
            tensor.dead, tensor.stays = True, False
        if self.random.random() < 0.5:
            for tensor in there:
                self.say(f"free {tensor.name}")
                self.tensors.remove(tensor)

    def step_throw(self):
        mesh = self.random.choice(self.open_meshes() or [None])
        there = [tensor for tensor in self.freeable() if tensor.owns and tensor.mesh.open
                 and not (tensor.dead or tensor.freed or tensor.captured)]
        if mesh and self.random.random() < 0.5:
            self.say(f"throw {self.random.choice(THROWN_BY_ALLOC)}")
            self.say(f"alloc {self.name('x')} {mesh.name} DRAM 8192 2048")
        elif there:
            self.throw_free(self.random.choice(there))

    def throw_free(self, tensor):
        """A free that was broken off is tried again; only after the last point the object is gone."""
        point = self.random.choice(THROWN_BY_FREE)
        self.say(f"throw {point}")
        self.say(f"dealloc {tensor.name}")
        if point != "deallocate_buffer":
            self.say(f"free {tensor.name}")
        self.tensors.remove(tensor)

    # --- meshes ------------------------------------------------------------------------------

    def step_open(self):
        """On the chips of one that is gone, or on others."""
        if len(self.open_meshes()) > 4:
            return
        busy = {mesh.root.first for mesh in self.meshes if mesh.open}
        first = self.random.choice([first for first in range(0, 48, 8) if first not in busy])
        mesh = Mesh(self.name("m"), self.random.choice((1, 2, 2, 4, 8)), first)
        system = self.random.choice(("", " system=10000"))
        self.say(f"open {mesh.name} {mesh.chips} first={first}{system}")
        self.meshes.append(mesh)

    def step_submesh(self):
        roots = [mesh for mesh in self.open_meshes() if not mesh.parent]
        if not roots or len(self.open_meshes()) > 4:
            return
        parent = self.random.choice(roots)
        first = self.random.randrange(parent.chips)
        mesh = Mesh(self.name("s"), self.random.randint(1, parent.chips - first), first, parent)
        self.say(f"submesh {mesh.name} {parent.name} {first} {mesh.chips}")
        self.meshes.append(mesh)

    def step_close(self):
        if not self.open_meshes():
            return
        mesh = self.random.choice(self.open_meshes())
        mesh.open = False
        if self.random.random() < 0.5:
            self.say(f"close {mesh.name}")
        else:
            self.say(f"drop {mesh.name}")
        # a buffer of a chip's own has a pointer to that chip's allocator, which is gone: if the chip
        # is opened again, a free of it is not defined, with the real runtime as well
        self.tensors = [tensor for tensor in self.tensors
                        if tensor.mesh is not mesh or tensor.place == mesh.name]

    # --- processes and threads ---------------------------------------------------------------

    def step_fork(self):
        """The child frees what is its parent's, and has buffers of its own."""
        self.say("fork")
        ends = ("_exit",)  # not known to the child: whether the device of its last free was closed
        for tensor in self.random.sample(self.freeable(), min(3, len(self.freeable()))):
            self.say(f"free {tensor.name}")
        if self.open_meshes():
            for number in range(self.random.randint(0, 3)):
                self.say(f"alloc child{number} {self.random.choice(self.open_meshes()).name} L1 4096 1024")
                ends = ("_exit", "kill")
                if self.random.random() < 0.5:
                    self.say(f"free child{number}")
        self.say(self.end(ends))
        self.say("end")

    def step_threads(self):
        meshes = [mesh for mesh in self.open_meshes() if not self.has_dead(mesh.name)]
        if meshes:
            self.say(f"threads 3 10 {self.random.choice(meshes).name}")

    def end(self, ends=ENDS):
        how = self.random.choice(ends)
        return f"{how} {self.random.choice(SIGNALS) if how == 'kill' else self.random.randrange(100)}"


def script(seed, generation, steps=60, ends=ENDS):
    """A script with its end, and the exit status that it has."""
    made = Script(seed, generation, steps)
    last = made.end(ends)
    how, number = last.split()
    return f"{made}\n{last}", int(number) + (128 if how == "kill" else 0)
