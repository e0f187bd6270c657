"""A running guest's disks alone, external, without its memory."""
import harness
from harness import tool, wait_for


class DiskOnly(harness.SystemTest):
    def test_disk_only(self):
        guest = self.boot()
        guest.do("write vda 0x800000 good")
        before = guest.status()
        self.ok("snapshot-create-as", "g", "d1", "--disk-only")
        self.assertEqual(self.sources(), {t: self.scratch / f"{t}.d1" for t in ("vda", "vdb")})
        self.assertEqual(self.assert_healthy()["boot"], before["boot"])
        row = self.ok("snapshot-list", "g").splitlines()[2].split()
        self.assertEqual((row[0], row[-1]), ("d1", "disk-snapshot"))
        guest.do("write vda 0x800000 evil")
        self.check_stopped_revert()
        self.check_running_revert(guest, before)
        self.check_delete(guest)

    def check_stopped_revert(self):
        """Without memory there is nothing to go on with: the domain is off afterwards."""
        self.ok("snapshot-revert", "g", "d1")
        self.assertEqual(self.state(), "shut off")
        active = self.sources()["vda"]
        shown = tool("qemu-io", "-r", "-f", "qcow2", "-c", "read -v 0x800000 16", active)
        self.assertIn("good", shown)

    def check_running_revert(self, guest, before):
        self.ok("snapshot-revert", "g", "d1", "--running")
        self.assertEqual(self.state(), "running")
        after = guest.wait_until_up()
        self.assertNotEqual(after["boot"], before["boot"], "it must have booted")
        for disk in after["disks"].values():
            boot, tick = disk["found"].split(":")
            self.assertEqual(boot, before["boot"])
            self.assertGreaterEqual(int(tick), before["tick"])
        self.assertEqual(guest.do("read vda 0x800000 4")["text"], "good")

    def check_delete(self, guest):
        self.ok("snapshot-delete", "g", "d1")
        self.assertEqual(self.snapshots(), [])
        self.assertEqual(guest.do("read vda 0x800000 4")["text"], "good")
        self.assert_healthy()

    def test_one_disk_of_two(self):
        guest = self.boot()
        self.ok("snapshot-create-as", "g", "one", "--disk-only", "--diskspec", "vdb,snapshot=no")
        self.assertEqual(self.sources(), {"vda": self.scratch / "vda.one", "vdb": self.scratch / "vdb.qcow2"})
        self.assert_healthy()
        guest.do("poweroff")
        wait_for(lambda: self.state() == "shut off", 60, "the guest is off")
        self.assertEqual(self.sources()["vda"], self.scratch / "vda.one", "the definition names the overlay")

    def test_existing_overlay_reused(self):
        overlays = {}
        self.boot()
        for target in ("vda", "vdb"):
            overlays[target] = self.scratch / f"ready-{target}"
            tool("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", self.scratch / f"{target}.qcow2",
                 "-u", overlays[target], "64M")
        specs = [word for target, path in overlays.items() for word in ("--diskspec", f"{target},file={path}")]
        self.refused("snapshot-create-as", "g", "r", "--disk-only", *specs, naming=overlays["vda"])
        self.ok("snapshot-create-as", "g", "r", "--disk-only", "--reuse-external", *specs)
        self.assertEqual(self.sources(), overlays)
        self.assert_healthy()


if __name__ == "__main__":
    harness.main()
