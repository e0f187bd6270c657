"""Disks and overlays on block devices: taken, gone back to and deleted, off and running; a device is never removed."""
import pathlib
import stat
import subprocess

import harness
from harness import Disk, requires, tool, xml_of


class DeviceDisk(Disk):
    def xml(self):
        return super().xml().replace("<disk type='file'", "<disk type='block'").replace("<source file=", "<source dev=")


class Devices(harness.SystemTest):
    def device(self, name, size="64M"):
        """A loop device of a file outside the folder that the test compares."""
        folder = self.scratch / "behind"
        folder.mkdir(exist_ok=True)
        file = folder / name
        tool("qemu-img", "create", "-q", "-f", "raw", file, size)
        done = subprocess.run(["losetup", "--find", "--show", str(file)], capture_output=True, text=True, check=False)
        requires(done.returncode == 0, f"no loop device can be made here: {done.stderr.strip()}")
        path = done.stdout.strip()
        self.addCleanup(subprocess.run, ["losetup", "--detach", path], check=False)
        return path

    def start(self, boot):
        self.base = self.device("vda")
        disks = [DeviceDisk("vda", self.base, format="raw"), Disk("vdb", self.scratch.image("vdb.qcow2"))]
        if boot:
            return self.boot(disks=disks)
        return self.define(disks=disks)

    def source(self):
        """(type, path) of vda as the definition has it."""
        disk = next(d for d in xml_of(self.ok("dumpxml", "g", "--inactive")).iter("disk") if d.find("target").get("dev") == "vda")
        source = disk.find("source")
        return disk.get("type"), source.get("dev") or source.get("file")

    def spec(self, path):
        return ["--diskspec", f"vda,snapshot=external,stype=block,file={path}"]

    def assert_devices(self, *paths):
        for path in paths:
            self.assertTrue(stat.S_ISBLK(pathlib.Path(path).stat().st_mode), path)

    def test_running(self):
        guest = self.start(boot=True)
        over = self.device("over", "80M")
        guest.do("write vda 0x800000 kept")
        self.ok("snapshot-create-as", "g", "s", "--memspec", self.scratch / "s.mem", *self.spec(over))
        self.assertEqual(self.source(), ("block", over))
        self.assert_healthy()
        for _ in range(2):
            guest.do("write vda 0x800000 lost")
            self.ok("snapshot-revert", "g", "s")
            self.assertEqual(guest.do("read vda 0x800000 4")["text"], "kept")
            self.assert_healthy()
        self.assertEqual(self.source()[0], "file")
        self.ok("snapshot-delete", "g", "s")
        self.assertEqual((self.source(), self.snapshots()), (("block", self.base), []))
        self.assert_healthy()
        self.assert_devices(self.base, over)

    def test_delete_while_the_overlay_on_the_device_is_in_use(self):
        self.start(boot=True)
        over = self.device("over", "80M")
        self.ok("snapshot-create-as", "g", "s", "--disk-only", *self.spec(over))
        self.ok("snapshot-delete", "g", "s")
        self.assertEqual(self.source(), ("block", self.base))
        self.assert_healthy()
        self.assert_devices(self.base, over)

    def test_off_and_reused(self):
        self.start(boot=False)
        over = self.device("over", "80M")
        tool("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", self.base, over, "32M")
        arguments = ["snapshot-create-as", "g", "s", "--reuse-external", *self.spec(over), "--diskspec", "vdb,snapshot=no"]
        self.refused(*arguments, naming=(over, "33554432 bytes"))
        tool("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", self.base, over, "64M")
        tool("qemu-io", "-f", "raw", "-c", "write -P 65 0 4096", self.base)
        self.ok(*arguments)
        self.assertEqual(self.source(), ("block", over))
        tool("qemu-io", "-f", "qcow2", "-c", "write -P 66 0 4096", over)
        self.ok("snapshot-revert", "g", "s")
        self.assertEqual(self.source()[0], "file")
        tool("qemu-io", "-r", "-f", "qcow2", "-c", "read -P 65 0 4096", self.source()[1])
        self.ok("snapshot-delete", "g", "s")
        self.assertEqual(self.source(), ("block", self.base))
        tool("qemu-io", "-r", "-f", "raw", "-c", "read -P 65 0 4096", self.base)
        self.assert_devices(self.base, over)

    def test_what_cannot_be(self):
        self.start(boot=False)
        small = self.device("small", "64k")
        tight = self.device("tight", "8M")
        others = ["--disk-only", "--diskspec", "vdb,snapshot=no"]
        with self.nothing_changes(self.scratch.path):
            for spec, words in ((["--diskspec", "vda,snapshot=external"], "on a 'block' device"), (self.spec(self.base), "uses it"),
                                (self.spec("/dev/domsnap-no-such"), "doesn't exist"), (self.spec(small), "too small"),
                                (self.spec(self.scratch / "vdb.qcow2"), "no block device"),
                                (["--diskspec", f"vda,snapshot=external,file={tight}"], "it is a block device")):
                self.refused("snapshot-create-as", "g", "s", *others, *spec, naming=("vda", words))
        out = self.ok("snapshot-create-as", "g", "s", *others, *self.spec(tight), "--dry-run")
        for words in (f"what is on device {tight} now is lost", f"device {tight} has 8", "paused when it is full"):
            self.assertIn(words, out)


if __name__ == "__main__":
    harness.main()
