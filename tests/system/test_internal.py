"""A running guest's memory and disks, both inside its qcow2 images."""
import harness
from harness import tool


class Internal(harness.SystemTest):
    def tags(self, target):
        """The internal snapshots of an image, as qemu-img lists them."""
        lines = tool("qemu-img", "snapshot", "-U", "-l", self.scratch / f"{target}.qcow2").splitlines()
        return [line.split()[1] for line in lines[2:]]

    def test_internal(self):
        guest = self.boot()
        guest.do("fill 1 16")
        guest.do("note kept")
        guest.do("write vda 0x800000 good")
        before = guest.status()
        self.ok("snapshot-create-as", "g", "i1")
        self.assertEqual((self.tags("vda"), self.tags("vdb")), (["i1"], ["i1"]))
        self.assertEqual(self.sources()["vda"], self.scratch / "vda.qcow2")
        self.assert_healthy()
        for _ in range(2):
            self.damage_and_revert(guest, before)
        self.ok("snapshot-create-as", "g", "i2")
        self.assertEqual(self.ok("snapshot-parent", "g", "i2").strip(), "i1")
        self.check_delete(guest)

    def damage_and_revert(self, guest, before):
        guest.do("fill 2 16")
        guest.do("note lost")
        guest.do("write vda 0x800000 evil")
        guest.wait_for_ticks(60)
        latest = guest.status()["tick"]
        self.ok("snapshot-revert", "g", "i1")
        self.assertEqual(self.state(), "running")
        after = guest.status()
        self.assertEqual((after["boot"], after["notes"], after["ram_hash"]), (before["boot"], ["kept"], before["ram_hash"]))
        self.assertEqual(guest.do("read vda 0x800000 4")["text"], "good")
        self.assertLess(after["tick"], latest)
        self.assert_healthy()

    def check_delete(self, guest):
        self.ok("snapshot-delete", "g", "i1")
        self.assertEqual(self.snapshots(), ["i2"])
        self.assertEqual(self.tags("vdb"), ["i2"])
        self.assertEqual(guest.do("read vda 0x800000 4")["text"], "good")
        self.ok("snapshot-delete", "g", "i2", "--metadata")
        self.assertEqual((self.snapshots(), self.tags("vda")), ([], ["i2"]))
        self.assert_healthy()

    def test_raw_disk_is_refused_and_the_guest_goes_on(self):
        disks = [harness.Disk("vda", self.scratch.image("vda.qcow2")),
                 harness.Disk("vdb", self.scratch.image("vdb.img", fmt="raw"), format="raw")]
        self.boot(disks=disks)
        self.refused("snapshot-create-as", "g", "i1", naming="vdb")
        self.assertEqual((self.snapshots(), self.tags("vda")), ([], []))
        self.assert_healthy()


if __name__ == "__main__":
    harness.main()
