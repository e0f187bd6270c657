"""Storage pools and their volumes, by virsh: listed, made, copied, resized, carried to and fro, deleted, and never a file changed
that somebody needs."""
import os
import random

import clients
from clients import Disk
from harness import tool, xml_of


class Volumes(clients.ClientTest):
    def setUp(self):
        super().setUp()
        self.images = self.scratch / "images"
        self.images.mkdir(0o700)
        (self.scratch.state / "pools").write_text(f"# of this test\ndefault {self.images}\n")

    def names(self, pool="default"):
        return [line.split()[0] for line in self.virsh_ok("vol-list", pool).splitlines()[2:] if line.strip()]

    def create(self, name, *options):
        return self.virsh_ok("vol-create-as", "default", name, "16M", *options)

    def test_pools(self):
        self.assertIn("active", self.virsh_ok("pool-list", "--all"))
        self.assertIn("running", self.virsh_ok("pool-info", "default"))
        pool = xml_of(self.virsh_ok("pool-dumpxml", "default"))
        self.assertEqual(pool.findtext("target/path"), str(self.images))
        self.assertGreater(int(pool.findtext("available")), 0)
        self.virsh_refused("pool-undefine", "default", naming=["'default' is configured", "pools"])
        self.virsh_ok("pool-destroy", "default")
        self.virsh_refused("vol-list", "default", naming="not active")
        self.virsh_ok("pool-start", "default")
        other = self.scratch / "other"
        self.virsh_ok("pool-define-as", "other", "dir", "--target", other)
        self.virsh_refused("pool-start", "other", naming=other)
        self.virsh_ok("pool-build", "other")
        self.assertEqual(other.stat().st_mode & 0o777, 0o700)
        self.virsh_ok("pool-start", "other")
        self.assertEqual(self.names("other"), [])
        self.virsh_ok("pool-undefine", "other")
        self.virsh_refused("pool-define-as", "disks", "logical", naming="'logical'")
        (self.scratch.state / "pools").write_text("")
        self.virsh_refused("pool-info", "default", naming="Storage pool not found")
        (self.scratch.state / "pools").write_text("default\n")
        self.virsh_refused("pool-list", naming="pools, line 1")

    def test_volumes_are_files(self):
        tool("qemu-img", "create", "-q", "-f", "qcow2", self.images / "a.qcow2", "32M")
        tool("qemu-img", "create", "-q", "-f", "qcow2", "-b", "a.qcow2", "-F", "qcow2", self.images / "b.qcow2")
        (self.images / "c.iso").write_bytes(b"x" * 5000)
        (self.images / ".hidden").write_bytes(b"")
        (self.images / "folder").mkdir()
        self.virsh_ok("pool-refresh", "default")
        self.assertEqual(self.names(), ["a.qcow2", "b.qcow2", "c.iso"])
        self.assertIn("Capacity:       32.00 MiB", self.virsh_ok("vol-info", "a.qcow2", "--pool", "default"))
        self.assertEqual(self.virsh_ok("vol-path", "a.qcow2", "--pool", "default"), str(self.images / "a.qcow2"))
        self.assertEqual(self.virsh_ok("vol-pool", self.images / "c.iso"), "default")
        self.assertEqual(self.virsh_ok("vol-name", self.images / "c.iso"), "c.iso")
        volume = xml_of(self.virsh_ok("vol-dumpxml", self.images / "b.qcow2"))
        self.assertEqual(volume.find("target/format").get("type"), "qcow2")
        self.assertEqual(volume.findtext("backingStore/path"), str(self.images / "a.qcow2"))
        self.assertEqual(xml_of(self.virsh_ok("vol-dumpxml", self.images / "c.iso")).find("target/format").get("type"), "raw")
        for name in ("nosuch", "../images/a.qcow2", ".hidden", "folder"):
            self.virsh_refused("vol-info", name, "--pool", "default", naming="failed to get vol")
        # What a guest wrote into its raw disk must not become a qcow2 for whoever asks.
        self.define("g", [Disk("vda", self.images / "a.qcow2", format="raw")], memory_mib=64)
        self.assertEqual(xml_of(self.virsh_ok("vol-dumpxml", self.images / "a.qcow2")).find("target/format").get("type"), "raw")

    def test_made_and_deleted(self):
        self.create("q.qcow2", "--format", "qcow2")
        self.create("r.img", "--format", "raw")
        self.create("o.qcow2", "--format", "qcow2", "--backing-vol", "q.qcow2", "--backing-vol-format", "qcow2")
        self.assertEqual(self.names(), ["o.qcow2", "q.qcow2", "r.img"])
        for name in self.names():
            self.assertEqual((self.images / name).stat().st_mode & 0o777, 0o600)
        self.assertEqual((self.images / "r.img").stat().st_size, 16 << 20)
        with self.nothing_changes():
            self.virsh_refused("vol-create-as", "default", "q.qcow2", "1M", naming="exists already")
            self.virsh_refused("vol-create-as", "default", ".q", "1M", naming="'.q'")
            self.virsh_refused("vol-create-as", "default", "v", "1M", "--format", "vmdk", naming="'vmdk'")
            self.virsh_refused("vol-delete", self.images / "q.qcow2", naming=["o.qcow2", "rests on it"])
            self.virsh_refused("vol-delete", self.images / "r.img", readonly=True)
        for name in ("o.qcow2", "q.qcow2", "r.img"):
            self.virsh_ok("vol-delete", name, "--pool", "default")
        self.assertEqual(self.names(), [])

    def capacity(self, name):
        return int(xml_of(self.virsh_ok("vol-dumpxml", name, "--pool", "default")).findtext("capacity"))

    def content(self, name, size):
        """A file outside of the pool: data, a hole, data."""
        file = self.scratch / name
        noise = random.Random(name)
        with open(file, "wb") as out:
            out.write(noise.randbytes(300_000))
            out.seek(size - 70_001)
            out.write(noise.randbytes(70_001))
        return file

    def same(self, one, other):
        self.assertEqual((self.images / one).read_bytes(), other.read_bytes() if hasattr(other, "read_bytes") else other)

    def test_resized(self):
        for name, format in (("q.qcow2", "qcow2"), ("r.img", "raw")):
            self.create(name, "--format", format)
            self.virsh_ok("vol-resize", name, "32M", "--pool", "default")
            self.assertEqual(self.capacity(name), 32 << 20)
            self.virsh_ok("vol-resize", name, "1M", "--delta", "--pool", "default")
            self.assertIn("33.00 MiB", self.virsh_ok("vol-info", name, "--pool", "default"))
            with self.nothing_changes():
                self.virsh_refused("vol-resize", name, "8M", "--pool", "default", naming=[name, "would be lost", "--shrink"])
                self.virsh_refused("vol-resize", name, "64M", "--allocate", "--pool", "default", naming="unsupported flags")
                self.virsh_refused("vol-resize", name, "33M", "--delta", "--shrink", "--pool", "default", naming="0 bytes")
            self.virsh_ok("vol-resize", name, "8M", "--shrink", "--pool", "default")
            self.assertEqual(self.capacity(name), 8 << 20)
            self.virsh_ok("vol-resize", name, "1M", "--delta", "--shrink", "--pool", "default")
            self.assertEqual(self.capacity(name), 7 << 20)
        tool("qemu-img", "check", "-q", "-f", "qcow2", self.images / "q.qcow2")
        with self.nothing_changes():
            self.virsh_refused("vol-resize", "r.img", "32M", "--pool", "default", readonly=True)
            self.virsh_refused("vol-resize", "r.img", "2E", "--pool", "default", naming="cannot have")

    def test_copied(self):
        content = self.content("content", 16 << 20)
        self.create("a.img", "--format", "raw")
        self.virsh_ok("vol-upload", self.images / "a.img", content)
        self.virsh_ok("vol-clone", "a.img", "b.img", "--pool", "default")
        self.same("b.img", content)
        self.assertLess((self.images / "b.img").stat().st_blocks * 512, 4 << 20)
        self.assertEqual((self.images / "b.img").stat().st_mode & 0o777, 0o600)
        tool("qemu-img", "convert", "-f", "raw", "-O", "qcow2", content, self.images / "c.qcow2")
        self.virsh_ok("vol-clone", "c.qcow2", "d.qcow2", "--pool", "default")
        tool("qemu-img", "compare", "-q", "-f", "raw", "-F", "qcow2", content, self.images / "d.qcow2")
        wanted = self.scratch / "wanted.xml"
        wanted.write_text("<volume><name>e.qcow2</name><capacity unit='MiB'>48</capacity><target><format type='qcow2'/></target></volume>")
        self.virsh_ok("vol-create-from", "default", wanted, "b.img", "--inputpool", "default")
        self.assertEqual(self.capacity("e.qcow2"), 48 << 20)
        tool("qemu-img", "compare", "-q", "-f", "raw", "-F", "qcow2", content, self.images / "e.qcow2")
        # What rests on another is copied whole, if a domain says that it does; else its bytes may be a guest's.
        tool("qemu-img", "create", "-q", "-f", "qcow2", "-b", "c.qcow2", "-F", "qcow2", self.images / "o.qcow2")
        with self.nothing_changes():
            self.virsh_refused("vol-clone", "o.qcow2", "p.qcow2", "--pool", "default", naming=["o.qcow2", "a guest could have written"])
            self.virsh_refused("vol-clone", "a.img", "b.img", "--pool", "default", naming="exists already")
            self.virsh_refused("vol-clone", "a.img", "p.img", "--pool", "default", "--reflink", naming="unsupported flags")
            self.virsh_refused("vol-clone", "nosuch", "p.img", "--pool", "default", naming="failed to get vol")
        self.define("g", [Disk("vda", self.images / "o.qcow2")], memory_mib=64)
        self.virsh_ok("vol-clone", "o.qcow2", "p.qcow2", "--pool", "default")
        self.assertIsNone(xml_of(self.virsh_ok("vol-dumpxml", "p.qcow2", "--pool", "default")).find("backingStore"))
        tool("qemu-img", "compare", "-q", "-f", "raw", "-F", "qcow2", content, self.images / "p.qcow2")

    def test_carried(self):
        content, back = self.content("content", 16 << 20), self.scratch / "back"
        whole = content.read_bytes()
        self.create("a.img", "--format", "raw")
        for sparse in ([], ["--sparse"]):
            (self.images / "a.img").write_bytes(b"old" * 1_000_000)
            self.virsh_ok("vol-upload", "a.img", content, "--pool", "default", *sparse)
            self.same("a.img", content)
            self.virsh_ok("vol-download", "a.img", back, "--pool", "default", *sparse)
            self.assertEqual(back.read_bytes(), whole)
            self.virsh_ok("vol-download", "a.img", back, "--pool", "default", "--offset", 299_000, "--length", 2_000_000, *sparse)
            self.assertEqual(back.read_bytes(), whole[299_000:2_299_000])
        self.assertLess((self.images / "a.img").stat().st_blocks * 512, 4 << 20)
        part = self.scratch / "part"
        part.write_bytes(b"new" * 1000)
        self.virsh_ok("vol-upload", "a.img", part, "--pool", "default", "--offset", 5_000_000)
        self.same("a.img", whole[:5_000_000] + b"new" * 1000 + whole[5_003_000:])
        with self.nothing_changes():
            self.virsh_refused("vol-upload", "a.img", part, "--pool", "default", "--offset", 1 << 62, naming="cannot have")
            other = self.scratch / "other"
            self.virsh_refused("vol-download", "a.img", other, "--pool", "default", "--offset", 1 << 40, naming="none at")
            self.virsh_refused("vol-download", "a.img", other, "--pool", "default", readonly=True)
        self.virsh_ok("vol-info", "a.img", "--pool", "default")

    def test_wiped(self):
        content = self.content("content", 16 << 20)
        self.create("a.img", "--format", "raw")
        self.virsh_ok("vol-upload", "a.img", content, "--pool", "default", "--sparse")
        with self.nothing_changes():
            self.virsh_refused("vol-wipe", "a.img", "--pool", "default", "--algorithm", "dod", naming="no other algorithm")
        self.virsh_ok("vol-wipe", "a.img", "--pool", "default")
        self.same("a.img", bytes(16 << 20))
        self.assertLess((self.images / "a.img").stat().st_blocks * 512, 4 << 20)
        self.assertEqual(self.capacity("a.img"), 16 << 20)

    def test_what_runs_is_not_carried_away(self):
        content = self.content("content", 1 << 20)
        self.define("g", [Disk("vda", self.scratch.image("images/g.qcow2"))], memory_mib=64)
        self.ok("start", "g", "--paused")
        with self.nothing_changes():
            self.virsh_refused("vol-download", "g.qcow2", self.scratch / "back", "--pool", "default", naming=["g.qcow2", "being written to"])
            self.virsh_refused("vol-clone", "g.qcow2", "h.qcow2", "--pool", "default", naming=["g.qcow2", "lock"])
        # A QEMU of somebody else's is seen by its locks.
        os.rename(self.images / "g.qcow2", self.images / "moved.qcow2")
        with self.nothing_changes():
            for verb in (["vol-upload", "moved.qcow2", content], ["vol-wipe", "moved.qcow2"], ["vol-resize", "moved.qcow2", "2G"]):
                self.virsh_refused(*verb, "--pool", "default", naming="moved.qcow2")

    def test_what_somebody_needs_stays(self):
        self.create("base.qcow2", "--format", "qcow2")
        self.define("g", [Disk("vda", self.images / "base.qcow2")], memory_mib=64)
        self.ok("snapshot-create-as", "g", "s", "--disk-only", "--diskspec", "vda,snapshot=external")
        self.ok("snapshot-fork", "g", "s", "f")
        (self.images / "alias.qcow2").hardlink_to(self.images / "base.qcow2")
        with self.nothing_changes():
            for name in self.names():
                file = self.images / name
                for verb in (["vol-delete", file], ["vol-resize", file, "1G"], ["vol-upload", file, self.scratch.state / "pools"],
                             ["vol-wipe", file]):
                    self.virsh_refused(*verb, naming=[name, "is needed by"])
            for verb in (["vol-delete"], ["vol-wipe"]):
                self.virsh_refused(*verb, self.images / "base.qcow2", naming="is needed by domain 'f', snapshot 's' of domain 'g'")
            self.virsh_refused("vol-wipe", self.images / "base.s", naming="is needed by domain 'g'")
            self.virsh_refused("vol-create-as", "default", "n", "1M", "--format", "qcow2", "--backing-vol", self.images / "base.s",
                               "--backing-vol-format", "qcow2", naming="written to by a domain")
        inside = self.scratch.state / "domains" / "g"
        self.virsh_ok("pool-create-as", "inside", "dir", "--target", inside)
        self.virsh_refused("vol-delete", "definition.xml", "--pool", "inside", naming="domsnap's own")
        self.virsh_refused("vol-create-as", "inside", "n", "1M", naming="domsnap's own")
        self.virsh_refused("vol-download", "definition.xml", self.scratch / "out", "--pool", "inside", naming="domsnap's own")
        (self.images / "link").symlink_to(self.scratch.state / "pools")
        self.virsh_refused("vol-wipe", "link", "--pool", "default", naming="it is a link")


if __name__ == "__main__":
    clients.main()
