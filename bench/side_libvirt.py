"""libvirt in bench/compare, through virsh."""
import pathlib
import re
import subprocess

import measure
from domain_xml import Disk
from scratch import tool
from sides import Side, Way


class Libvirt(Side):
    """9.0 refuses to go back to an external snapshot: its user ends the guest, makes new overlays and restores
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
