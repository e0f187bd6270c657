"""Snapshots of a domain that is off: qemu-img's work, no guest needed."""
import harness
from harness import tool


class Offline(harness.SystemTest):
    def write(self, byte, *targets):
        for target in targets or ("vda", "vdb"):
            tool("qemu-io", "-f", "qcow2", "-c", f"write -q -P {byte} 1M 128k", self.sources()[target])

    def assert_content(self, byte, *targets):
        for target in targets or ("vda", "vdb"):
            shown = tool("qemu-io", "-r", "-f", "qcow2", "-c", f"read -P {byte} 1M 128k", self.sources()[target])
            self.assertNotIn("verification failed", shown, f"{target}: {shown}")

    def assert_images_whole(self):
        for path in self.sources().values():
            tool("qemu-img", "check", "-q", "-f", "qcow2", path)

    def take_and_go_back(self, *options):
        self.define()
        self.write(0x11)
        self.ok("snapshot-create-as", "g", "a", *options)
        self.write(0x22)
        self.ok("snapshot-create-as", "g", "b", *options)
        self.assertEqual(self.ok("snapshot-parent", "g", "b").strip(), "a")
        self.write(0x33)
        for name, byte in (("a", 0x11), ("b", 0x22), ("a", 0x11), ("a", 0x11), ("b", 0x22)):
            self.write(0x44)
            self.ok("snapshot-revert", "g", name)
            self.assertEqual(self.state(), "shut off")
            self.assert_content(byte)
            self.assertEqual(self.ok("snapshot-current", "g", "--name").strip(), name)
        self.assert_images_whole()

    def test_internal(self):
        self.take_and_go_back()
        self.assertEqual(self.sources()["vda"], self.scratch / "vda.qcow2")
        self.ok("snapshot-delete", "g", "a")
        self.assertEqual(self.snapshots(), ["b"])
        self.ok("snapshot-delete", "g", "b")
        self.assertEqual(self.snapshots(), [])
        self.assertNotIn("TAG", tool("qemu-img", "snapshot", "-l", self.scratch / "vda.qcow2"))
        self.assert_content(0x22)

    def test_external(self):
        self.take_and_go_back("--disk-only")
        rows = [line.split() for line in self.ok("snapshot-list", "g").splitlines()[2:] if line.strip()]
        self.assertEqual([(row[0], row[-1]) for row in rows], [("a", "shutoff"), ("b", "shutoff")])
        self.write(0x55)
        self.ok("snapshot-delete", "g", "b")
        self.assertEqual(self.snapshots(), ["a"])
        self.assert_content(0x55)
        self.ok("snapshot-revert", "g", "a")
        self.assert_content(0x11)
        self.ok("snapshot-delete", "g", "a")
        self.assert_content(0x11)
        self.assert_images_whole()

    def test_external_without_disk_only(self):
        self.define()
        self.write(0x11)
        self.ok("snapshot-create-as", "g", "a", "--diskspec", "vda,snapshot=external", "--diskspec", "vdb,snapshot=external")
        self.assertEqual(self.sources()["vda"], self.scratch / "vda.a")
        self.write(0x22)
        self.ok("snapshot-revert", "g", "a")
        self.assert_content(0x11)

    def test_repeated_reverts_leave_one_overlay(self):
        self.define()
        self.ok("snapshot-create-as", "g", "a", "--disk-only")
        for _ in range(3):
            self.ok("snapshot-revert", "g", "a")
        images = {path.name for path in self.scratch.path.glob("vda*")}
        self.assertEqual(images, {"vda.qcow2", self.sources()["vda"].name})

    def test_metadata_only_and_redefine(self):
        self.define()
        self.write(0x11)
        self.ok("snapshot-create-as", "g", "a")
        document = self.scratch / "a.xml"
        document.write_text(self.ok("snapshot-dumpxml", "g", "a"))
        self.ok("snapshot-delete", "g", "a", "--metadata")
        self.assertEqual(self.snapshots(), [])
        self.ok("snapshot-create", "g", document, "--redefine", "--current")
        self.assertEqual(self.ok("snapshot-current", "g", "--name").strip(), "a")
        self.write(0x22)
        self.ok("snapshot-revert", "g", "a")
        self.assert_content(0x11)

    def test_undefine_with_snapshots(self):
        self.define()
        self.ok("snapshot-create-as", "g", "a")
        self.ok("snapshot-create-as", "g", "b", "--disk-only")
        with self.nothing_changes():
            self.refused("undefine", "g", naming="2 snapshots")
        self.ok("undefine", "g", "--snapshots")
        self.assertEqual(self.ok("list", "--all", "--name").split(), [])
        for path in self.scratch.path.glob("vd*"):
            self.assertNotIn("TAG", tool("qemu-img", "snapshot", "-l", path))

    def test_print_xml_changes_nothing(self):
        self.define()
        with self.nothing_changes():
            out = self.ok("snapshot-create-as", "g", "p", "words, more", "--print-xml", "--memspec", "file=/a,,b")
        document = harness.xml_of(out)
        self.assertEqual(document.findtext("name"), "p")
        self.assertEqual(document.findtext("description"), "words, more")
        self.assertEqual(document.find("memory").get("file"), "/a,b")


if __name__ == "__main__":
    harness.main()
