"""What libvirt takes for a snapshot's name is one here, through every verb, and never a path."""
import pathlib

from harness import Disk, SystemTest, main, xml_of

NAMES = ["with blank", " leading", "größe ☃ 日本", ".hidden", "..x", "-dash", "--help", "it's \"quoted\"", "%s%n%2F..%00",
         "a;b|c&d`e`$HOME", "<x>&amp;]]>", "a,b=c", "*?[~\\", "1", "x" * 200, "é" * 120]
REFUSED = ["a/b", "/etc/passwd", "../x", "two\nlines", "bell\a", ".", "..", "x" * 256]

# Puts another name into the document, as a user does in an editor.
EDITOR = """import pathlib, re, sys
from xml.sax.saxutils import escape
new, file = sys.argv[1:]
path, name = pathlib.Path(file), escape(bytes.fromhex(new).decode())
path.write_text(re.sub("<name>[^<]*</name>", lambda _: f"<name>{name}</name>", path.read_text(), count=1))
"""


class Names(SystemTest):
    def setUp(self):
        super().setUp()
        self.images = {target: self.scratch.image(f"{target}.qcow2") for target in ("vda", "vdb")}
        self.define(disks=[Disk(*pair) for pair in self.images.items()])
        self.editor = self.scratch / "editor.py"
        self.editor.write_text(EDITOR)

    def edit(self, old, new, option):
        editor = f"python3 {self.editor} {new.encode().hex()}"
        return self.ok("snapshot-edit", "g", "--snapshotname", old, option, env={"EDITOR": editor, "VISUAL": ""})

    def files(self):
        """Images, and records by the hashes of their names."""
        return sorted(str(path.relative_to(self.scratch.path)) for pattern in ("*", "state/domains/*/snapshots/*")
                      for path in self.scratch.path.glob(pattern))

    def walk_through_every_verb(self, name, earlier):
        self.assertEqual(self.ok("snapshot-create-as", "g", "--name", name, "--diskspec", "vda,snapshot=external",
                                 "--diskspec", "vdb,snapshot=internal"), f"Domain snapshot {name} created\n")
        self.assertEqual(self.ok("snapshot-current", "g", "--name"), f"{name}\n")
        document = xml_of(self.ok("snapshot-dumpxml", "g", "--snapshotname", name))
        self.assertEqual(document.findtext("name"), name)
        overlay = pathlib.Path(document.find("disks/disk/source").get("file"))
        self.assertEqual(overlay.parent, self.scratch.path, "the overlay lies beside its disk")
        self.assertLessEqual(len(overlay.name.encode()), 255)
        self.assertTrue(overlay.name.startswith("vda.") and overlay.name.isprintable(), overlay.name)
        self.assertIn(f"Name:           {name}\n", self.ok("snapshot-info", "g", "--snapshotname", name))
        self.assertEqual(self.ok("snapshot-list", "g", "--name", "--from", earlier), f"{name}\n\n")
        self.assertEqual(self.ok("snapshot-parent", "g", "--snapshotname", name), f"{earlier}\n")
        self.assertEqual(self.edit(name, f"{name}²", "--clone"), f"Snapshot {name} cloned to {name}².\n\n")
        self.ok("snapshot-delete", "g", "--snapshotname", f"{name}²")
        self.assertEqual(self.edit(name, f"{name}³", "--rename"), f"Snapshot {name} renamed to {name}³.\n\n")
        self.edit(f"{name}³", name, "--rename")
        self.assertEqual(self.ok("snapshot-revert", "g", "--snapshotname", name), f"Domain snapshot {name} reverted\n\n")
        self.ok("snapshot-current", "g", "--snapshotname", name)
        self.assertEqual(self.ok("snapshot-delete", "g", "--snapshotname", name), f"Domain snapshot {name} deleted\n\n")

    def test_every_name_works_everywhere(self):
        self.ok("snapshot-create-as", "g", "first", "--diskspec", "vda,snapshot=internal", "--diskspec", "vdb,snapshot=internal")
        before = self.files()
        for name in NAMES:
            with self.subTest(name):
                self.walk_through_every_verb(name, "first")
                self.assertEqual(self.files(), before, "what was made is gone again, and nothing else is")

    def test_what_can_be_no_name(self):
        with self.nothing_changes():
            for name in REFUSED:
                with self.subTest(name):
                    self.refused("snapshot-create-as", "g", "--name", name, naming="invalid snapshot name")
                    self.refused("snapshot-create-as", "g", "--name", name, "--disk-only", "--no-metadata",
                                 naming="invalid snapshot name")
                    self.refused("snapshot-revert", "g", "--snapshotname", name, naming="not found")
                    self.refused("snapshot-delete", "g", "--snapshotname", name, naming="not found")


if __name__ == "__main__":
    main()
