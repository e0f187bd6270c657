"""The main job: a running guest's memory and disks, both external, taken, gone back to, and deleted."""
import harness
from harness import wait_for


class ExternalMemory(harness.SystemTest):
    def fill(self, guest, seed, note):
        """Leaves marks in RAM and on both disks; what must be found again is returned."""
        guest.do(f"fill {seed} 24")
        guest.do(f"note {note}")
        guest.do(f"write vda 0x800000 {note:16}")
        guest.do(f"scribble vdb 0x900000 512 {seed}")
        return self.marks_of(guest)

    def marks_of(self, guest):
        return {**super().marks_of(guest), "vda": guest.do("read vda 0x800000 16")["text"],
                "vdb": guest.do("disk-hash vdb 0x900000 512")["hash"]}

    def checkpoint(self, guest, name, seed):
        marks, tick = self.fill(guest, seed, name), guest.status()["tick"]
        memory = self.scratch / f"{name}.mem"
        out = self.ok("snapshot-create-as", "g", name, "--memspec", f"file={memory},snapshot=external")
        self.assertIn(f"Domain snapshot {name} created", out)
        self.assertEqual(memory.stat().st_mode & 0o777, 0o600, "a memory image holds the guest's secrets")
        self.assertEqual(self.sources(), {t: self.scratch / f"{t}.{name}" for t in ("vda", "vdb")})
        self.assertEqual(self.marks_of(guest), marks)
        self.assert_healthy()
        return marks, tick

    def revert(self, guest, name, marks, tick, latest):
        out = self.ok("snapshot-revert", "g", name)
        self.assertIn(f"Domain snapshot {name} reverted", out)
        self.assertEqual(self.state(), "running")
        self.assertEqual(self.marks_of(guest), marks)
        now = guest.status()["tick"]
        self.assertGreaterEqual(now, tick)
        self.assertLess(now, latest, "the guest went on instead of back")
        self.assert_healthy()
        self.assertEqual(self.ok("snapshot-current", "g", "--name").strip(), name)

    def damage(self, guest):
        self.fill(guest, 99, "damaged")
        guest.wait_for_ticks(100)
        return guest.status()["tick"]

    def test_checkpoint_revert_delete(self):
        guest = self.boot()
        guest.do("dirty 10 16")
        first = self.checkpoint(guest, "s1", 1)
        second = self.checkpoint(guest, "s2", 2)
        self.check_listing()
        latest = self.damage(guest)
        self.revert(guest, "s1", *first, latest)
        latest = self.damage(guest)
        self.revert(guest, "s2", *second, latest)
        latest = self.damage(guest)
        self.revert(guest, "s1", *first, latest)
        self.check_delete(guest)

    def check_listing(self):
        self.assertEqual(self.snapshots(), ["s1", "s2"])
        rows = [line.split() for line in self.ok("snapshot-list", "g", "--parent").splitlines()[2:] if line.strip()]
        self.assertEqual([(row[0], row[4:]) for row in rows], [("s1", ["running"]), ("s2", ["running", "s1"])])
        self.assertEqual(self.ok("snapshot-parent", "g", "s2").strip(), "s1")
        info = dict(line.split(":", 1) for line in self.ok("snapshot-info", "g", "s1").splitlines() if ":" in line)
        wanted = {"Name": "s1", "Domain": "g", "Current": "no", "State": "running", "Location": "external", "Parent": "-",
                  "Children": "1", "Descendants": "1", "Metadata": "yes"}
        self.assertEqual({key: value.strip() for key, value in info.items()}, wanted)
        memory = harness.xml_of(self.ok("snapshot-dumpxml", "g", "s2")).find("memory")
        self.assertEqual(memory.attrib, {"snapshot": "external", "file": str(self.scratch / "s2.mem")})

    def check_delete(self, guest):
        self.refused("undefine", "g", naming="'g'")
        marks = self.marks_of(guest)
        for name, left in (("s2", ["s1"]), ("s1", [])):
            self.assertIn(f"Domain snapshot {name} deleted", self.ok("snapshot-delete", "g", name))
            self.assertEqual(self.snapshots(), left)
            self.assertFalse((self.scratch / f"{name}.mem").exists())
        self.assertEqual(self.marks_of(guest), marks)
        self.assert_healthy()
        used = set(self.sources().values())
        kept = {self.scratch / f"{target}.qcow2" for target in ("vda", "vdb")}
        images = {path for path in self.scratch.path.glob("vd*") if path.is_file()}
        self.assertEqual(images, used | kept, "images that nobody needs are left")

    def test_memory_alone_with_excluded_disks(self):
        guest = self.boot()
        self.ok("suspend", "g")
        memory = self.scratch / "m"
        self.ok("snapshot-create-as", "g", "m", "--memspec", f"{memory}", "--diskspec", "vda,snapshot=no",
                "--diskspec", "vdb,snapshot=no")
        self.assertEqual(self.sources(), {t: self.scratch / f"{t}.qcow2" for t in ("vda", "vdb")})
        self.ok("snapshot-revert", "g", "m", "--running")
        self.assertEqual(self.state(), "running")
        self.assert_healthy()
        self.assertIs(guest, self.guest())

    def test_one_disk_scsi_raw_base_on_pc(self):
        base = self.scratch.image("base.img", fmt="raw")
        disks = [harness.Disk("sda", base, bus="scsi", format="raw")]
        guest = self.boot(disks=disks, machine="pc", vcpus=2,
                          devices="<controller type='scsi' index='0' model='virtio-scsi'/>")
        wait_for(lambda: guest.status()["disks"], 30, "the disk in the guest")
        guest.do("write sda 0x800000 good")
        memory, overlay = self.scratch / "x.mem", self.scratch / "elsewhere.qcow2"
        self.ok("snapshot-create-as", "g", "x", "--memspec", memory, "--diskspec", f"sda,snapshot=external,file={overlay}")
        self.assertEqual(self.sources(), {"sda": overlay})
        guest.do("write sda 0x800000 evil")
        self.ok("snapshot-revert", "g", "x")
        self.assertEqual(guest.do("read sda 0x800000 4")["text"], "good")
        self.assert_healthy()


if __name__ == "__main__":
    harness.main()
