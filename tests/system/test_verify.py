"""snapshot-verify: what is good is called good, each kind of damage is found and named, and --repair mends what it may."""
import json
import os

import harness
from harness import Disk, tool

BOTH = ("--diskspec", "vda,snapshot=external", "--diskspec", "vdb,snapshot=internal")


class Verify(harness.SystemTest):
    def setUp(self):
        super().setUp()
        self.base, self.other = self.scratch.image("vda.qcow2"), self.scratch.image("vdb.qcow2")
        self.define(disks=[Disk("vda", self.base), Disk("vdb", self.other)])
        self.memory = self.scratch / "m.mem"

    def take_all(self):
        """Off; running with memory in a file; running with memory in an image, and in a file of its own."""
        self.ok("snapshot-create-as", "g", "off", *BOTH)
        self.ok("start", "g", "--paused")
        self.ok("snapshot-create-as", "g", "mem", *BOTH, "--memspec", f"file={self.memory}")
        self.ok("snapshot-create-as", "g", "int", *BOTH, "--memspec", "snapshot=internal")

    def verify(self, *arguments, good=True):
        result = self.cli("snapshot-verify", "g", *arguments)
        self.assertEqual(result.code, 0 if good else 1, result.out + result.err)
        if not good:
            self.assertRegex(result.err, r"error: domain .g.: \d+ of \d+ are not good")
        return result.out

    def verdicts(self, good=True):
        found = json.loads(self.verify("--json", good=good))
        self.assertEqual(found["good"], good)
        return {**{one["name"]: one for one in found["snapshots"]}, "": found["own"]}

    def assert_bad(self, path, *names):
        """These and no others are wrong, and the file is named."""
        verdicts = self.verdicts(good=False)
        self.assertEqual({name for name, one in verdicts.items() if not one["good"]}, set(names))
        for name in names:
            self.assertIn(str(path), "\n".join(verdicts[name]["problems"]))

    def test_good_running_and_off(self):
        self.take_all()
        out = self.verify()
        for line in ("int: good", "mem: good", "off: good", "(domain g): good"):
            self.assertIn(line, out)
        leaf = self.sources()["vda"]
        self.assertIn(f"{leaf} is in use, and was not checked inside", out)
        self.ok("destroy", "g")
        self.assertNotIn("note", self.verify())
        self.assertEqual(self.verify("mem").strip(), "mem: good")
        self.assertEqual(self.verify("mem", "--repair", "--accept").strip(), "mem: good")

    def test_memory_image(self):
        self.take_all()
        with open(self.memory, "r+b") as image:
            image.seek(os.lseek(image.fileno(), 0, os.SEEK_DATA))  # the first page that is not all zero
            image.write(b"altered")
        self.assert_bad(self.memory, "mem")
        self.memory.unlink()
        self.assert_bad(self.memory, "mem")
        self.verify("--repair", "--accept", good=False)
        self.verify("off")

    def test_internal_snapshot_and_image(self):
        self.take_all()
        self.ok("destroy", "g")
        tool("qemu-img", "snapshot", "-d", "mem", self.other)
        self.assert_bad(self.other, "mem")
        with open(self.base, "r+b") as image:  # its L1 table leads nowhere
            image.seek(0x30000)
            image.write(b"\x80\0\0\0\x7f\0\0\0")
        verdicts = self.verdicts(good=False)
        self.assertIn("corruptions", "\n".join(verdicts["off"]["problems"]))

    def test_altered_and_accepted(self):
        self.take_all()
        self.ok("destroy", "g")
        os.utime(self.base)
        self.assert_bad(self.base, "off", "mem", "int", "")
        self.refused("start", "g", naming=[self.base, "'off'"])
        self.verify("--repair", good=False)
        self.assertIn(f"{self.base} is known as it is now", self.verify("--accept"))
        self.verify()
        self.ok("start", "g", "--paused")

    def test_leftovers(self):
        self.ok("snapshot-create-as", "g", "a", *BOTH)
        self.ok("snapshot-create-as", "g", "b", *BOTH)
        self.ok("snapshot-revert", "g", "a")
        self.ok("snapshot-delete", "g", "b", "--metadata")
        left, used = self.scratch / "vda.a", self.sources()["vda"]
        self.assert_bad(f"{left} is left over", "")
        clone = self.scratch / "clone"
        tool("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", left, clone)
        self.verify("--repair")
        self.assertTrue(left.exists(), "the user's clone rests on it")
        clone.unlink()
        os.rename(left, clone)
        left.write_bytes(clone.read_bytes())
        self.verify("--repair")
        self.assertTrue(left.exists(), "it is not the one that domsnap made")
        os.rename(clone, left)
        self.assertIn(f"{left}, which nothing needed, was removed", self.verify("--repair"))
        self.assertFalse(left.exists())
        self.assertTrue(all(path.exists() for path in (self.base, self.other, used)))
        self.verify()
        self.ok("start", "g", "--paused")

    def test_leaked_clusters(self):
        self.ok("snapshot-create-as", "g", "a", *BOTH)
        with open(self.base, "r+b") as image:  # the last cluster is counted once too often
            refcounts = self.refcount_block(image)
            image.seek(refcounts + 2 * (os.fstat(image.fileno()).st_size // 65536 - 1))
            image.write(b"\0\2")
        self.assertIn(f"{self.base} was written to", self.verify(good=False))
        self.verify("--accept", good=False)
        self.assert_bad("1 leaked clusters", "a", "")
        self.assertIn("1 leaked clusters", self.verify("--repair"))
        self.verify()
        self.ok("start", "g", "--paused")

    @staticmethod
    def refcount_block(image):
        image.seek(48)
        image.seek(int.from_bytes(image.read(8), "big"))
        return int.from_bytes(image.read(8), "big")

    def test_damaged_record_and_entry(self):
        self.ok("snapshot-create-as", "g", "a", *BOTH)
        entry = next((self.scratch.state / "domains" / "g" / "files").iterdir())
        entry.write_text(entry.read_text() + " ")
        self.assertIn("damaged entry", self.verify(good=False))
        self.verify("--repair")
        record = next((self.scratch.state / "domains" / "g" / "snapshots").iterdir())
        record.write_text(record.read_text() + " ")
        self.assertIn(str(record), self.verify(good=False))

    def test_what_is_not_there(self):
        with self.nothing_changes():
            self.refused("snapshot-verify", "g", "zz", naming="no domain snapshot with matching name 'zz'")
            self.refused("snapshot-verify", "nodom", naming="failed to get domain 'nodom'")


if __name__ == "__main__":
    harness.main()
