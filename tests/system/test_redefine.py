"""All metadata dumped, undefined, and redefined: every snapshot goes back to exactly what it was."""
import os
import re

from harness import Disk, SystemTest, main, tool


def write(path, byte):
    tool("qemu-io", "-f", "qcow2", "-c", f"write -P {byte} 0 64k", path)


def byte_of(path):
    out = tool("qemu-io", "-r", "-f", "qcow2", "-c", "read -v 0 1", path)
    return int(out.split()[1], 16)


class Redefine(SystemTest):
    def setUp(self):
        super().setUp()
        self.define(disks=[Disk(target, self.scratch.image(f"{target}.qcow2")) for target in ("vda", "vdb")])
        self.expected, self.counter = {}, 0

    def fill(self):
        for path in self.sources().values():
            self.counter += 1
            write(path, self.counter)

    def content(self):
        return {target: byte_of(path) for target, path in self.sources().items()}

    def take(self, name, **kinds):
        """A snapshot of what was written just before it."""
        self.fill()
        self.expected[name] = self.content()
        disks = [word for target, kind in kinds.items() for word in ("--diskspec", f"{target},snapshot={kind}")]
        self.ok("snapshot-create-as", "g", name, *disks)

    def grow(self):
        """Internal, external and mixed ones, with two branches."""
        self.take("i1", vda="internal", vdb="internal")
        self.take("e1", vda="external", vdb="external")
        self.take("mixed", vda="external", vdb="internal")
        self.take("i2", vda="internal", vdb="internal")
        self.ok("snapshot-revert", "g", "e1")
        self.take("e2", vda="internal", vdb="external")
        self.ok("snapshot-revert", "g", "i1")
        self.take("e3", vda="external", vdb="external")
        self.fill()

    def dump(self):
        return {name: self.ok("snapshot-dumpxml", "g", name, "--security-info") for name in self.snapshots("g", "--topological")}

    def forget_and_redefine(self, order):
        definition, current = self.scratch / "definition.xml", self.ok("snapshot-current", "g", "--name").strip()
        definition.write_text(self.ok("dumpxml", "g", "--inactive", "--security-info"))
        dumped, sources = self.dump(), self.sources()
        self.refused("undefine", "g", naming=f"with {len(dumped)} snapshots")
        images = {path: path.stat().st_ino for path in self.scratch.path.iterdir() if path.is_file()}
        self.ok("undefine", "g", "--snapshots-metadata")
        self.assertEqual({path: path.stat().st_ino for path in self.scratch.path.iterdir() if path.is_file()}, images)
        self.ok("define", definition)
        self.assertEqual(self.snapshots(), [])
        for name in order(list(dumped)):
            file = self.scratch / "snapshot.xml"
            file.write_text(dumped[name])
            self.ok("snapshot-create", "g", file, "--redefine", *(["--current"] if name == current else []))
            file.unlink()
        self.assertEqual(self.dump(), dumped)
        self.assertEqual((self.ok("snapshot-current", "g", "--name").strip(), self.sources()), (current, sources))
        definition.unlink()

    def assert_all_revert(self):
        for name, content in self.expected.items():
            self.ok("snapshot-revert", "g", name)
            self.assertEqual(self.content(), content, name)
            self.fill()

    def test_all_of_it(self):
        self.grow()
        self.forget_and_redefine(lambda names: names)
        self.assert_all_revert()
        # In another order in which parents precede their children.
        self.forget_and_redefine(lambda names: ["i1", "e3", "e1", "mixed", "e2", "i2"])
        self.assert_all_revert()

    def rename(self, old, new):
        self.ok("snapshot-edit", "g", old, "--rename", env={"EDITOR": f"sed -i s,<name>{old}</name>,<name>{new}</name>,",
                                                            "VISUAL": ""})
        self.expected[new] = self.expected.pop(old)

    def tags(self):
        return {path.name: re.findall(r"^\d+ +(\S+)", tool("qemu-img", "snapshot", "-l", path), re.MULTILINE)
                for path in sorted(self.scratch.path.glob("vd*"))}

    def test_renamed_ones_know_what_they_were_called(self):
        """An internal snapshot keeps the name in its file, whatever its record is called later."""
        self.grow()
        self.rename("mixed", "sorted")
        self.rename("i1", "root")
        self.rename("root", "ground")
        before = self.tags()
        self.forget_and_redefine(lambda names: names)
        self.assertEqual(self.tags(), before)
        self.assertIn("<domsnap:name", self.ok("snapshot-dumpxml", "g", "ground"))
        self.assertNotIn("<domsnap:name", self.ok("snapshot-dumpxml", "g", "e1"))
        self.assert_all_revert()
        self.ok("snapshot-delete", "g", "ground", "--children")
        self.assertEqual([self.tags()[f"{target}.qcow2"] for target in ("vda", "vdb")], [[], []])

    def test_a_child_before_its_parent_and_other_refusals(self):
        self.take("a", vda="external", vdb="external")
        self.take("b", vda="external", vdb="external")
        dumped = self.dump()
        self.ok("snapshot-delete", "g", "--metadata", "a")
        file = self.scratch / "b.xml"
        file.write_text(dumped["b"])
        with self.nothing_changes():
            self.refused("snapshot-create", "g", file, "--redefine", naming="parent a for moment b not found")
        file.write_text(dumped["a"])
        self.ok("snapshot-create", "g", file, "--redefine")
        file.write_text(dumped["b"])
        self.ok("snapshot-create", "g", file, "--redefine", "--current")
        file.unlink()
        self.assertEqual(self.dump(), dumped)
        self.assert_all_revert()

    def test_with_memory_in_another_disk(self):
        """Internal memory beside external disks: the record does not say where it lies."""
        guest = self.boot()
        file = self.scratch / "request.xml"
        file.write_text("<domainsnapshot><name>m</name><memory snapshot='internal'/><disks>"
                        "<disk name='vda' snapshot='external'/><disk name='vdb' snapshot='external'/></disks></domainsnapshot>")
        self.ok("snapshot-create", "g", file)
        taken = guest.status()["tick"]
        document = self.ok("snapshot-dumpxml", "g", "m", "--security-info")
        definition = self.scratch / "definition.xml"
        self.ok("destroy", "g")
        definition.write_text(self.ok("dumpxml", "g", "--inactive", "--security-info"))
        self.ok("undefine", "g", "--snapshots-metadata")
        self.ok("define", definition)
        file.write_text(document)
        self.ok("snapshot-create", "g", file, "--redefine", "--current")
        editor = {"EDITOR": "sed -i s,<state>,<description>kept</description><state>,", "VISUAL": ""}
        self.ok("snapshot-edit", "g", "m", env=editor)
        self.ok("snapshot-revert", "g", "m")
        self.assertLessEqual(self.assert_healthy()["tick"], taken + 30)
        self.assertTrue(os.path.exists(file))


if __name__ == "__main__":
    main()
