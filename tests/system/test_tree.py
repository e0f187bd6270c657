"""The tree of snapshots, its listings and their options. The domain is off: only the records and images matter."""
import harness

TREE = """a
  |
  +- b
  |   |
  |   +- c
  |     
  +- d
  +- e
      |
      +- f
        

"""


class Tree(harness.SystemTest):
    def setUp(self):
        super().setUp()
        self.define(disks=[harness.Disk("vda", self.scratch.image("vda.qcow2"))])

    def take(self, *names):
        for name in names:
            self.ok("snapshot-create-as", "g", name)

    def grow(self):
        self.take("a", "b", "c")
        self.ok("snapshot-revert", "g", "a")
        self.take("d")
        self.ok("snapshot-revert", "g", "a")
        self.take("e", "f")

    def current(self):
        return self.ok("snapshot-current", "g", "--name").strip()

    def test_listings(self):
        self.assertEqual(self.ok("snapshot-list", "g").splitlines()[:2],
                         [" Name   Creation Time   State", "-------------------------------"])
        self.grow()
        self.assertEqual(self.ok("snapshot-list", "g", "--tree"), TREE)
        self.assertEqual(self.ok("snapshot-list", "g", "--name"), "a\nb\nc\nd\ne\nf\n\n")
        for options, wanted in ((["--roots"], "a"), (["--leaves"], "cdf"), (["--no-leaves"], "abe"), (["--internal"], "abcdef"),
                                (["--external"], ""), (["--inactive"], "abcdef"), (["--active"], ""), (["--disk-only"], ""),
                                (["--from", "a"], "bde"), (["--from", "a", "--descendants"], "bcdef"), (["--leaves", "--no-leaves"], "")):
            with self.subTest(options=options):
                self.assertEqual(self.snapshots("g", *options), list(wanted))
        self.assertEqual(self.current(), "f")
        self.assertEqual(self.ok("snapshot-parent", "g", "f").strip(), "e")
        self.refused("snapshot-parent", "g", "a", naming="a")

    def test_sorting(self):
        self.take("s10", "S9", "s1")
        self.assertEqual(self.snapshots(), ["s1", "s10", "S9"])
        self.assertEqual(self.snapshots("g", "--topological"), ["s10", "S9", "s1"])

    def test_options_that_exclude_each_other(self):
        self.take("a")
        for options in (["--parent", "--tree"], ["--roots", "--tree"], ["--tree", "--name"], ["--parent", "--roots"],
                        ["--leaves", "--tree"], ["--from", "a", "--current"], ["--roots", "--from", "a"]):
            with self.subTest(options=options):
                result = self.cli("snapshot-list", "g", *options)
                self.assertIn(result.code, (1, 2))
                self.assertIn("mutually exclusive", result.err)

    def test_delete_in_the_middle(self):
        self.grow()
        self.ok("snapshot-delete", "g", "b")
        self.assertEqual(self.ok("snapshot-parent", "g", "c").strip(), "a")
        self.assertEqual(self.current(), "f")
        self.ok("snapshot-delete", "g", "f")
        self.assertEqual(self.current(), "e")

    def test_delete_with_children(self):
        self.grow()
        self.assertIn("Domain snapshot b deleted", self.ok("snapshot-delete", "g", "b", "--children"))
        self.assertEqual(self.snapshots(), ["a", "d", "e", "f"])
        self.assertIn("Domain snapshot a children deleted", self.ok("snapshot-delete", "g", "a", "--children-only"))
        self.assertEqual((self.snapshots(), self.current()), (["a"], "a"))
        self.ok("snapshot-delete", "g", "a")
        self.refused("snapshot-current", "g", naming="g")

    def test_current_can_be_set_and_described(self):
        self.take("a", "b")
        self.assertIn("Snapshot a set as current", self.ok("snapshot-current", "g", "a"))
        self.assertEqual(self.current(), "a")
        self.ok("snapshot-create-as", "g", "c", "a description <&>")
        document = harness.xml_of(self.ok("snapshot-dumpxml", "g", "c"))
        self.assertEqual(document.findtext("description"), "a description <&>")
        self.assertEqual(document.findtext("parent/name"), "a")
        self.assertEqual(document.findtext("state"), "shutoff")

    def test_external_leaf_with_children(self):
        for name in ("x", "y", "z"):
            self.ok("snapshot-create-as", "g", name, "--disk-only")
        self.ok("snapshot-revert", "g", "x")
        self.ok("snapshot-delete", "g", "y", "--children")
        self.assertEqual(self.snapshots(), ["x"])
        images = {path.name for path in self.scratch.path.glob("vda*")}
        self.assertEqual(images, {"vda.qcow2", self.sources()["vda"].name}, "images that nobody needs are left")


if __name__ == "__main__":
    harness.main()
