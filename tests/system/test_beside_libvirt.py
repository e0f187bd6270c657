"""The same words to libvirt's own test driver and to domsnapd: the same exit code, and where libvirt's words are good, the
same words. What differs is listed here, with the reason."""
import clients
from clients import Disk

# Each says no, or shows something that does not depend on who serves. {file}: a definition that is none.
REFUSED = [
    ("dominfo", "nosuch"), ("dumpxml", "nosuch"), ("start", "nosuch"), ("domstate", "99"), ("snapshot-list", "nosuch"),
    ("domname", "11111111-2222-3333-4444-555555555555"), ("destroy", "off"), ("suspend", "off"), ("resume", "off"),
    ("snapshot-dumpxml", "off", "nosuch"), ("snapshot-delete", "off", "nosuch"), ("snapshot-revert", "off", "nosuch"),
    ("snapshot-info", "off", "nosuch"), ("snapshot-parent", "off", "nosuch"), ("snapshot-current", "off"),
    ("define", "{file}"), ("snapshot-create", "off", "{file}"), ("create", "{file}"),
    ("snapshot-create-as", "off", "s", "--memspec", "no-such-kind,snapshot=nowhere"),
    ("net-dumpxml", "nosuch"), ("pool-info", "nosuch"), ("nodedev-dumpxml", "nosuch"),
    ("event", "nonsense"), ("domjobabort", "off"), ("undefine", "off", "--nonsense"),
]
SHOWN = [
    ("list", "--inactive", "--name"), ("snapshot-list", "off"), ("snapshot-list", "off", "--tree"), ("domstate", "off"),
    ("dominfo", "off"), ("snapshot-list", "off", "--parent"), ("domid", "off"),
    ("snapshot-list", "off", "--name", "--leaves", "--active"), ("vcpucount", "off", "--maximum", "--config"),
]
# The line that virsh prints after its own, where ours is another. libvirt's is the test driver's.
OTHER_WORDS = {
    "suspend off": "libvirt: 'domain is not running'; ours names the domain",
    "resume off": "as above",
    "destroy off": "as above",
    "snapshot-create off {file}": "libvirt says where its parser stood; ours what it wanted, with the line",
    "define {file}": "as above",
    "create {file}": "as above",
    "domjobabort off": "the test driver has no jobs at all",
    "net-dumpxml nosuch": "domsnap has no networks",
    "nodedev-dumpxml nosuch": "domsnap has no node devices",
}
OTHER_VALUES = ("Id:", "UUID:", "CPU(s):", "Max memory:", "Used memory:", "OS Type:", "Security", "CPU time:")


class BesideLibvirt(clients.ClientTest):
    def setUp(self):
        super().setUp()
        self.define("off", [Disk("vda", self.scratch.image("off.qcow2"))], memory_mib=64)
        (self.scratch / "none.xml").write_text("<domain type='test'><name>")
        definition = self.scratch / "test.xml"
        definition.write_text("""<node><domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>
            <name>off</name><memory>65536</memory><os><type>hvm</type></os><test:runstate>5</test:runstate></domain></node>""")
        self.test_uri = f"test://{definition}"

    def both(self, words):
        words = [word.format(file=self.scratch / "none.xml") for word in words]
        return self.virsh(*words, uri=self.test_uri), self.virsh(*words)

    def test_what_is_refused(self):
        for words in REFUSED:
            with self.subTest(words=words):
                theirs, ours = self.both(words)
                self.assertEqual((theirs.code, ours.code), (1, 1), f"{theirs}\n{ours}")
                shown = " ".join(words)
                told = [line for line in ours.err.splitlines() if not line.startswith("hint: ")]
                if shown in OTHER_WORDS:
                    self.assertNotEqual(told, theirs.err.splitlines(), "no longer another: take it off the list")
                else:
                    self.assertEqual(told, theirs.err.splitlines())

    def test_what_is_shown(self):
        for words in SHOWN:
            with self.subTest(words=words):
                theirs, ours = self.both(words)
                self.assertEqual((theirs.code, ours.code), (0, 0), f"{theirs}\n{ours}")
                strip = lambda text: [line for line in text.splitlines() if not line.startswith(OTHER_VALUES)]
                self.assertEqual(strip(ours.out), strip(theirs.out))


if __name__ == "__main__":
    clients.main()
