"""Any mixture of internal, external, no and manual over four disks, qcow2 and raw, with memory of any kind, is one point in
time: drawn at random (the same each time), taken, spoilt, gone back to, deleted, and nothing is left over.

$DOMSNAP_MIXTURES draws that many; $DOMSNAP_SEED draws others."""
import os
import random
import shutil

import harness
from harness import Disk, tool, xml_of

NO, INT, EXT, MANUAL = "no", "internal", "external", "manual"
FORMATS = {"vda": "qcow2", "vdb": "qcow2", "vdc": "raw", "vdd": "qcow2"}
MEMORIES = [EXT, INT, NO]
PLACE = 0x800000  # behind what the test guest writes by itself
SEED = int(os.environ.get("DOMSNAP_SEED", "4"))
COUNT = int(os.environ.get("DOMSNAP_MIXTURES", "0"))


def draw(dice, memory):
    """A mixture of at least two kinds of which something is saved."""
    while True:
        kinds = {disk: dice.choice([EXT, NO, MANUAL] if form == "raw" else [INT, EXT, NO, MANUAL]) for disk, form in FORMATS.items()}
        if len(set(kinds.values())) > 1 and (memory != NO or set(kinds.values()) & {INT, EXT}):
            return kinds


def request(kinds, memory):
    disks = "".join(f"<disk name='{disk}' snapshot='{kind}'/>" for disk, kind in kinds.items())
    return f"<domainsnapshot><name>mix</name><memory snapshot='{memory}'/><disks>{disks}</disks></domainsnapshot>"


class Mixtures(harness.SystemTest):
    def disks(self, **more):
        return [Disk(name, self.scratch.image(f"{name}.{form}", fmt=form), format=form, **more.get(name, {}))
                for name, form in FORMATS.items()]

    def take(self, kinds, memory):
        """Creates the snapshot; what the user copies goes into a folder of its own."""
        file = self.scratch / "request.xml"
        file.write_text(request(kinds, memory))
        result = self.cli("snapshot-create", "g", file)
        self.assertEqual(result.code, 0, result.err)
        root = xml_of(self.ok("snapshot-dumpxml", "g", "mix"))
        self.assertEqual({d.get("name"): d.get("snapshot") for d in root.find("disks")}, kinds)
        self.assertEqual(root.find("memory").get("snapshot"), memory)
        self.copies = {}
        for disk in [d for d, kind in kinds.items() if kind == MANUAL]:
            self.assertIn(f"copy disk '{disk}' now", result.err)
            source = self.sources()[disk]
            self.copies[source] = self.scratch / "copies" / disk
            self.copies[source].parent.mkdir(exist_ok=True)
            shutil.copy(source, self.copies[source])

    def go_back(self):
        if not self.copies:
            return self.ok("snapshot-revert", "g", "mix")
        if self.state() != "shut off":
            self.ok("destroy", "g")
        for source, copy in self.copies.items():
            shutil.copy(copy, source)
        return self.ok("snapshot-revert", "g", "mix", "--force")

    def on_disk(self, target):
        """What an image of a domain that is off holds at the test's own place."""
        disk = self.disk_elements()[target]
        dump = tool("qemu-io", "-r", "-U", "-f", disk.find("driver").get("type"), "-c", f"read -v {PLACE} 512",
                    disk.find("source").get("file"))
        return bytes.fromhex("".join(dump.split()[1:17])).decode().rstrip("\0")

    def disk_elements(self):
        return {d.find("target").get("dev"): d for d in xml_of(self.ok("dumpxml", "g", "--inactive")).iter("disk")}

    # Running
    def test_online(self):
        dice = random.Random(SEED)
        guest = self.boot(disks=self.disks())
        self.ok("snapshot-create-as", "g", "base", "--memspec", self.scratch / "base.mem")
        for number in range(COUNT or 5):
            memory = MEMORIES[number % len(MEMORIES)]
            kinds = draw(dice, memory)
            with self.subTest(number=number, memory=memory, kinds=kinds):
                self.check_online(guest, kinds, memory, f"mix{number:03}")
                self.ok("snapshot-revert", "g", "base")  # memory beside later disks is no state to go on with

    def mark(self, guest, text):
        for disk in FORMATS:
            guest.do(f"write {disk} {PLACE} {text}")
        guest.do(f"note {text}")

    def check_online(self, guest, kinds, memory, text):
        self.mark(guest, text)
        before, files = guest.status(), self.files()
        self.take(kinds, memory)
        self.assertEqual(self.state(), "paused" if MANUAL in kinds.values() else "running")
        self.ok("resume", "g")
        self.assert_healthy()
        self.mark(guest, "damage")
        self.go_back()
        self.assertEqual(self.state(), "shut off" if memory == NO else "running")
        wanted = {disk: "damage" if kind == NO else text for disk, kind in kinds.items()}
        if memory == NO:
            self.assertEqual({disk: self.on_disk(disk)[:6] for disk in kinds}, wanted)
        else:
            self.check_restored(guest, before, kinds, wanted)
        self.ok("snapshot-delete", "g", "mix")
        self.assertEqual((self.snapshots(), len(self.files())), (["base"], len(files)), f"{self.files()}\n{files}")

    def check_restored(self, guest, before, kinds, wanted):
        after = guest.status()
        self.assertEqual((after["boot"], after["notes"]), (before["boot"], before["notes"]))
        self.assertEqual(after["ram_hash"], after["ram_expected"])
        self.assertEqual({disk: guest.do(f"read {disk} {PLACE} 6")["text"] for disk in kinds}, wanted)
        for disk, kind in kinds.items():
            if kind != NO:  # RAM and this disk are of one moment
                state = after["disks"][disk]
                self.assertEqual((state["tick"], state["mismatches"]), (state["written"], 0), f"{disk}: {state}")

    # Off
    def test_offline(self):
        dice = random.Random(SEED)
        self.define(disks=self.disks())
        for number in range(COUNT or 6):
            kinds = draw(dice, NO)
            with self.subTest(number=number, kinds=kinds):
                self.check_offline(kinds, chr(65 + number % 26))

    def fill(self, letter):
        for disk in self.disk_elements().values():
            tool("qemu-io", "-f", disk.find("driver").get("type"), "-c", f"write -P {ord(letter)} {PLACE} 4096",
                 disk.find("source").get("file"))

    def check_offline(self, kinds, letter):
        self.fill(letter)
        files = self.files()
        self.take(kinds, NO)
        for _ in range(2):
            self.fill("!")
            self.go_back()
            self.assertEqual(self.state(), "shut off")
            self.assertEqual({disk: self.on_disk(disk)[0] for disk in kinds},
                             {disk: "!" if kind == NO else letter for disk, kind in kinds.items()})
        self.ok("snapshot-delete", "g", "mix")
        self.assertEqual((self.files(), self.snapshots()), (files, []))

    def test_defaults(self):
        """A disk's own snapshot=; read-only and empty drives; raw disks cannot be internal."""
        drives = [Disk("sda", "", bus="sata", device="cdrom"),
                  Disk("vde", self.scratch.image("vde.qcow2"), extra="<readonly/>")]
        self.define(disks=self.disks(vda={"snapshot": INT}, vdd={"snapshot": NO}) + drives)
        self.ok("snapshot-create-as", "g", "s", "--diskspec", "vdc,snapshot=external")
        root = xml_of(self.ok("snapshot-dumpxml", "g", "s"))
        self.assertEqual({d.get("name"): d.get("snapshot") for d in root.find("disks")},
                         {"vda": INT, "vdb": EXT, "vdc": EXT, "vdd": NO, "sda": NO, "vde": NO})
        self.ok("snapshot-delete", "g", "s")
        with self.nothing_changes(self.scratch.path):
            result = self.cli("snapshot-create-as", "g", "s", "--diskspec", "vdc,snapshot=internal")
        self.assert_refusal(result, "vdc internal", naming=("vdc", "raw"))
        self.assertIn("use external", result.err)


if __name__ == "__main__":
    harness.main()
