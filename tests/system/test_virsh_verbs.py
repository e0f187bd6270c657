"""virsh's verbs, one by one, on domains that are off or stand still: what they print, and what they refuse.

The same words go to virsh and to domsnap, and both must print the same; what differs is named, with the reason.
"""
import re
import subprocess
import xml.etree.ElementTree as ElementTree

import clients
from clients import Disk

REDEFINED = """<domainsnapshot><name>re</name><state>shutoff</state><creationTime>1700000000</creationTime>
<disks><disk name='vda' snapshot='internal'/></disks>{domain}</domainsnapshot>"""


class Verbs(clients.ClientTest):
    def small(self, name="g", **options):
        """A domain with one disk, defined through virsh."""
        file = self.scratch / f"{name}.xml"
        file.write_text(self.domain_xml(name, [Disk("vda", self.scratch.image(f"{name}.qcow2"))], memory_mib=64, **options))
        self.virsh_ok("define", file)

    def same(self, *arguments):
        """virsh prints what domsnap prints."""
        shown = self.virsh_ok(*arguments)
        self.assertEqual(shown, self.ok(*arguments).rstrip("\n"), arguments)
        return shown

    def test_definitions(self):
        self.small()
        self.small("b", metadata="<title>The second</title>")
        for verb in ("dumpxml", "domblklist", "dominfo", "domuuid", "domstate"):
            if verb != "dominfo":
                self.same(verb, "g")
        self.same("dumpxml", "g", "--inactive")
        self.same("domblklist", "g", "--details")
        self.same("list", "--all")
        self.assertEqual(self.virsh_ok("list", "--name"), "")
        uuid = self.virsh_ok("domuuid", "g")
        self.assertEqual(self.virsh_ok("domname", uuid), "g")
        self.assertIn("The second", self.virsh_ok("list", "--all", "--title"))
        self.assertEqual(self.virsh_ok("desc", "b", "--title"), "The second")
        info = dict(re.findall(r"^(.+?): +(.*)$", self.virsh_ok("dominfo", "g"), re.M))
        # libvirt's dominfo has more lines than ours: autostart, managed save and security are not domsnap's.
        for line in re.findall(r"^(.+?): +(.*)$", self.ok("dominfo", "g"), re.M):
            self.assertEqual(info[line[0]], line[1], line[0])
        self.assertEqual(info["Autostart"], "disable")
        self.virsh_refused("define", "/dev/null", naming="XML")
        self.virsh_ok("domrename", "b", "c")
        self.assertEqual(self.virsh_ok("list", "--all", "--name").split(), ["c", "g"])
        edit = self.scratch / "editor"
        edit.write_text("#!/bin/sh\nsed -i 's/67108864/134217728/;s/65536/131072/;s/>64</>128</' \"$1\"\n")
        edit.chmod(0o755)
        before = self.virsh_ok("dumpxml", "c")
        result = self.finish(self.spawn_virsh("edit", "c", editor=edit))
        self.assertEqual(result.code, 0, result.err)
        self.assertNotEqual(self.virsh_ok("dumpxml", "c"), before)
        self.virsh_ok("undefine", "c")
        self.virsh_refused("undefine", "c", naming="failed to get domain 'c'")
        self.assertEqual(self.virsh_ok("list", "--all", "--name").split(), ["g"])

    def test_filters(self):
        for name in ("a", "b", "c"):
            self.small(name)
        self.virsh_ok("start", "a", "--paused")
        self.virsh_ok("snapshot-create-as", "b", "s")
        expected = {"--inactive": "bc", "--all": "abc", "--state-paused --all": "a", "--state-running": "",
                    "--state-shutoff --all": "bc", "--state-other --all": "", "--with-snapshot --all": "b",
                    "--without-snapshot --all": "ac", "--persistent --all": "abc", "--transient --all": "",
                    "--autostart --all": "", "--no-autostart --all": "abc", "--with-managed-save --all": "",
                    "--without-managed-save --all": "abc", "--with-checkpoint --all": "", "": "a"}
        for options, names in expected.items():
            self.assertEqual(self.virsh_ok("list", "--name", *options.split()).split(), list(names), options)

    def test_power(self):
        self.small()
        self.assertEqual(self.virsh_ok("start", "g", "--paused"), "Domain 'g' started")
        self.assertEqual(self.virsh_ok("domstate", "g", "--reason"), "paused (user)")
        self.assertIn("already active", self.virsh_refused("start", "g"))
        self.same("domid", "g")
        self.same("list")
        self.same("dumpxml", "g")
        self.same("domblklist", "g", "--details")
        self.assertEqual(self.virsh_ok("domcontrol", "g"), "ok")
        self.assertIn("paused", self.virsh_ok("qemu-monitor-command", "g", "--hmp", "info status"))
        self.assertIn('"running":false', self.virsh_ok("qemu-monitor-command", "g", '{"execute":"query-status"}').replace(" ", ""))
        self.assertEqual(self.virsh_ok("resume", "g"), "Domain 'g' resumed")
        self.assertEqual(self.virsh_ok("suspend", "g"), "Domain 'g' suspended")
        self.virsh_ok("reset", "g")
        self.virsh_ok("send-key", "g", "KEY_LEFTCTRL", "KEY_C")
        self.virsh_ok("dommemstat", "g")
        self.assertEqual(self.virsh_ok("vcpucount", "g", "--current", "--live"), "1")
        self.assertIn("Capacity:       67108864", self.virsh_ok("domblkinfo", "g", "vda"))
        stats = self.virsh_ok("domstats", "g")
        for line in ("state.state=3", "balloon.maximum=65536", "vcpu.current=1", "block.count=1", "block.0.name=vda"):
            self.assertIn(line, stats)
        self.assertIn("state.state=3", self.virsh_ok("domstats", "--state", "--list-active"))
        self.assertEqual(self.virsh_ok("domjobinfo", "g").split()[-1], "None")
        self.virsh_refused("domjobabort", "g", naming="no job is active")
        self.assertEqual(self.virsh_ok("destroy", "g"), "Domain 'g' destroyed")
        self.assertIn("not running", self.virsh_refused("destroy", "g"))
        self.assertEqual(self.virsh_ok("domstate", "g", "--reason"), "shut off (destroyed)")
        # `create` defines, too: domsnap has no transient domains.
        self.virsh_ok("undefine", "g")
        self.assertIn("created from", self.virsh_ok("create", self.scratch / "g.xml", "--paused"))
        self.virsh_refused("create", self.scratch / "g.xml", naming="already exists")
        self.virsh_ok("destroy", "g")

    def test_snapshots(self):
        self.small()
        for name in ("base", "left"):
            self.assertEqual(self.virsh_ok("snapshot-create-as", "g", name, f"what {name} is"), f"Domain snapshot {name} created")
        self.virsh_ok("snapshot-revert", "g", "base")
        self.virsh_ok("snapshot-create-as", "g", "right", "--disk-only", "--diskspec",
                      f"vda,snapshot=external,driver=qcow2,file={self.scratch / 'right.qcow2'}")
        for options in ((), ("--tree",), ("--parent",), ("--roots",), ("--leaves",), ("--no-leaves",), ("--metadata",),
                        ("--no-metadata",), ("--inactive",), ("--active",), ("--disk-only",), ("--internal",), ("--external",),
                        ("--name",), ("--topological",), ("--from", "base"), ("--from", "base", "--descendants"),
                        ("--from", "base", "--tree"), ("--current",)):
            self.same("snapshot-list", "g", *options)
        for name in ("base", "left", "right"):
            self.same("snapshot-info", "g", name)
            self.same("snapshot-dumpxml", "g", name)
            self.same("snapshot-dumpxml", "g", name, "--security-info")
        self.same("snapshot-current", "g", "--name")
        self.same("snapshot-current", "g")
        self.same("snapshot-parent", "g", "left")
        self.virsh_refused("snapshot-parent", "g", "base", naming="has no parent")
        self.virsh_refused("snapshot-dumpxml", "g", "nosuch", naming="Domain snapshot not found: no domain snapshot with matching name 'nosuch'")
        self.assertEqual(self.virsh_ok("snapshot-current", "g", "left"), "Snapshot left set as current")
        self.assertEqual(self.virsh_ok("snapshot-current", "g", "--name"), "left")
        self.virsh_refused("undefine", "g", naming="3 snapshots")
        self.virsh_refused("snapshot-create-as", "g", "base", naming="base")
        self.virsh_refused("snapshot-create-as", "g", "m", "--memspec", "/nowhere/m.mem", naming="not running")
        # snapshot-edit: the same document twice is no change.
        self.assertIn("not changed", self.finish(self.spawn_virsh("snapshot-edit", "g", "base", editor="true")).out)
        edit = self.scratch / "editor"
        edit.write_text("#!/bin/sh\nsed -i 's/what base is/what it was/' \"$1\"\n")
        edit.chmod(0o755)
        self.assertIn("Snapshot base edited.", self.finish(self.spawn_virsh("snapshot-edit", "g", "base", editor=edit)).out)
        self.assertIn("what it was", self.ok("snapshot-dumpxml", "g", "base"))
        self.assertEqual(self.virsh_ok("snapshot-list", "g", "--from", "base", "--name").split(), ["left", "right"])
        self.assertEqual(self.virsh_ok("snapshot-delete", "g", "base", "--children-only"), "Domain snapshot base children deleted")
        self.assertEqual(self.virsh_ok("snapshot-delete", "g", "base", "--metadata"), "Domain snapshot base deleted")
        self.assertEqual(self.snapshots(), [])

    def test_redefine(self):
        self.small()
        file = self.scratch / "re.xml"
        file.write_text(REDEFINED.format(domain=self.virsh_ok("dumpxml", "g")))
        self.virsh_ok("snapshot-create", "g", file, "--redefine", "--current")
        self.assertEqual(self.virsh_ok("snapshot-current", "g", "--name"), "re")
        file.write_text("<domainsnapshot><disks>")
        self.virsh_refused("snapshot-create", "g", file, naming="XML")
        self.assertEqual(self.snapshots(), ["re"])

    def test_the_machine(self):
        self.assertIn("CPU model:           x86_64", self.virsh_ok("nodeinfo"))
        self.assertIn("Running hypervisor: QEMU", self.virsh_ok("version", "--daemon"))
        self.assertEqual(self.virsh_ok("uri"), self.uri)
        capabilities = ElementTree.fromstring(self.virsh_ok("capabilities"))
        machines = [machine.text for machine in capabilities.iterfind("guest/arch/machine")]
        self.assertIn("q35", machines)
        ours = ElementTree.fromstring(self.virsh_ok("domcapabilities", "--virttype", "qemu", "--machine", "q35"))
        self.assertEqual(ours.findtext("arch"), "x86_64")
        self.assertIn(ours.findtext("machine"), machines)
        self.virsh_refused("domcapabilities", "--machine", "nonsense", naming="nonsense")
        self.virsh_refused("domcapabilities", "--arch", "sparc", naming="sparc")
        for verb in ("net-list", "pool-list", "iface-list", "nwfilter-list", "secret-list", "nodedev-list", "nwfilter-binding-list"):
            rows = self.virsh_ok(verb).splitlines()[2:]
            self.assertEqual(rows, [], verb)
        self.virsh_refused("net-dumpxml", "default", naming="Network not found")
        self.virsh_refused("pool-info", "default", naming="Storage pool not found")
        self.assertIn("virConnectGetSysinfo", self.virsh_refused("sysinfo"))

    def test_read_only(self):
        self.small()
        self.virsh_ok("snapshot-create-as", "g", "s")
        with self.nothing_changes(self.scratch.state):
            self.assertIn(" g ", self.virsh_ok("list", "--all", readonly=True))
            socket = f"domsnap:///system?socket={self.socket}-ro"
            self.assertIn("s", self.virsh_ok("snapshot-list", "g", uri=socket))
            # Not by the library, which does not know what this socket is: by the server.
            for words in (("start", "g"), ("undefine", "g", "--snapshots-metadata"), ("snapshot-create-as", "g", "t"),
                          ("snapshot-delete", "g", "s"), ("snapshot-revert", "g", "s"), ("domrename", "g", "h"),
                          ("define", self.scratch / "g.xml")):
                self.virsh_refused(*words, uri=socket, naming="forbidden")
            self.virsh_refused("dumpxml", "g", "--security-info", uri=socket, naming="forbidden")

    def spawn_virsh(self, *arguments, editor=None, **options):
        if editor is None:
            return super().spawn_virsh(*arguments, **options)
        return subprocess.Popen(["virsh", "-c", self.uri, *map(str, arguments)], stdin=subprocess.DEVNULL, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                env={**self.scratch.environment(), "VISUAL": str(editor)})


if __name__ == "__main__":
    clients.main()
