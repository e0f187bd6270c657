"""The two that bench/compare compares, domsnap and libvirt, behind the same verbs: each does them to a guest of its own, and
says what they took."""
import os
import pathlib
import re
import subprocess
import time
from dataclasses import dataclass

import measure
from console import Console
from domain_xml import Disk
from guest import Guest, inconsistencies, wait_for
from scratch import tool

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

    def assert_whole(self):
        """Numbers of a guest that is damaged are worth nothing."""
        found = inconsistencies(self.voice)
        assert not found, f"{self.name}: {found}"


class Domsnap(Side):
    name, loads_behind, most_in_loop = "domsnap", True, 1000

    def __init__(self, bench):
        super().__init__(bench, "g")
        self.ok = bench.ok
        revert = self.ok("help", "snapshot-revert")
        other = ("--new-process",) if "--new-process" in revert else ()
        self.ways = [Way("in place", "external")] if other else []
        if bench.cli("help", "snapshot-warm").code == 0:
            self.ways.append(Way("in place, warm", "external"))
        self.ways += [Way("mapped", "external", ("--mapped",))] if "--mapped" in revert else []
        # After these memory is the guest's own, and its image may be deleted.
        self.ways += [Way("at once", "external", other), Way("eager", "external", ("--eager",))]
        self.ways += [Way("internal", "internal")]

    def define(self, xml):
        file = self.scratch / "g.xml"
        file.write_text(xml)
        self.ok("define", file)

    def start(self):
        self.ok("start", "g")

    def suspend(self):
        self.ok("suspend", "g", seconds=RUN_SECONDS)

    def resume(self):
        self.ok("resume", "g")

    def create(self, kind, name):
        memory = [] if kind == "internal" else ["--memspec", f"file={self.memory(name)}"]
        self.ok("snapshot-create-as", "g", name, *memory, seconds=RUN_SECONDS)

    def prepare_revert(self, way, name):
        if way.name == "in place, warm":
            self.ok("snapshot-warm", "g", name)

    def go_back(self, way, name):
        said = self.bench.cli("snapshot-revert", "g", name, *way.options, seconds=RUN_SECONDS)
        assert said.code == 0, said.err
        assert not way.name.startswith("in place") or "way: in place" in said.err, said.err

    def loop_way(self):
        """What somebody takes who goes back a thousand times a day."""
        names = {way.name: way for way in self.ways}
        return names.get("in place, warm") or names.get("in place") or names["at once"]

    def wait_until_loaded(self):
        wait_for(lambda: not self.bench.loads(), RUN_SECONDS, "all memory is there")

    def delete(self, name):
        self.ok("snapshot-delete", "g", name, seconds=RUN_SECONDS)

    def events(self, since):
        return measure.read_events(self.bench.pid_file("g").parent / "events.out", since)

    def list_command(self, count):
        return [os.environ["DOMSNAP"], "snapshot-list", self.bench.define_with_snapshots(count)]


class Libvirt(Side):
    """Through virsh. 9.0 refuses to go back to an external snapshot: its user ends the guest, makes new overlays and restores
    the memory file with these in its XML; that is what is timed then."""

    ways = [Way("external", "external"), Way("internal", "internal")]

    def __init__(self, bench, daemon):
        super().__init__(bench, "p")
        self.daemon, self.ok = daemon, daemon.ok
        self.name = f"libvirt {daemon.version()}"
        self.by_hand = int(daemon.version().split(".")[0]) < 10
        self.most_in_loop = 1 if self.by_hand else 3
        self.overlays = 0

    def define(self, xml):
        file = self.scratch / "p.xml"
        file.write_text(xml)
        self.ok("define", file)
        with open(self.scratch / "p.events", "w", encoding="utf-8") as events:
            subprocess.Popen(self.daemon.command("qemu-monitor-event", "p", "--loop"), stdin=subprocess.DEVNULL, stdout=events)

    def start(self):
        self.ok("start", "p")

    def suspend(self):
        self.ok("suspend", "p")

    def resume(self):
        self.ok("resume", "p")

    def create(self, kind, name):
        live = ["--live"] if kind == "live" else []
        memory = [] if kind == "internal" else ["--memspec", f"file={self.memory(name)}", *live]
        self.ok("snapshot-create-as", "p", name, *memory)

    def prepare_revert(self, way, name):
        if not self.by_hand or way.kind != "external":
            return
        xml = self.ok("save-image-dumpxml", self.memory(name), "--security-info")
        self.overlays += 1
        self.fresh = {path: self.scratch / f"{pathlib.Path(path).stem}.{self.overlays}"
                      for path in re.findall(r"<source file='([^']*)'", xml)}
        for path, overlay in self.fresh.items():
            xml = xml.replace(f"'{path}'", f"'{overlay}'")
        # "There is nothing below", says the XML of the running guest, and QEMU would be told so.
        (self.scratch / "restore.xml").write_text(xml.replace("<backingStore/>", ""))

    def go_back(self, way, name):
        if not self.by_hand or way.kind != "external":
            self.ok("snapshot-revert", "p", name)
            return
        self.ok("destroy", "p")
        for path, overlay in self.fresh.items():
            tool("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", path, overlay)
        self.ok("restore", self.memory(name), "--xml", self.scratch / "restore.xml")

    def delete(self, name):
        if self.by_hand and self.memory(name).exists():
            self.ok("snapshot-delete", "p", name, "--metadata")
            self.memory(name).unlink()
            for target in ("vda", "vdb"):
                self.ok("blockcommit", "p", target, "--active", "--pivot", "--wait")
            for overlay in {*self.scratch.path.glob("p-*")} - {self.scratch / f"p-{target}.qcow2" for target in ("vda", "vdb")}:
                overlay.unlink()
        else:
            self.ok("snapshot-delete", "p", name)

    def events(self, since):
        found = re.findall(r"event (\w+) at (\d+\.\d+)", (self.scratch / "p.events").read_text())
        return [(float(when), name) for name, when in found if float(when) >= since]

    def list_command(self, count):
        """The records are made by one virsh: a thousand of them would take minutes."""
        name = f"with-{count}"
        file = self.scratch / f"{name}.xml"
        file.write_text(self.bench.domain_xml(name, self.disks_of_list()))
        self.ok("define", file)
        document = self.ok("dumpxml", name)
        sources = {disk.target: disk.path for disk in self.disks_of_list()}
        commands = self.scratch / "records"
        with open(commands, "w", encoding="utf-8") as lines:
            for number, text in enumerate(measure.records(count, document, sources)):
                record = self.scratch / f"record-{number}.xml"
                record.write_text(text)
                lines.write(f"snapshot-create {name} {record} --redefine\n")
        with open(commands, encoding="utf-8") as lines:
            self.ok(stdin=lines)
        return self.daemon.command("snapshot-list", name)

    def disks_of_list(self):
        return [Disk(target, self.scratch / f"list-{target}.qcow2") for target in ("vda", "vdb")]
