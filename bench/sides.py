"""What the two that bench/compare compares have in common: a guest of its own, the verbs, and what they took. domsnap is in
side_domsnap.py, libvirt in side_libvirt.py."""
import time
from dataclasses import dataclass

import measure
from console import Console
from domain_xml import Disk
from guest import Guest, inconsistencies

RUN_SECONDS = 1200  # for one command: 4 GiB on a busy machine without KVM


@dataclass
class Way:
    """A way back: the kind of snapshot that it goes back to, and the options of the command."""

    name: str
    kind: str
    options: tuple = ()


class Side:
    """What both have: a guest, its console, and the times of verbs."""

    def __init__(self, bench, domain):
        self.bench, self.domain = bench, domain
        self.scratch = bench.scratch

    def disks(self):
        return [Disk(target, self.scratch.image(f"{self.domain}-{target}.qcow2")) for target in ("vda", "vdb")]

    def boot(self, ram, fill):
        self.define(self.bench.domain_xml(self.domain, self.disks(), memory_mib=ram, parameters="tick_ms=10 disk_every=10"))
        self.start()
        self.voice = Guest(self.scratch / f"{self.domain}.command")
        self.bench.addCleanup(self.voice.close)
        self.voice.wait_until_up()
        self.console = Console(self.scratch / f"{self.domain}.console")
        self.bench.addCleanup(self.console.close)
        self.voice.do(f"fill 7 {int(ram * fill)}", RUN_SECONDS)
        self.console.wait_for_ticks()

    def memory(self, name):
        return self.scratch / f"{self.domain}-{name}.mem"

    def checkpoint(self, kind, name):
        """{what: seconds or bytes}"""
        since, began = time.monotonic(), time.time()
        self.create(kind, name)
        took = time.time() - began
        self.console.wait_for_ticks()
        found = {"pause": measure.stood_still(self.events(began)), "gap": self.console.longest_gap(since), "command": took}
        if self.memory(name).exists():
            found["size"] = measure.size_on_disk(self.memory(name))
        return found

    def revert(self, way, name):
        self.prepare_revert(way, name)
        self.console.wait_for_ticks(3)  # the guest has gone on since the snapshot, so that going back is seen
        ticks, since, began = len(self.console.ticks), time.monotonic(), time.time()
        self.go_back(way, name)
        took = time.monotonic() - since
        ticked = self.console.first_tick_back(ticks) - since
        self.wait_until_loaded()
        loaded = max(time.monotonic() - since if self.loads_behind else took, took)
        self.console.wait_for_ticks()
        resumed = next(when for when, event in self.events(began) if event == "RESUME") - began
        return {"RESUME": resumed, "first tick": ticked, "loaded": loaded, "command": took}

    loads_behind = False  # whether memory may come after the command's end

    def prepare_revert(self, way, name):
        """What may be done ahead."""

    def wait_until_loaded(self):
        """Until the guest has all of its memory."""

    def loop_way(self):
        return self.ways[0]

    def loop(self, way, name, count):
        """Reverts a second, each until the guest ticks."""
        since = time.monotonic()
        for _ in range(count):
            ticks = len(self.console.ticks)
            self.go_back(way, name)
            self.console.first_tick_back(ticks)
        return count / (time.monotonic() - since)

    def end_loop(self, name):
        """So that the snapshot can be deleted."""

    def assert_whole(self):
        """Numbers of a guest that is damaged are worth nothing."""
        found = inconsistencies(self.voice)
        assert not found, f"{self.name}: {found}"
