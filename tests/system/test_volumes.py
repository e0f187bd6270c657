"""Storage pools and their volumes, by virsh: listed, made, deleted, and never a file deleted that somebody needs."""
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

    def test_what_somebody_needs_stays(self):
        self.create("base.qcow2", "--format", "qcow2")
        self.define("g", [Disk("vda", self.images / "base.qcow2")], memory_mib=64)
        self.ok("snapshot-create-as", "g", "s", "--disk-only", "--diskspec", "vda,snapshot=external")
        self.ok("snapshot-fork", "g", "s", "f")
        (self.images / "alias.qcow2").hardlink_to(self.images / "base.qcow2")
        with self.nothing_changes():
            for name in self.names():
                self.virsh_refused("vol-delete", name, "--pool", "default", naming="needs it")
            self.virsh_refused("vol-create-as", "default", "n", "1M", "--format", "qcow2", "--backing-vol", self.images / "base.s",
                               "--backing-vol-format", "qcow2", naming="written to by a domain")
        inside = self.scratch.state / "domains" / "g"
        self.virsh_ok("pool-create-as", "inside", "dir", "--target", inside)
        self.virsh_refused("vol-delete", "definition.xml", "--pool", "inside", naming="domsnap's own")
        self.virsh_refused("vol-create-as", "inside", "n", "1M", naming="domsnap's own")


if __name__ == "__main__":
    clients.main()
