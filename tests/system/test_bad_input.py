"""What cannot be done is refused: exit 1, one error that names the object, and not a byte changed."""
import os

import harness
from harness import Disk, tool

LONG = "n" * 300
BAD_NAMES = {"a/b": "a/b", "..": "..", "two\nlines": "two", LONG: "nnn", "a/../../b": "a/../../b"}


class WithoutDomain(harness.SystemTest):
    def test_unknown_domain(self):
        for verb in ("start", "destroy", "shutdown", "suspend", "resume", "dominfo", "domstate", "dumpxml", "domblklist",
                     "undefine", "snapshot-list", "snapshot-create", "snapshot-create-as", "snapshot-current"):
            with self.subTest(verb=verb), self.nothing_changes():
                self.refused(verb, "nodom", naming="failed to get domain 'nodom'")
        for verb in ("snapshot-revert", "snapshot-delete", "snapshot-info", "snapshot-dumpxml", "snapshot-parent"):
            with self.subTest(verb=verb), self.nothing_changes():
                self.refused(verb, "nodom", "s", naming="failed to get domain 'nodom'")

    def test_usage(self):
        for arguments in (["no-such-verb"], ["start"], ["list", "--no-such-option"], ["snapshot-revert", "g", "s", "extra"], []):
            with self.subTest(arguments=arguments):
                self.assertTrue(self.usage_error(*arguments).strip())

    def test_documents(self):
        good = self.domain_xml(disks=[])
        documents = {
            "nothing": "", "text": "no XML", "cut": good[: len(good) // 2], "other": "<network><name>n</name></network>",
            "nameless": good.replace("<name>g</name>", ""), "memory": good.replace(">256<", ">lots<"),
            "entity": "<!DOCTYPE d [<!ENTITY e SYSTEM '/etc/hostname'>]>" + good.replace(">g<", ">&e;<"),
            "bomb": "<!DOCTYPE d [<!ENTITY a 'aaaaaaaaaa'>" + "".join(
                f"<!ENTITY {chr(98 + i)} '{f'&{chr(97 + i)};' * 10}'>" for i in range(8)) + "]>" + good.replace(">g<", ">&i;<"),
            "deep": "<domain>" * 5000,
        }
        for what, document in documents.items():
            file = self.scratch / "bad.xml"
            file.write_text(document)
            with self.subTest(what=what), self.nothing_changes():
                self.refused("define", file)
        self.refused("define", self.scratch / "missing.xml", naming=self.scratch / "missing.xml")
        self.refused("define", self.scratch.path, naming=self.scratch.path)

    def test_domain_names(self):
        for name in ("a/b", "two\nlines", LONG):
            file = self.scratch / "bad.xml"
            file.write_text(self.domain_xml(disks=[]).replace("<name>g</name>", f"<name>{name}</name>"))
            with self.subTest(name=name[:20]), self.nothing_changes():
                self.refused("define", file)
        # libvirt takes this one; so it may be a name, but never a step upwards in a path.
        file.write_text(self.domain_xml(disks=[]).replace("<name>g</name>", "<name>..</name>"))
        self.cli("define", file)
        self.assertEqual({path.name for path in self.scratch.path.iterdir()} - {"state", "run"}, {"bad.xml"})
        self.assertLessEqual({path.name for path in self.scratch.state.iterdir()}, {"domains", "locks"})


class StoppedDomain(harness.SystemTest):
    def test_names(self):
        self.define()
        for name, shown in BAD_NAMES.items():
            for options in ([], ["--disk-only"], ["--disk-only", "--no-metadata"]):
                with self.subTest(name=name[:20], options=options), self.nothing_changes():
                    self.refused("snapshot-create-as", "g", name, *options, naming=shown)

    def test_unknown_snapshot(self):
        self.define()
        for verb in ("snapshot-revert", "snapshot-delete", "snapshot-info", "snapshot-dumpxml", "snapshot-parent", "snapshot-current"):
            with self.subTest(verb=verb), self.nothing_changes():
                self.refused(verb, "g", "zz", naming="no domain snapshot with matching name 'zz'")
        self.ok("snapshot-create-as", "g", "twice")
        with self.nothing_changes():
            self.refused("snapshot-create-as", "g", "twice", naming="twice already exists")

    def assert_unusable(self, path, *naming):
        for arguments in (["start", "g"], ["snapshot-create-as", "g", "s"], ["snapshot-create-as", "g", "s", "--disk-only"]):
            with self.subTest(arguments=arguments), self.nothing_changes(*self.folders_of_images()):
                self.refused(*arguments, naming=[path, *naming])
        self.assertEqual((self.state(), self.snapshots()), ("shut off", []))
        self.assertEqual(self.scratch.pids(), [])

    def folders_of_images(self):
        """The state of domsnap aside: a refused start may note that it was tried, but touches no image."""
        return [self.scratch / "images"]

    def disks(self, name):
        (self.scratch / "images").mkdir()
        return self.scratch / "images" / name

    def test_missing_disk(self):
        path = self.disks("gone.qcow2")
        self.define(disks=[Disk("vda", path)])
        self.assert_unusable(path)

    def test_folder_as_disk(self):
        path = self.disks("folder")
        path.mkdir()
        self.define(disks=[Disk("vda", path)])
        self.assert_unusable(path)

    def test_wrong_format(self):
        path = self.disks("raw.img")
        tool("qemu-img", "create", "-q", "-f", "raw", path, "16M")
        self.define(disks=[Disk("vda", path)])
        self.assert_unusable(path)

    def test_broken_chain(self):
        base, overlay = self.disks("base.qcow2"), self.scratch / "images" / "overlay.qcow2"
        tool("qemu-img", "create", "-q", "-f", "qcow2", base, "16M")
        tool("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", base, overlay)
        base.unlink()
        self.define(disks=[Disk("vda", overlay)])
        self.assert_unusable(base)

    def test_second_disk_is_bad(self):
        """The first disk must not keep a snapshot when the second cannot have one."""
        path = self.disks("good.qcow2")
        tool("qemu-img", "create", "-q", "-f", "qcow2", path, "16M")
        self.define(disks=[Disk("vda", path), Disk("vdb", self.scratch / "images" / "gone.qcow2")])
        self.assert_unusable(self.scratch / "images" / "gone.qcow2")

    def test_qemu_missing(self):
        self.define()
        self.refused("start", "g", env={"DOMSNAP_QEMU": "/nonexistent/qemu"}, naming="/nonexistent/qemu")
        self.refused("start", "g", env={"DOMSNAP_QEMU": "/bin/false"}, naming="/bin/false")
        self.assertEqual((self.state(), self.scratch.pids()), ("shut off", []))
        self.define("h", emulator="/nonexistent/emulator", disks=[])
        self.refused("start", "h", naming="/nonexistent/emulator")

    def test_what_cannot_be_run(self):
        self.define(disks=[], devices="<hostdev mode='subsystem' type='pci'><source><address domain='0x0000' "
                    "bus='0x00' slot='0x1f' function='0x7'/></source></hostdev>")
        with self.nothing_changes(self.scratch.state):
            self.refused("start", "g", naming="hostdev")
        self.assertEqual((self.state(), self.scratch.pids()), ("shut off", []))

    def test_snapshot_documents(self):
        self.define()
        cases = {
            "<domainsnapshot><memory snapshot='bogus'/></domainsnapshot>": "bogus",
            "<domainsnapshot><memory snapshot='internal' file='/x'/></domainsnapshot>": "requires external snapshot",
            "<domainsnapshot><memory snapshot='external'/></domainsnapshot>": "memory",
            "<domainsnapshot><memory snapshot='external' file='rel'/></domainsnapshot>": "rel",
            "<domainsnapshot><memory snapshot='external' file='/x'/></domainsnapshot>": "memory",
            "<domainsnapshot><disks><disk name='vdz'/></disks></domainsnapshot>": "vdz",
            "<domainsnapshot><disks><disk name='vda'/><disk name='vda'/></disks></domainsnapshot>": "vda",
            "<domainsnapshot><disks><disk name='vda' snapshot='no'/><disk name='vdb' snapshot='no'/></disks></domainsnapshot>": "nothing",
            "<foo/>": "foo",
        }
        for document, naming in cases.items():
            file = self.scratch / "snapshot.xml"
            file.write_text(document)
            with self.subTest(document=document), self.nothing_changes():
                self.refused("snapshot-create", "g", file, naming=naming)

    def test_overlay_that_exists(self):
        self.define()
        (self.scratch / "vda.s").write_text("somebody's")
        with self.nothing_changes():
            self.refused("snapshot-create-as", "g", "s", "--disk-only", "--diskspec", f"vda,file={self.scratch / 'vda.s'}",
                         naming=self.scratch / "vda.s")
        with self.nothing_changes():
            self.refused("snapshot-create-as", "g", "s", "--disk-only", "--diskspec", f"vda,file={self.scratch / 'x'}",
                         "--diskspec", f"vdb,file={self.scratch / 'x'}")


class RunningGuest(harness.SystemTest):
    def files(self):
        own = (self.scratch.state, self.scratch.runtime)
        return {path for path in self.scratch.path.rglob("*") if not set(own) & set(path.parents)}

    def refused_and_unharmed(self, *arguments, naming=()):
        before, files, snapshots, boot = self.sources(), self.files(), self.snapshots(), self.guest().status()["boot"]
        error = self.refused(*arguments, naming=naming)
        self.assertEqual((self.sources(), self.files(), self.snapshots()), (before, files, snapshots))
        self.assertEqual(self.assert_healthy()["boot"], boot)
        return error

    def test_memory_file(self):
        self.boot()
        taken = self.scratch / "taken"
        taken.write_text("somebody's")
        for path in (taken, self.scratch / "no-folder" / "m", self.scratch.path, f"/{LONG}"):
            with self.subTest(path=str(path)[:40]):
                self.refused_and_unharmed("snapshot-create-as", "g", "s", "--memspec", path, naming=str(path)[:40])
        self.refused_and_unharmed("snapshot-create-as", "g", "s", "--memspec", "relative", naming="relative")
        self.assertEqual(taken.read_text(), "somebody's")
        self.refused_and_unharmed("snapshot-create-as", "g", "s", "--memspec", self.scratch / "m", "--disk-only")

    def test_full_and_read_only_folders(self):
        guest = self.boot()
        guest.do("fill 5 64")
        small = self.scratch.tmpfs("small", "20M")
        self.refused_and_unharmed("snapshot-create-as", "g", "s", "--memspec", small / "m", naming=small / "m")
        self.assertEqual(list(small.iterdir()), [])
        tiny = self.scratch.tmpfs("tiny", "8k")
        self.refused_and_unharmed("snapshot-create-as", "g", "s", "--disk-only", "--diskspec", f"vda,file={tiny / 'vda'}",
                                  naming=tiny)
        tool("mount", "-o", "remount,ro", small)
        self.refused_and_unharmed("snapshot-create-as", "g", "s", "--memspec", small / "m", naming=small / "m")

    def test_a_checkpoint_that_lost_its_files(self):
        """All that can be checked is checked before the running guest is ended."""
        self.boot()
        memory = self.scratch / "s.mem"
        self.ok("snapshot-create-as", "g", "s", "--memspec", memory)
        aside = self.scratch / "aside"
        for path in (memory, self.scratch / "vdb.qcow2"):
            path.rename(aside)
            with self.subTest(missing=path.name):
                self.refused_and_unharmed("snapshot-revert", "g", "s", naming=path)
            aside.rename(path)
        for what, damage in (("cut", lambda f: f.truncate(memory.stat().st_size - 100)),
                             ("empty", lambda f: f.truncate(0)), ("garbage", lambda f: (f.seek(-64, 2), f.write(b"\xff" * 64)))):
            tool("cp", "--sparse=always", memory, aside)
            with open(memory, "r+b") as file:
                damage(file)
            with self.subTest(damage=what):
                self.refused_and_unharmed("snapshot-revert", "g", "s", naming=memory)
            aside.rename(memory)
        self.ok("snapshot-revert", "g", "s")
        self.assert_healthy()

    def test_guest_killed_in_the_midst(self):
        guest = self.boot(memory_mib=512)
        guest.do("fill 3 256", seconds=120)
        memory = self.scratch / "s.mem"
        process = self.spawn("snapshot-create-as", "g", "s", "--memspec", memory)
        harness.wait_for(lambda: memory.exists() or process.poll() is not None, 60, "the memory image is begun")
        os.kill(self.qemu_pid(), 9)
        self.assert_refusal(self.finish(process), ["snapshot-create-as"])
        self.assertEqual(self.snapshots(), [])
        self.assertFalse(memory.exists(), "half a memory image is left")
        self.assertIn(self.state(), ("shut off", "crashed"))
        for path in self.sources().values():
            tool("qemu-img", "check", "-q", "-f", "qcow2", path)
        self.ok("start", "g")
        guest.wait_until_up()
        self.assert_healthy()


if __name__ == "__main__":
    harness.main()
