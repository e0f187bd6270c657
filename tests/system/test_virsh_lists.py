"""The lists of snapshots, byte for byte beside the real virsh's, whose test driver keeps snapshots that are redefined."""
import itertools
import shutil
import re
import subprocess
from xml.sax.saxutils import escape

from harness import SystemTest, main, requires, xml_of

# Name, parent, state, memory, disk. Names that try the order (s10 before s9, case), the columns and the lines of a tree.
TREE = [("clean install", "", "shutoff", "", "internal"),
        ("s9", "clean install", "running", "internal", "internal"),
        ("s10", "clean install", "disk-snapshot", "", "external"),
        ("S1", "s9", "paused", "external", "external"),
        ("-dash", "s9", "running", "external", "no"),
        ("größe ☃", "S1", "shutoff", "", "external"),
        ("a..b", "größe ☃", "running", "internal", "internal"),
        ("other", "", "disk-snapshot", "", "external"),
        ("%s;'\"&<>", "other", "shutoff", "", "internal"),
        ("x" * 200, "other", "running", "internal", "internal"),
        ("lone", "", "shutoff", "", "internal")]
CURRENT = "S1"

ROWS = ["", "--parent", "--roots", "--leaves", "--no-leaves", "--leaves --no-leaves", "--metadata", "--no-metadata",
        "--inactive", "--active", "--disk-only", "--inactive --active", "--internal", "--external",
        "--internal --external", "--topological", "--current", "--current --descendants", "--parent --topological",
        "--roots --internal", "--leaves --external --parent", "--active --leaves"]
ORIGINS = ["clean install", "s9", "S1", "a..b", "lone", "%s;'\"&<>"]
TREES = ["--tree", "--tree --current", "--tree --metadata"]


def document(domain, name, parent, state, memory, disk, number):
    above = f"<parent><name>{escape(parent)}</name></parent>" if parent else ""
    kept = {"": "<memory snapshot='no'/>", "internal": "<memory snapshot='internal'/>",
            "external": f"<memory snapshot='external' file='/vm/{number}.mem'/>"}[memory]
    overlay = f"<driver type='qcow2'/><source file='/vm/{number}.qcow2'/>" if disk == "external" else ""
    return (f"<domainsnapshot><name>{escape(name)}</name><state>{state}</state>{above}"
            f"<creationTime>{1_700_000_000 + 3600 * number}</creationTime>{kept}"
            f"<disks><disk name='vda' snapshot='{disk}'>{overlay}</disk></disks>{domain}</domainsnapshot>")


def questions():
    """Every command, as words."""
    for options in ROWS + TREES:
        yield ["snapshot-list", "test", *options.split()]
        if "--tree" not in options and "--parent" not in options:
            yield ["snapshot-list", "test", "--name", *options.split()]
    for origin, options in itertools.product(ORIGINS, ["", "--descendants", "--descendants --parent", "--tree",
                                                       "--descendants --leaves", "--descendants --topological"]):
        yield ["snapshot-list", "test", "--from", origin, *options.split()]
    for name, *_ in TREE:
        yield ["snapshot-info", "test", "--snapshotname", name]
        if name not in ("clean install", "other", "lone"):
            yield ["snapshot-parent", "test", "--snapshotname", name]
    yield ["snapshot-info", "test", "--current"]
    yield ["snapshot-parent", "test", "--current"]
    yield ["snapshot-current", "test", "--name"]


def quoted(words):
    """As virsh's own shell reads them."""
    return " ".join("'" + word.replace("'", "'\"'\"'") + "'" for word in words)


class VirshLists(SystemTest):
    def setUp(self):
        super().setUp()
        requires(shutil.which("virsh"), "virsh is not installed (package libvirt-clients)")

    def virsh(self, commands):
        """What each command prints: in one run, because the test driver forgets everything with its connection."""
        script = "; ".join(f"{quoted(words)}; echo @@@" for words in commands)
        done = subprocess.run(["virsh", "-c", "test:///default", script], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, env=self.scratch.environment(), timeout=120, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.split("@@@\n")[:-1]

    def test_lists_trees_and_facts(self):
        domain = self.virsh([["dumpxml", "test"]])[0]
        files = [self.scratch / f"{number}.xml" for number in range(len(TREE))]
        for number, file in enumerate(files):
            file.write_text(document(domain, *TREE[number], number))
        definition = self.scratch / "test.xml"
        definition.write_text(domain)
        self.ok("define", definition)
        redefine = [["snapshot-create", "test", str(file), "--redefine"] for file in files]
        made = redefine + [["snapshot-current", "test", "--snapshotname", CURRENT]]
        asked = list(questions())
        theirs = self.virsh(made + asked)
        self.assertEqual(len(theirs), len(made) + len(asked))
        for words, their_words in zip(made + asked, theirs):
            with self.subTest(" ".join(words)):
                # Where the memory is, virsh does not say: none of these files is there.
                ours = re.sub("^Memory: .*\n", "", self.ok(*words), flags=re.M)
                # The order of siblings there is that of their coming, the last one first; here it is by name.
                if "--topological" in words:
                    ours, their_words = sorted(ours.splitlines()), sorted(their_words.splitlines())
                self.assertEqual(ours, their_words)
        parents = {name: parent for name, parent, *_ in TREE}
        ordered = self.ok("snapshot-list", "test", "--name", "--topological").splitlines()[:-1]
        for at, name in enumerate(ordered):
            self.assertTrue(not parents[name] or parents[name] in ordered[:at], f"{name} stands before its parent")

    def test_what_excludes_what(self):
        for a, b in itertools.combinations(["--parent", "--roots", "--leaves", "--no-leaves", "--metadata", "--no-metadata",
                                            "--inactive", "--active", "--disk-only", "--internal", "--external", "--tree",
                                            "--current", "--descendants", "--name", "--topological"], 2):
            with self.subTest(f"{a} {b}"):
                words = ["snapshot-list", "test", a, b]
                done = subprocess.run(["virsh", "-c", "test:///default", " ".join(words)], stdin=subprocess.DEVNULL,
                                      capture_output=True, text=True, timeout=60, check=False)
                ours = self.cli(*words)
                if "exclusive" in done.stderr or "requires" in done.stderr:
                    self.assertEqual((ours.code, ours.err.splitlines()[0]), (2, done.stderr.splitlines()[0]))
                else:
                    self.assertEqual(ours.code, 1)
                    self.assertIn("failed to get domain 'test'", ours.err)


if __name__ == "__main__":
    main()
