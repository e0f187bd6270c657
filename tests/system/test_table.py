"""All 64 combinations of the RFC's table, on a real guest: what is valid is taken, gone back to twice and deleted; what is
not is refused and leaves no trace. The rules are written here a second time, from the RFC, so that the program's own
table is held against them."""
import itertools

import harness
from harness import tool, xml_of

OMIT, NO, INT, EXT = "omitted", "no", "internal", "external"
CELLS = list(itertools.product((OMIT, NO, INT, EXT), (OMIT, NO, INT, EXT), (False, True)))
PLACE, SIZE = 0x800000, 4096  # behind what the test guest writes by itself


def is_invalid(online, memory, disk, disk_only):
    if not online:
        return memory in (INT, EXT) or disk == NO
    if memory in (INT, EXT):
        return disk_only
    return disk == NO and (memory == NO or disk_only)


def result(online, memory, disk, disk_only):
    """(memory, disk) as the RFC's result column has them; for "unsupported for now" as domsnap's manual says."""
    if not online:
        return NO, INT if disk == OMIT else disk
    if memory == OMIT:
        memory = NO if disk_only else EXT if disk in (NO, EXT) else INT
    if disk == OMIT:
        disk = INT if memory == INT else EXT
    return memory, disk


def request(name, memory, disk):
    disks = "".join(f"<disk name='{d}' snapshot='{disk}'/>" for d in ("vda", "vdb")) if disk != OMIT else ""
    return (f"<domainsnapshot><name>{name}</name>" + (f"<memory snapshot='{memory}'/>" if memory != OMIT else "")
            + (f"<disks>{disks}</disks>" if disks else "") + "</domainsnapshot>")


class Table(harness.SystemTest):
    def create(self, memory, disk, disk_only):
        file = self.scratch / "request.xml"
        file.write_text(request("cell", memory, disk))
        return ("snapshot-create", "g", file, *(["--disk-only"] if disk_only else []))

    def assert_refused_without_a_trace(self, cell):
        before = self.files(), self.snapshots(), self.sources()
        self.refused(*self.create(*cell))
        self.assertEqual((self.files(), self.snapshots(), self.sources()), before)

    def assert_recorded(self, online, cell):
        memory, disk = result(online, *cell)
        root = xml_of(self.ok("snapshot-dumpxml", "g", "cell"))
        self.assertEqual(root.find("memory").get("snapshot"), memory)
        self.assertEqual({d.get("name"): d.get("snapshot") for d in root.find("disks")}, {"vda": disk, "vdb": disk})
        return memory, disk

    def on_disk(self, target):
        """What an image of a domain that is off holds at the test's own place."""
        image = self.sources()[target]
        dump = tool("qemu-io", "-r", "-U", "-f", "qcow2", "-c", f"read -v {PLACE} 512", image)
        return bytes.fromhex("".join(dump.split()[1:17])).decode().rstrip("\0")  # "OFFSET:  41 42 … (16 of them)  text"

    def test_the_rfc_counts_31_invalid_ones(self):
        self.assertEqual(sum(is_invalid(online, *cell) for online in (False, True) for cell in CELLS), 31)

    # Off
    def write_off(self, byte):
        for target in ("vda", "vdb"):
            tool("qemu-io", "-f", "qcow2", "-c", f"write -P {byte} {PLACE} {SIZE}", self.sources()[target])

    def test_offline(self):
        self.define()
        for number, cell in enumerate(CELLS):
            with self.subTest(cell=cell):
                if is_invalid(False, *cell):
                    self.assert_refused_without_a_trace(cell)
                else:
                    self.check_offline(cell, 65 + number)

    def check_offline(self, cell, byte):
        self.write_off(byte)
        before = self.files()
        self.ok(*self.create(*cell))
        self.assert_recorded(False, cell)
        for _ in range(2):
            self.write_off(33)
            self.ok("snapshot-revert", "g", "cell")
            self.assertEqual(self.state(), "shut off")
            self.assertEqual([set(self.on_disk(t)) for t in ("vda", "vdb")], [{chr(byte)}] * 2)
        self.ok("snapshot-delete", "g", "cell")
        self.assertEqual([set(self.on_disk(t)) for t in ("vda", "vdb")], [{chr(byte)}] * 2)
        self.assertEqual((self.files(), self.snapshots()), (before, []))

    # Running
    def test_online(self):
        guest = self.boot()
        self.ok("snapshot-create-as", "g", "base", "--memspec", self.scratch / "base.mem")
        for number, cell in enumerate(CELLS):
            with self.subTest(cell=cell):
                if is_invalid(True, *cell):
                    self.assert_refused_without_a_trace(cell)
                    self.assert_healthy()
                else:
                    self.check_online(guest, cell, number)
                    self.ok("snapshot-revert", "g", "base")  # memory beside later disks is no state to go on with

    def mark(self, guest, text, seed):
        for target in ("vda", "vdb"):
            guest.do(f"write {target} {PLACE} {text}")
        guest.do(f"fill {seed} 4")

    def check_online(self, guest, cell, number):
        text = f"cell{number:02}"
        self.mark(guest, text, number + 10)
        guest.do(f"note {text}")
        before, files = guest.status(), self.files()
        self.ok(*self.create(*cell))
        memory, disk = self.assert_recorded(True, cell)
        self.assert_healthy()
        for _ in range(2):
            if self.state() == "running":
                self.mark(guest, "damage", 9)
                guest.do("note damage")
            self.ok("snapshot-revert", "g", "cell")
            self.check_reverted(guest, before, text, memory, disk)
        self.ok("snapshot-delete", "g", "cell")
        self.assertEqual(self.snapshots(), ["base"])
        if memory != NO and disk != NO:
            self.assert_healthy()
        self.assertEqual(len(self.files()), len(files), f"{self.files()}\n{files}")

    def check_reverted(self, guest, before, text, memory, disk):
        if memory == NO:
            self.assertEqual(self.state(), "shut off")
            self.assertEqual([self.on_disk(t) for t in ("vda", "vdb")], [text] * 2)
            return
        self.assertEqual(self.state(), "running")
        after = guest.status()
        self.assertEqual((after["boot"], after["notes"], after["ram_hash"]), (before["boot"], before["notes"], before["ram_hash"]))
        wanted = text if disk != NO else "damage"
        self.assertEqual([guest.do(f"read {t} {PLACE} 6")["text"] for t in ("vda", "vdb")], [wanted] * 2)
        if disk != NO:
            self.assert_healthy()


if __name__ == "__main__":
    harness.main()
