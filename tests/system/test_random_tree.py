"""Random trees of snapshots on real images, kept beside full copies of everything: whatever is made, gone back to or
deleted, in whatever order, each snapshot and the guest's disks keep their content, and no file stays for nothing."""
import random

import harness
from harness import tool

BLOCKS = 8  # places of 128 KiB, in which the disks differ

EXTERNAL = ("--diskspec", "vda,snapshot=external")


class RandomTree(harness.SystemTest):
    def setUp(self):
        super().setUp()
        self.random = random.Random(12)
        self.copies = {}  # snapshot -> {target: bytes of each place}
        self.number = 0

    def write(self, target):
        self.number += 1
        place, byte = self.random.randrange(BLOCKS), self.number % 251 + 1
        source = self.sources()[target]
        tool("qemu-io", "-f", self.format(source), "-c", f"write -q -P {byte} {place}M 128k", source)
        self.disks[target][place] = byte

    def format(self, path):
        return "raw" if path.name == "vdb.img" else "qcow2"

    def assert_content(self, source, wanted, what):
        reads = [word for place, byte in enumerate(wanted) for word in ("-c", f"read -q -P {byte} {place}M 128k")]
        shown = tool("qemu-io", "-U", "-r", "-f", self.format(source), *reads, source)
        self.assertNotIn("verification failed", shown, what)

    def take(self):
        name = f"s{self.number}"
        self.number += 1
        kinds = {"vda": self.random.choice(["internal", "external", "external"]), "vdb": "external"}
        self.ok("snapshot-create-as", "g", name, "--disk-only",
                *[word for t, kind in kinds.items() for word in ("--diskspec", f"{t},snapshot={kind}")])
        self.copies[name] = {target: list(places) for target, places in self.disks.items()}

    def revert(self, name):
        self.ok("snapshot-revert", "g", name)
        self.disks = {target: list(places) for target, places in self.copies[name].items()}

    def delete(self, name):
        options = self.random.choice([[], [], ["--children"], ["--children-only"]])
        self.ok("snapshot-delete", "g", name, *options)
        self.copies = {kept: self.copies[kept] for kept in self.snapshots()}

    def check(self):
        for target, source in self.sources().items():
            self.assert_content(source, self.disks[target], f"the disk {target}")
            tool("qemu-img", "check", "-q", "-f", self.format(source), source) if self.format(source) == "qcow2" else None

    def test_offline(self):
        self.disks = {"vda": [0] * BLOCKS, "vdb": [0] * BLOCKS}
        self.define(disks=[harness.Disk("vda", self.scratch.image("vda.qcow2")),
                           harness.Disk("vdb", self.scratch.image("vdb.img", fmt="raw"), format="raw")])
        for step in range(14):
            for target in self.disks:
                self.write(target)
            choice = self.random.random()
            if choice < 0.5 or len(self.copies) < 2:
                self.take()
            elif choice < 0.75:
                self.revert(self.random.choice(sorted(self.copies)))
            else:
                self.delete(self.random.choice(sorted(self.copies)))
            self.check()
        for name in sorted(self.copies):
            self.revert(name)
            self.check()
        for name in self.ok("snapshot-list", "g", "--roots", "--name").split():
            self.ok("snapshot-delete", "g", name, "--children")
        self.check()
        images = {path.name for path in self.scratch.path.glob("vd*")}
        kept = {"vda.qcow2", "vdb.img"} | {path.name for path in self.sources().values()}
        self.assertEqual(images, kept, "files that nothing needs are left")


class RandomRunningTree(harness.SystemTest):
    """The same of a guest that runs, with its memory; what it reads from its disks is what counts."""

    def setUp(self):
        super().setUp()
        self.random = random.Random(7)
        self.copies, self.number = {}, 0
        self.disks = {"vda": {}, "vdb": {}}

    def write(self):
        for target, places in self.disks.items():
            self.number += 1
            place, mark = 32 + self.random.randrange(BLOCKS), f"m{self.number:03}"
            self.guest().do(f"write {target} {place << 20:#x} {mark}")
            places[place] = mark

    def take(self):
        name = f"s{self.number}"
        kinds = [self.random.choice(["internal", "external", "external"]) for _ in self.disks]
        specs = [word for t, kind in zip(self.disks, kinds) for word in ("--diskspec", f"{t},snapshot={kind}")]
        self.ok("snapshot-create-as", "g", name, "--memspec", f"file={self.scratch / name}.mem", *specs)
        self.copies[name] = {target: dict(places) for target, places in self.disks.items()}

    def revert(self, name):
        self.ok("snapshot-revert", "g", name)
        self.disks = {target: dict(places) for target, places in self.copies[name].items()}

    def delete(self, name):
        self.ok("snapshot-delete", "g", name)
        del self.copies[name]

    def check(self):
        self.assert_healthy()
        for target, places in self.disks.items():
            for place, mark in places.items():
                self.assertEqual(self.guest().do(f"read {target} {place << 20:#x} 4")["text"], mark)

    def test_online(self):
        self.boot()
        for step in range(12):
            self.write()
            choice = self.random.random()
            if choice < 0.5 or len(self.copies) < 2:
                self.take()
            elif choice < 0.7:
                self.revert(self.random.choice(sorted(self.copies)))
            else:
                self.delete(self.random.choice(sorted(self.copies)))
            self.check()
        for name in sorted(self.copies):
            self.delete(name)
        self.check()
        images = {path.name for path in self.scratch.path.glob("vd*")}
        users = {"vda.qcow2", "vdb.qcow2"}
        self.assertEqual(images, users | {path.name for path in self.sources().values()}, "files are left")


class Directions(harness.SystemTest):
    """The same chain merged down and up: user's disk <- small <- big <- the guest's."""

    def chain(self, writes):
        """Three snapshots; writes: MiB that go into the overlay of each."""
        for number, size in enumerate(writes):
            self.ok("snapshot-create-as", "g", f"s{number}", *EXTERNAL)
            self.fill(number, size)

    def fill(self, number, size):
        tool("qemu-io", "-f", "qcow2", "-c", f"write -q -P {number + 1} {number}M {size}M", self.sources()["vda"])

    def plan_of(self, name):
        return self.ok("snapshot-delete", "g", name, "--dry-run")

    def assert_disk(self, wanted):
        reads = [word for at, byte in wanted for word in ("-c", f"read -q -P {byte} {at}M 1M")]
        shown = tool("qemu-io", "-U", "-r", "-f", "qcow2", *reads, self.sources()["vda"])
        self.assertNotIn("verification failed", shown)

    def test_offline(self):
        self.define(disks=[harness.Disk("vda", self.scratch.image("vda.qcow2"))])
        self.chain([1, 12, 1])  # vda.qcow2 <- vda.s0 (1 MiB) <- vda.s1 (12 MiB) <- vda.s2
        self.assertIn("pull the content of", self.plan_of("s1"))
        self.ok("snapshot-delete", "g", "s1")
        self.assertFalse((self.scratch / "vda.s0").exists())
        self.assert_disk([(0, 1), (1, 2), (2, 3), (12, 2), (20, 0)])
        self.ok("snapshot-revert", "g", "s2")
        self.assert_disk([(0, 1), (1, 2), (2, 2)])
        self.assertIn("merge ", self.plan_of("s0"))
        self.ok("snapshot-delete", "g", "s0")
        self.ok("snapshot-delete", "g", "s2")
        self.assert_disk([(0, 1), (1, 2), (2, 2)])
        self.assertEqual({path.name for path in self.scratch.path.glob("vda*")}, {"vda.qcow2"})

    def online_write(self, guest, at, text):
        guest.do(f"write vda {at << 20:#x} {text}")

    def test_online(self):
        disks = [harness.Disk("vda", self.scratch.image("vda.qcow2"))]
        self.define(disks=disks)
        self.chain([1, 12, 1])
        self.ok("start", "g")
        guest = self.guest()
        guest.wait_until_up()
        self.online_write(guest, 30, "leaf")
        self.assertIn("pull the content of", self.plan_of("s1"))
        self.ok("snapshot-delete", "g", "s1")  # up, between two others
        self.assertFalse((self.scratch / "vda.s0").exists())
        self.assert_healthy()
        self.ok("snapshot-create-as", "g", "s3", "--disk-only")
        self.online_write(guest, 31, "more")
        self.ok("snapshot-delete", "g", "s2")  # down, between two others: s3's file goes into s2's
        self.ok("snapshot-delete", "g", "s0")
        self.assert_healthy()
        self.ok("snapshot-delete", "g", "s3")  # down, the file that the guest writes to
        self.assertEqual(guest.do(f"read vda {30 << 20:#x} 4")["text"], "leaf")
        self.assertEqual(guest.do(f"read vda {31 << 20:#x} 4")["text"], "more")
        self.assert_healthy()
        self.assertEqual({path.name for path in self.scratch.path.glob("vda*")}, {"vda.qcow2"})
        self.ok("destroy", "g")
        self.assert_disk([(12, 2), (20, 0)])
        tool("qemu-img", "check", "-q", "-f", "qcow2", self.scratch / "vda.qcow2")


class Killed(harness.SystemTest):
    def test_delete_and_its_qemu_killed(self):
        """Wherever it was: the next command finishes it or takes it back, and the disk holds what the guest wrote."""
        for marks in (3, 5, 8):
            with self.subTest(marks=marks):
                guest = self.boot(disks=[harness.Disk("vda", self.scratch.image(f"vda{marks}.qcow2"))])
                self.ok("snapshot-create-as", "g", "s", "--disk-only")
                guest.do(f"write vda {32 << 20:#x} kept")
                said = self.kill_in_the_midst(marks) + self.ok("recover", "g")
                self.assertEqual(list(self.scratch.state.rglob("journal")), [])
                shown = tool("qemu-io", "-r", "-f", "qcow2", "-c", f"read -v {32 << 20} 16", self.sources()["vda"])
                self.assertIn("kept", shown)
                images = {path.name for path in self.scratch.path.glob(f"vda{marks}*")}
                wanted = {f"vda{marks}.qcow2"} | ({f"vda{marks}.s"} if self.snapshots() else set())
                if "but for its end" not in said and "a later snapshot-delete" not in said:  # then it says what stays
                    self.assertEqual(images, wanted, said)
                self.ok("undefine", "g", "--snapshots")

    def kill_in_the_midst(self, marks):
        delete = self.spawn("snapshot-delete", "g", "s")

        def is_there():
            journals = list(self.scratch.state.rglob("journal"))
            return delete.poll() is not None or any(path.read_bytes().count(b"mark ") >= marks for path in journals)

        harness.wait_for(is_there, 60, "the delete is under way")
        delete.kill()
        said = "".join(delete.communicate())
        self.kill_qemu()
        return said


class Others(harness.SystemTest):
    def test_a_file_that_another_domain_reads_stays(self):
        base = self.scratch.image("vda.qcow2")
        self.define(disks=[harness.Disk("vda", base)])
        tool("qemu-io", "-f", "qcow2", "-c", "write -q -P 1 0 1M", base)
        self.ok("snapshot-create-as", "g", "a", *EXTERNAL)
        tool("qemu-io", "-f", "qcow2", "-c", "write -q -P 2 0 1M", self.scratch / "vda.a")
        other = self.scratch / "other.qcow2"
        tool("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", base, other)
        self.define("h", disks=[harness.Disk("vda", other)])
        result = self.cli("snapshot-delete", "g", "a")
        self.assertEqual(result.code, 0, result.err)
        self.assertIn("another domain reads it", result.err)
        for path, byte in ((other, 1), (self.sources()["vda"], 2)):
            shown = tool("qemu-io", "-r", "-f", "qcow2", "-c", f"read -q -P {byte} 0 1M", path)
            self.assertNotIn("verification failed", shown, path)
        self.ok("undefine", "h")
        self.ok("snapshot-create-as", "g", "b", *EXTERNAL)
        self.ok("snapshot-delete", "g", "b")
        self.assertEqual(self.sources()["vda"], base, "it is merged when its last reason goes")


if __name__ == "__main__":
    harness.main()
