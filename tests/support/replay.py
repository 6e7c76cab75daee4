# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
What the events say is held: a second ledger, as simple as can be, to hold against the oracle and
against the totals of the summary. A buffer is known by (pid, mesh, Buffer *).
"""

from collections import defaultdict

HELD = ("owning", "system")  # the kinds that hold memory


def place(event):
    """Whose memory it is: a mesh's, or a chip's own."""
    return event["mesh"] if "mesh" in event else tuple(event["devices"])


class Replay:
    """The state after all events up to @until_ns."""

    def __init__(self, events, until_ns=None):
        self.live = {}                    # (pid, buffer) -> its alloc event
        self.stuck = defaultdict(list)    # (pid, place) -> allocs whose free was suppressed
        self.victims = set()              # keys of live buffers whose memory was given away
        self.bytes = defaultdict(int)     # (pid, place, type or None) -> footprint now
        self.peak = defaultdict(int)      # likewise, the most there was
        for event in events:
            if until_ns is None or event["ts_ns"] <= until_ns:
                take = getattr(self, "take_" + event["event"], None)
                if take:
                    take(event)

    # --- events ------------------------------------------------------------------------------

    def take_process_start(self, event):
        """It begins with nothing, whatever another program or process of that PID had."""
        for table in (self.live, self.stuck, self.bytes, self.peak):
            for key in [key for key in table if key[0] == event["pid"]]:
                del table[key]

    def take_alloc(self, event):
        if event["kind"] not in HELD:
            return
        key = (event["pid"], event.get("buffer"))
        if event.get("orphaned"):
            self.stuck[event["pid"], place(event)].append(event)
            return self.count(event, event["footprint"])
        assert key not in self.live, f"a second alloc of a live buffer: {event}"
        self.live[key] = event
        self.count(event, event["footprint"])

    def take_free(self, event):
        key = (event["pid"], event.get("buffer"))
        if event.get("orphaned"):  # given back, whoever did that
            return self.count(event, -event["footprint"])
        if event["class"] == "matched":
            born = self.live.pop(key, None) or self.unstick(event)
            assert born, f"the free of a buffer that is not live is called matched: {event}"
            for name in ("mesh", "devices", "address", "size", "footprint", "type", "id"):
                assert event.get(name) == born.get(name), f"{name}: {born} but {event}"
            self.uncount(key, born)
        elif event["class"] == "suppressed" and key in self.live:
            born = self.live.pop(key)
            self.stuck[event["pid"], place(born)].append(born)
        elif event["class"] == "lost" and self.has(key, event):  # a census says that it is gone
            self.uncount(key, self.live.pop(key))
        elif event["class"] == "bulk_freed":
            self.give_away(event)

    def has(self, key, event):
        """Is it this life of the Buffer? A free may be judged when its place has another one."""
        return key in self.live and self.live[key].get("id") == event.get("id")

    def unstick(self, event):
        """A free that an exception broke off gave nothing back; this one, of the same buffer, does."""
        stuck = self.stuck[event["pid"], place(event)]
        names = ("buffer", "id")  # of one that is stuck for ever, the pointer may come back
        born = next((born for born in stuck if all(born.get(name) == event.get(name) for name in names)),
                    None)
        if born:
            stuck.remove(born)
        return born

    def give_away(self, event):
        """The free of what went in bulk frees whatever has its address now."""
        names = ("pid", "mesh", "devices", "type", "address")
        for key, born in self.live.items():
            if [born.get(name) for name in names] == [event.get(name) for name in names]:
                self.uncount(key, born)
                self.victims.add(key)

    def take_bulk_free(self, event):
        where = (event["pid"], place(event))
        gone = [key for key, born in self.live.items() if (born["pid"], place(born)) == where]
        for key in gone:
            self.uncount(key, self.live.pop(key))
        for born in self.stuck.pop(where, []):
            self.count(born, -born["footprint"])

    def count(self, event, footprint):
        for kind in (event["type"], None):
            key = (event["pid"], place(event), kind)
            self.bytes[key] += footprint
            self.peak[key] = max(self.peak[key], self.bytes[key])

    def uncount(self, key, born):
        if key in self.victims:
            self.victims.remove(key)
        else:
            self.count(born, -born["footprint"])

    # --- questions ---------------------------------------------------------------------------

    def buffers(self, pid, mesh):
        return [born for born in self.live.values() if (born["pid"], born.get("mesh")) == (pid, mesh)]

    def addresses(self, pid, mesh):
        return sorted([born["type"], born["address"]] for born in self.buffers(pid, mesh))


def compare(result, checkpoints):
    """Holds what tttrace saw against what the allocators said, to the byte, at each checkpoint."""
    assert checkpoints, "the program wrote no checkpoint"
    for point in checkpoints:
        replay = result.replay(point["ts_ns"])
        for mesh in point["meshes"]:
            compare_mesh(replay, point["pid"], mesh)


def compare_look(result, point):
    """As compare(), of one look at a process that has stood still since the checkpoint @point."""
    compare(result, [{**point, "ts_ns": result.lines[-1]["ts_ns"]}])


def compare_totals(result, late=False):
    """
    Holds the totals of the summary against what the events add up to. @late: what is freed while a census
    lists what is there counts for the peak, though it is told only as a free.
    """
    replay = result.replay()
    compared = 0
    for process in result.summary["processes"]:
        for device in process["devices"]:
            for name, cell in device["memory"].items():
                key = (process["pid"], place(device), None if name == "all" else name)
                live = replay.bytes[key] if process["state"] == "running" else 0
                assert cell["live"] == live, f"live of {key}"
                # of lives that are shown as one, the highest of them
                peaks = {replay.peak[key]} if device["lives"] == 1 else {
                    peak for (pid, _, kind), peak in replay.peak.items() if (pid, kind) == (key[0], key[2])}
                # one look at a process shows none
                assert "peak" not in cell or cell["peak"] in peaks or (late and cell["peak"] > min(peaks)), \
                    f"peak of {key}"
                compared += 1
    assert compared or late, "the summary has no totals"  # one that is late may hold nothing


def compare_mesh(replay, pid, mesh):
    where = (pid, mesh["mesh"])
    for name, count in mesh["bytes"].items():
        assert replay.bytes[(*where, name)] == count, f"{name} of {where}, the allocator says {count}"
    for born in replay.buffers(*where):
        assert sorted(born["devices"]) == mesh["devices"], f"the chips of {born}"
    if "buffers" in mesh:
        assert replay.addresses(*where) == mesh["buffers"], f"the buffers of {where}"


def union(ranges):
    """How many addresses some ranges have together."""
    count, last = 0, 0
    for begin, end in sorted(ranges):
        count += max(0, end - max(begin, last))
        last = max(last, end)
    return count
